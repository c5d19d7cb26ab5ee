import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { maxEntries } from '#cache/max-entries.ts';
import { boundedRead } from '#redis/bounded-read.ts';
import type { RedisConnection } from '#redis/redis-connection.ts';

/**
 * Invalidates the Redis entries of a rejected credential: only entries of its current epoch may be
 * read. A rejection starts a new epoch, for all instances and releases. If Redis has lost the
 * epoch, the next write starts a new one.
 *
 * A response belongs to the epoch in which its request was sent. No instance reads the entry of a
 * response whose request was sent before the rejection, even if the response arrived later.
 */
export interface CredentialEpochs {
  /** The Redis key of a credential's epoch, with the fingerprint as hash tag. All releases share it. */
  redisKeyOf(fingerprint: string): string;
  /**
   * Whether a revocation has not reached Redis yet. Until then, the epoch in Redis must not be
   * used.
   */
  isRevoked(fingerprint: string): boolean;
  /**
   * Returns a fencing token, to be taken before Redis is queried for the epoch: `observe` ignores a
   * reply whose token is older than that of the known epoch.
   */
  takeFence(): number;
  /**
   * Records what Redis returned to a query sent after the fence: an epoch, or none. Returns
   * undefined if a later epoch is known: this instance may have revoked the credential while the
   * query was in flight.
   */
  observe(fingerprint: string, epoch: string | undefined, fence: number): ObservedEpoch | undefined;
  /** Whether `observed` is still the latest epoch that this instance knows. */
  isCurrent(fingerprint: string, observed: ObservedEpoch): boolean;
  /**
   * Returns the epoch in which a request was sent. Starts the first epoch if there is none.
   * Undefined if that epoch is unknown, or if the request was sent more than `REVOCATION_TTL_MS`
   * ago.
   */
  epochAt(fingerprint: string, requestedAt: number): Promise<string | undefined>;
  /**
   * Whether Redis has returned an epoch of the credential: then the credential may have entries.
   */
  hasObserved(fingerprint: string): boolean;
  /** Starts a new epoch for a rejected credential, now or as soon as Redis can be reached. */
  revoke(fingerprint: string): void;
  /** Sends all pending revocations to Redis. */
  flushRevocations(): Promise<void>;
}

export interface ObservedEpoch {
  readonly epoch: string | undefined;
  /** Every request sent from this time on belongs to this epoch or a later one. */
  readonly since: number;
}

interface KnownEpoch extends ObservedEpoch {
  epoch: string | undefined;
  since: number;
  /** The latest fence at which Redis returned this epoch. */
  fence: number;
  /** The first epoch, while this instance proposes one. */
  proposal?: Promise<string | undefined>;
}

/**
 * Time to live of an epoch with entries, in ms, and the maximum time to live of an entry. Each
 * write renews it.
 */
export const EPOCH_TTL_MS = 2 * 86_400_000;
/**
 * Time to live of a new epoch without entries, in ms. After this time, `epochAt` returns no epoch
 * for a request that was sent before the revocation. The time is short because any client can have
 * any number of credentials rejected.
 */
export const REVOCATION_TTL_MS = 600_000;
const RANDOM_BYTES = 12;
/** The random bytes in Base64. */
const MAX_EPOCH_BYTES = (RANDOM_BYTES / 3) * 4;
/** Reads the epoch of a credential. */
export const EPOCH = boundedRead(MAX_EPOCH_BYTES);
const MAX_CREDENTIALS = 10_000;
const REVOCATION_BATCH_SIZE = 100;

