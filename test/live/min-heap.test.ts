import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HeapItem, MinHeap } from '#live/min-heap.ts';

interface Item extends HeapItem {
  readonly id: number;
}

/** @param onRead is called for each key that the heap reads */
function createItem(id: number, onRead = () => {}): Item {
  let key = 0;
  return {
    id,
    get heapKey() {
      onRead();
      return key;
    },
    set heapKey(value) {
      key = value;
    },
    heapOrder: 0,
    heapIndex: -1,
  };
}

test('the first element has the smallest key, whatever is added, moved and removed', () => {
  const steps = fc.array(fc.tuple(fc.nat(15), fc.option(fc.nat(9))), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (changes) => {
      const heap = new MinHeap<Item>();
      const items = Array.from({ length: 16 }, (_, id) => createItem(id));
      const expected = new Map<number, number>();
      for (const [id, key] of changes) {
        const item = items[id];
        if (!item) continue;
        if (key !== null) {
          heap.set(item, key);
          expected.set(id, key);
        } else if (expected.delete(id)) {
          heap.delete(item);
          expect(item.heapIndex).toBe(-1);
        }
        expect(heap.first?.heapKey).toBe(
          expected.size === 0 ? undefined : Math.min(...expected.values()),
        );
        expect([...heap].map((one) => one.id).sort()).toEqual([...expected.keys()].sort());
      }
    }),
  );
});

test('elements with the same key leave in the order in which they were added', () => {
  const heap = new MinHeap<Item>();
  for (let id = 0; id < 20; id += 1) heap.set(createItem(id), id % 2);
  const left: number[] = [];
  for (let { first } = heap; first; { first } = heap) {
    left.push(first.id);
    heap.delete(first);
  }
  const range = Array.from({ length: 20 }, (_, id) => id);
  expect(left).toEqual([...range.filter((id) => id % 2 === 0), ...range.filter((id) => id % 2)]);
});

test('to move an element, the heap reads at most eight keys for each level', () => {
  let reads = 0;
  const heap = new MinHeap<Item>();
  const items = Array.from({ length: 2 ** 14 }, (_, id) => createItem(id, () => (reads += 1)));
  for (const [index, item] of items.entries()) heap.set(item, (index * 7_919) % 16_384);
  let mostReads = 0;
  for (const [index, item] of items.entries()) {
    reads = 0;
    heap.set(item, (index * 104_729) % 16_384);
    mostReads = Math.max(mostReads, reads);
  }
  expect(mostReads).toBeGreaterThan(14);
  expect(mostReads).toBeLessThanOrEqual(8 * 14);
});
