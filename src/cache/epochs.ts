import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { atMost } from './at-most.ts';
import type { RedisLink } from './redis-link.ts';

/**
 * Which entries of a credential may be read: those of its present epoch. A refusal begins another, for all instances and releases, and so
 * does a Redis that has forgotten it.
 *
 * What counts for an answer is the epoch in which its question was asked: an instance that asked before a refusal and is answered after it
 * writes what nobody reads.
 */
export interface Epochs {
  /** Where Redis keeps the epoch of a credential. Releases share it. */
  nameOf(fingerprint: string): string;
  /** Whether there is a refusal that Redis has yet to be told of. Until then what it knows of the credential does not count. */
  isRefused(fingerprint: string): boolean;
  /** Names a moment: to be taken before Redis is asked for the epoch. */
  mark(): number;
  /** Redis, asked after the mark, tells this epoch, or none. Undefined when more is known by now: an answer can be overtaken by a later one. */
  see(fingerprint: string, epoch: string | undefined, mark: number): Seen | undefined;
  /** Whether no other epoch has begun since, as far as this instance knows. */
  isPresent(fingerprint: string, seen: Seen): boolean;
  /** The epoch of an answer, by the time when its question was asked; undefined when that is not known. Begins the first one. */
  of(fingerprint: string, askedAt: number): Promise<string | undefined>;
  /** Whether Redis has told of an epoch of the credential: then something may be kept for it. */
  hasSeen(fingerprint: string): boolean;
  /** The credential was refused: begins another epoch, now or as soon as Redis can be told. */
  refuse(fingerprint: string): void;
  /** Tells Redis of the refusals that it does not know of. */
  deliver(): Promise<void>;
}

export interface Seen {
  readonly epoch: string | undefined;
  /** Whatever was asked from this moment on was asked in this epoch or a later one. */
  readonly since: number;
}

interface Known extends Seen {
  epoch: string | undefined;
  /** It was still so when Redis was asked after this. */
  mark: number;
  /** The first epoch, while this instance proposes one. */
  proposal?: Promise<string | undefined>;
}

/** As long as an entry can lie there; each that is written prolongs it. */
export const EPOCH_MS = 2 * 86_400_000;
/**
 * Of an epoch in which nothing is written: until then no question is under way that was asked before the refusal. Not longer, for anyone may
 * have any number of credentials refused.
 */
export const REFUSAL_MS = 600_000;
const MOST_CREDENTIALS = 10_000;
const REFUSALS_AT_ONCE = 100;

/** @param now any clock, ms: only differences count */
export function createEpochs(link: Pick<RedisLink, 'tell'>, now: () => number): Epochs {
  const known = new LRUCache<string, Known>(atMost(MOST_CREDENTIALS));
  /** The epochs that Redis has yet to be told of. */
  const refusals = new LRUCache<string, string>(atMost(MOST_CREDENTIALS));
  let isDelivering = false;
  let marked = 0;

  return {
    nameOf: toName,
    isRefused: (fingerprint) => refusals.has(fingerprint),
    mark,
    see(fingerprint, epoch, asked) {
      const seen = known.get(fingerprint);
      if (seen && asked < seen.mark) return undefined;
      if (seen && seen.epoch === epoch) return Object.assign(seen, { mark: asked });
      const fresh: Known = { epoch, since: now(), mark: asked };
      known.set(fingerprint, fresh);
      return fresh;
    },
    isPresent: (fingerprint, seen) => known.peek(fingerprint) === seen,
    async of(fingerprint, askedAt) {
      const seen = known.get(fingerprint);
      if (!seen || askedAt < seen.since || askedAt + REFUSAL_MS < now()) return undefined;
      if (seen.epoch !== undefined) return seen.epoch;
      seen.proposal ??= propose(fingerprint, seen);
      return seen.proposal;
    },
    hasSeen: (fingerprint) => known.peek(fingerprint)?.epoch !== undefined,
    refuse(fingerprint) {
      const epoch = createEpoch();
      known.set(fingerprint, { epoch, since: now(), mark: mark() });
      refusals.set(fingerprint, epoch);
      void deliver();
    },
    deliver,
  };

  function mark(): number {
    marked += 1;
    return marked;
  }

  /**
   * Begins the first epoch. If there has been one since none was seen, it may be that of a refusal: then the answers to what was asked before
   * belong to none.
   */
  async function propose(fingerprint: string, seen: Known): Promise<string | undefined> {
    const name = toName(fingerprint);
    const proposed = createEpoch();
    const asked = mark();
    const replies = await link.tell(['SET', name, proposed, 'NX', 'PX', String(EPOCH_MS)], ['GET', name]);
    if (known.peek(fingerprint) !== seen) return undefined;
    if (String(replies?.[1]) !== proposed) {
      known.delete(fingerprint);
      return undefined;
    }
    Object.assign(seen, { epoch: proposed, mark: Math.max(seen.mark, asked) });
    return proposed;
  }

  async function deliver(): Promise<void> {
    if (isDelivering) return;
    isDelivering = true;
    while (refusals.size > 0) {
      const batch = [...refusals.entries()].slice(0, REFUSALS_AT_ONCE);
      // A Redis that has no room for anything new can still delete: that makes unreadable, too, what was written until now.
      const commands = batch.flatMap(([fingerprint, epoch]) => [
        ['DEL', toName(fingerprint)],
        ['SET', toName(fingerprint), epoch, 'PX', String(REFUSAL_MS)],
      ]);
      if (!(await link.tell(...commands))) break;
      for (const [fingerprint, epoch] of batch) if (refusals.peek(fingerprint) === epoch) refusals.delete(fingerprint);
    }
    isDelivering = false;
  }
}

function toName(fingerprint: string): string {
  return `revox:epoch:${fingerprint}`;
}

function createEpoch(): string {
  return randomBytes(12).toString('base64url');
}
