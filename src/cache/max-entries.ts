/**
 * Bounds an `LRUCache` by the number of its entries, like its `max` option. `max` allocates the
 * memory of all entries at once: 4 MB and 20 ms for 100,000 entries.
 */
export function maxEntries(count: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: count, sizeCalculation: () => 1 };
}
