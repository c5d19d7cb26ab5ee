import type { Endpoint, FetchedResponse, ReadVersion, UpstreamRequest } from '#rest/upstream-request.ts';
import type { FreshnessOf } from './freshness.ts';
import { type Entry, type Fence, isNotFound, type MemoryStore } from './memory-store.ts';
import type { CacheOwner, SecondTier } from './second-tier.ts';

export interface CacheWriterOptions {
  readonly memoryStore: MemoryStore;
  readonly secondTier: SecondTier | undefined;
  readonly freshnessOf: FreshnessOf;
  /** That there is no such object is kept for so long, ms. */
  readonly notFoundMs: number;
  readonly graceMs: number;
  readonly now: () => number;
}

/** A question as it is kept: for whom, and under which key. */
export interface CacheTarget<T> {
  readonly owner: CacheOwner;
  readonly request: UpstreamRequest<T>;
  readonly key: string;
  readonly fence: Fence;
}

/** Puts answers where they are remembered, and with them the answers to other questions that stand in them. */
export interface CacheWriter {
  storeResponse<T>(target: CacheTarget<T>, response: FetchedResponse<T>): Entry;
  /** There is no such object: that replaces what was kept of it. */
  storeNotFound(target: CacheTarget<unknown>, status: number, requestedAt: number): Entry;
  /** What other instances have kept, put into memory; undefined when they have not, or cannot be asked in time. */
  readSecondTier<T>(target: CacheTarget<T>): Promise<Entry | undefined>;
}

/** An answer without a place among the readings: that there is nothing. */
const UNVERSIONED: ReadVersion = { instance: '', sequence: 0, isCached: false };

/** What lies in the second tier under `value`: the reading goes along, so that pages read by one process can be put in order by another. */
interface SecondTierValue {
  readonly value: unknown;
  readonly reading: ReadVersion;
  /** By the upstream's clock: what stands in the answer is judged by that, wherever it is read. */
  readonly upstreamNow: number;
}

export function createCacheWriter({
  memoryStore,
  secondTier,
  freshnessOf,
  notFoundMs,
  graceMs,
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
        freshUntil: requestedAt + freshForMs,
        isLive,
        serial: nextSerial(),
      };
      memoryStore.set(owner.fingerprint, key, entry, fence);
      storeEmbedded(owner, request, entry, upstreamNow, fence);
      if (freshForMs > 0) {
        const ageMs = now() - requestedAt;
        const shared = {
          value: { value, reading: readVersion, upstreamNow } satisfies SecondTierValue,
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
        value: { value: null, reading: UNVERSIONED, upstreamNow: requestedAt } satisfies SecondTierValue,
        status,
        ageMs: now() - requestedAt,
        freshForMs: notFoundMs,
        isLive: false,
      };
      // Not kept at all, it still has to replace what other instances know.
      secondTier?.write(owner, key, shared, Math.max(1, entry.freshUntil - now()));
      return entry;
    },
    async readSecondTier({ owner, request, key, fence }) {
      const shared = await secondTier?.read(owner, key);
      if (!shared) return undefined;
      const { value, reading: readVersion, upstreamNow } = shared.value as SecondTierValue;
      const requestedAt = now() - shared.ageMs;
      const entry: Entry = {
        ...shared,
        value,
        readVersion,
        requestedAt,
        freshUntil: requestedAt + shared.freshForMs,
        serial: nextSerial(),
      };
      // It lies there because the upstream took the credential then.
      if (!isNotFound(entry.status)) memoryStore.recordAccepted(owner.fingerprint, requestedAt, fence);
      memoryStore.set(owner.fingerprint, key, entry, fence);
      storeEmbedded(owner, request, entry, upstreamNow, fence);
      return entry;
    },
  };

  /** In memory alone: a page of rows holds fifty calls, and each would be sealed and sent a second time. */
  function storeEmbedded(
    owner: CacheOwner,
    request: UpstreamRequest<unknown>,
    entry: Entry,
    upstreamNow: number,
    fence: Fence,
  ): void {
    if (isNotFound(entry.status)) return;
    for (const { endpoint, path, value } of request.embedded?.(entry.value) ?? []) {
      const { freshForMs, isLive } = freshnessOf(endpoint, value, upstreamNow);
      const embeddedEntry: Entry = { ...entry, value, freshUntil: entry.requestedAt + freshForMs, isLive, serial: nextSerial() };
      memoryStore.set(owner.fingerprint, path, embeddedEntry, fence);
    }
  }
}

/** Whether a 404 says that there is no such object; a list's may as well say that its page is past the end. */
export function isSingleObject(endpoint: Endpoint): boolean {
  return endpoint.endsWith('/{id}');
}
