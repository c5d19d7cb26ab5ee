import { describe, expect, test } from 'vitest';
import { createSimulatedList, type PagingBehavior, type SimulatedList } from '../support/simulated-list.ts';
import { createCachedList, cursorAt, PAGE_SIZE, passMicrotasks, warmPages } from './cached-list.ts';
import { createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { createListReader } from './list-reader.ts';

describe('what holds for everyone is concluded from no page that is only remembered', () => {
  test('that the upstream leaves holes in its pages', async () => {
    const { memory, read, upstream, facts } = createCachedList(22);
    await warmPages(memory, 2);
    upstream.insert(0, 15);
    // Page 2 is remembered to hold two items. Page 3 holds seven: so much the upstream serves, at least.
    const before = await cursorAt({ upstream }, 33);
    const page = await read({ last: 8, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(25, 33), requested: [3, 2, 3] });
    expect(facts.leavesHoles).toBe(false);
  });

  test('that it caps its pages', async () => {
    const { memory, upstream } = createCachedList(37, { cap: 4 });
    await warmPages(memory, 0, 1);
    const other = memory.anotherInstance();
    const { read, facts } = createListReader(other, { pageSize: PAGE_SIZE });
    expect(await read({ first: 6 })).toMatchObject({ ids: upstream.ids.slice(0, 6), requested: [0, 1, 0, 1, 0, 1] });
    expect(facts.pageSize).toBe(4);
    memory.takeLog();
  });

  test('nor that it does not, from what is remembered by the size it serves', async () => {
    const { memory, upstream } = createCachedList(37, { cap: 4 });
    await memory.readPage({ page: 1, pageSize: 4 });
    upstream.remove(0, 4);
    // What page 1 is remembered to hold, four items long, stands on page 0 now.
    const { read, facts } = createListReader(memory.anotherInstance(), { pageSize: PAGE_SIZE });
    expect(await read({ first: 6 })).toMatchObject({ ids: upstream.ids.slice(0, 6), requested: [0, 1, 0, 1, 0, 1] });
    expect(facts).toMatchObject({ pageSize: 4, leavesHoles: false });
  });

  test('nor that it does, from a first page that is remembered to be short', async () => {
    const upstream = createSimulatedList(9);
    const withHole: SimulatedList = {
      ...upstream,
      async readPage(asked) {
        const page = await upstream.readPage(asked);
        return asked.page === 1 && asked.pageSize === PAGE_SIZE ? { items: page.items.slice(0, 9), served: 9 } : page;
      },
    };
    const memory = createCachedUpstream(withHole);
    await warmPages(memory, 0);
    upstream.insert(0, 20);
    const before = await cursorAt({ upstream }, 27);
    const { read, facts } = createListReader(memory, { pageSize: PAGE_SIZE });
    expect((await read({ last: 8, before })).ids).toEqual([18, 20, 21, 22, 23, 24, 25, 26].map((place) => upstream.ids[place]));
    expect(facts).toMatchObject({ pageSize: PAGE_SIZE, leavesHoles: true });
  });

  test('that it repeats the last page past the end', async () => {
    for (const length of [7, PAGE_SIZE]) {
      const { memory, read, upstream, facts } = createCachedList(length);
      await warmPages(memory, 0);
      upstream.insert(0, PAGE_SIZE);
      // Page 1 holds now what page 0 is remembered to hold.
      const page = await read({ first: 30 });
      expect(page.ids).toEqual(upstream.ids);
      expect(page.requested.slice(0, 3)).toEqual([1, 0, 1]);
      expect(facts.repeatsLastPage).toBe(false);
    }
  });

  test('and that a list ends where it is known to repeat itself, not from a page before which a whole one may have come in', async () => {
    const { memory, read, upstream, facts } = createCachedList(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await warmPages(memory, 0);
    upstream.insert(0, PAGE_SIZE);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), hasNextPage: true, requested: [1, 0, 1] });
  });

  test('nor where the true end is, once a repetition of it was taken for a page of the list', async () => {
    const { memory, read, upstream, facts } = createCachedList(80, { past: 'clamped' });
    facts.repeatsLastPage = true;
    const before = await cursorAt({ upstream }, 79);
    upstream.remove(0, 40);
    await warmPages(memory, 3);
    upstream.insert(0, PAGE_SIZE);
    // What page 3 is remembered to hold stands on page 4 now, the last one.
    const page = await read({ last: 12, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(-13, -1), isCursorItemGone: false });
    expect(page.requested).toEqual([6, 7, 5, 4, 1, 2, 3, 4, 3]);
  });
});

