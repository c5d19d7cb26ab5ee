/** An LRU cache with one bound in bytes for all owners, in which no owner can push out the fair share of another. */
export interface FairLru<Value> {
  /** Counts as use. */
  get(key: string): Value | undefined;
  /** Does not count as use. */
  peek(key: string): Value | undefined;
  /** Replaces the value under the key, also another owner's. Returns whether the value is kept. */
  set(owner: string, key: string, value: Value): boolean;
  delete(key: string): void;
  /** Deletes all that an owner has. */
  deleteOwner(owner: string): void;
  /** In the order of insertion. */
  entries(): IterableIterator<readonly [key: string, value: Value]>;
  readonly bytes: number;
  readonly size: number;
}

export interface FairLruOptions<Value> {
  /** For all owners together. */
  readonly maxBytes: number;
  /** A larger value is not kept. */
  readonly maxEntryBytes: number;
  readonly sizeOf: (value: Value, key: string) => number;
  /** A value that was kept is kept no longer: it was replaced, deleted or evicted. */
  readonly onRemove?: (value: Value, key: string, owner: string) => void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly holder: Holder<Value>;
  older: Entry<Value> | undefined;
  newer: Entry<Value> | undefined;
}

interface Holder<Value> {
  readonly owner: string;
  bytes: number;
  /** Where it stands in the heap. */
  place: number;
  oldest: Entry<Value> | undefined;
  newest: Entry<Value> | undefined;
}

/**
 * When room is needed, the least recently used entry of the owner that holds the most is evicted. The owner that holds the most holds at least
 * `maxBytes` divided by the number of owners, so an owner that holds less than that share loses nothing to the others (max-min fairness), and an
 * owner that is alone may fill all of it.
 *
 * Reads are O(1). Writes are O(log n) in the number of owners that hold something: they stand in a binary heap, the largest first.
 */
export function createFairLru<Value>({ maxBytes, maxEntryBytes, sizeOf, onRemove }: FairLruOptions<Value>): FairLru<Value> {
  const entries = new Map<string, Entry<Value>>();
  const holders = new Map<string, Holder<Value>>();
  const heap: Holder<Value>[] = [];
  let bytes = 0;

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry && entry.holder.newest !== entry) {
        unlink(entry);
        link(entry);
      }
      return entry?.value;
    },
    peek: (key) => entries.get(key)?.value,
    set(owner, key, value) {
      remove(entries.get(key));
      const size = sizeOf(value, key);
      if (size > Math.min(maxEntryBytes, maxBytes)) return false;
      const holder = holders.get(owner) ?? addHolder(owner);
      const entry: Entry<Value> = { key, value, bytes: size, holder, older: undefined, newer: undefined };
      entries.set(key, entry);
      link(entry);
      grow(holder, size);
      while (bytes > maxBytes) {
        const evicted = heap[0]?.oldest;
        // The new entry alone exceeds its owner's share.
        if (evicted === entry) {
          detach(entry);
          return false;
        }
        remove(evicted);
      }
      return true;
    },
    delete: (key) => remove(entries.get(key)),
    deleteOwner(owner) {
      const holder = holders.get(owner);
      while (holder?.oldest) remove(holder.oldest);
    },
    *entries() {
      for (const [key, { value }] of entries) yield [key, value] as const;
    },
    get bytes() {
      return bytes;
    },
    get size() {
      return entries.size;
    },
  };

  function remove(entry: Entry<Value> | undefined): void {
    if (!entry) return;
    detach(entry);
    onRemove?.(entry.value, entry.key, entry.holder.owner);
  }

  function detach(entry: Entry<Value>): void {
    const { key, holder } = entry;
    entries.delete(key);
    unlink(entry);
    grow(holder, -entry.bytes);
    if (!holder.oldest) removeHolder(holder);
  }

  /** As the most recently used of its owner. */
  function link(entry: Entry<Value>): void {
    const { holder } = entry;
    entry.older = holder.newest;
    entry.newer = undefined;
    if (holder.newest) holder.newest.newer = entry;
    else holder.oldest = entry;
    holder.newest = entry;
  }

  function unlink({ holder, older, newer }: Entry<Value>): void {
    if (older) older.newer = newer;
    else holder.oldest = newer;
    if (newer) newer.older = older;
    else holder.newest = older;
  }

  function addHolder(owner: string): Holder<Value> {
    const holder: Holder<Value> = { owner, bytes: 0, place: heap.length, oldest: undefined, newest: undefined };
    holders.set(owner, holder);
    heap.push(holder);
    return holder;
  }

  function removeHolder(holder: Holder<Value>): void {
    holders.delete(holder.owner);
    const last = heap.pop();
    if (!last || last === holder) return;
    put(last, holder.place);
    settle(last);
  }

  function grow(holder: Holder<Value>, by: number): void {
    bytes += by;
    holder.bytes += by;
    settle(holder);
  }

  /** Moves a holder to where it belongs in the heap. */
  function settle(holder: Holder<Value>): void {
    for (let parent = parentOf(holder); parent && parent.bytes < holder.bytes; parent = parentOf(holder)) swap(parent, holder);
    for (let child = largerChildOf(holder); child && child.bytes > holder.bytes; child = largerChildOf(holder))
      swap(holder, child);
  }

  function parentOf({ place }: Holder<Value>): Holder<Value> | undefined {
    return place === 0 ? undefined : heap[(place - 1) >> 1];
  }

  function largerChildOf({ place }: Holder<Value>): Holder<Value> | undefined {
    const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
    return left && right && right.bytes > left.bytes ? right : left;
  }

  function swap(one: Holder<Value>, other: Holder<Value>): void {
    const { place } = one;
    put(one, other.place);
    put(other, place);
  }

  function put(holder: Holder<Value>, place: number): void {
    heap[place] = holder;
    holder.place = place;
  }
}
