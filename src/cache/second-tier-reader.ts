import type { FetchUpstream } from '#rest/upstream-request.ts';
import type { CacheWriter } from './cache-writer.ts';
import { isNotFound, type MemoryStore } from './memory-store.ts';
import { isNewerVersion, type StalenessPolicy } from './staleness-policy.ts';

/** No other instance has shared a response that counts. */
export class NotSharedError extends Error {}

export interface SecondTierReaderOptions {
  readonly memoryStore: Pick<MemoryStore, 'get' | 'takeFence'>;
  readonly cacheWriter: Pick<CacheWriter, 'readSecondTier'>;
  readonly stalenessPolicy: Pick<StalenessPolicy, 'isCredentialCurrent'>;
  /** The wall clock, in ms. */
  readonly now: () => number;
}

/**
 * Reads responses that other instances have stored in the second tier, without an upstream request.
 * Unlike a query, the caller says what a response is worth by its age: unless it demands a fresh
 * one, an older response counts, too. A 404 never counts.
 *
 * The returned function rejects with a `NotSharedError` if there is no such response.
 */
export function createSecondTierReader(options: SecondTierReaderOptions): FetchUpstream {
  const { memoryStore, cacheWriter, stalenessPolicy, now } = options;

  return async (context, request, { freshOnly, newerThan } = {}) => {
    const { credential } = context;
    const { fingerprint } = credential;
    const key = `${request.path}${request.query}`;
    const cached = freshOnly ? memoryStore.get(fingerprint, key) : undefined;
    const entry =
      cached && now() < cached.freshUntil
        ? cached
        : await cacheWriter.readSecondTier({
            owner: credential,
            request,
            key,
            fence: memoryStore.takeFence(),
            isBackground: true,
          });
    const counts =
      entry &&
      !isNotFound(entry.status) &&
      !(freshOnly && now() >= entry.freshUntil) &&
      isNewerVersion(entry.readVersion, newerThan) &&
      stalenessPolicy.isCredentialCurrent(fingerprint);
    if (!counts) throw new NotSharedError();
    const { status, requestedAt, upstreamNow } = entry;
    const readVersion = { ...entry.readVersion, isCached: true };
    return { value: entry.value as never, status, readVersion, requestedAt, upstreamNow };
  };
}
