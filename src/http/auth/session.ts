import type { CancellationSignal } from '#cancellation.ts';
import type { OperationOrigin, RequestContext } from '#context/request-context.ts';
import { type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import { toErrorResponse } from '#http/error-response.ts';
import type { BodyReservation } from '#http/limits/request-body-budget.ts';
import type { RequestHead } from '#http/message.ts';
import type { SessionResponseCache } from '#http/response-cache/cached-response.ts';
import type { Subscriber } from '#live/subscriptions.ts';
import { InvalidTokenError } from './invalid-token-error.ts';

/**
 * An authenticated request with its caller and its upstream credential. Each request has a session
 * of its own.
 */
export interface Session {
  /** Identifies the caller. Never shown. */
  readonly callerKey: string;
  /** Whether the upstream has accepted the caller's credential by now. */
  isCredentialAccepted(): boolean;
  /**
   * Counts the body of the request until the reservation is released.
   * @throws GatewayError when too many bytes of bodies are in flight
   */
  reserveBody(request: Pick<RequestHead, 'headers'>): BodyReservation;
  /** @throws GatewayError when the caller has too many unsent bytes of responses */
  checkUnsentBudget(): void;
  /** The cached responses of the caller's credential. Undefined: responses are not cached. */
  readonly responseCache: SessionResponseCache | undefined;
  /**
   * Creates the context of an operation.
   * @param trace passed on to the observer of its upstream requests
   */
  createContext(clientSignal: CancellationSignal, trace: unknown): RequestContext;
  /** The owner of a subscription, which outlives the request. */
  toSubscriber(): SessionSubscriber;
}

/** The caller of a subscription and its credential. */
export interface SessionSubscriber extends Subscriber {
  /**
   * Creates the context of one event.
   * @param pageOptions how the event reads the pages of lists
   */
  createEventContext(pageOptions?: OperationOrigin['pageOptions']): RequestContext;
}

/** The part of Yoga's context that holds the session. */
export interface SessionContext {
  /** Absent: the request is not authenticated yet. */
  readonly session?: Session;
}

/**
 * Authenticates a request: at once, unless a token must be verified.
 * @throws GatewayError for a request that is rejected, or rejects with it
 */
export type OpenSession = (request: RequestHead) => Session | Promise<Session>;

const STATUS_BY_CODE: { readonly [code in ErrorCode]?: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  UPSTREAM_UNAVAILABLE: 503,
};

/**
 * The response to a request that is rejected with a GatewayError.
 * @throws every other error
 */
export function toGatewayErrorResponse(error: unknown, request: RequestHead): Response {
  if (!(error instanceof GatewayError)) throw error;
  return toErrorResponse(error.code, error.message, {
    status: STATUS_BY_CODE[error.code] ?? 400,
    headers: toErrorHeaders(error, request),
    details: error.details,
  });
}

function toErrorHeaders(error: GatewayError, { headers }: RequestHead): Record<string, string> {
  const acceptsGraphQLResponseJson = headers
    .get('accept')
    ?.includes('application/graphql-response+json');
  const challenge =
    error instanceof InvalidTokenError
      ? error.challenge
      : error.code === 'UNAUTHENTICATED' && 'Bearer';
  const { retryAfter } = error.details;
  return {
    ...(acceptsGraphQLResponseJson
      ? { 'content-type': 'application/graphql-response+json; charset=utf-8' }
      : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(challenge ? { 'www-authenticate': challenge } : {}),
  };
}
