import { describe, expect, test } from 'vitest';
import { decodeCursor } from '#pagination/cursor.ts';
import {
  createSimulatedList,
  type PagingBehavior,
  type SimulatedList,
} from '../support/simulated-list.ts';
import { createCachedList, cursorAt, PAGE_SIZE, passMicrotasks, warmPages } from './cached-list.ts';
import { createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { createListReader, SCOPE } from './list-reader.ts';

describe('Walks over cached pages', () => {
  test('pages that were cached in reading order are served without an upstream request', async () => {
    const { memory, read, upstream } = createCachedList(40);
    await warmPages(memory, 0, 1, 2);
    memory.clock.pass(FRESH_MS - 1);
    expect(await read({ first: 25 })).toMatchObject({
      ids: upstream.ids.slice(0, 25),
      requested: [],
    });
    memory.clock.pass(1);
    expect(await read({ first: 25 })).toMatchObject({
      ids: upstream.ids.slice(0, 25),
      requested: [0, 1, 2],
    });
  });

  test.each([
    ['and hasNextPage is selected', true],
    ['and hasNextPage is not selected', false],
  ])(
    'a walk through 2,000 items by seven reads each upstream page once %s',
    async (_, hasNextPage) => {
      const upstream = createSimulatedList(2000, { firstPage: 1 });
      const memory = createCachedUpstream(upstream);
      const { read } = createListReader(memory, { pageSize: 50, firstPage: 'auto' });
      // The discovery of the first page number costs the rejected request, twice, and one request
      // that the walk needs anyway.
      await read({ first: 1 });
      expect(upstream.log.splice(0).map(({ page }) => page)).toEqual([0, 1, 0]);
      const walked: string[] = [];
      for (let [after, more] = [null as string | null, true]; more; ) {
        const page = await read({ first: 7, after }, { wanted: { page: true, hasNextPage } });
        walked.push(...page.ids);
        [after, more] = [page.endCursor, hasNextPage ? page.hasNextPage : page.ids.length === 7];
      }
      expect(walked).toEqual(upstream.ids);
      // Page 1 is cached; 39 more pages follow, and one to prove the end.
      expect(upstream.log.map(({ page }) => page)).toEqual(
        Array.from({ length: 40 }, (_, index) => index + 2),
      );
    },
  );

  test('a backward walk that reaches a new page reads the older page after it once more', async () => {
    const { read, upstream } = createCachedList(95);
    const walked: string[] = [];
    const requests: string[] = [];
    for (let [before, more] = [null as string | null, true]; more; ) {
      const page = await read({ last: 7, before });
      walked.unshift(...page.ids);
      requests.push(page.requested.join());
      [before, more] = [page.startCursor, page.hasPreviousPage];
    }
    expect(walked).toEqual(upstream.ids);
    // The search for the end leaves some pages in order with the ones after them: 8 with 9, 2 with
    // 3, 1 with 2, 0 with 1.
    expect(requests.filter(Boolean)).toEqual(['0,1,2,4,8,16,12,10,9', '7,8', '6,7', '5,6', '3,4']);
  });

  test('the search for the end and the count reuse their cached pages', async () => {
    const { read, upstream } = createCachedList(94);
    const once = await read({ last: 3 });
    expect(once).toMatchObject({
      ids: upstream.ids.slice(-3),
      requested: [0, 1, 2, 4, 8, 16, 12, 10, 9],
    });
    expect(await once.connection.totalCount()).toBe(94);
    const { connection, requested } = await read({ last: 3 });
    expect(await connection.totalCount()).toBe(94);
    expect([...requested, ...upstream.takeLog()]).toEqual([]);
  });

  test('the search for the end of a clamped list reads the page before the end once more, after the repetitions', async () => {
    const { read, upstream, facts } = createCachedList(94, { past: 'clamped' });
    facts.repeatsLastPage = true;
    const once = await read({ last: 3 });
    expect(await read({ last: 3 })).toMatchObject({ ids: once.ids, requested: [8, 9] });
    const { connection, requested } = await read({ last: 3 });
    expect(await connection.totalCount()).toBe(94);
    expect([...requested, ...upstream.takeLog()]).toEqual([]);
  });

  test('the end of a clamped list is not read again on each walk', async () => {
    const { memory, read, upstream, facts } = createCachedList(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    expect(await read({ first: 30 })).toMatchObject({
      ids: upstream.ids,
      hasNextPage: false,
      requested: [0, 1, 2, 3],
    });
    expect(await read({ first: 30 })).toMatchObject({
      ids: upstream.ids,
      hasNextPage: false,
      requested: [],
    });
    memory.clock.pass(FRESH_MS);
    await warmPages(memory, 0, 1, 2);
    // A full page that is older than its repetition may belong to a list that moved by a page: all
    // is read again, once.
    expect(await read({ first: 30 })).toMatchObject({
      ids: upstream.ids,
      hasNextPage: false,
      requested: [3, 0, 1, 2, 3],
    });
    expect(await read({ first: 30 })).toMatchObject({
      ids: upstream.ids,
      hasNextPage: false,
      requested: [],
    });
  });
});

describe('Order of cached pages', () => {
  test('a cached page that is older than the page before it is read again, because neither may show an item that moved across the border', async () => {
    const { memory, read, upstream } = createCachedList(40);
    await warmPages(memory, 1);
    upstream.insert(0);
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [0, 1],
    });
  });

  test('a cached page that is older than the page before it is read again even if nothing moved, and is in order afterwards', async () => {
    const { memory, read, upstream } = createCachedList(40);
    await warmPages(memory, 1, 0);
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [1],
    });
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [],
    });
  });

  test('a cached page is read again even if it was requested before its order was known', async () => {
    const upstream = createSimulatedList(40);
    const memory = createCachedUpstream(upstream);
    await warmPages(memory, 1, 0);
    // Page 1 takes longer to arrive.
    const slow: SimulatedList = {
      ...memory,
      async readPage(pageFetch) {
        const page = await memory.readPage(pageFetch);
        await passMicrotasks(pageFetch.page === 1 ? 50 : 0);
        return page;
      },
    };
    const { read, createSource } = createListReader(slow, { pageSize: PAGE_SIZE });
    const source = createSource();
    const [after, first] = [await cursorAt({ upstream }, 11), { first: 5 }];
    await Promise.all([read({ ...first, after }, { source }), read(first, { source })]);
    expect(memory.takeServedPages().map(({ page, source: from }) => [page, from])).toEqual([
      [1, 'network'],
      [0, 'network'],
      [1, 'cache'],
      [0, 'cache'],
      [1, 'network'],
    ]);
  });

  test('the later of two pages from two instances is read again, because their order is unknown', async () => {
    const { memory, read, upstream } = createCachedList(40);
    const other = memory.anotherInstance();
    // By its sequence number page 1 would be newer.
    await warmPages(memory, 5, 6, 1);
    upstream.insert(0);
    await warmPages(other, 0);
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [1],
    });
  });

  test('two pages from the same other instance keep the order of that instance', async () => {
    const { memory, upstream } = createCachedList(40);
    await warmPages(memory, 0, 1);
    const other = createListReader(memory.anotherInstance(), { pageSize: PAGE_SIZE });
    expect(await other.read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [],
    });
  });

  /**
   * A cursor whose item has moved up a page: its cached page holds the second of the items that
   * followed it, so the search continues on earlier pages.
   */
  async function createUpwardScene() {
    const scene = createCachedList(60);
    const after = await cursorAt(scene, 25);
    scene.upstream.remove(0, 7);
    return { ...scene, after };
  }

  test('a page older than the one before it is read again, and an unchanged result keeps all pages after it', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await warmPages(memory, 2, 3);
    const page = await read({ first: 20, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(19, 39), requested: [1, 2] });
    expect(memory.takeServedPages().filter(({ source }) => source === 'cache')).toMatchObject([
      { page: 2 },
      { page: 3 },
    ]);
  });

  test('a page older than the one before it is read again, and a changed result means that the list has moved and is read again', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await warmPages(memory, 2);
    upstream.insert(0);
    const page = await read({ first: 5, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(20, 25), requested: [1, 2, 2] });
  });

  test('a page from another instance than the one before it is read again, and a changed result means that the list has moved', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await warmPages(memory, 5, 6, 2);
    upstream.insert(0);
    await warmPages(memory.anotherInstance(), 1);
    const page = await read({ first: 5, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(20, 25), requested: [2, 2] });
  });

  test('a cursor records no neighbour from a page that turned out to be out of order', async () => {
    const { memory, read, upstream, createSource } = createCachedList(40);
    const after = await cursorAt({ upstream }, 9);
    const source = createSource();
    await warmPages(memory, 1);
    const page = await read({ first: 3, after }, { source });
    expect(page).toMatchObject({ ids: ['i10', 'i11', 'i12'], requested: [] });
    upstream.insert(0);
    // Another field of the same operation reads the page before, which no longer holds i9.
    expect(await read({ first: 3 }, { source })).toMatchObject({ ids: upstream.ids.slice(0, 3) });
    const cursor = page.connection.pageInfo.startCursor;
    expect(decodeCursor(cursor!, SCOPE, 'before')).toMatchObject({ id: 'i10', preceding: [] });
  });
});

