import { LRUCache } from 'lru-cache';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { maxEntries } from './at-most.ts';
import { estimateBytes } from './estimate-size.ts';
import { createFairLru } from './fair-lru.ts';

/** An answer that is kept: the value as it was read, frozen, never copied. */
export interface Entry {
  readonly value: unknown;
  /** 2xx, or the 404 or 410 of a single object: then there is no value. */
  readonly status: number;
  readonly readVersion: ReadVersion;
  /** When the question was sent, by our clock, ms. */
  readonly requestedAt: number;
  readonly freshUntil: number;
  readonly isLive: boolean;
  /** Names it among all that this process has kept. */
  readonly serial?: number;
  /** What its value takes; absent: that is estimated. */
  readonly bytes?: number;
  /** It is of no use any more as soon as it is not fresh, whatever becomes of the upstream. */
  readonly isFreshOnly?: boolean;
}

/** Names a moment: what was asked for before it, and a credential's refusal after it, do not go together. */
export type Fence = number;

/** What is kept, for each credential by itself: every way in takes its fingerprint, and there is no way from one to another's. */
export interface MemoryStore {
  get(fingerprint: string, key: string): Entry | undefined;
  /** Whether all these entries are kept yet, by their serials. To ask that is no use of them. */
  hasAll(fingerprint: string, serials: readonly number[]): boolean;
  /** To be taken before something is asked, and given when its answer is kept. */
  takeFence(): Fence;
  /** Keeps an answer, unless a newer one is kept already, or the credential was refused after the mark. */
  set(fingerprint: string, key: string, entry: Entry, fence: Fence): void;
  /** What is kept under this key is no use any more. */
  delete(fingerprint: string, key: string): void;
  /** The upstream has taken the credential, when asked at this time by our clock, ms. */
  recordAccepted(fingerprint: string, requestedAt: number, fence: Fence): void;
  /** When the upstream was last asked with the credential and took it, by our clock, ms; minus infinity: not that we know. */
  acceptedAt(fingerprint: string): number;
  /** The credential was refused: drops all that is kept for it. Tells whether the credential was known. */
  revoke(fingerprint: string): boolean;
  /** For all credentials together, estimated. */
  readonly bytes: number;
  /** Of all credentials together. */
  readonly entries: number;
}

export interface MemoryStoreOptions {
  /** For all credentials together, bytes, estimated. */
  readonly maxBytes: number;
  /** So long after it was fresh an entry may still be of use, ms. */
  readonly graceMs: number;
  /** So long a credential of which nothing is kept is remembered to have been taken, ms. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

interface CredentialState {
  acceptedAt: number;
  /** Of what is kept. */
  readonly serials: Set<number>;
  entries: number;
}

/** What an entry takes besides its value: itself, and its places in four indexes. */
const ENTRY_BYTES = 600;
const MAX_CREDENTIALS = 10_000;
/** How often what is of no use any more is dropped. */
export const SWEEP_INTERVAL_MS = 60_000;

/** The largest part of the memory for one entry: one response must not fill the cache. */
const MAX_ENTRY_SHARE = 1 / 3;

