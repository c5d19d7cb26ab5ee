import type { GraphQLError } from 'graphql';
import { type OpenSession, type Session, toGatewayErrorResponse } from '#http/auth/session.ts';
import type { ExecuteWarmOperation } from '#http/fast-path/execute.ts';
import { toGraphQLResponse } from '#http/fast-path/graphql-response.ts';
import { NO_STORE } from '#http/headers/cache-control.ts';
import { isWhole, negotiateMediaType } from '#http/headers/media-type.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import { respondFromCache } from '#http/response-cache/cached-response.ts';
import type { StorableOperation } from '#http/response-cache/store-yoga-response.ts';
import { createRequestCache, parseParams } from '#http/warm-operations/request-cache.ts';
import type { WarmOperation, WarmOperations } from '#http/warm-operations/warm-operations.ts';
import type { RequestObserver } from '#observability/request-observer.ts';
import type { PlainRequest, PlainResponse } from './message.ts';
import { isTraceRequested } from './operation-result.ts';
import { withoutByteOrderMark } from './read-body.ts';
import type { OperationScheduler } from './scheduler.ts';

export interface PlainPipelineOptions {
  readonly openSession: OpenSession;
  readonly warmOperations: WarmOperations;
  readonly scheduler: OperationScheduler;
  /** Undefined: Yoga executes warm operations too. */
  readonly executeWarmOperation: ExecuteWarmOperation | undefined;
  readonly maxBodyBytes: number;
  readonly upstreamTrace: boolean;
  /** Executes an operation with Yoga. */
  readonly fallThrough: (
    request: PlainRequest,
    fallthrough: Fallthrough,
    observer: RequestObserver,
  ) => Promise<PlainResponse | Response>;
  readonly maskError: (error: unknown) => GraphQLError;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** What the plain pipeline passes on to Yoga: the session and the body of a request. */
export interface Fallthrough {
  readonly session: Session;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly pendingBody: PendingBody;
  /** Undefined if Yoga's response must not be cached. */
  readonly storable: StorableOperation | undefined;
}

/**
 * Responds to a plain request, or rejects it.
 * @throws an unexpected error, or the reason of the signal when the client has disconnected
 */
export type PlainPipeline = (
  request: PlainRequest,
  observer: RequestObserver,
) => Promise<PlainResponse | Response>;

/**
 * Maximum size of a request that uses the request cache and the response cache, in bytes. A longer
 * one is parsed and executed each time.
 */
const MAX_CACHEABLE_REQUEST_BYTES = 16_384;

/** Event-loop time that sending a byte of a large body takes. */
const SEND_MS_PER_BYTE = 1e-6;

/**
 * The pipeline of eligible requests: authenticate, read the body, look up the response cache, wait
 * for the caller's turn, execute on the fast path. A request that neither the response cache nor
 * the fast path can serve falls through to Yoga. One asynchronous function: each one takes time.
 */
export function createPlainPipeline({
  openSession,
  warmOperations,
  scheduler,
  executeWarmOperation,
  maxBodyBytes,
  upstreamTrace,
  fallThrough,
  maskError,
  now,
}: PlainPipelineOptions): PlainPipeline {
  const requestCache = createRequestCache();

  return async (request, observer) => {
    const pendingBody: PendingBody = {};
    try {
      let session: Session;
      try {
        const opened = openSession(request);
        session = opened instanceof Promise ? await opened : opened;
        request.caller = session;
        pendingBody.reservation = session.reserveBody(request);
      } catch (error) {
        return toGatewayErrorResponse(error, request);
      }
      const negotiated = negotiateMediaType(request.headers.get('accept'));
      const mediaType = isWhole(negotiated) ? negotiated : 'application/json';
      let body: Uint8Array<ArrayBuffer>;
      try {
        body = await request.readBody(maxBodyBytes, pendingBody.reservation.add);
      } catch (error) {
        if (request.signal.aborted) throw error;
        return toGraphQLResponse({ errors: [maskError(error)] }, NO_STORE, mediaType, observer);
      }
      const isTraced = upstreamTrace && isTraceRequested(request.headers);
      const responseCache = isTraced ? undefined : session.responseCache;
      // A long request waits for its turn before it is decoded: many decoded requests would fill
      // the heap.
      const parsedRequest =
        body.byteLength <= MAX_CACHEABLE_REQUEST_BYTES
          ? requestCache.parse(decodeBody(body))
          : undefined;
      let cacheKey = parsedRequest?.responseKeys?.keys[mediaType];
      let cachedResponse = cacheKey === undefined ? undefined : responseCache?.get(cacheKey);
      let operation: WarmOperation | undefined;
      if (!cachedResponse) {
        operation = warmOperations.find(parsedRequest?.params);
        const currentKey =
          operation && parsedRequest && responseCache
            ? requestCache.toResponseKeys(operation, parsedRequest)[mediaType]
            : undefined;
        if (currentKey !== undefined && currentKey !== cacheKey)
          cachedResponse = responseCache?.get(currentKey);
        cacheKey = currentKey;
      }
      if (cachedResponse) {
        // A cached response is sent without scheduling, unless its body is large.
        if (typeof cachedResponse.body === 'string') scheduler.recordActivity(session.callerKey);
        else await waitForLargeResponseTurn(cachedResponse.body, session, request);
        const variables = parsedRequest?.params?.variables ?? undefined;
        return respondFromCache(cachedResponse, variables, mediaType, observer, now());
      }
      const turn = scheduler.waitForTurn(session);
      if (turn) await turn;
      // The client may have disconnected while the request waited.
      request.signal.throwIfAborted();
      if (!parsedRequest) operation = warmOperations.find(parseParams(decodeBody(body)));
      const store = cacheKey === undefined ? undefined : responseCache?.startStore(cacheKey);
      if (!executeWarmOperation || !operation || !warmOperations.isWithinCost(operation))
        return await fallThrough(
          request,
          { session, body, pendingBody, storable: operation && store && { operation, store } },
          observer,
        );
      try {
        return await executeWarmOperation(operation, {
          session,
          store,
          isTraced,
          signal: request.signal,
          mediaType,
          observer,
        });
      } catch (error) {
        return toGatewayErrorResponse(error, request);
      }
    } finally {
      pendingBody.reservation?.release();
    }
  };

  async function waitForLargeResponseTurn(
    { byteLength }: Uint8Array,
    session: Session,
    { signal }: PlainRequest,
  ): Promise<void> {
    await scheduler.waitForTurn(session, true);
    signal.throwIfAborted();
    // The slices are sent after the turn, so the scheduler does not measure their time.
    scheduler.charge(session, byteLength * SEND_MS_PER_BYTE);
  }
}

function decodeBody(body: Uint8Array<ArrayBuffer>): string {
  const { buffer, byteOffset, byteLength } = body;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(buffer, byteOffset, byteLength);
  return withoutByteOrderMark(bytes.toString());
}
