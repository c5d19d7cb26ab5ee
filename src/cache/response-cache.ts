import type { Endpoint } from '#rest/upstream-request.ts';
import type { CacheEvents } from './cache-events.ts';
import type { Entry, Fence, MemoryStore } from './memory-store.ts';
import type { StalenessPolicy } from './staleness-policy.ts';

/** An upstream response that an operation's response depends on, as it was cached at that time. */
export interface Dependency {
  readonly endpoint: Endpoint;
  /** Path and query. */
  readonly key: string;
  /** Undefined if the response was not cached. */
  readonly serial: number | undefined;
}

/** A response to a whole operation. */
export interface CacheableResponse {
  /** Size without the key, in bytes. */
  readonly bytes: number;
  /**
   * End of freshness, by the gateway's clock, in ms: no later than that of the least fresh
   * dependency.
   */
  readonly freshUntil: number;
  readonly dependencies: readonly Dependency[];
}

/**
 * Response cache for whole operations. It shares the memory store, its limit and its owners with
 * the upstream responses that its entries depend on: revoking a credential removes both.
 */
export interface ResponseCache<CachedResponse extends CacheableResponse> {
  /**
   * Returns a cached response if an execution would produce the same from memory now: every
   * dependency is still cached, unchanged and fresh, and the upstream has accepted the credential
   * recently.
   */
  get(fingerprint: string, key: string): CachedResponse | undefined;
  /** Must be taken before the execution, and passed to `set` with its response. */
  takeFence(): Fence;
  set(fingerprint: string, key: string, response: CachedResponse, fence: Fence): void;
}

interface StoredResponse<CachedResponse> {
  readonly response: CachedResponse;
  /** Serials of the dependencies. */
  readonly serials: readonly number[];
  /** When the dependencies were last marked as used, by the gateway's clock, in ms. */
  readonly lastTouch: { at: number };
}

/**
 * How often a cache hit marks the dependencies as used, in ms. They must not be evicted before
 * unused entries; but marking them on every hit takes as long as the rest of the lookup.
 */
const TOUCH_INTERVAL_MS = 100;

/**
 * With more dependencies than this, checking them all is no faster than executing the operation.
 */
const MAX_DEPENDENCIES = 200;

/** Separates these keys from those of upstream requests, which are paths. */
const KEY_PREFIX = 'response ';

/** Size of a dependency without its key, in bytes. */
const DEPENDENCY_BYTES = 160;

/**
 * Maximum age of a cached response, in ms. Without this limit, a response that contains no upstream
 * data would be fresh forever.
 */
const MAX_AGE_MS = 600_000;

export interface ResponseCacheOptions {
  readonly memoryStore: MemoryStore;
  readonly stalenessPolicy: Pick<StalenessPolicy, 'isCredentialCurrent' | 'isWithin'>;
  readonly events: CacheEvents;
  readonly now: () => number;
}

export function createResponseCache<CachedResponse extends CacheableResponse>({
  memoryStore,
  stalenessPolicy,
  events,
  now,
}: ResponseCacheOptions): ResponseCache<CachedResponse> {
  return {
    get(fingerprint, key) {
      const storeKey = KEY_PREFIX + key;
      const entry = memoryStore.get(fingerprint, storeKey);
      if (!entry) return undefined;
      if (!stalenessPolicy.isWithin(entry.requestedAt, entry.freshUntil - entry.requestedAt)) {
        memoryStore.delete(fingerprint, storeKey);
        return undefined;
      }
      // Keep the entry: the credential may be accepted again before the response expires.
      if (!stalenessPolicy.isCredentialCurrent(fingerprint)) return undefined;
      const { response, serials, lastTouch } = entry.value as StoredResponse<CachedResponse>;
      if (!memoryStore.hasAll(fingerprint, serials)) {
        memoryStore.delete(fingerprint, storeKey);
        return undefined;
      }
      if (now() - lastTouch.at >= TOUCH_INTERVAL_MS) {
        lastTouch.at = now();
        for (const { key: dependencyKey } of response.dependencies)
          memoryStore.get(fingerprint, dependencyKey);
      }
      for (const { endpoint } of response.dependencies) events.onLookup(endpoint, 'memory');
      return response;
    },
    takeFence: memoryStore.takeFence,
    set(fingerprint, key, response, fence) {
      const { dependencies, freshUntil, bytes } = response;
      const serials = dependencies.flatMap(({ serial }) => serial ?? []);
      const isCacheable =
        dependencies.length <= MAX_DEPENDENCIES && serials.length === dependencies.length;
      if (!isCacheable || freshUntil <= now()) return;
      const entry: Entry = {
        value: {
          response,
          serials,
          lastTouch: { at: now() },
        } satisfies StoredResponse<CachedResponse>,
        status: 200,
        readVersion: UNVERSIONED,
        requestedAt: now(),
        freshUntil: Math.min(freshUntil, now() + MAX_AGE_MS),
        isLive: false,
        bytes: dependencies.reduce(
          (sum, { key: dependencyKey }) => sum + DEPENDENCY_BYTES + 2 * dependencyKey.length,
          bytes,
        ),
        // A cached response is never served stale. An execution may serve its dependencies stale.
        isFreshOnly: true,
      };
      memoryStore.set(fingerprint, KEY_PREFIX + key, entry, fence);
    },
  };
}

/** Responses to operations have no read version. */
const UNVERSIONED = { instance: 'responses', sequence: 0, isCached: false };