/** @param now the clock of the times of requests, in ms */
export function createCredentialEpochs(
  connection: Pick<RedisConnection, 'send'>,
  now: () => number,
): CredentialEpochs {
  const knownEpochs = new LRUCache<string, KnownEpoch>(maxEntries(MAX_CREDENTIALS));
  /** The epochs that have not reached Redis yet. */
  const pendingRevocations = new LRUCache<string, string>(maxEntries(MAX_CREDENTIALS));
  let isFlushing = false;
  let isFlushRequested = false;
  let lastFence = 0;

  return {
    redisKeyOf: toRedisKey,
    isRevoked: (fingerprint) => pendingRevocations.has(fingerprint),
    takeFence,
    observe(fingerprint, epoch, fence) {
      const known = knownEpochs.get(fingerprint);
      if (known && fence < known.fence) return undefined;
      if (known && known.epoch === epoch) return Object.assign(known, { fence });
      const observed: KnownEpoch = { epoch, since: now(), fence };
      knownEpochs.set(fingerprint, observed);
      return observed;
    },
    isCurrent: (fingerprint, observed) => knownEpochs.peek(fingerprint) === observed,
    async epochAt(fingerprint, requestedAt) {
      const known = knownEpochs.get(fingerprint);
      // The clock was set back: no request of now precedes the epoch.
      if (known && known.since > now()) known.since = now();
      if (!known || requestedAt < known.since || requestedAt + REVOCATION_TTL_MS < now())
        return undefined;
      if (known.epoch !== undefined) return known.epoch;
      known.proposal ??= propose(fingerprint, known);
      return known.proposal;
    },
    hasObserved: (fingerprint) => knownEpochs.peek(fingerprint)?.epoch !== undefined,
    revoke(fingerprint) {
      const epoch = createEpoch();
      knownEpochs.set(fingerprint, { epoch, since: now(), fence: takeFence() });
      pendingRevocations.set(fingerprint, epoch);
      void flushRevocations();
    },
    flushRevocations,
  };

  function takeFence(): number {
    lastFence += 1;
    return lastFence;
  }

  /**
   * Starts the first epoch. If Redis has an epoch by now, it may come from a revocation: then the
   * responses to earlier requests belong to no epoch.
   */
  async function propose(fingerprint: string, known: KnownEpoch): Promise<string | undefined> {
    const redisKey = toRedisKey(fingerprint);
    const proposed = createEpoch();
    const fence = takeFence();
    const replies = await connection.send(
      fingerprint,
      ['SET', redisKey, proposed, 'NX', 'PX', String(EPOCH_TTL_MS)],
      EPOCH.toCommand(redisKey),
    );
    if (knownEpochs.peek(fingerprint) !== known) return undefined;
    if (EPOCH.toValue(replies?.[1])?.toString() !== proposed) {
      knownEpochs.delete(fingerprint);
      return undefined;
    }
    Object.assign(known, { epoch: proposed, fence: Math.max(known.fence, fence) });
    return proposed;
  }

  async function flushRevocations(): Promise<void> {
    isFlushRequested = true;
    if (isFlushing) return;
    isFlushing = true;
    while (isFlushRequested) {
      isFlushRequested = false;
      const hasProgress = await sendPending();
      isFlushRequested ||= hasProgress && pendingRevocations.size > 0;
    }
    isFlushing = false;
  }

  /** @returns whether Redis has accepted a revocation */
  async function sendPending(): Promise<boolean> {
    const pending = [...pendingRevocations.entries()];
    let hasProgress = false;
    for (let first = 0; first < pending.length; first += REVOCATION_BATCH_SIZE) {
      const batch = pending.slice(first, first + REVOCATION_BATCH_SIZE);
      const outcomes = await Promise.all(batch.map(sendRevocation));
      // Where a master of a cluster is down, the others still accept their part.
      if (!outcomes.includes(true)) break;
      hasProgress = true;
    }
    return hasProgress;
  }

  /** @returns whether Redis has accepted the revocation */
  async function sendRevocation([fingerprint, epoch]: [string, string]): Promise<boolean> {
    const redisKey = toRedisKey(fingerprint);
    const replies = await connection.send(
      fingerprint,
      // If Redis is out of memory, it rejects the `SET` but accepts the `DEL`. Entries whose epoch
      // is deleted cannot be read.
      ['DEL', redisKey],
      ['SET', redisKey, epoch, 'PX', String(REVOCATION_TTL_MS)],
    );
    if (!replies) return false;
    if (pendingRevocations.peek(fingerprint) === epoch) pendingRevocations.delete(fingerprint);
    return true;
  }
}

function toRedisKey(fingerprint: string): string {
  return `revox:epoch:{${fingerprint}}`;
}

function createEpoch(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url');
}
