/** An element of a heap. It knows its place, so that it can be moved and removed. */
export interface HeapItem {
  /** The element with the smallest key is the first. */
  heapKey: number;
  /** Of two elements with the same key, the one that was added first is the first. */
  heapOrder: number;
  /** Negative: it is in no heap. */
  heapIndex: number;
}

/** Binary heap. Each change takes logarithmic time. */
export class MinHeap<T extends HeapItem> implements Iterable<T> {
  readonly #items: T[] = [];
  #added = 0;

  get first(): T | undefined {
    return this.#items[0];
  }

  get size(): number {
    return this.#items.length;
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }

  /** Adds an element, or moves it. It must be in no other heap. */
  set(item: T, key: number): void {
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.push(item) - 1;
      item.heapOrder = this.#added;
      this.#added += 1;
    }
    item.heapKey = key;
    this.#siftUp(item);
    this.#siftDown(item);
  }

  /** The element must be in this heap. */
  delete(item: T): void {
    const last = this.#items.pop();
    if (last && last !== item) {
      this.#place(last, item.heapIndex);
      this.#siftUp(last);
      this.#siftDown(last);
    }
    item.heapIndex = -1;
  }

  #siftUp(item: T): void {
    while (item.heapIndex > 0) {
      const parentIndex = (item.heapIndex - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (!parent || !isBefore(item, parent)) return;
      this.#place(parent, item.heapIndex);
      this.#place(item, parentIndex);
    }
  }

  #siftDown(item: T): void {
    for (;;) {
      const childIndex = 2 * item.heapIndex + 1;
      const left = this.#items[childIndex];
      const right = this.#items[childIndex + 1];
      const child = right && left && isBefore(right, left) ? right : left;
      if (!child || !isBefore(child, item)) return;
      const index = child.heapIndex;
      this.#place(child, item.heapIndex);
      this.#place(item, index);
    }
  }

  #place(item: T, index: number): void {
    item.heapIndex = index;
    this.#items[index] = item;
  }
}

function isBefore(one: HeapItem, other: HeapItem): boolean {
  return (
    one.heapKey < other.heapKey ||
    (one.heapKey === other.heapKey && one.heapOrder < other.heapOrder)
  );
}
