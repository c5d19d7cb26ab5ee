import { describe, expect, test } from 'vitest';
import type { Page, Reading } from '#pagination/list.ts';
import { isSame } from '#pagination/page-content.ts';
import { isFirsthand, isRecent, isSentAfter, isTooOld, newest } from '#pagination/reading.ts';

/** Of two processes `a` and `b`: read for this operation, or remembered. */
const read = (process: string, number: number): Reading => ({ process, number, isRemembered: false });
const kept = (process: string, number: number): Reading => ({ process, number, isRemembered: true });

describe('the order of two readings', () => {
  test('is that of their numbers, in one process', () => {
    expect(isSentAfter(kept('a', 2), read('a', 1))).toBe(true);
    expect(isSentAfter(kept('a', 1), read('a', 1))).toBe(false);
    expect(isSentAfter(read('a', 1), kept('a', 2))).toBe(false);
  });

  test('is not known between two', () => {
    expect(isSentAfter(read('a', 2), read('b', 1))).toBe(false);
    expect(isSentAfter(read('a', 1), read('b', 2))).toBe(false);
  });
});

describe('the newest', () => {
  test('is the one with the greater number, in one process', () => {
    expect(newest(read('a', 1), kept('a', 2))).toEqual(kept('a', 2));
    expect(newest(kept('a', 2), read('a', 1))).toEqual(kept('a', 2));
    expect(newest(undefined, read('a', 1))).toEqual(read('a', 1));
    expect(newest(read('a', 1), undefined)).toEqual(read('a', 1));
    expect(newest(undefined, undefined)).toBeUndefined();
  });

  test('of two processes is one that nothing is newer than', () => {
    const both = newest(read('a', 1), read('b', 2))!;
    for (const process of ['a', 'b', '']) expect(isSentAfter(read(process, 1e9), both)).toBe(false);
    expect(newest(both, read('a', 1e9))).toBe(both);
    expect(newest(read('b', 1e9), both)).toEqual(both);
  });
});

describe('what is to be newer than a reading', () => {
  test.each<[Reading | undefined, Reading | undefined, boolean]>([
    [kept('a', 2), read('a', 1), true],
    [kept('a', 1), read('a', 2), false],
    [kept('b', 2), read('a', 1), false],
    // Read for this operation: close enough.
    [read('a', 1), read('a', 2), true],
    [read('b', 1), read('a', 2), true],
    [kept('a', 1), undefined, true],
    [undefined, read('a', 1), true],
  ])('%j than %j: %j', (reading, than, will) => {
    expect(isRecent(reading, than)).toBe(will);
  });

  test.each<[Reading | undefined, Reading | undefined, boolean]>([
    [kept('a', 1), read('a', 2), true],
    [kept('a', 2), read('a', 1), false],
    [read('a', 1), read('a', 2), false],
    // Nobody knows: it may have been asked for after all.
    [kept('b', 1), read('a', 2), false],
    [kept('a', 5), newest(read('a', 1), read('b', 2)), true],
    [kept('a', 1), undefined, false],
    [undefined, read('a', 1), false],
  ])('%j is known to be older than %j: %j', (reading, than, is) => {
    expect(isTooOld(reading, than)).toBe(is);
  });
});

test.each<[(Reading | undefined)[], boolean]>([
  [[], true],
  [[undefined, read('a', 2), read('a', 1)], true],
  [[kept('a', 2)], false],
  [[kept('a', 2), read('a', 1)], false],
  [[read('a', 1), kept('a', 2), undefined, read('a', 3)], true],
  [[read('a', 2), kept('a', 1)], false],
  [[read('a', 1), kept('b', 2)], false],
])('readings are firsthand that were sent for this operation, or after one that was: %j', (readings, is) => {
  expect(isFirsthand(readings)).toBe(is);
});

test('a page says the same when nothing of what it says has changed', () => {
  const page: Page<{ id: string }> = { items: [{ id: 'x' }, { id: 'y' }], served: 2, total: 5, reading: read('a', 1) };
  expect(isSame({ ...page, reading: kept('b', 2) }, page)).toBe(true);
  for (const other of [{ total: 6 }, { total: undefined }, { served: 3 }, { items: [{ id: 'y' }, { id: 'x' }] }, { items: [] }]) {
    expect(isSame({ ...page, ...other }, page)).toBe(false);
    expect(isSame(page, { ...page, ...other })).toBe(false);
  }
  expect(isSame({ items: [], served: 0 }, { items: [], served: 0 })).toBe(true);
});
