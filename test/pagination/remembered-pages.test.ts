import { describe, expect, test } from 'vitest';
import { decodeCursor } from '#pagination/cursor.ts';
import { createSimulatedList, type Manners, type SimulatedList } from '../kit/simulated-list.ts';
import { createReader, type ReaderOptions, SCOPE } from './reader.ts';
import { createRemembering, FRESH_MS, type Remembering } from './remembering.ts';

const PAGE = 10;

/** A list in pages of ten, behind a memory; what was read of it to build the scene is not in the log. */
function createScene(length: number, manners: Manners = {}, options: Partial<ReaderOptions> = {}) {
  const upstream = createSimulatedList(length, manners);
  const memory = createRemembering(upstream);
  return { upstream, memory, ...createReader(memory, { pageSize: PAGE, ...options }) };
}

/** Has pages remembered by their numbers, read in this order. */
async function remember(memory: Remembering, ...pages: number[]): Promise<void> {
  for (const page of pages) await memory.readPage({ page, pageSize: PAGE });
  memory.takeLog();
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** The cursor of the item at a place of the list as it is now, by somebody who remembers nothing. */
async function cursorAt({ upstream }: { upstream: ReturnType<typeof createSimulatedList> }, place: number): Promise<string> {
  const reader = createReader(upstream, { pageSize: PAGE });
  const first = await reader.read({ first: Math.min(100, upstream.ids.length) });
  upstream.takeLog();
  return first.connection.edges[place]!.cursor;
}

describe('what is remembered is used', () => {
  test('in the order in which it was read: nothing is asked', async () => {
    const { memory, read, upstream } = createScene(40);
    await remember(memory, 0, 1, 2);
    memory.clock.pass(FRESH_MS - 1);
    expect(await read({ first: 25 })).toMatchObject({ ids: upstream.ids.slice(0, 25), asked: [] });
    memory.clock.pass(1);
    expect(await read({ first: 25 })).toMatchObject({ ids: upstream.ids.slice(0, 25), asked: [0, 1, 2] });
  });

  test.each([
    ['asking for more', true],
    ['not asking', false],
  ])('walking 2,000 items by seven, each page read once, %s', async (_, hasNextPage) => {
    const upstream = createSimulatedList(2000, { firstPage: 1 });
    const memory = createRemembering(upstream);
    const { read } = createReader(memory, { pageSize: 50, firstPage: 'auto' });
    // To find out the number of the first page costs the request that it is refused, and another that will be wanted anyway.
    await read({ first: 1 });
    expect(upstream.log.splice(0).map(({ page }) => page)).toEqual([0, 1]);
    const walked: string[] = [];
    for (let [after, more] = [null as string | null, true]; more; ) {
      const page = await read({ first: 7, after }, { wanted: { page: true, hasNextPage } });
      walked.push(...page.ids);
      [after, more] = [page.endCursor, hasNextPage ? page.hasNextPage : page.ids.length === 7];
    }
    expect(walked).toEqual(upstream.ids);
    // Page 1 is remembered; 39 more, and one to see the end.
    expect(upstream.log.map(({ page }) => page)).toEqual(Array.from({ length: 40 }, (_, index) => index + 2));
  });

  test('walking backward, a border is crossed to a page that is new: so the page below it, which is older, is read once more', async () => {
    const { read, upstream } = createScene(95);
    const walked: string[] = [];
    const asked: string[] = [];
    for (let [before, more] = [null as string | null, true]; more; ) {
      const page = await read({ last: 7, before });
      walked.unshift(...page.ids);
      asked.push(page.asked.join());
      [before, more] = [page.startCursor, page.hasPreviousPage];
    }
    expect(walked).toEqual(upstream.ids);
    // The search for the end leaves some pages in order with the ones below them: 8 with 9, 2 with 3, 1 with 2, 0 with 1.
    expect(asked.filter(Boolean)).toEqual(['0,1,2,4,8,16,12,10,9', '7,8', '6,7', '5,6', '3,4']);
  });

  test('searching for the end, and counting', async () => {
    for (const past of ['empty', 'clamped'] as const) {
      const { read, upstream, facts } = createScene(94, { past });
      facts.repeatsLastPage = past === 'clamped';
      const once = await read({ last: 3 });
      expect(once.ids).toEqual(upstream.ids.slice(-3));
      expect(await read({ last: 3 })).toMatchObject({ ids: once.ids, asked: [] });
      expect(await once.connection.totalCount()).toBe(94);
      const { connection } = await read({ first: 3 });
      expect(await connection.totalCount()).toBe(94);
      expect(upstream.takeLog()).toEqual([]);
    }
  });

  test('at the end of a list that repeats its last page: that is not read again each time', async () => {
    const { memory, read, upstream, facts } = createScene(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    expect(await read({ first: 30 })).toMatchObject({ ids: upstream.ids, hasNextPage: false, asked: [0, 1, 2, 3] });
    expect(await read({ first: 30 })).toMatchObject({ ids: upstream.ids, hasNextPage: false, asked: [] });
    memory.clock.pass(FRESH_MS);
    await remember(memory, 0, 1, 2);
    // A full page that was read a while before its repetition may be a list that moved by a page: all is read anew, once.
    expect(await read({ first: 30 })).toMatchObject({ ids: upstream.ids, hasNextPage: false, asked: [3, 0, 1, 2, 3] });
    expect(await read({ first: 30 })).toMatchObject({ ids: upstream.ids, hasNextPage: false, asked: [] });
  });
});

describe('of two neighbours the lower one is read after the upper one', () => {
  test('or it is asked for anew: what was pushed across the border would be on neither', async () => {
    const { memory, read, upstream } = createScene(40);
    await remember(memory, 1);
    upstream.insert(0);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [0, 1] });
  });

  test('even if nothing has moved; from then on they are in order', async () => {
    const { memory, read, upstream } = createScene(40);
    await remember(memory, 1, 0);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [1] });
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [] });
  });

  test('even if it was asked for before that was known', async () => {
    const upstream = createSimulatedList(40);
    const memory = createRemembering(upstream);
    await remember(memory, 1, 0);
    // Page 1 takes longer to be found.
    const slow: SimulatedList = {
      ...memory,
      async readPage(asked) {
        const page = await memory.readPage(asked);
        await turns(asked.page === 1 ? 50 : 0);
        return page;
      },
    };
    const { read, createSource } = createReader(slow, { pageSize: PAGE });
    const source = createSource();
    const [after, first] = [await cursorAt({ upstream }, 11), { first: 5 }];
    await Promise.all([read({ ...first, after }, { source }), read(first, { source })]);
    expect(memory.takeAnswers().map(({ page, source: from }) => [page, from])).toEqual([
      [1, 'network'],
      [0, 'network'],
      [1, 'cache'],
      [0, 'cache'],
      [1, 'network'],
    ]);
  });

  test('where they come from two processes, nobody knows: the lower one is asked for anew', async () => {
    const { memory, read, upstream } = createScene(40);
    const other = memory.anotherProcess();
    // By its number it would be newer.
    await remember(memory, 5, 6, 1);
    upstream.insert(0);
    await remember(other, 0);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [1] });
  });

  test('where both come from another process, its order holds', async () => {
    const { memory, upstream } = createScene(40);
    await remember(memory, 0, 1);
    const other = createReader(memory.anotherProcess(), { pageSize: PAGE });
    expect(await other.read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [] });
  });

  /**
   * A cursor whose item has gone up a page: its page holds, remembered, the second of the items that followed it, so it is searched above.
   */
  async function createUpwardScene() {
    const scene = createScene(60);
    const after = await cursorAt(scene, 25);
    scene.upstream.remove(0, 7);
    return { ...scene, after };
  }

  test('a page that turns out to be older than the one above it is read again; if it says the same, all below it stays', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await remember(memory, 2, 3);
    const page = await read({ first: 20, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(19, 39), asked: [1, 2] });
    expect(memory.takeAnswers().filter(({ source }) => source === 'cache')).toMatchObject([{ page: 2 }, { page: 3 }]);
  });

  test('if it says something else, the list has moved, and is read again', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await remember(memory, 2);
    upstream.insert(0);
    const page = await read({ first: 5, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(20, 25), asked: [1, 2, 2] });
  });

  test('so it is between two processes', async () => {
    const { memory, read, upstream, after } = await createUpwardScene();
    await remember(memory, 5, 6, 2);
    upstream.insert(0);
    await remember(memory.anotherProcess(), 1);
    const page = await read({ first: 5, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(20, 25), asked: [2, 2] });
  });

  test('a cursor records no neighbour from a page that was found to be out of order', async () => {
    const { memory, read, upstream, createSource } = createScene(40);
    const after = await cursorAt({ upstream }, 9);
    const source = createSource();
    await remember(memory, 1);
    const page = await read({ first: 3, after }, { source });
    expect(page).toMatchObject({ ids: ['i10', 'i11', 'i12'], asked: [] });
    upstream.insert(0);
    // Another field of the same operation reads the page above, on which i9 no longer stands.
    expect(await read({ first: 3 }, { source })).toMatchObject({ ids: upstream.ids.slice(0, 3) });
    const cursor = page.connection.pageInfo.startCursor;
    expect(decodeCursor(cursor!, SCOPE, 'before')).toMatchObject({ id: 'i10', preceding: [] });
  });
});

