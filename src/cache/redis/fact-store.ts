import type { CacheOwner, SecondTier } from '#cache/second-tier.ts';

/**
 * Shares the facts of one credential between instances: the number of an endpoint's first page, and
 * how long it may be trusted.
 */
export interface FactStore {
  /** Undefined if there is no fact, or the lookup takes too long. Never rejects. */
  readFirstPage(
    endpoint: string,
  ): Promise<(FirstPageFact & { readonly ageMs: number }) | undefined>;
  writeFirstPage(endpoint: string, fact: FirstPageFact, ttlMs: number): void;
}

export interface FirstPageFact {
  readonly value: 0 | 1;
  /** From the time of the write, in ms. */
  readonly trustMs: number;
}

/**
 * The tier stores a fact like any other entry of its credential. The fact is encrypted with a key
 * derived from the credential, and stored under a Redis key for one upstream and one endpoint. The
 * fact is invalid once the upstream rejects the credential.
 */
export function createFactStore(
  tier: Pick<SecondTier, 'read' | 'write'>,
  owner: CacheOwner,
): FactStore {
  const toKey = (endpoint: string) => `first page of ${endpoint}`;
  return {
    async readFirstPage(endpoint) {
      const entry = await tier.read(owner, toKey(endpoint));
      return entry && isFirstPageFact(entry.value)
        ? { ...entry.value, ageMs: entry.ageMs }
        : undefined;
    },
    writeFirstPage(endpoint, fact, ttlMs) {
      const entry = { value: fact, status: 200, ageMs: 0, freshForMs: ttlMs, isLive: false };
      tier.write(owner, toKey(endpoint), entry, ttlMs);
    },
  };
}

function isFirstPageFact(value: unknown): value is FirstPageFact {
  if (typeof value !== 'object' || value === null || !('value' in value && 'trustMs' in value))
    return false;
  return (value.value === 0 || value.value === 1) && typeof value.trustMs === 'number';
}
