import { LRUCache } from 'lru-cache';
import type { Reading } from '#rest/question.ts';
import { atMost } from './at-most.ts';
import { createFairLru } from './fair-lru.ts';
import { estimateBytes } from './size.ts';

/** An answer that is kept: the value as it was read, frozen, never copied. */
export interface Entry {
  readonly value: unknown;
  /** 2xx, or the 404 or 410 of a single object: then there is no value. */
  readonly status: number;
  readonly reading: Reading;
  /** When the question was sent, by our clock, ms. */
  readonly askedAt: number;
  readonly freshUntil: number;
  readonly isLive: boolean;
  /** Names it among all that this process has kept. */
  readonly serial?: number;
  /** What its value takes; absent: that is estimated. */
  readonly bytes?: number;
  /** It is of no use any more as soon as it is not fresh, whatever becomes of the upstream. */
  readonly isFleeting?: boolean;
}

/** Names a moment: what was asked for before it, and a credential's refusal after it, do not go together. */
export type Mark = number;

/** What is kept, for each credential by itself: every way in takes its fingerprint, and there is no way from one to another's. */
export interface Memory {
  find(fingerprint: string, key: string): Entry | undefined;
  /** Whether all these entries are kept yet, by their serials. To ask that is no use of them. */
  areKept(fingerprint: string, serials: readonly number[]): boolean;
  /** To be taken before something is asked, and given when its answer is kept. */
  mark(): Mark;
  /** Keeps an answer, unless a newer one is kept already, or the credential was refused after the mark. */
  keep(fingerprint: string, key: string, entry: Entry, mark: Mark): void;
  /** What is kept under this key is no use any more. */
  drop(fingerprint: string, key: string): void;
  /** The upstream has taken the credential, when asked at this time by our clock, ms. */
  accept(fingerprint: string, askedAt: number, mark: Mark): void;
  /** When the upstream was last asked with the credential and took it, by our clock, ms; minus infinity: not that we know. */
  acceptedAt(fingerprint: string): number;
  /** The credential was refused: drops all that is kept for it. Tells whether the credential was known. */
  refuse(fingerprint: string): boolean;
  /** For all credentials together, estimated. */
  readonly bytes: number;
  /** Of all credentials together. */
  readonly entries: number;
}

export interface MemoryOptions {
  /** For all credentials together, bytes, estimated. */
  readonly maxBytes: number;
  /** So long after it was fresh an entry may still be of use, ms. */
  readonly graceMs: number;
  /** So long a credential of which nothing is kept is remembered to have been taken, ms. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

interface Holdings {
  acceptedAt: number;
  /** Of what is kept. */
  readonly serials: Set<number>;
  entries: number;
}

/** What an entry takes besides its value: itself, and its places in four indexes. */
const ENTRY_BYTES = 600;
const MOST_CREDENTIALS = 10_000;
/** How often what is of no use any more is dropped. */
export const SWEEP_MS = 60_000;

/** The largest part of the memory for one entry: one response must not fill the cache. */
const MAX_ENTRY_SHARE = 1 / 3;

