import { createHmac } from 'node:crypto';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import { contractVersion as currentContract } from '#generated/contract-version.ts';
import { createCredentialEpochs, EPOCH_TTL_MS } from './credential-epochs.ts';
import { createRedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
import { open, seal } from './seal.ts';
import { withTimeout } from './with-timeout.ts';

export interface RedisTierOptions extends Omit<RedisConnectionOptions, 'onUp'> {
  /** Names the shape of the answers: releases that read another one neither see nor disturb each other's. Default: that of this one. */
  readonly contractVersion?: string;
}

/** What is sealed. */
interface Envelope extends SecondTierEntry {
  /** In which the question was asked. */
  readonly epoch: string;
  /** By Redis' clock, ms. */
  readonly writtenAt: number;
  readonly keepForMs: number;
}

/** To be raised when `Envelope` changes, or what the endpoints make of a body before it is kept. */
const FORMAT = 2;
const MAX_CONCURRENT_WRITES = 64;
/** What takes longer to carry over than a read may take would be asked for in vain, and hold up the others: 17 ms at 1 Gbit/s. */
const MAX_SEALED_BYTES = 2 * 2 ** 20;

/**
 * Keeps answers in Redis, where all instances find them: compressed, sealed with a key of the credential, under names that tell nothing,
 * no longer than they may be of use.
 *
 * Ages are reckoned by Redis' own clock: so the instances' may differ as they like. What is uncertain, the way there and back, is added:
 * an answer is never taken for younger than it is.
 */
export function createRedisTier({ contractVersion = currentContract, ...options }: RedisTierOptions): SecondTier {
  const { timeoutMs, now, startTimer } = options;
  const connection = createRedisConnection({ ...options, onUp: () => epochs.flushRevocations() });
  const epochs = createCredentialEpochs(connection, now);
  const version = `${FORMAT}.${contractVersion}`;
  /** The number of the latest write of each name that is under way: see `Place` in `single-flight.ts` for why not what is written. */
  const latestWriteByKey = new Map<string, number>();
  let writeCount = 0;
  let pendingWrites = 0;

  async function readEntry(owner: CacheOwner, key: string): Promise<SecondTierEntry | undefined> {
    const { fingerprint } = owner;
    if (epochs.isRevoked(fingerprint)) {
      void epochs.flushRevocations();
      return undefined;
    }
    const redisKey = toRedisKey(version, owner, key);
    const fence = epochs.takeFence();
    const replies = await connection.query(['MGET', redisKey, epochs.redisKeyOf(fingerprint)]);
    if (!replies) return undefined;
    const [sealed, epoch] = replies[0] as readonly (Buffer | null)[];
    const observed = epochs.observe(fingerprint, epoch?.toString(), fence);
    if (!sealed || observed?.epoch === undefined) return undefined;
    const envelope = (await open(sealed, toSealingKey(owner), redisKey)) as Envelope | undefined;
    if (envelope?.epoch !== observed.epoch || !epochs.isCurrent(fingerprint, observed)) return undefined;
    const residenceMs = connection.time().latest - envelope.writtenAt;
    // Below zero Redis' clock was set back, and nobody knows how long it has lain there.
    if (!(residenceMs >= 0 && residenceMs < envelope.keepForMs)) return undefined;
    const { value, status, ageMs, freshForMs, isLive } = envelope;
    return { value, status, ageMs: ageMs + residenceMs, freshForMs, isLive };
  }

  async function writeEntry(owner: CacheOwner, key: string, entry: SecondTierEntry, ttlMs: number): Promise<void> {
    const writtenAt = connection.time().earliest;
    const redisKey = toRedisKey(version, owner, key);
    writeCount += 1;
    const writeNumber = writeCount;
    latestWriteByKey.set(redisKey, writeNumber);
    try {
      const epoch = await epochs.epochAt(owner.fingerprint, now() - entry.ageMs);
      if (epoch === undefined) return;
      const sealed = await seal(
        { ...entry, epoch, writtenAt, keepForMs: ttlMs } satisfies Envelope,
        toSealingKey(owner),
        redisKey,
      );
      // One that was begun later may have been sealed sooner.
      if (!sealed || sealed.length > MAX_SEALED_BYTES || latestWriteByKey.get(redisKey) !== writeNumber) return;
      await connection.send(
        ['SET', redisKey, sealed, 'PX', String(Math.ceil(ttlMs))],
        ['PEXPIRE', epochs.redisKeyOf(owner.fingerprint), String(EPOCH_TTL_MS)],
      );
    } finally {
      if (latestWriteByKey.get(redisKey) === writeNumber) latestWriteByKey.delete(redisKey);
    }
  }

  return {
    read: (owner, key) =>
      // What is no answer of Redis' is none at all.
      withTimeout(readEntry(owner, key), timeoutMs, startTimer).catch(() => undefined),
    write(owner, key, entry, keepForMs) {
      if (!connection.isUp || pendingWrites >= MAX_CONCURRENT_WRITES || !(keepForMs > 0)) return;
      pendingWrites += 1;
      writeEntry(owner, key, entry, Math.min(keepForMs, EPOCH_TTL_MS))
        // What JSON cannot hold is not kept.
        .catch(() => {})
        .finally(() => {
          pendingWrites -= 1;
        });
    },
    revoke({ fingerprint }, wasKnown) {
      // Else anyone could fill Redis, and the queue of those who are yet to be told, with keys that are none.
      if (wasKnown || epochs.hasObserved(fingerprint)) epochs.revoke(fingerprint);
    },
    close: async () => connection.close(),
  };
}

/** Neither a path nor a guess at one can be told from it without the credential. */
function toRedisKey(version: string, owner: CacheOwner, key: string): string {
  const requestHash = createHmac('sha256', owner.deriveKey('names of what is shared')).update(key).digest('base64url');
  return `revox:${version}:${owner.fingerprint}:${requestHash}`;
}

function toSealingKey(owner: CacheOwner): Buffer {
  return owner.deriveKey('sealing of what is shared');
}
