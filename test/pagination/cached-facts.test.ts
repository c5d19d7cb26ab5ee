import { describe, expect, test } from 'vitest';
import {
  createSimulatedList,
  type PagingBehavior,
  type SimulatedList,
} from '../support/simulated-list.ts';
import { createCachedList, cursorAt, PAGE_SIZE, passMicrotasks, warmPages } from './cached-list.ts';
import { createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { createListReader } from './list-reader.ts';

describe('Endpoint facts over cached pages', () => {
  test('cached pages do not prove that the upstream leaves holes in its pages', async () => {
    const { memory, read, upstream, facts } = createCachedList(22);
    await warmPages(memory, 2);
    upstream.insert(0, 15);
    // The cached page 2 holds two items. Page 3 holds seven, so the upstream serves at least seven
    // items a page.
    const before = await cursorAt({ upstream }, 33);
    const page = await read({ last: 8, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(25, 33), requested: [3, 2, 3] });
    expect(facts.hasHoles).toBe(false);
  });

  test('cached pages do not prove that the upstream caps its pages', async () => {
    const { memory, upstream } = createCachedList(37, { cap: 4 });
    await warmPages(memory, 0, 1);
    const other = memory.anotherInstance();
    const { read, facts } = createListReader(other, { pageSize: PAGE_SIZE });
    expect(await read({ first: 6 })).toMatchObject({
      ids: upstream.ids.slice(0, 6),
      requested: [0, 1, 0, 1, 0, 1],
    });
    expect(facts.pageSize).toBe(4);
    memory.takeLog();
  });

  test('cached pages of a capped size do not disprove the cap', async () => {
    const { memory, upstream } = createCachedList(37, { cap: 4 });
    await memory.readPage({ page: 1, pageSize: 4 });
    upstream.remove(0, 4);
    // The four items of the cached page 1 are now on page 0.
    const { read, facts } = createListReader(memory.anotherInstance(), { pageSize: PAGE_SIZE });
    expect(await read({ first: 6 })).toMatchObject({
      ids: upstream.ids.slice(0, 6),
      requested: [0, 1, 0, 1, 0, 1],
    });
    expect(facts).toMatchObject({ pageSize: 4, hasHoles: false });
  });

  test('a short cached first page does not prove that the upstream caps its pages', async () => {
    const upstream = createSimulatedList(9);
    const withHole: SimulatedList = {
      ...upstream,
      async readPage(pageFetch) {
        const page = await upstream.readPage(pageFetch);
        return pageFetch.page === 1 && pageFetch.pageSize === PAGE_SIZE
          ? { items: page.items.slice(0, 9), served: 9 }
          : page;
      },
    };
    const memory = createCachedUpstream(withHole);
    await warmPages(memory, 0);
    upstream.insert(0, 20);
    const before = await cursorAt({ upstream }, 27);
    const { read, facts } = createListReader(memory, { pageSize: PAGE_SIZE });
    expect((await read({ last: 8, before })).ids).toEqual(
      [18, 20, 21, 22, 23, 24, 25, 26].map((position) => upstream.ids[position]),
    );
    expect(facts).toMatchObject({ pageSize: PAGE_SIZE, hasHoles: true });
  });

  test('cached pages do not prove that the upstream repeats its last page past the end', async () => {
    for (const length of [7, PAGE_SIZE]) {
      const { memory, read, upstream, facts } = createCachedList(length);
      await warmPages(memory, 0);
      upstream.insert(0, PAGE_SIZE);
      // Page 1 now holds what the cached page 0 holds.
      const page = await read({ first: 30 });
      expect(page.ids).toEqual(upstream.ids);
      expect(page.requested.slice(0, 3)).toEqual([1, 0, 1]);
      expect(facts.repeatsLastPage).toBe(false);
    }
  });

  test('a cached page does not prove the end of a list when a whole page may have been inserted before it', async () => {
    const { memory, read, upstream, facts } = createCachedList(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await warmPages(memory, 0);
    upstream.insert(0, PAGE_SIZE);
    expect(await read({ first: 15 })).toMatchObject({
      ids: upstream.ids.slice(0, 15),
      hasNextPage: true,
      requested: [1, 0, 1],
    });
  });

  test('a cached repetition that was taken for a page of the list does not prove its true end', async () => {
    const { memory, read, upstream, facts } = createCachedList(80, { past: 'clamped' });
    facts.repeatsLastPage = true;
    const before = await cursorAt({ upstream }, 79);
    upstream.remove(0, 40);
    await warmPages(memory, 3);
    upstream.insert(0, PAGE_SIZE);
    // The items of the cached page 3 are now on page 4, the last one.
    const page = await read({ last: 12, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(-13, -1), isCursorItemGone: false });
    expect(page.requested).toEqual([6, 7, 5, 4, 1, 2, 3, 4, 3]);
  });
});

describe('First page number over cached pages', () => {
  const auto = { firstPage: 'auto' } as const;

  test('an empty cached page does not prove the number of the first page', async () => {
    const { memory, read, upstream, facts } = createCachedList(0, {}, auto);
    await warmPages(memory, 0);
    upstream.insert(0, 25);
    expect(await read({ first: 5 })).toMatchObject({
      ids: upstream.ids.slice(0, 5),
      requested: [1, 0, 1],
    });
    expect(facts.firstPage).toBe(0);
  });

  test('a page that is older than the one before it does not prove the number of the first page', async () => {
    const { memory, read, upstream, facts } = createCachedList(
      35,
      { firstPage: 1, below: 'clamped' },
      auto,
    );
    await warmPages(memory, 1);
    upstream.insert(0, 7);
    // Both numbers serve the first page, but the cached copy lacks the first item of the other.
    expect(await read({ first: 5 })).toMatchObject({
      ids: upstream.ids.slice(0, 5),
      requested: [0, 1, 2, 0, 1],
    });
    expect(facts.firstPage).toBe(1);
  });

  test('the number of the first page is discovered again when a rejection is compared with a cached page', async () => {
    const { memory, upstream } = createCachedList(35, { firstPage: 1 }, auto);
    await warmPages(memory, 1);
    const { read, facts } = createListReader(memory.anotherInstance(), {
      pageSize: PAGE_SIZE,
      ...auto,
    });
    expect(await read({ first: 5 })).toMatchObject({
      ids: upstream.ids.slice(0, 5),
      requested: [0, 0, 1, 0],
    });
    expect(facts.firstPage).toBe(1);
  });

  test('the number of the first page is discovered again in another instance, even if all pages are cached', async () => {
    for (const [behavior, requested] of [
      [{}, [0, 1]],
      [{ firstPage: 1, below: 'clamped' }, [0, 1, 2, 0, 1]],
      [{ firstPage: 1, below: 'empty' }, [0, 1, 0]],
    ] as [PagingBehavior, number[]][]) {
      const { memory, upstream } = createCachedList(35, behavior);
      await warmPages(memory, 0, 1, 2);
      const { read, facts } = createListReader(memory.anotherInstance(), {
        pageSize: PAGE_SIZE,
        ...auto,
      });
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested });
      expect(facts.firstPage).toBe(upstream.behavior.firstPage);
    }
  });

  test('the number of the first page stays unknown at no cost while a list reads the same either way', async () => {
    for (const [length, behavior, requested] of [
      [0, {}, [0, 1]],
      [7, { past: 'clamped' }, [0, 1, 2]],
    ] as [number, PagingBehavior, number[]][]) {
      const { read, upstream, facts } = createCachedList(length, behavior, auto);
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested });
      expect(await read({ first: 5 })).toMatchObject({
        ids: upstream.ids.slice(0, 5),
        requested: [],
      });
      expect(facts.firstPage).toBeUndefined();
    }
  });

  test('the number of the first page is not proven by stale pages that are served on error', async () => {
    const { memory, read, upstream, facts } = createCachedList(0, {}, auto);
    await warmPages(memory, 0);
    upstream.insert(0, 25);
    upstream.afterRequests(1, () => {
      memory.isDown = true;
    });
    await read({ first: 5 });
    expect(facts.firstPage).toBeUndefined();
    memory.isDown = false;
    memory.clock.pass(FRESH_MS);
    expect(await read({ first: 5 })).toMatchObject({
      ids: upstream.ids.slice(0, 5),
      requested: [0, 1],
    });
    expect(facts.firstPage).toBe(0);
  });

  test('the discovery of the first page number costs a hundred concurrent clients as much as one or two', async () => {
    for (const [behavior, cost] of [
      [{}, 2],
      [{ firstPage: 1, below: 422 }, 3],
      [{ firstPage: 1, below: 'empty' }, 3],
      [{ firstPage: 1, below: 'clamped' }, 5],
    ] as [PagingBehavior, number][]) {
      // All at once; one after the other while page 0 is in flight; and half of them after page 0
      // has arrived.
      for (const microtasksBefore of [
        () => 0,
        (index: number) => index,
        (index: number) => (index % 2) * 300,
      ]) {
        const upstream = createSimulatedList(35, behavior);
        const distant: SimulatedList = {
          ...upstream,
          async readPage(pageFetch) {
            const page = upstream.readPage(pageFetch);
            await Promise.all([page.catch(() => {}), passMicrotasks(200)]);
            return page;
          },
        };
        const { read } = createListReader(createCachedUpstream(distant), {
          pageSize: PAGE_SIZE,
          ...auto,
        });
        const pages = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            await passMicrotasks(microtasksBefore(index));
            return read({ first: 5 });
          }),
        );
        for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 5));
        // Pages cached by then prove nothing: the late clients read their cached pages once more,
        // all of them together.
        const isLate = behavior.firstPage === 1 && microtasksBefore(1) === 300;
        expect(upstream.log.length, JSON.stringify(behavior)).toBeGreaterThanOrEqual(cost);
        expect(upstream.log.length, JSON.stringify(behavior)).toBeLessThanOrEqual(
          isLate ? cost + 3 : cost,
        );
      }
    }
  });
});
