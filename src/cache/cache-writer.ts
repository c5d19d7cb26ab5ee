import type {
  Endpoint,
  FetchedResponse,
  ReadVersion,
  UpstreamRequest,
} from '#rest/upstream-request.ts';
import type { FreshnessOf } from './freshness.ts';
import { type Entry, type Fence, isNotFound, type MemoryStore } from './memory-store.ts';
import type { CacheOwner, Flight, SecondTier } from './second-tier.ts';

export interface CacheWriterOptions {
  readonly memoryStore: MemoryStore;
  readonly secondTier: SecondTier | undefined;
  readonly freshnessOf: FreshnessOf;
  /** How long a 404 or 410 of a single object is fresh, in ms. */
  readonly notFoundMs: number;
  readonly graceMs: number;
  /** Called with every response that is written to the memory cache, and every embedded one. */
  readonly onWrite: OnCacheWrite | undefined;
  readonly now: () => number;
}

/**
 * Gets a response of the upstream, with the key of its credential.
 * @param isEmbedded whether the response to another request contains it: then it may be partial
 */
export type OnCacheWrite = (
  fingerprint: string,
  key: string,
  entry: Entry,
  isEmbedded: boolean,
) => void;

/** Where a response is cached: its owner and its key. */
export interface CacheTarget<T> {
  readonly owner: CacheOwner;
  readonly request: UpstreamRequest<T>;
  readonly key: string;
  readonly fence: Fence;
  /** Whether no client waits for the response of the second tier. @default false */
  readonly isBackground?: boolean;
  /** The load that the lookup in the second tier belongs to. @default it claims nothing */
  readonly flight?: Pick<Flight, 'read'> | undefined;
}

/**
 * Writes a response to the cache. If the response embeds responses to other requests, the writer
 * stores the embedded responses, too.
 */
export interface CacheWriter {
  storeResponse<T>(target: CacheTarget<T>, response: FetchedResponse<T>): Entry;
  /** Stores that the object does not exist, which replaces its cached response. */
  storeNotFound(target: CacheTarget<unknown>, status: number, requestedAt: number): Entry;
  /**
   * Copies the entry of the second tier into memory; undefined if there is none, or the second tier
   * does not respond in time.
   */
  readSecondTier<T>(target: CacheTarget<T>): Promise<Entry | undefined>;
}

/** The read version of a not-found entry. It never counts as newer than another read version. */
const UNVERSIONED: ReadVersion = { instance: '', sequence: 0, isCached: false };

/**
 * The `value` of a second-tier entry. It includes the read version, so that pages read by one
 * instance can be ordered by another.
 */
interface SecondTierValue {
  readonly value: unknown;
  readonly readVersion: ReadVersion;
  /**
   * When the upstream responded, by its own clock, in ms: the timestamps in the response must be
   * compared with that clock only.
   */
  readonly upstreamNow: number;
}

export function createCacheWriter({
  memoryStore,
  secondTier,
  freshnessOf,
  notFoundMs,
  graceMs,
  onWrite,
  now,
}: CacheWriterOptions): CacheWriter {
  let lastSerial = 0;
  const nextSerial = () => {
    lastSerial += 1;
    return lastSerial;
  };
  return {
    storeResponse({ owner, request, key, fence }, response) {
      const { value, status, readVersion, requestedAt, upstreamNow } = response;
      const { freshForMs, isLive } = freshnessOf(request.endpoint, value, upstreamNow);
      const entry: Entry = {
        value,
        status,
        readVersion,
        requestedAt,
        upstreamNow,
        freshUntil: requestedAt + freshForMs,
        isLive,
        serial: nextSerial(),
      };
      memoryStore.set(owner.fingerprint, key, entry, fence);
      onWrite?.(owner.fingerprint, key, entry, false);
      storeEmbedded(owner, request, entry, upstreamNow, fence);
      if (freshForMs > 0) {
        const ageMs = now() - requestedAt;
        const shared = {
          value: { value, readVersion, upstreamNow } satisfies SecondTierValue,
          status,
          ageMs,
          freshForMs,
          isLive,
        };
        secondTier?.write(owner, key, shared, freshForMs - ageMs + graceMs);
      }
      return entry;
    },
    storeNotFound({ owner, key, fence }, status, requestedAt) {
      const entry: Entry = {
        value: null,
        status,
        readVersion: UNVERSIONED,
        requestedAt,
        freshUntil: requestedAt + notFoundMs,
        isLive: false,
        serial: nextSerial(),
      };
      memoryStore.set(owner.fingerprint, key, entry, fence);
      const shared = {
        value: {
          value: null,
          readVersion: UNVERSIONED,
          upstreamNow: requestedAt,
        } satisfies SecondTierValue,
        status,
        ageMs: now() - requestedAt,
        freshForMs: notFoundMs,
        isLive: false,
      };
      // Even with a freshness of 0, the entry must replace what other instances have cached.
      secondTier?.write(owner, key, shared, Math.max(1, entry.freshUntil - now()));
      return entry;
    },
    async readSecondTier({ owner, request, key, fence, isBackground = false, flight }) {
      const shared = await (flight?.read() ?? secondTier?.read(owner, key, isBackground));
      if (!shared) return undefined;
      const { value, readVersion, upstreamNow } = shared.value as SecondTierValue;
      const requestedAt = now() - shared.ageMs;
      const entry: Entry = {
        ...shared,
        value,
        readVersion,
        requestedAt,
        upstreamNow,
        freshUntil: requestedAt + shared.freshForMs,
        serial: nextSerial(),
      };
      // The entry exists because the upstream accepted the credential at that time.
      if (!isNotFound(entry.status))
        memoryStore.recordAccepted(owner.fingerprint, requestedAt, fence);
      memoryStore.set(owner.fingerprint, key, entry, fence);
      if (now() < entry.freshUntil && !isNotFound(entry.status))
        onWrite?.(owner.fingerprint, key, entry, false);
      storeEmbedded(owner, request, entry, upstreamNow, fence);
      return entry;
    },
  };

  /**
   * Stores embedded responses in memory only: a page of rows embeds fifty calls, and the second
   * tier would seal and send each of them again.
   */
  function storeEmbedded(
    owner: CacheOwner,
    request: UpstreamRequest<unknown>,
    entry: Entry,
    upstreamNow: number,
    fence: Fence,
  ): void {
    if (isNotFound(entry.status)) return;
    for (const embedded of request.embedded?.(entry.value) ?? []) {
      const { endpoint, path, value } = embedded;
      const { freshForMs, isLive } = freshnessOf(endpoint, value, upstreamNow);
      const embeddedEntry: Entry = {
        ...entry,
        value,
        freshUntil: entry.requestedAt + freshForMs,
        isLive,
        serial: nextSerial(),
      };
      if (embedded.canReplace?.(memoryStore.get(owner.fingerprint, path)?.value) !== false)
        memoryStore.set(owner.fingerprint, path, embeddedEntry, fence);
      onWrite?.(owner.fingerprint, path, embeddedEntry, true);
    }
  }
}

/**
 * Whether a 404 means that the object does not exist. The 404 of a list may also mean that its page
 * is past the end.
 */
export function isSingleObject(endpoint: Endpoint): boolean {
  return endpoint.endsWith('/{id}');
}
