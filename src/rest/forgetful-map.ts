export interface ForgetfulMapOptions {
  /** What nobody has touched for so long is forgotten, ms. */
  readonly idleMs: number;
  /** There are never more; the ones that were touched least recently go first. */
  readonly most: number;
  /** A clock for durations, ms. */
  readonly elapsed: () => number;
}

/** What is known by key, of credentials for one, as long as it is of use: touching is getting and setting. */
export interface ForgetfulMap<T> {
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

export function createForgetfulMap<T>({ idleMs, most, elapsed }: ForgetfulMapOptions): ForgetfulMap<T> {
  /** In the order in which they were touched. */
  const entries = new Map<string, Entry<T>>();
  /** The last one of them, or one that was deleted. */
  let newest: Entry<T> | undefined;
  const isIdle = ({ touchedAt }: Entry<T>) => elapsed() - touchedAt >= idleMs;

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      // An operation looks up the same credential about ten times: it is moved once.
      const now = elapsed();
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
      newest = { value, touchedAt: elapsed() };
      entries.set(key, newest);
      for (const [oldest, entry] of entries) {
        if (entries.size <= most && !isIdle(entry)) break;
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
export function createPartitionedMap<T>(options: ForgetfulMapOptions, isAccepted: (key: string) => boolean): ForgetfulMap<T> {
  const [ofAccepted, ofOthers] = [createForgetfulMap<T>(options), createForgetfulMap<T>(options)];
  return {
    get: (key) => ofAccepted.get(key) ?? ofOthers.get(key),
    set(key, value) {
      const [part, other] = isAccepted(key) ? [ofAccepted, ofOthers] : [ofOthers, ofAccepted];
      other.delete(key);
      part.set(key, value);
    },
    delete(key) {
      ofAccepted.delete(key);
      ofOthers.delete(key);
    },
    *values() {
      yield* ofAccepted.values();
      yield* ofOthers.values();
    },
    get size() {
      return ofAccepted.size + ofOthers.size;
    },
  };
}
