import { describe, expect, test } from 'vitest';
import { createEndpointFacts } from '#pagination/endpoint-facts.ts';
import type { Identified, Page, Reading } from '#pagination/list.ts';
import { createNumberedPages, type PageQuestion } from '#pagination/numbered-pages.ts';
import { createOrderedPages } from '#pagination/ordered-pages.ts';

const kept = (number: number): Reading => ({ process: 'a', number, isRemembered: true });
const read = (number: number): Reading => ({ process: 'a', number, isRemembered: false });
const pageOf = (reading: Reading, ...ids: string[]): Page<Identified> => ({
  items: ids.map((id) => ({ id })),
  served: ids.length,
  reading,
});

/** Page 1, remembered, below a page 0 that was read later; and what page 1 is when it is read again. */
function createScene(again: Page<Identified>, { isInVain = false } = {}) {
  const asked: unknown[] = [];
  const pages = createOrderedPages<Identified>({
    fetch: async () => again,
    fetchAgain: async (...question) => {
      asked.push(question);
      return again;
    },
    isInVain: () => isInVain,
    onMoved: () => asked.push('moved'),
  });
  pages.set(1, pageOf(kept(3), 'x'));
  pages.set(0, pageOf(read(7), 'w'));
  return { pages, asked };
}

describe('a page that is older than the one above it', () => {
  test('which says the same when it is read again, was like that from then to now, and is no longer only remembered', async () => {
    const { pages, asked } = createScene(pageOf(read(8), 'x'));
    await pages.putInOrder(0);
    await pages.putInOrder(0);
    expect(asked).toEqual([[1, read(7)]]);
    expect(pages.get(1)).toEqual(pageOf(read(3), 'x'));
  });

  test('which says something else is taken as it is now, where the list is not read anew', async () => {
    const { pages, asked } = createScene(pageOf(read(8), 'v'));
    await pages.putInOrder(0);
    expect(asked).toEqual([[1, read(7)], 'moved']);
    expect(pages.get(1)).toEqual(pageOf(read(8), 'v'));
  });

  test('stays remembered while nothing newer can be had, and is not asked for where that is known', async () => {
    const { pages } = createScene(pageOf(kept(3), 'x'));
    await pages.putInOrder(0);
    expect(pages.get(1)).toEqual(pageOf(kept(3), 'x'));
    const other = createScene(pageOf(kept(3), 'x'), { isInVain: true });
    await other.pages.putInOrder(0);
    await other.pages.readAnew();
    expect(other.asked).toEqual([]);
  });
});

test('the pages that told the number of the first one are asked for again when they are too old for what is read now', async () => {
  const asked: PageQuestion[] = [];
  const facts = createEndpointFacts({ firstPage: 'auto', pageSize: 1, elapsed: () => 0 })({ fingerprint: 'ann' })('/list');
  const pages = createNumberedPages<Identified>(async (question) => {
    asked.push(question);
    // One page under every number: nothing is known of the first one.
    return pageOf(kept(asked.length), 'x');
  }, facts);
  expect((await pages.fetch(1)).reading).toEqual(kept(2));
  expect((await pages.fetch(1, read(1))).reading).toEqual(kept(2));
  expect(asked.map(({ page }) => page)).toEqual([0, 1, 2]);
  await pages.fetch(1, read(2));
  expect(asked.at(-1)).toEqual({ page: 1, pageSize: 1, newerThan: read(2) });
});
