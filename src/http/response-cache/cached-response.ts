import type { CacheableResponse, ResponseCache } from '#cache/response-cache.ts';
import type { RequestContext } from '#context/request-context.ts';
import { toPrivateMaxAge } from '#http/headers/cache-control.ts';
import type { MediaType } from '#http/headers/media-type.ts';
import type { PlainResponse } from '#http/message.ts';
import { toResponseHeaders } from '#http/response-headers.ts';
import { toOperationInfo, type WarmOperation } from '#http/warm-operations/warm-operations.ts';
import type { OperationInfo, RequestObserver } from '#observability/request-observer.ts';

/** A cached response to a whole operation, and what is reported of the operation. */
export interface CachedResponse extends CacheableResponse {
  readonly operation: Omit<OperationInfo, 'variables'>;
  /** A large body is stored as bytes. */
  readonly body: string | Uint8Array<ArrayBuffer>;
}

export type StoreResponse = (response: CachedResponse) => void;

/** The response cache of one credential. */
export interface SessionResponseCache {
  get(key: string): CachedResponse | undefined;
  /**
   * To be called before the operation is executed. Returns the function that stores its response.
   */
  startStore(key: string): StoreResponse;
}

export function toSessionCache(
  responses: ResponseCache<CachedResponse>,
  fingerprint: string,
): SessionResponseCache {
  return {
    get: (key) => responses.get(fingerprint, key),
    startStore(key) {
      const fence = responses.takeFence();
      return (response) => responses.set(fingerprint, key, response, fence);
    },
  };
}

/**
 * Maximum length of a body that is sent without scheduling, in UTF-16 code units. A longer body is
 * stored as bytes, and waits for its turn.
 */
const MAX_SMALL_BODY_LENGTH = 65_536;

/**
 * Responds from the cache, and reports it to the observer like an execution that finds everything
 * in memory.
 * @param now current time, in ms
 */
export function respondFromCache(
  { operation, body, freshUntil, dependencies }: CachedResponse,
  variables: OperationInfo['variables'],
  mediaType: MediaType,
  observer: RequestObserver,
  now: number,
): PlainResponse {
  observer.onOperation({ ...operation, variables });
  observer.onExecuteStart('cached');
  observer.onExecuteEnd({
    waitedMs: 0,
    upstreamRequests: 0,
    cacheHits: dependencies.length,
    coalesced: 0,
    stale: 0,
  });
  const maxAgeMs = Number.isFinite(freshUntil) ? freshUntil - now : 0;
  return { status: 200, headers: toResponseHeaders(mediaType, toPrivateMaxAge(maxAgeMs)), body };
}

/**
 * Stores a response that has no errors. The response is stored only if every lookup of its
 * execution was a cache hit. The first execution of an operation may have further lookups, such as
 * the object type of an id or the first page of a list. If its response were stored, every hit
 * would report these lookups, and the response would expire with them. A response with live data is
 * not stored either, nor one with drift, because each occurrence of drift is counted.
 */
export function storeResponse(
  store: StoreResponse,
  operation: WarmOperation,
  body: string,
  { usage, driftLog }: RequestContext,
): void {
  const { freshness, counts, dependencies } = usage;
  if (freshness.isLive || counts.cache !== dependencies.length || driftLog.drift.length > 0) return;
  // All clients that receive a large body share its bytes.
  const storedBody = body.length > MAX_SMALL_BODY_LENGTH ? new TextEncoder().encode(body) : body;
  const bytes =
    2 * operation.text.length +
    (typeof storedBody === 'string' ? 2 * storedBody.length : storedBody.byteLength);
  store({
    operation: toOperationInfo(operation),
    body: storedBody,
    freshUntil: freshness.freshUntil,
    dependencies,
    bytes,
  });
}
