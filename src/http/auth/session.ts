import type { Plugin } from 'graphql-yoga';
import type { CacheableResponse } from '#cache/response-cache.ts';
import type { RequestContext } from '#context/request-context.ts';
import { type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import { toErrorResponse } from '#http/error-response.ts';
import type { BodyReservation, PendingBody } from '#http/limits/request-body-budget.ts';
import { type RequestHead, recordCaller } from '#http/message.ts';
import type { OperationInfo } from '#observability/request-observer.ts';
import { InvalidTokenError } from './invalid-token-error.ts';

/** A cached response to a whole operation, and what is reported of the operation. */
export interface CachedResponse extends CacheableResponse {
  readonly operation: Omit<OperationInfo, 'variables'>;
  /** A large body is stored as bytes. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** The response cache of one credential. */
export interface SessionResponseCache {
  get(key: string): CachedResponse | undefined;
  /**
   * To be called before the operation is executed. Returns the function that stores its response.
   */
  startStore(key: string): (response: CachedResponse) => void;
}

/** An authenticated request. */
export interface Session {
  /** Identifies the caller. Never shown. */
  readonly callerKey: string;
  /** Whether the upstream has accepted the caller's credential by now. */
  isCredentialAccepted(): boolean;
  /**
   * Counts the body of the request until the reservation is released.
   * @throws GatewayError when too many bytes of bodies are in flight
   */
  reserveBody(): BodyReservation;
  /** @throws GatewayError when the caller has too many bytes of unread responses */
  checkUnsentBudget(): void;
  /** The cached responses of the caller's credential. */
  readonly responseCache: SessionResponseCache;
  /**
   * Creates the context of an operation.
   * @param trace passed on to the observer of its upstream requests
   */
  createContext(clientSignal: AbortSignal, trace: unknown): RequestContext;
}

/** The part of Yoga's context that holds the session. */
export interface SessionContext {
  /** Absent: the request is not authenticated yet. */
  readonly session?: Session;
}

/**
 * Authenticates a request.
 * @throws GatewayError for a request that is rejected
 */
export type OpenSession = (request: RequestHead) => Promise<Session>;

const STATUS_BY_CODE: { readonly [code in ErrorCode]?: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  UPSTREAM_UNAVAILABLE: 503,
};

/** The part of Yoga's context that `useAuthentication` fills. */
interface AuthenticationContext {
  session?: Session | undefined;
  /** Its reservation is released when the response is complete. */
  readonly pendingBody: PendingBody;
}

/**
 * Rejects an unauthenticated request before a byte of its body is read. The GraphiQL page needs no
 * authentication: it shows no data, and its own requests are authenticated here.
 */
export function useAuthentication(
  openSession: OpenSession,
  endpoint: string,
): Plugin<object, AuthenticationContext> {
  return {
    async onRequest({ request, url, serverContext, endResponse }) {
      if (url.pathname !== endpoint || serverContext.session) return;
      try {
        serverContext.session = await openSession(request);
        serverContext.pendingBody.reservation = serverContext.session.reserveBody();
        recordCaller(request, serverContext.session);
      } catch (error) {
        endResponse(toGatewayErrorResponse(error, request));
      }
    },
  };
}

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
