import { describe, expect, test } from 'vitest';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import type { Identified, Page, ReadVersion } from '#pagination/list.ts';
import { createNumberedPages, type PageFetch } from '#pagination/numbered-pages.ts';
import { createOrderedPages } from '#pagination/ordered-pages.ts';

const cachedVersion = (sequence: number): ReadVersion => ({ instance: 'a', sequence, isCached: true });
const uncachedVersion = (sequence: number): ReadVersion => ({ instance: 'a', sequence, isCached: false });
const pageOf = (readVersion: ReadVersion, ...ids: string[]): Page<Identified> => ({
  items: ids.map((id) => ({ id })),
  served: ids.length,
  readVersion,
});

/** Page 1, remembered, below a page 0 that was read later; and what page 1 is when it is read again. */
function createOrderedPagesScene(again: Page<Identified>, { isInVain = false } = {}) {
  const asked: unknown[] = [];
  const pages = createOrderedPages<Identified>({
    fetch: async () => again,
    fetchAgain: async (...question) => {
      asked.push(question);
      return again;
    },
    isPointless: () => isInVain,
    onMoved: () => asked.push('moved'),
  });
  pages.set(1, pageOf(cachedVersion(3), 'x'));
  pages.set(0, pageOf(uncachedVersion(7), 'w'));
  return { pages, asked };
}

describe('a page that is older than the one above it', () => {
  test('which says the same when it is read again, was like that from then to now, and is no longer only remembered', async () => {
    const { pages, asked } = createOrderedPagesScene(pageOf(uncachedVersion(8), 'x'));
    await pages.ensureOrder(0);
    await pages.ensureOrder(0);
    expect(asked).toEqual([[1, uncachedVersion(7)]]);
    expect(pages.get(1)).toEqual(pageOf(uncachedVersion(3), 'x'));
  });

  test('which says something else is taken as it is now, where the list is not read anew', async () => {
    const { pages, asked } = createOrderedPagesScene(pageOf(uncachedVersion(8), 'v'));
    await pages.ensureOrder(0);
    expect(asked).toEqual([[1, uncachedVersion(7)], 'moved']);
    expect(pages.get(1)).toEqual(pageOf(uncachedVersion(8), 'v'));
  });

  test('stays remembered while nothing newer can be had, and is not asked for where that is known', async () => {
    const { pages } = createOrderedPagesScene(pageOf(cachedVersion(3), 'x'));
    await pages.ensureOrder(0);
    expect(pages.get(1)).toEqual(pageOf(cachedVersion(3), 'x'));
    const other = createOrderedPagesScene(pageOf(cachedVersion(3), 'x'), { isInVain: true });
    await other.pages.ensureOrder(0);
    await other.pages.rereadCached();
    expect(other.asked).toEqual([]);
  });
});

test('the pages that told the number of the first one are asked for again when they are too old for what is read now', async () => {
  const asked: PageFetch[] = [];
  const facts = createEndpointFacts({ firstPage: 'auto', pageSize: 1, monotonicNow: () => 0 })({ fingerprint: 'ann' })('/list');
  const pages = createNumberedPages<Identified>(async (question) => {
    asked.push(question);
    // One page under every number: nothing is known of the first one.
    return pageOf(cachedVersion(asked.length), 'x');
  }, facts);
  expect((await pages.fetch(1)).readVersion).toEqual(cachedVersion(2));
  expect((await pages.fetch(1, uncachedVersion(1))).readVersion).toEqual(cachedVersion(2));
  expect(asked.map(({ page }) => page)).toEqual([0, 1, 2]);
  await pages.fetch(1, uncachedVersion(2));
  expect(asked.at(-1)).toEqual({ page: 1, pageSize: 1, newerThan: uncachedVersion(2) });
});
