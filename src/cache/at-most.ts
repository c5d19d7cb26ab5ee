/**
 * Bounds an `LRUCache` by the number of its entries, as its `max` does: that takes the memory of all of them when it is made, for 100,000
 * entries four megabytes and twenty milliseconds.
 */
export function maxEntries(count: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: count, sizeCalculation: () => 1 };
}
