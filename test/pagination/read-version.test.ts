import { describe, expect, test } from 'vitest';
import type { Page, ReadVersion } from '#pagination/list.ts';
import { isIdenticalPage } from '#pagination/page-content.ts';
import { isAfter, isRecentEnough, isTooOld, isUncached, latestVersion } from '#pagination/read-version.ts';

/** Of two processes `a` and `b`: read for this operation, or remembered. */
const uncachedVersion = (instance: string, sequence: number): ReadVersion => ({ instance, sequence, isCached: false });
const cachedVersion = (instance: string, sequence: number): ReadVersion => ({ instance, sequence, isCached: true });

describe('the order of two readings', () => {
  test('is that of their numbers, in one process', () => {
    expect(isAfter(cachedVersion('a', 2), uncachedVersion('a', 1))).toBe(true);
    expect(isAfter(cachedVersion('a', 1), uncachedVersion('a', 1))).toBe(false);
    expect(isAfter(uncachedVersion('a', 1), cachedVersion('a', 2))).toBe(false);
  });

  test('is not known between two', () => {
    expect(isAfter(uncachedVersion('a', 2), uncachedVersion('b', 1))).toBe(false);
    expect(isAfter(uncachedVersion('a', 1), uncachedVersion('b', 2))).toBe(false);
  });
});

describe('the newest', () => {
  test('is the one with the greater number, in one process', () => {
    expect(latestVersion(uncachedVersion('a', 1), cachedVersion('a', 2))).toEqual(cachedVersion('a', 2));
    expect(latestVersion(cachedVersion('a', 2), uncachedVersion('a', 1))).toEqual(cachedVersion('a', 2));
    expect(latestVersion(undefined, uncachedVersion('a', 1))).toEqual(uncachedVersion('a', 1));
    expect(latestVersion(uncachedVersion('a', 1), undefined)).toEqual(uncachedVersion('a', 1));
    expect(latestVersion(undefined, undefined)).toBeUndefined();
  });

  test('of two processes is one that nothing is newer than', () => {
    const both = latestVersion(uncachedVersion('a', 1), uncachedVersion('b', 2))!;
    for (const process of ['a', 'b', '']) expect(isAfter(uncachedVersion(process, 1e9), both)).toBe(false);
    expect(latestVersion(both, uncachedVersion('a', 1e9))).toBe(both);
    expect(latestVersion(uncachedVersion('b', 1e9), both)).toEqual(both);
  });
});

describe('what is to be newer than a reading', () => {
  test.each<[ReadVersion | undefined, ReadVersion | undefined, boolean]>([
    [cachedVersion('a', 2), uncachedVersion('a', 1), true],
    [cachedVersion('a', 1), uncachedVersion('a', 2), false],
    [cachedVersion('b', 2), uncachedVersion('a', 1), false],
    // Read for this operation: close enough.
    [uncachedVersion('a', 1), uncachedVersion('a', 2), true],
    [uncachedVersion('b', 1), uncachedVersion('a', 2), true],
    [cachedVersion('a', 1), undefined, true],
    [undefined, uncachedVersion('a', 1), true],
  ])('%j than %j: %j', (reading, than, will) => {
    expect(isRecentEnough(reading, than)).toBe(will);
  });

  test.each<[ReadVersion | undefined, ReadVersion | undefined, boolean]>([
    [cachedVersion('a', 1), uncachedVersion('a', 2), true],
    [cachedVersion('a', 2), uncachedVersion('a', 1), false],
    [uncachedVersion('a', 1), uncachedVersion('a', 2), false],
    // Nobody knows: it may have been asked for after all.
    [cachedVersion('b', 1), uncachedVersion('a', 2), false],
    [cachedVersion('a', 5), latestVersion(uncachedVersion('a', 1), uncachedVersion('b', 2)), true],
    [cachedVersion('a', 1), undefined, false],
    [undefined, uncachedVersion('a', 1), false],
  ])('%j is known to be older than %j: %j', (reading, than, is) => {
    expect(isTooOld(reading, than)).toBe(is);
  });
});

test.each<[(ReadVersion | undefined)[], boolean]>([
  [[], true],
  [[undefined, uncachedVersion('a', 2), uncachedVersion('a', 1)], true],
  [[cachedVersion('a', 2)], false],
  [[cachedVersion('a', 2), uncachedVersion('a', 1)], false],
  [[uncachedVersion('a', 1), cachedVersion('a', 2), undefined, uncachedVersion('a', 3)], true],
  [[uncachedVersion('a', 2), cachedVersion('a', 1)], false],
  [[uncachedVersion('a', 1), cachedVersion('b', 2)], false],
])('readings are firsthand that were sent for this operation, or after one that was: %j', (readings, is) => {
  expect(isUncached(readings)).toBe(is);
});

test('a page says the same when nothing of what it says has changed', () => {
  const page: Page<{ id: string }> = {
    items: [{ id: 'x' }, { id: 'y' }],
    served: 2,
    total: 5,
    readVersion: uncachedVersion('a', 1),
  };
  expect(isIdenticalPage({ ...page, readVersion: cachedVersion('b', 2) }, page)).toBe(true);
  for (const other of [{ total: 6 }, { total: undefined }, { served: 3 }, { items: [{ id: 'y' }, { id: 'x' }] }, { items: [] }]) {
    expect(isIdenticalPage({ ...page, ...other }, page)).toBe(false);
    expect(isIdenticalPage(page, { ...page, ...other })).toBe(false);
  }
  expect(isIdenticalPage({ items: [], served: 0 }, { items: [], served: 0 })).toBe(true);
});