describe('a list that has moved is read anew', () => {
  async function createMovedScene(manners: Manners = {}) {
    const scene = createScene(40, manners);
    await remember(scene.memory, 0);
    scene.upstream.insert(0, 3);
    return scene;
  }

  test('and nothing will do that was seen before', async () => {
    const { read, upstream } = await createMovedScene();
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [1, 0, 1] });
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [] });
  });

  test('when its total changes', async () => {
    const { read, upstream } = await createMovedScene({ tellsTotal: true });
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [1, 0, 1] });
  });

  test('by a hundred clients at once, for what one pays', async () => {
    const { read, upstream } = await createMovedScene();
    const pages = await Promise.all(Array.from({ length: 100 }, () => read({ first: 15 })));
    for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 15));
    expect(upstream.log.length).toBe(1 + 3);
  });

  test('by a hundred clients who come one after the other meanwhile, for little more', async () => {
    const { read, upstream } = await createMovedScene();
    const pages = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await turns(index);
        return read({ first: 15 });
      }),
    );
    for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 15));
    expect(upstream.log.length).toBeLessThanOrEqual(1 + 3 + 3);
  });

  test('where pages of two processes met, by the network alone', async () => {
    const { memory, read, upstream } = createScene(40);
    await remember(memory.anotherProcess(), 0);
    upstream.insert(0, 3);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), asked: [1, 0, 1] });
  });
});