describe('Moved list over cached pages', () => {
  async function createMovedScene(behavior: PagingBehavior = {}) {
    const scene = createCachedList(40, behavior);
    await warmPages(scene.memory, 0);
    scene.upstream.insert(0, 3);
    return scene;
  }

  test('a list that has moved is read again without its cached pages', async () => {
    const { read, upstream } = await createMovedScene();
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [1, 0, 1],
    });
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [],
    });
  });

  test('a list whose total has changed is read again', async () => {
    const { read, upstream } = await createMovedScene({ hasTotal: true });
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [1, 0, 1],
    });
  });

  test('a hundred concurrent clients read a moved list again for the cost of one', async () => {
    const { read, upstream } = await createMovedScene();
    const pages = await Promise.all(Array.from({ length: 100 }, () => read({ first: 15 })));
    for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 15));
    expect(upstream.log.length).toBe(1 + 3);
  });

  test('a hundred clients that arrive one after the other read a moved list again for little more than the cost of one', async () => {
    const { read, upstream } = await createMovedScene();
    const pages = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await passMicrotasks(index);
        return read({ first: 15 });
      }),
    );
    for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 15));
    expect(upstream.log.length).toBeLessThanOrEqual(1 + 3 + 3);
  });

  test('a moved list whose pages come from two instances is read again from the upstream alone', async () => {
    const { memory, read, upstream } = createCachedList(40);
    await warmPages(memory.anotherInstance(), 0);
    upstream.insert(0, 3);
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      requested: [1, 0, 1],
    });
  });
});
