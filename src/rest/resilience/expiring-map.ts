export interface ExpiringMapOptions {
  /** What nobody has touched for so long is forgotten, ms. */
  readonly idleMs: number;
  /** There are never more; the ones that were touched least recently go first. */
  readonly maxEntries: number;
  /** A clock for durations, ms. */
  readonly monotonicNow: () => number;
}

/** What is known by key, of credentials for one, as long as it is of use: touching is getting and setting. */
export interface ExpiringMap<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  values(): Iterable<T>;
  readonly size: number;
}

interface Entry<T> {
  readonly value: T;
  touchedAt: number;
}

export function createExpiringMap<T>({ idleMs, maxEntries, monotonicNow }: ExpiringMapOptions): ExpiringMap<T> {
  /** In the order in which they were touched. */
  const entries = new Map<string, Entry<T>>();
  /** The last one of them, or one that was deleted. */
  let newest: Entry<T> | undefined;
  const isIdle = ({ touchedAt }: Entry<T>) => monotonicNow() - touchedAt >= idleMs;

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      // An operation looks up the same credential about ten times: it is moved once.
      const now = monotonicNow();
      const isIdleNow = now - entry.touchedAt >= idleMs;
      if (entry !== newest || isIdleNow) {
        entries.delete(key);
        if (isIdleNow) return undefined;
        entries.set(key, entry);
        newest = entry;
      }
      entry.touchedAt = now;
      return entry.value;
    },
    set(key, value) {
      entries.delete(key);
      newest = { value, touchedAt: monotonicNow() };
      entries.set(key, newest);
      for (const [oldest, entry] of entries) {
        if (entries.size <= maxEntries && !isIdle(entry)) break;
        entries.delete(oldest);
      }
    },
    delete: (key) => void entries.delete(key),
    *values() {
      for (const entry of entries.values()) if (!isIdle(entry)) yield entry.value;
    },
    get size() {
      return entries.size;
    },
  };
}

/**
 * A map of `most` entries of accepted credentials and as many of others: keys cost nothing to invent, and must not push out what is known of
 * accepted ones.
 * @param isAccepted whether a key of the map is of an accepted credential
 */
export function createPartitionedMap<T>(options: ExpiringMapOptions, isAccepted: (key: string) => boolean): ExpiringMap<T> {
  const [acceptedEntries, otherEntries] = [createExpiringMap<T>(options), createExpiringMap<T>(options)];
  return {
    get: (key) => acceptedEntries.get(key) ?? otherEntries.get(key),
    set(key, value) {
      const [partition, other] = isAccepted(key) ? [acceptedEntries, otherEntries] : [otherEntries, acceptedEntries];
      other.delete(key);
      partition.set(key, value);
    },
    delete(key) {
      acceptedEntries.delete(key);
      otherEntries.delete(key);
    },
    *values() {
      yield* acceptedEntries.values();
      yield* otherEntries.values();
    },
    get size() {
      return acceptedEntries.size + otherEntries.size;
    },
  };
}