describe('what holds for everyone is concluded from no page that is only remembered', () => {
  test('that the upstream leaves holes in its pages', async () => {
    const { memory, read, upstream, facts } = createScene(22);
    await remember(memory, 2);
    upstream.insert(0, 15);
    // Page 2 is remembered to hold two items. Page 3 holds seven: so much the upstream serves, at least.
    const before = await cursorAt({ upstream }, 33);
    const page = await read({ last: 8, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(25, 33), asked: [3, 2, 3] });
    expect(facts.leavesHoles).toBe(false);
  });

  test('that it caps its pages', async () => {
    const { memory, upstream } = createScene(37, { cap: 4 });
    await remember(memory, 0, 1);
    const other = memory.anotherProcess();
    const { read, facts } = createReader(other, { pageSize: PAGE });
    expect(await read({ first: 6 })).toMatchObject({ ids: upstream.ids.slice(0, 6), asked: [0, 1, 0, 1, 0, 1] });
    expect(facts.pageSize).toBe(4);
    memory.takeLog();
  });

  test('nor that it does not, from what is remembered by the size it serves', async () => {
    const { memory, upstream } = createScene(37, { cap: 4 });
    await memory.readPage({ page: 1, pageSize: 4 });
    upstream.remove(0, 4);
    // What page 1 is remembered to hold, four items long, stands on page 0 now.
    const { read, facts } = createReader(memory.anotherProcess(), { pageSize: PAGE });
    expect(await read({ first: 6 })).toMatchObject({ ids: upstream.ids.slice(0, 6), asked: [0, 1, 0, 1, 0, 1] });
    expect(facts).toMatchObject({ pageSize: 4, leavesHoles: false });
  });

  test('nor that it does, from a first page that is remembered to be short', async () => {
    const upstream = createSimulatedList(9);
    const withHole: SimulatedList = {
      ...upstream,
      async readPage(asked) {
        const page = await upstream.readPage(asked);
        return asked.page === 1 && asked.pageSize === PAGE ? { items: page.items.slice(0, 9), served: 9 } : page;
      },
    };
    const memory = createRemembering(withHole);
    await remember(memory, 0);
    upstream.insert(0, 20);
    const before = await cursorAt({ upstream }, 27);
    const { read, facts } = createReader(memory, { pageSize: PAGE });
    expect((await read({ last: 8, before })).ids).toEqual([18, 20, 21, 22, 23, 24, 25, 26].map((place) => upstream.ids[place]));
    expect(facts).toMatchObject({ pageSize: PAGE, leavesHoles: true });
  });

  test('that it repeats the last page past the end', async () => {
    for (const length of [7, PAGE]) {
      const { memory, read, upstream, facts } = createScene(length);
      await remember(memory, 0);
      upstream.insert(0, PAGE);
      // Page 1 holds now what page 0 is remembered to hold.
      const page = await read({ first: 30 });
      expect(page.ids).toEqual(upstream.ids);
      expect(page.asked.slice(0, 3)).toEqual([1, 0, 1]);
      expect(facts.repeatsLastPage).toBe(false);
    }
  });

  test('and that a list ends where it is known to repeat itself, not from a page before which a whole one may have come in', async () => {
    const { memory, read, upstream, facts } = createScene(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await remember(memory, 0);
    upstream.insert(0, PAGE);
    expect(await read({ first: 15 })).toMatchObject({ ids: upstream.ids.slice(0, 15), hasNextPage: true, asked: [1, 0, 1] });
  });

  test('nor where the true end is, once a repetition of it was taken for a page of the list', async () => {
    const { memory, read, upstream, facts } = createScene(80, { past: 'clamped' });
    facts.repeatsLastPage = true;
    const before = await cursorAt({ upstream }, 79);
    upstream.remove(0, 40);
    await remember(memory, 3);
    upstream.insert(0, PAGE);
    // What page 3 is remembered to hold stands on page 4 now, the last one.
    const page = await read({ last: 12, before });
    expect(page).toMatchObject({ ids: upstream.ids.slice(-13, -1), isCursorItemGone: false });
    expect(page.asked).toEqual([6, 7, 5, 4, 1, 2, 3, 4, 3]);
  });
});

describe('the number of the first page', () => {
  const auto = { firstPage: 'auto' } as const;

  test('is not concluded from an empty page that is remembered', async () => {
    const { memory, read, upstream, facts } = createScene(0, {}, auto);
    await remember(memory, 0);
    upstream.insert(0, 25);
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked: [1, 0, 1] });
    expect(facts.firstPage).toBe(0);
  });

  test('is not concluded from a page that is older than the one before it', async () => {
    const { memory, read, upstream, facts } = createScene(35, { firstPage: 1, below: 'clamped' }, auto);
    await remember(memory, 1);
    upstream.insert(0, 7);
    // Both numbers stand for the first page, but the one that is remembered lacks the topmost item of the other.
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked: [0, 1, 2] });
    expect(facts.firstPage).toBe(1);
  });

  test('is found out anew when a refusal met a page that is remembered', async () => {
    const { memory, upstream } = createScene(35, { firstPage: 1 }, auto);
    await remember(memory, 1);
    const { read, facts } = createReader(memory.anotherProcess(), { pageSize: PAGE, ...auto });
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked: [0, 0, 1] });
    expect(facts.firstPage).toBe(1);
  });

  test('is found out anew in another process, though all of it is remembered', async () => {
    for (const [manners, asked] of [
      [{}, [0, 1]],
      [{ firstPage: 1, below: 'clamped' }, [0, 1, 2]],
      [{ firstPage: 1, below: 'empty' }, [0, 1]],
    ] as [Manners, number[]][]) {
      const { memory, upstream } = createScene(35, manners);
      await remember(memory, 0, 1, 2);
      const { read, facts } = createReader(memory.anotherProcess(), { pageSize: PAGE, ...auto });
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked });
      expect(facts.firstPage).toBe(upstream.manners.firstPage);
    }
  });

  test('stays unknown, at no cost, as long as a list reads the same either way', async () => {
    for (const [length, manners, asked] of [
      [0, {}, [0, 1]],
      [7, { past: 'clamped' }, [0, 1, 2]],
    ] as [number, Manners, number[]][]) {
      const { read, upstream, facts } = createScene(length, manners, auto);
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked });
      expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked: [] });
      expect(facts.firstPage).toBeUndefined();
    }
  });

  test('is not held when what was to prove it came from memory again, while the upstream fails', async () => {
    const { memory, read, upstream, facts } = createScene(0, {}, auto);
    await remember(memory, 0);
    upstream.insert(0, 25);
    upstream.afterRequests(1, () => {
      memory.isDown = true;
    });
    await read({ first: 5 });
    expect(facts.firstPage).toBeUndefined();
    memory.isDown = false;
    memory.clock.pass(FRESH_MS);
    expect(await read({ first: 5 })).toMatchObject({ ids: upstream.ids.slice(0, 5), asked: [0, 1] });
    expect(facts.firstPage).toBe(0);
  });

  test('costs a hundred clients who begin while it is being found out what it costs one', async () => {
    for (const [manners, cost] of [
      [{}, 2],
      [{ firstPage: 1, below: 422 }, 2],
      [{ firstPage: 1, below: 'empty' }, 2],
      [{ firstPage: 1, below: 'clamped' }, 3],
    ] as [Manners, number][]) {
      // All at once; one after the other while page 0 is on its way; and half of them when it has come.
      for (const turnsBefore of [() => 0, (index: number) => index, (index: number) => (index % 2) * 300]) {
        const upstream = createSimulatedList(35, manners);
        const distant: SimulatedList = {
          ...upstream,
          async readPage(asked) {
            const page = upstream.readPage(asked);
            await Promise.all([page.catch(() => {}), turns(200)]);
            return page;
          },
        };
        const { read } = createReader(createRemembering(distant), { pageSize: PAGE, ...auto });
        const pages = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            await turns(turnsBefore(index));
            return read({ first: 5 });
          }),
        );
        for (const { ids } of pages) expect(ids).toEqual(upstream.ids.slice(0, 5));
        // A refusal is not remembered: who comes after it asks for another.
        const isRefusedAgain = manners.below === 422 && turnsBefore(1) === 300;
        expect(upstream.log.length, JSON.stringify(manners)).toBe(isRefusedAgain ? cost + 1 : cost);
      }
    }
  });
});

