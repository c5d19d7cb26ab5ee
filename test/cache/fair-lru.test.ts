import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFairLru, type FairLruOptions } from '#cache/fair-lru.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);

/** A cache of numbers, each of which is its own size. */
function createCache(options: Partial<FairLruOptions<number>> = {}) {
  const removed: string[] = [];
  const cache = createFairLru<number>({
    maxBytes: 100,
    maxEntryBytes: 100,
    sizeOf: (value) => value,
    onRemove: (_, key) => removed.push(key),
    ...options,
  });
  return { cache, removed };
}

describe('Fair LRU cache', () => {
  test('the fair LRU cache returns an entry that was set and nothing for a deleted one', () => {
    const { cache, removed } = createCache();
    expect(cache.set('a', 'x', 10)).toBe(true);
    expect([cache.get('x'), cache.peek('x'), cache.get('y')]).toEqual([10, 10, undefined]);
    cache.delete('x');
    expect([cache.get('x'), cache.bytes, cache.size]).toEqual([undefined, 0, 0]);
    expect(removed).toEqual(['x']);
  });

  test('a single owner may fill the whole fair LRU cache, which evicts the least recently used entry', () => {
    const { cache, removed } = createCache();
    for (const key of ['1', '2', '3', '4']) cache.set('a', key, 25);
    expect(removed).toEqual([]);
    cache.get('1');
    cache.peek('2');
    cache.set('a', '5', 25);
    expect(removed).toEqual(['2']);
    expect(cache.bytes).toBe(100);
  });

  test("the fair LRU cache evicts from the owner that holds the most, even if another owner's entries are older", () => {
    const { cache, removed } = createCache();
    cache.set('small', 'old', 20);
    for (let n = 0; n < 1_000; n += 1) cache.set('large', `new ${n}`, 20);
    expect(cache.get('old')).toBe(20);
    expect(removed).toHaveLength(996);
  });

  test('the fair LRU cache gives a new owner its share at the cost of owners that hold more', () => {
    const { cache } = createCache();
    for (let n = 0; n < 10; n += 1) cache.set('a', `a${n}`, 10);
    for (let n = 0; n < 10; n += 1) cache.set('b', `b${n}`, 10);
    const keys = [...cache.entries()].map(([key]) => key[0]);
    expect(keys.filter((owner) => owner === 'a')).toHaveLength(5);
    expect(keys.filter((owner) => owner === 'b')).toHaveLength(5);
  });

  test('the fair LRU cache does not store a value over the entry limit, and drops the value it would replace', () => {
    const { cache } = createCache({ maxEntryBytes: 50 });
    cache.set('a', 'x', 50);
    cache.set('a', 'y', 50);
    expect(cache.set('a', 'x', 51)).toBe(false);
    expect([cache.get('x'), cache.get('y'), cache.bytes]).toEqual([undefined, 50, 50]);
  });

  test('the fair LRU cache does not store a value that is larger than the share of its owner', () => {
    const { cache } = createCache();
    for (let n = 0; n < 10; n += 1) cache.set(`owner ${n}`, `${n}`, 10);
    expect(cache.set('large', 'x', 60)).toBe(false);
    expect(cache.size).toBe(10);
  });

  test('an entry that another owner replaces belongs to that owner', () => {
    const { cache } = createCache();
    cache.set('a', 'x', 10);
    cache.set('b', 'x', 20);
    cache.deleteOwner('a');
    expect([cache.get('x'), cache.bytes]).toEqual([20, 20]);
    cache.deleteOwner('b');
    expect([cache.get('x'), cache.bytes, cache.size]).toEqual([undefined, 0, 0]);
  });
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      set: fc.nat({ max: 30 }),
      owner: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      size: fc.nat({ max: 60 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ get: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ delete: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ deleteOwner: fc.constantFrom('a', 'b', 'c', 'd', 'e') }) },
);

test('the fair LRU cache evicts the same entries as a model that searches a list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      // Least recently used first.
      let model: { key: string; owner: string; size: number }[] = [];
      const heldBy = (owner: string) =>
        model.filter((one) => one.owner === owner).reduce((sum, { size }) => sum + size, 0);
      const total = () => model.reduce((sum, { size }) => sum + size, 0);
      let isSetting = false;
      const { cache } = createCache({
        maxEntryBytes: 50,
        onRemove(_, key) {
          if (!isSetting || !model.some((one) => one.key === key)) return;
          // An eviction happens only when space is needed, and takes the least recently used entry
          // of an owner that holds the most.
          const { owner } = model.find((one) => one.key === key)!;
          expect(total()).toBeGreaterThan(100);
          expect(heldBy(owner)).toBe(Math.max(...model.map((one) => heldBy(one.owner))));
          expect(model.find((one) => one.owner === owner)?.key).toBe(key);
          model = model.filter((one) => one.key !== key);
        },
      });
      for (const taken of steps) {
        if ('set' in taken) {
          const key = `${taken.set}`;
          const { owner, size } = taken;
          model = model.filter((one) => one.key !== key);
          isSetting = size <= 50;
          // A replacement is not an eviction.
          cache.delete(key);
          if (isSetting) model.push({ key, owner, size });
          const isStored = cache.set(owner, key, size);
          // The cache does not store a value over the entry limit or over its owner's share: in the
          // second case it is all that the owner has, and no other owner has more.
          if (!isStored && isSetting) {
            expect(heldBy(owner)).toBe(size);
            expect(size).toBe(Math.max(...model.map((one) => heldBy(one.owner))));
            model = model.filter((one) => one.key !== key);
          }
          isSetting = false;
        } else if ('get' in taken) {
          const key = `${taken.get}`;
          const found = model.find((one) => one.key === key);
          expect(cache.get(key)).toBe(found?.size);
          if (found) model = [...model.filter((one) => one !== found), found];
        } else if ('delete' in taken) {
          cache.delete(`${taken.delete}`);
          model = model.filter(({ key }) => key !== `${taken.delete}`);
        } else {
          cache.deleteOwner(taken.deleteOwner);
          model = model.filter(({ owner }) => owner !== taken.deleteOwner);
        }
        expect([cache.bytes, cache.size]).toEqual([total(), model.length]);
        expect(cache.bytes).toBeLessThanOrEqual(100);
      }
    }),
    { numRuns: RUNS },
  );
});
