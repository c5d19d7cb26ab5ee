import { LRUCache } from 'lru-cache';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { estimateBytes } from './estimate-size.ts';
import { createFairLru } from './fair-lru.ts';
import { maxEntries } from './max-entries.ts';

/**
 * A cached response. The value is a parsed upstream response, never copied or changed, or the
 * response to a whole operation (`ResponseCache`).
 */
export interface Entry {
  readonly value: unknown;
  /** 2xx, or the 404 or 410 of a single object, which has no value. */
  readonly status: number;
  readonly readVersion: ReadVersion;
  /** When the request was sent, by the gateway's clock, in ms. */
  readonly requestedAt: number;
  /** When the upstream responded, by its own clock, in ms. Absent: unknown. */
  readonly upstreamNow?: number;
  readonly freshUntil: number;
  readonly isLive: boolean;
  /** Identifies the entry among all entries of this process. */
  readonly serial?: number;
  /** Size of the value, in bytes; estimated if absent. */
  readonly bytes?: number;
  /** Whether the entry must never be served stale, even if the upstream fails. */
  readonly isFreshOnly?: boolean;
  /** Whether the object may have changed since: only a newer response may replace the entry. */
  readonly isOutdated?: boolean;
}

/**
 * Fencing token: a response is not stored if its credential was revoked after the token was taken.
 */
export type Fence = number;

/**
 * Cached responses, separated by credential: each method that reads or writes entries takes a
 * fingerprint, and reaches only the entries of that credential.
 */
export interface MemoryStore {
  get(fingerprint: string, key: string): Entry | undefined;
  /** Whether all entries with these serials are still stored. Does not count as use. */
  hasAll(fingerprint: string, serials: readonly number[]): boolean;
  /** Must be taken before a request is sent, and passed to `set` with its response. */
  takeFence(): Fence;
  /**
   * Stores an entry of an accepted credential, unless a newer one is stored, or the credential was
   * revoked after the fence. An entry without freshness only removes the stored one.
   */
  set(fingerprint: string, key: string, entry: Entry, fence: Fence): void;
  delete(fingerprint: string, key: string): void;
  /**
   * Ends the freshness of an entry, and of all responses to operations that depend on it. It may
   * still be served if the upstream fails.
   */
  expire(fingerprint: string, key: string): void;
  /**
   * Records that the upstream accepted the credential on a request sent at this time, by the
   * gateway's clock, in ms.
   */
  recordAccepted(fingerprint: string, requestedAt: number, fence: Fence): void;
  /**
   * When the latest request on which the upstream accepted the credential was sent, by the
   * gateway's clock, in ms; minus infinity if unknown.
   */
  acceptedAt(fingerprint: string): number;
  /** Drops all entries of a rejected credential. Returns whether the credential was known. */
  revoke(fingerprint: string): boolean;
  /** Size over all credentials, estimated. */
  readonly bytes: number;
  /** Entries over all credentials. */
  readonly entries: number;
}

export interface MemoryStoreOptions {
  /** Maximum size over all credentials, in bytes, estimated. */
  readonly maxBytes: number;
  /** How long a stale entry may still be served if the upstream fails, in ms. */
  readonly graceMs: number;
  /** How long the acceptance of a credential without entries is kept, in ms. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

interface CredentialState {
  acceptedAt: number;
  /** Serials of the stored entries. */
  readonly serials: Set<number>;
  entries: number;
}

/** Size of an entry without its value, in bytes: the object, and its records in four indexes. */
const ENTRY_BYTES = 600;
const MAX_CREDENTIALS = 10_000;
/** How often unusable entries are removed, in ms. */
export const SWEEP_INTERVAL_MS = 60_000;

/** The maximum share of the memory for one entry: a single response must not fill the cache. */
const MAX_ENTRY_SHARE = 1 / 3;

/**
 * Memory store with fair eviction: when the memory is full, the credential that uses the most of it
 * loses its least recently used entry.
 */
export function createMemoryStore({
  maxBytes,
  graceMs,
  idleMs,
  now,
  startTimer,
}: MemoryStoreOptions): MemoryStore {
  const entries = createFairLru<Entry & { readonly owner: CredentialState }>({
    maxBytes,
    maxEntryBytes: maxBytes * MAX_ENTRY_SHARE,
    sizeOf: ({ value, bytes }, key) =>
      ENTRY_BYTES + 2 * key.length + (bytes ?? estimateBytes(value)),
    onRemove({ owner, serial }) {
      owner.entries -= 1;
      if (serial !== undefined) owner.serials.delete(serial);
    },
  });
  // Only an accepted credential has a state: otherwise keys that the upstream has not accepted
  // could evict the entries of every credential.
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
  /**
   * The fence of the latest revocation that was evicted. A credential without a stored revocation
   * may have been revoked at this fence or before it.
   */
  let lastEvictedRevocation: Fence = 0;
  let currentFence: Fence = 0;
  let isSweepScheduled = false;

  return {
    get: (fingerprint, key) =>
      credentialStates.get(fingerprint) ? entries.get(toStoreKey(fingerprint, key)) : undefined,
    hasAll(fingerprint, serials) {
      // `peek`: the preceding lookup has already counted as use.
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
      // A response that must not be cached still replaces the cached one.
      if (entry.freshUntil <= entry.requestedAt) return entries.delete(storeKey);
      if (!entries.set(fingerprint, storeKey, { ...entry, owner })) return;
      owner.entries += 1;
      if (entry.serial !== undefined) owner.serials.add(entry.serial);
    },
    delete: (fingerprint, key) => void entries.delete(toStoreKey(fingerprint, key)),
    expire(fingerprint, key) {
      const storeKey = toStoreKey(fingerprint, key);
      const existing = entries.peek(storeKey);
      if (!existing || existing.freshUntil <= now()) return;
      // The serial is not stored again, so no response that depends on the entry is served.
      const expired = { ...existing, freshUntil: now(), isOutdated: true };
      if (entries.set(fingerprint, storeKey, expired)) existing.owner.entries += 1;
    },
    recordAccepted(fingerprint, requestedAt, fence) {
      if (wasRevokedSince(fence, fingerprint)) return;
      const state = credentialStates.get(fingerprint);
      if (state) state.acceptedAt = Math.max(state.acceptedAt, requestedAt);
      else
        credentialStates.set(fingerprint, {
          acceptedAt: requestedAt,
          serials: new Set(),
          entries: 0,
        });
      scheduleSweep();
    },
    acceptedAt: (fingerprint) =>
      credentialStates.peek(fingerprint)?.acceptedAt ?? Number.NEGATIVE_INFINITY,
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
      // A not-found entry is never served stale.
      const usableUntil = isNotFound(status) || isFreshOnly ? freshUntil : freshUntil + graceMs;
      if (usableUntil < now()) entries.delete(storeKey);
    }
    for (const [fingerprint, { entries: entryCount, acceptedAt }] of [
      ...credentialStates.entries(),
    ]) {
      if (entryCount === 0 && acceptedAt + idleMs < now()) credentialStates.delete(fingerprint);
    }
  }
}

export function isNotFound(status: number): boolean {
  return status === 404 || status === 410;
}

function toStoreKey(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}

function isNewer(existing: Entry, other: Entry): boolean {
  const isSameInstance = existing.readVersion.instance === other.readVersion.instance;
  return isSameInstance
    ? existing.readVersion.sequence > other.readVersion.sequence
    : existing.requestedAt > other.requestedAt;
}