describe('an item that is not where it should be', () => {
  test('is looked for on what was read again already', async () => {
    const { memory, read, upstream } = createScene(60);
    const after = await cursorAt({ upstream }, 35);
    upstream.remove(30, 9);
    await remember(memory, 3);
    // One neighbour below is left, on page 3, which turns out to be older than page 2: so it is read again, once.
    const page = await read({ first: 3, after });
    expect(page).toMatchObject({ ids: ['i39', 'i40', 'i41'], isCursorItemGone: false, asked: [2, 3, 1, 0] });
  });

  test('is not lost as long as its place is only remembered: the cursor may be newer', async () => {
    const { memory, read, upstream } = createScene(15);
    await remember(memory, 0, 1);
    upstream.insert(0, 30);
    const after = await cursorAt({ upstream }, 5);
    expect(await read({ first: 3, after })).toMatchObject({
      ids: upstream.ids.slice(6, 9),
      isCursorItemGone: false,
      asked: [0, 0],
    });
  });

  test('is not replaced by a farther neighbour from memory, either', async () => {
    const { memory, read, upstream } = createScene(15);
    await remember(memory, 0, 1);
    const fresh = upstream.insert(3, 2);
    const after = await cursorAt({ upstream }, 3);
    upstream.remove(5, 1);
    expect(await read({ first: 3, after })).toMatchObject({ ids: [fresh[1], 'i4', 'i5'], asked: [0, 0] });
  });

  test('is lost when what is remembered still says so: each page is read again once', async () => {
    const { memory, read, upstream } = createScene(45);
    const after = await cursorAt({ upstream }, 25);
    upstream.remove(20, 12);
    await remember(memory, 0, 1);
    expect(await read({ first: 3, after })).toMatchObject({
      ids: upstream.ids.slice(25, 28),
      isCursorItemGone: true,
      asked: [2, 3, 0, 1],
    });
  });
});