/** Keeps answers in this process. When room is needed, the credential that holds the most loses what it has used least recently. */
export function createMemory({ maxBytes, graceMs, idleMs, now, startTimer }: MemoryOptions): Memory {
  const entries = createFairLru<Entry & { readonly owner: Holdings }>({
    maxBytes,
    maxEntryBytes: maxBytes * MAX_ENTRY_SHARE,
    sizeOf: ({ value, bytes }, key) => ENTRY_BYTES + 2 * key.length + (bytes ?? estimateBytes(value)),
    onRemove({ owner, serial }) {
      owner.entries -= 1;
      if (serial !== undefined) owner.serials.delete(serial);
    },
  });
  // Only a credential that was taken gets holdings: else anyone could push out everyone's with keys that are none.
  const holdingsOf = new LRUCache<string, Holdings>({
    ...atMost(MOST_CREDENTIALS),
    dispose: (_, fingerprint) => entries.deleteOwner(fingerprint),
  });
  const refusals = new LRUCache<string, Mark>({
    ...atMost(MOST_CREDENTIALS),
    dispose(mark, _fingerprint, reason) {
      if (reason === 'evict') forgottenRefusal = mark;
    },
  });
  /** Of a credential of which no refusal is known, there may have been one until then. */
  let forgottenRefusal: Mark = 0;
  let marked: Mark = 0;
  let isSweepPlanned = false;

  return {
    find: (fingerprint, key) => (holdingsOf.get(fingerprint) ? entries.get(toPlace(fingerprint, key)) : undefined),
    areKept(fingerprint, serials) {
      // It has been looked up just before, which counts as use.
      const kept = holdingsOf.peek(fingerprint)?.serials;
      return kept !== undefined && serials.every((serial) => kept.has(serial));
    },
    mark: () => marked,
    keep(fingerprint, key, entry, mark) {
      const owner = holdingsOf.get(fingerprint);
      if (!owner || wasRefusedSince(mark, fingerprint)) return;
      const place = toPlace(fingerprint, key);
      const kept = entries.peek(place);
      if (kept && isNewer(kept, entry)) return;
      // What may not be kept still replaces what is.
      if (entry.freshUntil <= entry.askedAt) return entries.delete(place);
      if (!entries.set(fingerprint, place, { ...entry, owner })) return;
      owner.entries += 1;
      if (entry.serial !== undefined) owner.serials.add(entry.serial);
    },
    drop: (fingerprint, key) => void entries.delete(toPlace(fingerprint, key)),
    accept(fingerprint, askedAt, mark) {
      if (wasRefusedSince(mark, fingerprint)) return;
      const holdings = holdingsOf.get(fingerprint);
      if (holdings) holdings.acceptedAt = Math.max(holdings.acceptedAt, askedAt);
      else holdingsOf.set(fingerprint, { acceptedAt: askedAt, serials: new Set(), entries: 0 });
      planSweep();
    },
    acceptedAt: (fingerprint) => holdingsOf.peek(fingerprint)?.acceptedAt ?? Number.NEGATIVE_INFINITY,
    refuse(fingerprint) {
      marked += 1;
      refusals.set(fingerprint, marked);
      return holdingsOf.delete(fingerprint);
    },
    get bytes() {
      return entries.bytes;
    },
    get entries() {
      return entries.size;
    },
  };

  function wasRefusedSince(mark: Mark, fingerprint: string): boolean {
    return (refusals.get(fingerprint) ?? forgottenRefusal) > mark;
  }

  function planSweep(): void {
    if (isSweepPlanned) return;
    isSweepPlanned = true;
    startTimer(SWEEP_MS, () => {
      isSweepPlanned = false;
      sweep();
      if (holdingsOf.size > 0) planSweep();
    });
  }

  function sweep(): void {
    for (const [place, { freshUntil, status, isFleeting }] of [...entries.entries()]) {
      // That there is nothing stands in for no answer.
      const isOfUseUntil = isMissing(status) || isFleeting ? freshUntil : freshUntil + graceMs;
      if (isOfUseUntil < now()) entries.delete(place);
    }
    for (const [fingerprint, { entries: kept, acceptedAt }] of [...holdingsOf.entries()]) {
      if (kept === 0 && acceptedAt + idleMs < now()) holdingsOf.delete(fingerprint);
    }
  }
}

/** The upstream has said that there is no such object. */
export function isMissing(status: number): boolean {
  return status === 404 || status === 410;
}

function toPlace(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}

function isNewer(kept: Entry, other: Entry): boolean {
  const isOfOneProcess = kept.reading.process === other.reading.process;
  return isOfOneProcess ? kept.reading.number > other.reading.number : kept.askedAt > other.askedAt;
}
