import { describe, expect, test } from 'vitest';
import type { Page } from '#pagination/list.ts';
import { isIdenticalPage } from '#pagination/page-content.ts';
import {
  isAfter,
  isRecentEnough,
  isTooOld,
  isUncached,
  latestVersion,
} from '#pagination/read-version.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';

/** Versions of the two instances `a` and `b`: read for this operation, or cached. */
const uncachedVersion = (instance: string, sequence: number): ReadVersion => ({
  instance,
  sequence,
  isCached: false,
});
const cachedVersion = (instance: string, sequence: number): ReadVersion => ({
  instance,
  sequence,
  isCached: true,
});

describe('Order of read versions', () => {
  test('read versions of one instance are ordered by their sequence numbers', () => {
    expect(isAfter(cachedVersion('a', 2), uncachedVersion('a', 1))).toBe(true);
    expect(isAfter(cachedVersion('a', 1), uncachedVersion('a', 1))).toBe(false);
    expect(isAfter(uncachedVersion('a', 1), cachedVersion('a', 2))).toBe(false);
  });

  test('read versions of two instances have no known order', () => {
    expect(isAfter(uncachedVersion('a', 2), uncachedVersion('b', 1))).toBe(false);
    expect(isAfter(uncachedVersion('a', 1), uncachedVersion('b', 2))).toBe(false);
  });
});

describe('Latest read version', () => {
  test('the latest read version of one instance is the one with the greatest sequence number', () => {
    expect(latestVersion(uncachedVersion('a', 1), cachedVersion('a', 2))).toEqual(
      cachedVersion('a', 2),
    );
    expect(latestVersion(cachedVersion('a', 2), uncachedVersion('a', 1))).toEqual(
      cachedVersion('a', 2),
    );
    expect(latestVersion(undefined, uncachedVersion('a', 1))).toEqual(uncachedVersion('a', 1));
    expect(latestVersion(uncachedVersion('a', 1), undefined)).toEqual(uncachedVersion('a', 1));
    expect(latestVersion(undefined, undefined)).toBeUndefined();
  });

  test('the latest read version of two instances is one that no other version follows', () => {
    const both = latestVersion(uncachedVersion('a', 1), uncachedVersion('b', 2))!;
    for (const process of ['a', 'b', ''])
      expect(isAfter(uncachedVersion(process, 1e9), both)).toBe(false);
    expect(latestVersion(both, uncachedVersion('a', 1e9))).toBe(both);
    expect(latestVersion(uncachedVersion('b', 1e9), both)).toEqual(both);
  });
});

describe('Age of read versions', () => {
  test.each<[ReadVersion | undefined, ReadVersion | undefined, boolean]>([
    [cachedVersion('a', 2), uncachedVersion('a', 1), true],
    [cachedVersion('a', 1), uncachedVersion('a', 2), false],
    [cachedVersion('b', 2), uncachedVersion('a', 1), false],
    // A page read for this operation is recent enough.
    [uncachedVersion('a', 1), uncachedVersion('a', 2), true],
    [uncachedVersion('b', 1), uncachedVersion('a', 2), true],
    [cachedVersion('a', 1), undefined, true],
    [undefined, uncachedVersion('a', 1), true],
  ])('the read version %j is recent enough for %j: %j', (version, than, will) => {
    expect(isRecentEnough(version, than)).toBe(will);
  });

  test.each<[ReadVersion | undefined, ReadVersion | undefined, boolean]>([
    [cachedVersion('a', 1), uncachedVersion('a', 2), true],
    [cachedVersion('a', 2), uncachedVersion('a', 1), false],
    [uncachedVersion('a', 1), uncachedVersion('a', 2), false],
    // The order is unknown: the page may have been requested later.
    [cachedVersion('b', 1), uncachedVersion('a', 2), false],
    [cachedVersion('a', 5), latestVersion(uncachedVersion('a', 1), uncachedVersion('b', 2)), true],
    [cachedVersion('a', 1), undefined, false],
    [undefined, uncachedVersion('a', 1), false],
  ])('the read version %j is known to be older than %j: %j', (version, than, is) => {
    expect(isTooOld(version, than)).toBe(is);
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
])(
  'read versions count as uncached when they were read for this operation or follow one that was: %j',
  (versions, is) => {
    expect(isUncached(versions)).toBe(is);
  },
);

test('two pages are identical when none of their content differs', () => {
  const page: Page<{ id: string }> = {
    items: [{ id: 'x' }, { id: 'y' }],
    served: 2,
    total: 5,
    readVersion: uncachedVersion('a', 1),
  };
  expect(isIdenticalPage({ ...page, readVersion: cachedVersion('b', 2) }, page)).toBe(true);
  for (const other of [
    { total: 6 },
    { total: undefined },
    { served: 3 },
    { items: [{ id: 'y' }, { id: 'x' }] },
    { items: [] },
  ]) {
    expect(isIdenticalPage({ ...page, ...other }, page)).toBe(false);
    expect(isIdenticalPage(page, { ...page, ...other })).toBe(false);
  }
  expect(isIdenticalPage({ items: [], served: 0 }, { items: [], served: 0 })).toBe(true);
});