describe('the end of a list', () => {
  test('is not where a page is remembered to be empty: the list may have grown onto it', async () => {
    const { memory, read, upstream } = createScene(20);
    await remember(memory, 2);
    upstream.insert(0, 3);
    expect(await read({ last: 5 })).toMatchObject({ ids: upstream.ids.slice(-5), asked: [0, 1, 2, 0, 1, 2, 3] });
  });

  test('is there when the page is still empty, at the cost of a look', async () => {
    const { memory, read, upstream } = createScene(20);
    await remember(memory, 2);
    expect(await read({ last: 5 })).toMatchObject({ ids: upstream.ids.slice(-5), asked: [0, 1, 2] });
    expect(await read({ last: 5 })).toMatchObject({ ids: upstream.ids.slice(-5), asked: [] });
  });

  test('is not where a repetition of it is remembered that stands past the end', async () => {
    const { memory, read, upstream, facts } = createScene(35, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await remember(memory, 4);
    upstream.insert(0, 3);
    const { connection } = await read({ first: 3 });
    expect(await connection.totalCount()).toBe(38);
  });

  test('is not where repetitions are remembered, once the list has grown onto the first of them', async () => {
    const { memory, read, upstream, facts } = createScene(30, { past: 'clamped' });
    facts.repeatsLastPage = true;
    await remember(memory, 3, 4, 8);
    upstream.insert(0, 2);
    const { connection } = await read({ first: 3 });
    expect(await connection.totalCount()).toBe(32);
  });

  test('is not where the last page is remembered to be short, when the page before it is newer', async () => {
    const { memory, read, upstream } = createScene(13);
    await remember(memory, 1);
    upstream.insert(0);
    expect(await read({ last: 1 })).toMatchObject({ ids: upstream.ids.slice(-1), asked: [0, 2, 1, 0, 1, 2] });
  });
});

describe('while the upstream fails', () => {
  /** Each page is remembered from another state of the list, and none is fresh. */
  async function createOutage(...pages: number[]) {
    const scene = createScene(40);
    for (const page of pages) {
      scene.upstream.insert(0);
      await remember(scene.memory, page);
    }
    scene.memory.clock.pass(FRESH_MS);
    scene.memory.isDown = true;
    return scene;
  }

  test('what is too old but stands in for it is taken as it is: each page is asked for once', async () => {
    const { read } = await createOutage(1, 0);
    const page = await read({ first: 15 });
    expect(page.ids.length).toBe(15);
    expect(page.asked).toEqual([0, 1]);
  });

  test('a list that has moved is read anew in vain, once', async () => {
    const { read } = await createOutage(0, 1, 2);
    const page = await read({ first: 25 });
    // The last of a page is remembered as the first of the next.
    expect(page.ids.length).toBe(25);
    expect(new Set(page.ids).size).toBe(25);
    expect(page.asked).toEqual([0, 1, 0, 1, 2]);
  });

  test('so it is where pages of two processes met', async () => {
    const { memory, read, upstream } = createScene(40);
    await remember(memory.anotherProcess(), 0);
    upstream.insert(0, 3);
    await remember(memory, 1);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const page = await read({ first: 15 });
    expect(page.ids.length).toBe(15);
    expect(page.asked).toEqual([0, 1, 0, 1]);
  });

  test('an item that is gone is gone as far as anybody can tell, which one look again shows', async () => {
    const scene = createScene(45);
    const after = await cursorAt(scene, 25);
    scene.upstream.remove(20, 12);
    await remember(scene.memory, 0, 1, 2, 3);
    scene.memory.isDown = true;
    const page = await scene.read({ first: 3, after });
    expect(page).toMatchObject({ ids: scene.upstream.ids.slice(25, 28), isCursorItemGone: true, asked: [0] });
  });

  test('a short page that is followed by another ends nothing', async () => {
    const upstream = createSimulatedList(40);
    const withHole: SimulatedList = {
      ...upstream,
      async readPage(asked) {
        const page = await upstream.readPage(asked);
        return asked.page === 1 ? { items: page.items.slice(0, 9), served: 9 } : page;
      },
    };
    const [after, before] = [await cursorAt({ upstream }, 15), await cursorAt({ upstream }, 25)];
    const memory = createRemembering(withHole);
    await remember(memory, 1, 2);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const { read, facts } = createReader(memory, { pageSize: PAGE });
    const page = await read({ first: 20, after, before });
    expect(page.ids).toEqual(['i16', 'i17', 'i18', 'i20', 'i21', 'i22', 'i23', 'i24']);
    expect(facts.leavesHoles).toBe(false);
  });

  test('nothing is concluded from what stands in for it, and nothing read without end', async () => {
    const { memory, read, upstream, facts } = createScene(PAGE);
    await remember(memory, 0);
    upstream.insert(0, PAGE);
    await remember(memory, 1);
    memory.clock.pass(FRESH_MS);
    memory.isDown = true;
    const page = await read({ first: 30 });
    expect(page).toMatchObject({ ids: upstream.ids.slice(PAGE), hasNextPage: false, asked: [0, 1, 0, 1] });
    expect(facts).toMatchObject({ repeatsLastPage: false, leavesHoles: false });
  });
});
