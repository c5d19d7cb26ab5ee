/**
 * An LRU cache with one limit in bytes for all owners, in which no owner can evict the fair share
 * of another.
 */
export interface FairLru<Value> {
  /** Counts as use. */
  get(key: string): Value | undefined;
  /** Does not count as use. */
  peek(key: string): Value | undefined;
  /**
   * Replaces the value of the key, even if another owner stored it. Returns whether the value is
   * stored.
   */
  set(owner: string, key: string, value: Value): boolean;
  delete(key: string): void;
  /** Deletes all entries of an owner. */
  deleteOwner(owner: string): void;
  /** In the order of insertion. */
  entries(): IterableIterator<readonly [key: string, value: Value]>;
  readonly bytes: number;
  readonly size: number;
}

export interface FairLruOptions<Value> {
  /** Maximum over all owners. */
  readonly maxBytes: number;
  /** Maximum of one entry: a larger value is not stored. */
  readonly maxEntryBytes: number;
  readonly sizeOf: (value: Value, key: string) => number;
  /** Called when a stored value is replaced, deleted or evicted. */
  readonly onRemove?: (value: Value, key: string, owner: string) => void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly ownerList: OwnerList<Value>;
  older: Entry<Value> | undefined;
  newer: Entry<Value> | undefined;
}

interface OwnerList<Value> {
  readonly owner: string;
  bytes: number;
  /** Index in the heap. */
  heapIndex: number;
  oldest: Entry<Value> | undefined;
  newest: Entry<Value> | undefined;
}

/**
 * When the cache is full, the owner that holds the most loses its least recently used entry. That
 * owner holds at least `maxBytes` divided by the number of owners, so an owner below that share
 * loses nothing to the others (max-min fairness), and a single owner may fill the whole cache.
 *
 * Reads are O(1). Writes are O(log n) in the number of owners with entries: the owners form a
 * binary heap, the largest first.
 */
export function createFairLru<Value>({
  maxBytes,
  maxEntryBytes,
  sizeOf,
  onRemove,
}: FairLruOptions<Value>): FairLru<Value> {
  const entries = new Map<string, Entry<Value>>();
  const ownerLists = new Map<string, OwnerList<Value>>();
  const heap: OwnerList<Value>[] = [];
  let bytes = 0;

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry && entry.ownerList.newest !== entry) {
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
      const ownerList = ownerLists.get(owner) ?? addOwnerList(owner);
      const entry: Entry<Value> = {
        key,
        value,
        bytes: size,
        ownerList,
        older: undefined,
        newer: undefined,
      };
      entries.set(key, entry);
      link(entry);
      addBytes(ownerList, size);
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
      const ownerList = ownerLists.get(owner);
      while (ownerList?.oldest) remove(ownerList.oldest);
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
    onRemove?.(entry.value, entry.key, entry.ownerList.owner);
  }

  function detach(entry: Entry<Value>): void {
    const { key, ownerList } = entry;
    entries.delete(key);
    unlink(entry);
    addBytes(ownerList, -entry.bytes);
    if (!ownerList.oldest) removeOwnerList(ownerList);
  }

  /** Links the entry as the most recently used of its owner. */
  function link(entry: Entry<Value>): void {
    const { ownerList } = entry;
    entry.older = ownerList.newest;
    entry.newer = undefined;
    if (ownerList.newest) ownerList.newest.newer = entry;
    else ownerList.oldest = entry;
    ownerList.newest = entry;
  }

  function unlink({ ownerList, older, newer }: Entry<Value>): void {
    if (older) older.newer = newer;
    else ownerList.oldest = newer;
    if (newer) newer.older = older;
    else ownerList.newest = older;
  }

  function addOwnerList(owner: string): OwnerList<Value> {
    const ownerList: OwnerList<Value> = {
      owner,
      bytes: 0,
      heapIndex: heap.length,
      oldest: undefined,
      newest: undefined,
    };
    ownerLists.set(owner, ownerList);
    heap.push(ownerList);
    return ownerList;
  }

  function removeOwnerList(ownerList: OwnerList<Value>): void {
    ownerLists.delete(ownerList.owner);
    const last = heap.pop();
    if (!last || last === ownerList) return;
    placeInHeap(last, ownerList.heapIndex);
    restoreHeapOrder(last);
  }

  function addBytes(ownerList: OwnerList<Value>, delta: number): void {
    bytes += delta;
    ownerList.bytes += delta;
    restoreHeapOrder(ownerList);
  }

  /** Moves an owner to its position in the heap. */
  function restoreHeapOrder(ownerList: OwnerList<Value>): void {
    for (
      let parent = parentOf(ownerList);
      parent && parent.bytes < ownerList.bytes;
      parent = parentOf(ownerList)
    )
      swap(parent, ownerList);
    for (
      let child = largerChildOf(ownerList);
      child && child.bytes > ownerList.bytes;
      child = largerChildOf(ownerList)
    )
      swap(ownerList, child);
  }

  function parentOf({ heapIndex }: OwnerList<Value>): OwnerList<Value> | undefined {
    return heapIndex === 0 ? undefined : heap[(heapIndex - 1) >> 1];
  }

  function largerChildOf({ heapIndex }: OwnerList<Value>): OwnerList<Value> | undefined {
    const [left, right] = [heap[2 * heapIndex + 1], heap[2 * heapIndex + 2]];
    return left && right && right.bytes > left.bytes ? right : left;
  }

  function swap(one: OwnerList<Value>, other: OwnerList<Value>): void {
    const { heapIndex } = one;
    placeInHeap(one, other.heapIndex);
    placeInHeap(other, heapIndex);
  }

  function placeInHeap(ownerList: OwnerList<Value>, heapIndex: number): void {
    heap[heapIndex] = ownerList;
    ownerList.heapIndex = heapIndex;
  }
}