describe('the number of the first page', () => {
  const auto = { firstPage: 'auto' } as const;

  test('is not concluded from an empty page that is remembered', async () => {
    const { memory, read, upstream, facts } = createCachedList(0, {}, auto);
    await warmPages(memory, 0);
    upstream.insert(0, 25);
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested: [1, 0, 1] });
    expect(facts.firstPage).toBe(0);
  });

  test('is not concluded from a page that is older than the one before it', async () => {
    const { memory, read, upstream, facts } = createCachedList(35, { firstPage: 1, below: 'clamped' }, auto);
    await warmPages(memory, 1);
    upstream.insert(0, 7);
    // Both numbers stand for the first page, but the one that is remembered lacks the topmost item of the other.
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested: [0, 1, 2, 0, 1] });
    expect(facts.firstPage).toBe(1);
  });

  test('is found out anew when a refusal met a page that is remembered', async () => {
    const { memory, upstream } = createCachedList(35, { firstPage: 1 }, auto);
    await warmPages(memory, 1);
    const { read, facts } = createListReader(memory.anotherInstance(), { pageSize: PAGE_SIZE, ...auto });
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested: [0, 0, 1, 0] });
    expect(facts.firstPage).toBe(1);
  });

  test('is found out anew in another process, though all of it is remembered', async () => {
    for (const [manners, requested] of [
      [{}, [0, 1]],
      [{ firstPage: 1, below: 'clamped' }, [0, 1, 2, 0, 1]],
      [{ firstPage: 1, below: 'empty' }, [0, 1, 0]],
    ] as [PagingBehavior, number[]][]) {
      const { memory, upstream } = createCachedList(35, manners);
      await warmPages(memory, 0, 1, 2);
      const { read, facts } = createListReader(memory.anotherInstance(), { pageSize: PAGE_SIZE, ...auto });
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested });
      expect(facts.firstPage).toBe(upstream.behavior.firstPage);
    }
  });

  test('stays unknown, at no cost, as long as a list reads the same either way', async () => {
    for (const [length, manners, requested] of [
      [0, {}, [0, 1]],
      [7, { past: 'clamped' }, [0, 1, 2]],
    ] as [number, PagingBehavior, number[]][]) {
      const { read, upstream, facts } = createCachedList(length, manners, auto);
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested });
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested: [] });
      expect(facts.firstPage).toBeUndefined();
    }
  });

  test('is not held when what was to prove it came from memory again, while the upstream fails', async () => {
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
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), requested: [0, 1] });
    expect(facts.firstPage).toBe(0);
  });

  test('costs a hundred clients who begin while it is being found out what it costs one, or two', async () => {
    for (const [manners, cost] of [
      [{}, 2],
      [{ firstPage: 1, below: 422 }, 3],
      [{ firstPage: 1, below: 'empty' }, 3],
      [{ firstPage: 1, below: 'clamped' }, 5],
    ] as [PagingBehavior, number][]) {
      // All at once; one after the other while page 0 is on its way; and half of them when it has come.
      for (const turnsBefore of [() => 0, (index: number) => index, (index: number) => (index % 2) * 300]) {
        const upstream = createSimulatedList(35, manners);
        const distant: SimulatedList = {
          ...upstream,
          async readPage(asked) {
            const page = upstream.readPage(asked);
            await Promise.all([page.catch(() => {}), passMicrotasks(200)]);
            return page;
          },
        };
        const { read } = createListReader(createCachedUpstream(distant), { pageSize: PAGE_SIZE, ...auto });
        const pages = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            await passMicrotasks(turnsBefore(index));
            return read({ first: 5 });
          }),
        );
        for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 5));
        // What is remembered by then proves nothing: those who come later read what they find remembered once more, all of them together.
        const isLate = manners.firstPage === 1 && turnsBefore(1) === 300;
        expect(upstream.log.length, JSON.stringify(manners)).toBeGreaterThanOrEqual(cost);
        expect(upstream.log.length, JSON.stringify(manners)).toBeLessThanOrEqual(isLate ? cost + 3 : cost);
      }
    }
  });
});
