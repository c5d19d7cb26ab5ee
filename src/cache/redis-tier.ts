import { createHmac } from 'node:crypto';
import { contractVersion as currentContract } from '#generated/contract-version.ts';
import { createEpochs, EPOCH_MS } from './epochs.ts';
import { createRedisLink, type RedisLinkOptions } from './redis-link.ts';
import { open, seal } from './seal.ts';
import type { Owner, SharedEntry, SharedTier } from './second-tier.ts';
import { settleWithin } from './settle-within.ts';

export interface RedisTierOptions extends Omit<RedisLinkOptions, 'onUp'> {
  /** Names the shape of the answers: releases that read another one neither see nor disturb each other's. Default: that of this one. */
  readonly contractVersion?: string;
}

/** What is sealed. */
interface Envelope extends SharedEntry {
  /** In which the question was asked. */
  readonly epoch: string;
  /** By Redis' clock, ms. */
  readonly writtenAt: number;
  readonly keepForMs: number;
}

/** To be raised when `Envelope` changes, or what the endpoints make of a body before it is kept. */
const FORMAT = 1;
const MOST_WRITES = 64;
/** What takes longer to carry over than a read may take would be asked for in vain, and hold up the others: 17 ms at 1 Gbit/s. */
const MAX_SEALED_BYTES = 2 * 2 ** 20;

/**
 * Keeps answers in Redis, where all instances find them: compressed, sealed with a key of the credential, under names that tell nothing,
 * no longer than they may be of use.
 *
 * Ages are reckoned by Redis' own clock: so the instances' may differ as they like. What is uncertain, the way there and back, is added:
 * an answer is never taken for younger than it is.
 */
export function createRedisTier({ contractVersion = currentContract, ...options }: RedisTierOptions): SharedTier {
  const { timeoutMs, now, startTimer } = options;
  const link = createRedisLink({ ...options, onUp: () => epochs.deliver() });
  const epochs = createEpochs(link, now);
  const version = `${FORMAT}.${contractVersion}`;
  /** The number of the latest write of each name that is under way: see `Place` in `flights.ts` for why not what is written. */
  const latest = new Map<string, number>();
  let writes = 0;
  let underWay = 0;

  async function find(owner: Owner, key: string): Promise<SharedEntry | undefined> {
    const { fingerprint } = owner;
    if (epochs.isRefused(fingerprint)) {
      void epochs.deliver();
      return undefined;
    }
    const name = toName(version, owner, key);
    const mark = epochs.mark();
    const replies = await link.ask(['MGET', name, epochs.nameOf(fingerprint)]);
    if (!replies) return undefined;
    const [sealed, epoch] = replies[0] as readonly (Buffer | null)[];
    const seen = epochs.see(fingerprint, epoch?.toString(), mark);
    if (!sealed || seen?.epoch === undefined) return undefined;
    const envelope = (await open(sealed, toSealingKey(owner), name)) as Envelope | undefined;
    if (envelope?.epoch !== seen.epoch || !epochs.isPresent(fingerprint, seen)) return undefined;
    const lainMs = link.time().latest - envelope.writtenAt;
    // Below zero Redis' clock was set back, and nobody knows how long it has lain there.
    if (!(lainMs >= 0 && lainMs < envelope.keepForMs)) return undefined;
    const { value, status, ageMs, freshForMs, isLive } = envelope;
    return { value, status, ageMs: ageMs + lainMs, freshForMs, isLive };
  }

  async function keep(owner: Owner, key: string, entry: SharedEntry, keepForMs: number): Promise<void> {
    const writtenAt = link.time().earliest;
    const name = toName(version, owner, key);
    writes += 1;
    const write = writes;
    latest.set(name, write);
    try {
      const epoch = await epochs.of(owner.fingerprint, now() - entry.ageMs);
      if (epoch === undefined) return;
      const sealed = await seal({ ...entry, epoch, writtenAt, keepForMs } satisfies Envelope, toSealingKey(owner), name);
      // One that was begun later may have been sealed sooner.
      if (!sealed || sealed.length > MAX_SEALED_BYTES || latest.get(name) !== write) return;
      await link.tell(
        ['SET', name, sealed, 'PX', String(Math.ceil(keepForMs))],
        ['PEXPIRE', epochs.nameOf(owner.fingerprint), String(EPOCH_MS)],
      );
    } finally {
      if (latest.get(name) === write) latest.delete(name);
    }
  }

  return {
    read: (owner, key) =>
      // What is no answer of Redis' is none at all.
      settleWithin(find(owner, key), timeoutMs, startTimer).catch(() => undefined),
    write(owner, key, entry, keepForMs) {
      if (!link.isUp || underWay >= MOST_WRITES || !(keepForMs > 0)) return;
      underWay += 1;
      keep(owner, key, entry, Math.min(keepForMs, EPOCH_MS))
        // What JSON cannot hold is not kept.
        .catch(() => {})
        .finally(() => {
          underWay -= 1;
        });
    },
    forget({ fingerprint }, wasKnown) {
      // Else anyone could fill Redis, and the queue of those who are yet to be told, with keys that are none.
      if (wasKnown || epochs.hasSeen(fingerprint)) epochs.refuse(fingerprint);
    },
    close: async () => link.close(),
  };
}

/** Neither a path nor a guess at one can be told from it without the credential. */
function toName(version: string, owner: Owner, key: string): string {
  const question = createHmac('sha256', owner.deriveKey('names of what is shared')).update(key).digest('base64url');
  return `revox:${version}:${owner.fingerprint}:${question}`;
}

function toSealingKey(owner: Owner): Buffer {
  return owner.deriveKey('sealing of what is shared');
}
