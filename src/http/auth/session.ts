import type { Plugin } from 'graphql-yoga';
import type { CacheableResponse } from '#cache/response-cache.ts';
import type { RequestContext } from '#context/request-context.ts';
import { type ErrorCode, GatewayError } from '#errors/gateway-error.ts';
import { toErrorResponse } from '#http/error-response.ts';
import type { BodyReservation, PendingBody } from '#http/limits/request-body-budget.ts';
import { type RequestHead, recordCaller } from '#http/message.ts';
import type { OperationInfo } from '#observability/request-observer.ts';
import { InvalidTokenError } from './invalid-token-error.ts';

/** An answer to a whole operation, and what is told of it. */
export interface CachedResponse extends CacheableResponse {
  readonly operation: Omit<OperationInfo, 'variables'>;
  /** A large one in bytes. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** The answers to operations that are kept for one credential. */
export interface SessionResponseCache {
  get(key: string): CachedResponse | undefined;
  /** Begins to answer; returns what keeps the answer. */
  startStore(key: string): (response: CachedResponse) => void;
}

/** For whom a request is that has been let in. */
export interface Session {
  /** Tells callers apart. Never shown. */
  readonly callerKey: string;
  /** Whether the upstream has accepted its credential by now. */
  isCredentialAccepted(): boolean;
  /** Counts the body of the request until it is released. Throws a GatewayError when too many bytes are under way. */
  reserveBody(): BodyReservation;
  /** Throws a GatewayError when the caller has left too many bytes of answers unread. */
  checkUnsentBudget(): void;
  /** What its credential was answered before. */
  readonly responseCache: SessionResponseCache;
  /** Opens an operation. @param trace what its requests to the upstream are told by */
  createContext(clientSignal: AbortSignal, trace: unknown): RequestContext;
}

/** What goes with a request through Yoga. */
export interface SessionContext {
  /** Absent: the request is yet to be let in. */
  readonly session?: Session;
}

/** Says who a request is for. Throws a GatewayError for one that may not enter. */
export type OpenSession = (request: RequestHead) => Promise<Session>;

const STATUS_BY_CODE: { readonly [code in ErrorCode]?: number } = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  UPSTREAM_UNAVAILABLE: 503,
};

/** What `useAuthentication` adds to what goes with a request through Yoga. */
interface AuthenticationContext {
  session?: Session | undefined;
  /** Released when the request is answered. */
  readonly pendingBody: PendingBody;
}

/**
 * Lets nothing in that does not say who it is, before a byte of the body is read. The GraphiQL page is for everyone: it shows
 * nothing, and what it asks comes through here.
 */
export function useAuthentication(openSession: OpenSession, endpoint: string): Plugin<object, AuthenticationContext> {
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

/** What somebody is told who may not enter. @throws what is no reason for that */
export function toGatewayErrorResponse(error: unknown, request: RequestHead): Response {
  if (!(error instanceof GatewayError)) throw error;
  return toErrorResponse(error.code, error.message, {
    status: STATUS_BY_CODE[error.code] ?? 400,
    headers: toErrorHeaders(error, request),
    details: error.details,
  });
}

function toErrorHeaders(error: GatewayError, { headers }: RequestHead): Record<string, string> {
  const acceptsGraphQLResponseJson = headers.get('accept')?.includes('application/graphql-response+json');
  const challenge = error instanceof InvalidTokenError ? error.challenge : error.code === 'UNAUTHENTICATED' && 'Bearer';
  const { retryAfter } = error.details;
  return {
    ...(acceptsGraphQLResponseJson ? { 'content-type': 'application/graphql-response+json; charset=utf-8' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(challenge ? { 'www-authenticate': challenge } : {}),
  };
}
