import { describe, expect, test } from 'vitest';
import { createSimulatedList, type SimulatedList } from '../support/simulated-list.ts';
import { createCachedList, cursorAt, PAGE_SIZE, warmPages } from './cached-list.ts';
import { createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { createListReader } from './list-reader.ts';

describe('Cursor search over cached pages', () => {
  test('the search for a missing item uses the pages that were already read again', async () => {
    const { memory, read, upstream } = createCachedList(60);
    const after = await cursorAt({ upstream }, 35);
    upstream.remove(30, 9);
    await warmPages(memory, 3);
    // One later neighbour survives, on page 3, which turns out to be older than page 2: page 3 is
    // read again, once.
    const page = await read({ first: 3, after });
    expect(page).toMatchObject({
      ids: ['i39', 'i40', 'i41'],
      isCursorItemGone: false,
      requested: [2, 3, 1, 0],
    });
  });

  test('an item does not count as gone while its position comes from cached pages, because the cursor may be newer', async () => {
    const { memory, read, upstream } = createCachedList(15);
    await warmPages(memory, 0, 1);
    upstream.insert(0, 30);
    const after = await cursorAt({ upstream }, 5);
    expect(await read({ first: 3, after })).toMatchObject({
      ids: upstream.ids.slice(6, 9),
      isCursorItemGone: false,
      requested: [0, 0],
    });
  });

  test('a missing item is not replaced by a farther neighbour from a cached page', async () => {
    const { memory, read, upstream } = createCachedList(15);
    await warmPages(memory, 0, 1);
    const fresh = upstream.insert(3, 2);
    const after = await cursorAt({ upstream }, 3);
    upstream.remove(5, 1);
    expect(await read({ first: 3, after })).toMatchObject({
      ids: [fresh[1], 'i4', 'i5'],
      requested: [0, 0],
    });
  });

  test('an item counts as gone when its cached pages, each read again once, still lack it', async () => {
    const { memory, read, upstream } = createCachedList(45);
    const after = await cursorAt({ upstream }, 25);
    upstream.remove(20, 12);
    await warmPages(memory, 0, 1);
    expect(await read({ first: 3, after })).toMatchObject({
      ids: upstream.ids.slice(25, 28),
      isCursorItemGone: true,
      requested: [2, 3, 0, 1],
    });
  });
});

describe('End of a list over cached pages', () => {
  test('an empty cached page does not prove the end of a list, because the list may have grown onto it', async () => {
    const { memory, read, upstream } = createCachedList(20);
    await warmPages(memory, 2);
    upstream.insert(0, 3);
    expect(await read({ last: 5 })).toMatchObject({
      ids: upstream.ids.slice(-5),
      requested: [0, 1, 2, 0, 1, 2, 3],
    });
  });

  test('a cached page that is still empty proves the end of a list at the cost of one request', async () => {
    const { memory, read, upstream } = createCachedList(20);
    await warmPages(memory, 2);
    expect(await read({ last: 5 })).toMatchObject({
      ids: upstream.ids.slice(-5),
      requested: [0, 1, 2],
    });
    expect(await read({ last: 5 })).toMatchObject({ ids: upstream.ids.slice(-5), requested: [] });
  });

  test('a cached repetition past the end does not prove the end of a list', async () => {
    const { memory, read, upstream, facts } = createCachedList(35, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await warmPages(memory, 4);
    upstream.insert(0, 3);
    const { connection } = await read({ first: 3 });
    expect(await connection.totalCount()).toBe(38);
  });

  test('a cached repetition of a former last page does not prove the end of a list', async () => {
    const { memory, read, upstream } = createCachedList(32, { past: 'clamped' });
    await warmPages(memory, 5);
    // Below all others: page 3 is full, and page 4 holds an item that the cached page 5 does not
    // repeat.
    upstream.insert(32, 9);
    const { connection } = await read({ first: 3 });
    expect(await connection.totalCount()).toBe(41);
  });

  test('cached repetitions do not prove the end of a list that has grown onto the first of them', async () => {
    const { memory, read, upstream, facts } = createCachedList(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await warmPages(memory, 3, 4, 8);
    upstream.insert(0, 2);
    const { connection } = await read({ first: 3 });
    expect(await connection.totalCount()).toBe(32);
  });

  test('a short cached last page does not prove the end of a list when the page before it is newer', async () => {
    const { memory, read, upstream } = createCachedList(13);
    await warmPages(memory, 1);
    upstream.insert(0);
    expect(await read({ last: 1 })).toMatchObject({
      ids: upstream.ids.slice(-1),
      requested: [0, 1, 2],
    });
  });
});

describe('Cached pages during an outage', () => {
  /** Each page is cached from a different state of the list, and no page is fresh. */
  async function createOutage(...pages: number[]) {
    const scene = createCachedList(40);
    for (const page of pages) {
      scene.upstream.insert(0);
      await warmPages(scene.memory, page);
    }
    scene.memory.clock.pass(FRESH_MS);
    scene.memory.isDown = true;
    return scene;
  }

  test('stale pages that are served on error are used as they are, and each page is requested once', async () => {
    const { read } = await createOutage(1, 0);
    const page = await read({ first: 15 });
    expect(page.ids.length).toBe(15);
    expect(page.requested).toEqual([0, 1]);
  });

  test('a list that has moved is read again once during an outage, although without effect', async () => {
    const { read } = await createOutage(0, 1, 2);
    const page = await read({ first: 25 });
    // The last item of a page is cached as the first item of the next page.
    expect(page.ids.length).toBe(25);
    expect(new Set(page.ids).size).toBe(25);
    expect(page.requested).toEqual([0, 1, 0, 1, 2]);
  });

  test('a list whose cached pages come from two instances is read again once during an outage', async () => {
    const { memory, read, upstream } = createCachedList(40);
    await warmPages(memory.anotherInstance(), 0);
    upstream.insert(0, 3);
    await warmPages(memory, 1);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const page = await read({ first: 15 });
    expect(page.ids.length).toBe(15);
    expect(page.requested).toEqual([0, 1, 0, 1]);
  });

  test('an item that is missing from all cached pages counts as gone during an outage after one more request', async () => {
    const scene = createCachedList(45);
    const after = await cursorAt(scene, 25);
    scene.upstream.remove(20, 12);
    await warmPages(scene.memory, 0, 1, 2, 3);
    scene.memory.isDown = true;
    const page = await scene.read({ first: 3, after });
    expect(page).toMatchObject({
      ids: scene.upstream.ids.slice(25, 28),
      isCursorItemGone: true,
      requested: [0],
    });
  });

  test('a short stale page that is followed by another page proves no end of the list', async () => {
    const upstream = createSimulatedList(40);
    const withHole: SimulatedList = {
      ...upstream,
      async readPage(pageFetch) {
        const page = await upstream.readPage(pageFetch);
        return pageFetch.page === 1 ? { items: page.items.slice(0, 9), served: 9 } : page;
      },
    };
    const [after, before] = [await cursorAt({ upstream }, 15), await cursorAt({ upstream }, 25)];
    const memory = createCachedUpstream(withHole);
    await warmPages(memory, 1, 2);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const { read, facts } = createListReader(memory, { pageSize: PAGE_SIZE });
    const page = await read({ first: 20, after, before });
    expect(page.ids).toEqual(['i16', 'i17', 'i18', 'i20', 'i21', 'i22', 'i23', 'i24']);
    expect(facts.hasHoles).toBe(false);
  });

  test('stale pages served on error prove no fact about the endpoint, and reading them ends', async () => {
    const { memory, read, upstream, facts } = createCachedList(PAGE_SIZE);
    await warmPages(memory, 0);
    upstream.insert(0, PAGE_SIZE);
    await warmPages(memory, 1);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const page = await read({ first: 30 });
    expect(page).toMatchObject({
      ids: upstream.ids.slice(PAGE_SIZE),
      hasNextPage: false,
      requested: [0, 1, 0, 1],
    });
    expect(facts).toMatchObject({ repeatsLastPage: false, hasHoles: false });
  });
});
