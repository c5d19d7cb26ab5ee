import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { maxEntries } from '#cache/at-most.ts';
import type { RedisConnection } from './redis-connection.ts';

/**
 * Which entries of a credential may be read: those of its present epoch. A refusal begins another, for all instances and releases, and so
 * does a Redis that has forgotten it.
 *
 * What counts for an answer is the epoch in which its question was asked: an instance that asked before a refusal and is answered after it
 * writes what nobody reads.
 */
export interface CredentialEpochs {
  /** Where Redis keeps the epoch of a credential. Releases share it. */
  redisKeyOf(fingerprint: string): string;
  /** Whether there is a refusal that Redis has yet to be told of. Until then what it knows of the credential does not count. */
  isRevoked(fingerprint: string): boolean;
  /** Names a moment: to be taken before Redis is asked for the epoch. */
  takeFence(): number;
  /** Redis, asked after the mark, tells this epoch, or none. Undefined when more is known by now: an answer can be overtaken by a later one. */
  observe(fingerprint: string, epoch: string | undefined, fence: number): ObservedEpoch | undefined;
  /** Whether no other epoch has begun since, as far as this instance knows. */
  isCurrent(fingerprint: string, observed: ObservedEpoch): boolean;
  /** The epoch of an answer, by the time when its question was asked; undefined when that is not known. Begins the first one. */
  epochAt(fingerprint: string, requestedAt: number): Promise<string | undefined>;
  /** Whether Redis has told of an epoch of the credential: then something may be kept for it. */
  hasObserved(fingerprint: string): boolean;
  /** The credential was refused: begins another epoch, now or as soon as Redis can be told. */
  revoke(fingerprint: string): void;
  /** Tells Redis of the refusals that it does not know of. */
  flushRevocations(): Promise<void>;
}

export interface ObservedEpoch {
  readonly epoch: string | undefined;
  /** Whatever was asked from this moment on was asked in this epoch or a later one. */
  readonly since: number;
}

interface KnownEpoch extends ObservedEpoch {
  epoch: string | undefined;
  /** It was still so when Redis was asked after this. */
  fence: number;
  /** The first epoch, while this instance proposes one. */
  proposal?: Promise<string | undefined>;
}

/** As long as an entry can lie there; each that is written prolongs it. */
export const EPOCH_TTL_MS = 2 * 86_400_000;
/**
 * Of an epoch in which nothing is written: until then no question is under way that was asked before the refusal. Not longer, for anyone may
 * have any number of credentials refused.
 */
export const REVOCATION_TTL_MS = 600_000;
const MAX_CREDENTIALS = 10_000;
const REVOCATION_BATCH_SIZE = 100;

/** @param now any clock, ms: only differences count */
export function createCredentialEpochs(connection: Pick<RedisConnection, 'send'>, now: () => number): CredentialEpochs {
  const knownEpochs = new LRUCache<string, KnownEpoch>(maxEntries(MAX_CREDENTIALS));
  /** The epochs that Redis has yet to be told of. */
  const pendingRevocations = new LRUCache<string, string>(maxEntries(MAX_CREDENTIALS));
  let isFlushing = false;
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
      if (!known || requestedAt < known.since || requestedAt + REVOCATION_TTL_MS < now()) return undefined;
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
   * Begins the first epoch. If there has been one since none was seen, it may be that of a refusal: then the answers to what was asked before
   * belong to none.
   */
  async function propose(fingerprint: string, known: KnownEpoch): Promise<string | undefined> {
    const redisKey = toRedisKey(fingerprint);
    const proposed = createEpoch();
    const fence = takeFence();
    const replies = await connection.send(['SET', redisKey, proposed, 'NX', 'PX', String(EPOCH_TTL_MS)], ['GET', redisKey]);
    if (knownEpochs.peek(fingerprint) !== known) return undefined;
    if (String(replies?.[1]) !== proposed) {
      knownEpochs.delete(fingerprint);
      return undefined;
    }
    Object.assign(known, { epoch: proposed, fence: Math.max(known.fence, fence) });
    return proposed;
  }

  async function flushRevocations(): Promise<void> {
    if (isFlushing) return;
    isFlushing = true;
    while (pendingRevocations.size > 0) {
      const batch = [...pendingRevocations.entries()].slice(0, REVOCATION_BATCH_SIZE);
      // A Redis that has no room for anything new can still delete: that makes unreadable, too, what was written until now.
      const commands = batch.flatMap(([fingerprint, epoch]) => [
        ['DEL', toRedisKey(fingerprint)],
        ['SET', toRedisKey(fingerprint), epoch, 'PX', String(REVOCATION_TTL_MS)],
      ]);
      if (!(await connection.send(...commands))) break;
      for (const [fingerprint, epoch] of batch)
        if (pendingRevocations.peek(fingerprint) === epoch) pendingRevocations.delete(fingerprint);
    }
    isFlushing = false;
  }
}

function toRedisKey(fingerprint: string): string {
  return `revox:epoch:${fingerprint}`;
}

function createEpoch(): string {
  return randomBytes(12).toString('base64url');
}
