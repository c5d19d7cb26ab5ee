import type { Endpoint } from '#rest/upstream-request.ts';
import type { CacheEvents } from './cache-events.ts';
import type { Entry, Fence, MemoryStore } from './memory-store.ts';
import type { StalenessPolicy } from './staleness-policy.ts';

/** One answer of the upstream that an operation's answer is made of, as it was kept then. */
export interface Dependency {
  readonly endpoint: Endpoint;
  /** Path and query. */
  readonly key: string;
  /** Undefined: it was not kept. */
  readonly serial: number | undefined;
}

/** What an operation was answered. */
export interface CacheableResponse {
  /** What it takes besides its key, bytes. */
  readonly bytes: number;
  /** The end of its freshness, by our clock, ms: no later than that of the least fresh ingredient. */
  readonly freshUntil: number;
  readonly dependencies: readonly Dependency[];
}

/**
 * Keeps whole answers to operations in the same memory as what they are made of: with the same bound, for the same credential, and forgotten
 * with it.
 */
export interface ResponseCache<CachedResponse extends CacheableResponse> {
  /**
   * An answer, if an operation that is executed now would be given the same from memory: all that it is made of is still kept as it was, and
   * fresh, and the upstream has taken the credential lately.
   */
  get(fingerprint: string, key: string): CachedResponse | undefined;
  /** To be taken before an operation is executed, and given when its answer is kept. */
  takeFence(): Fence;
  set(fingerprint: string, key: string, response: CachedResponse, fence: Fence): void;
}

interface StoredResponse<Answer> {
  readonly response: Answer;
  /** Of what it is made of. */
  readonly serials: readonly number[];
  /** When it was last noted that its ingredients are in use, by our clock, ms. */
  readonly lastTouch: { at: number };
}

/** What an answer is made of is in use with it, and is not to be let go before what nobody asks for; to note it each time takes as long as all else. */
const TOUCH_INTERVAL_MS = 100;

/** An operation that is made of more is looked up again as quickly as its ingredients. */
const MAX_DEPENDENCIES = 200;

/** Apart from questions, whose keys are paths. */
const KEY_PREFIX = 'answer ';

/** What an ingredient takes besides its key. */
const DEPENDENCY_BYTES = 160;

/** Made anew after that: of nothing of the upstream's, an answer would be fresh for ever. */
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
      // The credential may be taken again before the answer is too old.
      if (!stalenessPolicy.isCredentialCurrent(fingerprint)) return undefined;
      const { response, serials, lastTouch } = entry.value as StoredResponse<CachedResponse>;
      if (!memoryStore.hasAll(fingerprint, serials)) {
        memoryStore.delete(fingerprint, storeKey);
        return undefined;
      }
      if (now() - lastTouch.at >= TOUCH_INTERVAL_MS) {
        lastTouch.at = now();
        for (const { key: dependencyKey } of response.dependencies) memoryStore.get(fingerprint, dependencyKey);
      }
      for (const { endpoint } of response.dependencies) events.onLookup(endpoint, 'memory');
      return response;
    },
    takeFence: memoryStore.takeFence,
    set(fingerprint, key, response, fence) {
      const { dependencies, freshUntil, bytes } = response;
      const serials = dependencies.flatMap(({ serial }) => serial ?? []);
      const isCacheable = dependencies.length <= MAX_DEPENDENCIES && serials.length === dependencies.length;
      if (!isCacheable || freshUntil <= now()) return;
      const entry: Entry = {
        value: { response, serials, lastTouch: { at: now() } } satisfies StoredResponse<CachedResponse>,
        status: 200,
        readVersion: UNVERSIONED,
        requestedAt: now(),
        freshUntil: Math.min(freshUntil, now() + MAX_AGE_MS),
        isLive: false,
        bytes: dependencies.reduce((sum, { key: dependencyKey }) => sum + DEPENDENCY_BYTES + 2 * dependencyKey.length, bytes),
        // It stands in for nothing: what it is made of does.
        isFreshOnly: true,
      };
      memoryStore.set(fingerprint, KEY_PREFIX + key, entry, fence);
    },
  };
}

/** No question is older or newer than an answer. */
const UNVERSIONED = { instance: 'answers', sequence: 0, isCached: false };
