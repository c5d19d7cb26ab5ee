import { describe, expect, test } from 'vitest';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import type { Identified, Page } from '#pagination/list.ts';
import { createNumberedPages, type PageFetch } from '#pagination/numbered-pages.ts';
import { createOrderedPages } from '#pagination/ordered-pages.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';

const cachedVersion = (sequence: number): ReadVersion => ({
  instance: 'a',
  sequence,
  isCached: true,
});
const uncachedVersion = (sequence: number): ReadVersion => ({
  instance: 'a',
  sequence,
  isCached: false,
});
const pageOf = (readVersion: ReadVersion, ...ids: string[]): Page<Identified> => ({
  items: ids.map((id) => ({ id })),
  served: ids.length,
  readVersion,
});

/**
 * The cached page 1, after a page 0 that was read later, and the result of reading page 1 again.
 */
function createOrderedPagesScene(again: Page<Identified>, { isInVain = false } = {}) {
  const fetches: unknown[] = [];
  const pages = createOrderedPages<Identified>({
    fetch: async () => again,
    fetchAgain: async (...args) => {
      fetches.push(args);
      return again;
    },
    isRereadPointless: () => isInVain,
    onMoved: () => fetches.push('moved'),
  });
  pages.set(1, pageOf(cachedVersion(3), 'x'));
  pages.set(0, pageOf(uncachedVersion(7), 'w'));
  return { pages, fetches };
}

describe('Ordered pages', () => {
  test('a page that is unchanged when it is read again keeps its version and no longer counts as only cached', async () => {
    const { pages, fetches } = createOrderedPagesScene(pageOf(uncachedVersion(8), 'x'));
    await pages.ensureOrder(0);
    await pages.ensureOrder(0);
    expect(fetches).toEqual([[1, uncachedVersion(7)]]);
    expect(pages.get(1)).toEqual(pageOf(uncachedVersion(3), 'x'));
  });

  test('a page that has changed when it is read again is used as it is now, if the list is not read again', async () => {
    const { pages, fetches } = createOrderedPagesScene(pageOf(uncachedVersion(8), 'v'));
    await pages.ensureOrder(0);
    expect(fetches).toEqual([[1, uncachedVersion(7)], 'moved']);
    expect(pages.get(1)).toEqual(pageOf(uncachedVersion(8), 'v'));
  });

  test('a page stays cached while no newer one is available, and is not requested when that is known', async () => {
    const { pages } = createOrderedPagesScene(pageOf(cachedVersion(3), 'x'));
    await pages.ensureOrder(0);
    expect(pages.get(1)).toEqual(pageOf(cachedVersion(3), 'x'));
    const other = createOrderedPagesScene(pageOf(cachedVersion(3), 'x'), { isInVain: true });
    await other.pages.ensureOrder(0);
    await other.pages.rereadCached();
    expect(other.fetches).toEqual([]);
  });
});

test('the pages that discovered the first page number are requested again when they are too old', async () => {
  const fetches: PageFetch[] = [];
  const facts = createEndpointFacts({ firstPage: 'auto', pageSize: 1, monotonicNow: () => 0 })({
    fingerprint: 'ann',
  })('/list');
  const pages = createNumberedPages<Identified>(async (pageFetch) => {
    fetches.push(pageFetch);
    // One page under every number: the number of the first page stays unknown.
    return pageOf(cachedVersion(fetches.length), 'x');
  }, facts);
  expect((await pages.fetch(1)).readVersion).toEqual(cachedVersion(2));
  expect((await pages.fetch(1, uncachedVersion(1))).readVersion).toEqual(cachedVersion(2));
  expect(fetches.map(({ page }) => page)).toEqual([0, 1, 2]);
  await pages.fetch(1, uncachedVersion(2));
  expect(fetches.at(-1)).toEqual({ page: 1, pageSize: 1, newerThan: uncachedVersion(2) });
});