/** Keeps answers in this process. When room is needed, the credential that holds the most loses what it has used least recently. */
export function createMemoryStore({ maxBytes, graceMs, idleMs, now, startTimer }: MemoryStoreOptions): MemoryStore {
  const entries = createFairLru<Entry & { readonly owner: CredentialState }>({
    maxBytes,
    maxEntryBytes: maxBytes * MAX_ENTRY_SHARE,
    sizeOf: ({ value, bytes }, key) => ENTRY_BYTES + 2 * key.length + (bytes ?? estimateBytes(value)),
    onRemove({ owner, serial }) {
      owner.entries -= 1;
      if (serial !== undefined) owner.serials.delete(serial);
    },
  });
  // Only a credential that was taken gets holdings: else anyone could push out everyone's with keys that are none.
  const credentialStates = new LRUCache<string, CredentialState>({
    ...maxEntries(MAX_CREDENTIALS),
    dispose: (_, fingerprint) => entries.deleteOwner(fingerprint),
  });
  const revocations = new LRUCache<string, Fence>({
    ...maxEntries(MAX_CREDENTIALS),
    dispose(fence, _fingerprint, reason) {
      if (reason === 'evict') lastEvictedRevocation = fence;
    },
  });
  /** Of a credential of which no refusal is known, there may have been one until then. */
  let lastEvictedRevocation: Fence = 0;
  let currentFence: Fence = 0;
  let isSweepScheduled = false;

  return {
    get: (fingerprint, key) => (credentialStates.get(fingerprint) ? entries.get(toStoreKey(fingerprint, key)) : undefined),
    hasAll(fingerprint, serials) {
      // It has been looked up just before, which counts as use.
      const storedSerials = credentialStates.peek(fingerprint)?.serials;
      return storedSerials !== undefined && serials.every((serial) => storedSerials.has(serial));
    },
    takeFence: () => currentFence,
    set(fingerprint, key, entry, fence) {
      const owner = credentialStates.get(fingerprint);
      if (!owner || wasRevokedSince(fence, fingerprint)) return;
      const storeKey = toStoreKey(fingerprint, key);
      const existing = entries.peek(storeKey);
      if (existing && isNewer(existing, entry)) return;
      // What may not be kept still replaces what is.
      if (entry.freshUntil <= entry.requestedAt) return entries.delete(storeKey);
      if (!entries.set(fingerprint, storeKey, { ...entry, owner })) return;
      owner.entries += 1;
      if (entry.serial !== undefined) owner.serials.add(entry.serial);
    },
    delete: (fingerprint, key) => void entries.delete(toStoreKey(fingerprint, key)),
    recordAccepted(fingerprint, requestedAt, fence) {
      if (wasRevokedSince(fence, fingerprint)) return;
      const state = credentialStates.get(fingerprint);
      if (state) state.acceptedAt = Math.max(state.acceptedAt, requestedAt);
      else credentialStates.set(fingerprint, { acceptedAt: requestedAt, serials: new Set(), entries: 0 });
      scheduleSweep();
    },
    acceptedAt: (fingerprint) => credentialStates.peek(fingerprint)?.acceptedAt ?? Number.NEGATIVE_INFINITY,
    revoke(fingerprint) {
      currentFence += 1;
      revocations.set(fingerprint, currentFence);
      return credentialStates.delete(fingerprint);
    },
    get bytes() {
      return entries.bytes;
    },
    get entries() {
      return entries.size;
    },
  };

  function wasRevokedSince(fence: Fence, fingerprint: string): boolean {
    return (revocations.get(fingerprint) ?? lastEvictedRevocation) > fence;
  }

  function scheduleSweep(): void {
    if (isSweepScheduled) return;
    isSweepScheduled = true;
    startTimer(SWEEP_INTERVAL_MS, () => {
      isSweepScheduled = false;
      sweep();
      if (credentialStates.size > 0) scheduleSweep();
    });
  }

  function sweep(): void {
    for (const [storeKey, { freshUntil, status, isFreshOnly }] of [...entries.entries()]) {
      // That there is nothing stands in for no answer.
      const usableUntil = isNotFound(status) || isFreshOnly ? freshUntil : freshUntil + graceMs;
      if (usableUntil < now()) entries.delete(storeKey);
    }
    for (const [fingerprint, { entries: entryCount, acceptedAt }] of [...credentialStates.entries()]) {
      if (entryCount === 0 && acceptedAt + idleMs < now()) credentialStates.delete(fingerprint);
    }
  }
}

/** The upstream has said that there is no such object. */
export function isNotFound(status: number): boolean {
  return status === 404 || status === 410;
}

function toStoreKey(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}

function isNewer(existing: Entry, other: Entry): boolean {
  const isSameInstance = existing.readVersion.instance === other.readVersion.instance;
  return isSameInstance ? existing.readVersion.sequence > other.readVersion.sequence : existing.requestedAt > other.requestedAt;
}
