import { describe, expect, test } from 'vitest';
import { UserInputError } from '#errors/gateway-error.ts';
import { createCompleteList } from '#pagination/complete-list.ts';
import { readConnection } from '#pagination/connection.ts';
import { decodeCursor, encodeCursor, shortHash } from '#pagination/cursor.ts';
import { toPageRequest } from '#pagination/page-request.ts';
import {
  createSimulatedList,
  type PagingBehavior,
  type SimulatedList,
} from '../support/simulated-list.ts';
import { ALL_PARTS, createListReader, SCOPE, toPageSummary } from './list-reader.ts';

/** Relay's "pagination algorithm" over an array; cursors are positions. */
function relay(
  ids: readonly string[],
  {
    first,
    last,
    after,
    before,
  }: { first?: number; last?: number; after?: number; before?: number },
) {
  const start = after === undefined ? 0 : after + 1;
  const end = before === undefined ? ids.length : before;
  let edges = ids.slice(start, Math.max(start, end));
  const between = edges.length;
  if (first !== undefined) edges = edges.slice(0, first);
  if (last !== undefined) edges = edges.slice(Math.max(0, edges.length - last));
  return {
    ids: edges,
    hasNextPage: first !== undefined ? between > first : before !== undefined,
    hasPreviousPage: last !== undefined ? between > last : after !== undefined,
  };
}

describe('Connection', () => {
  const behavior: PagingBehavior[] = [
    {},
    { past: 'clamped', firstPage: 1, below: 'clamped' },
    { past: 404, hasTotal: true },
    { cap: 2, past: 'clamped' },
  ];
  test.each(behavior)(
    'a connection matches the Relay specification for every first, last, after and before: %o',
    async (behavior) => {
      for (const length of [0, 1, 4, 8, 9]) {
        const upstream = createSimulatedList(length, behavior);
        const reader = createListReader(upstream, { pageSize: 4 });
        const { connection } = await reader.read({ first: 100 });
        const cursors = connection.edges.map(({ cursor }) => cursor);
        const positions = [undefined, ...upstream.ids.keys()];
        for (const after of positions) {
          for (const before of positions) {
            for (const size of [1, 3, 4, 5, 20]) {
              for (const direction of ['first', 'last'] as const) {
                const given = {
                  [direction]: size,
                  ...(after !== undefined && { after }),
                  ...(before !== undefined && { before }),
                };
                const page = await reader.read({
                  [direction]: size,
                  after: after === undefined ? null : cursors[after],
                  before: before === undefined ? null : cursors[before],
                });
                const { ids, hasNextPage, hasPreviousPage, isCursorItemGone } = page;
                expect(
                  { ids, hasNextPage, hasPreviousPage },
                  `${length} items, ${JSON.stringify(given)}`,
                ).toEqual(relay(upstream.ids, given));
                expect(isCursorItemGone).toBe(false);
                const ends = [ids.at(0), ids.at(-1)].map((id) =>
                  id === undefined
                    ? null
                    : decodeCursor(cursors[upstream.ids.indexOf(id)]!, SCOPE, 'after').id,
                );
                expect(
                  [page.startCursor, page.endCursor].map(
                    (cursor) => cursor && decodeCursor(cursor, SCOPE, 'after').id,
                  ),
                ).toEqual(ends);
                // Two pages for each cursor, the window, the end, and the search for the end of a
                // list without a total.
                expect(page.requested.length).toBeLessThanOrEqual(4 + Math.ceil(length / 4) + 6);
              }
            }
          }
        }
      }
    },
  );

  test('edges and nodes of a connection hold the same items, and their cursors contain position and neighbours', async () => {
    const upstream = createSimulatedList(12);
    const { connection } = await createListReader(upstream, { pageSize: 5 }).read({ first: 8 });
    expect(connection.edges.map(({ node }) => node)).toEqual(connection.nodes);
    const prints = (...positions: number[]) =>
      positions.map((position) => shortHash(upstream.ids[position]!));
    const cursorOf = (position: number) =>
      decodeCursor(connection.edges[position]!.cursor, SCOPE, 'after');
    // Ten items have been read, in two pages.
    expect(cursorOf(0)).toEqual({
      id: 'i0',
      position: 0,
      preceding: [],
      following: prints(1, 2, 3, 4),
    });
    expect(cursorOf(4)).toEqual({
      id: 'i4',
      position: 4,
      preceding: prints(3, 2, 1, 0),
      following: prints(5, 6, 7, 8),
    });
    expect(cursorOf(7)).toEqual({
      id: 'i7',
      position: 7,
      preceding: prints(6, 5, 4, 3),
      following: prints(8, 9),
    });
    expect(upstream.log.length).toBe(2);
  });

  test('a connection sends no upstream requests for fields that are not selected', async () => {
    const upstream = createSimulatedList(30);
    const reader = createListReader(upstream, { pageSize: 10 });
    const page = await reader.read({ first: 10 }, { wanted: { page: true, hasNextPage: false } });
    expect(page).toMatchObject({
      ids: upstream.ids.slice(0, 10),
      hasNextPage: false,
      requested: [0],
    });
    const nothing = await reader.read(
      { first: 10 },
      { wanted: { page: false, hasNextPage: false } },
    );
    expect(nothing).toMatchObject({ ids: [], startCursor: null, endCursor: null, requested: [] });
    const backward = await reader.read(
      { last: 10, before: page.endCursor },
      { wanted: { page: true, hasNextPage: false } },
    );
    expect(backward).toMatchObject({
      ids: upstream.ids.slice(0, 9),
      hasNextPage: false,
      requested: [0],
    });
  });

  test('a foreign or damaged cursor is rejected before any upstream request, even if no page is selected', async () => {
    const upstream = createSimulatedList(30);
    const reader = createListReader(upstream, { pageSize: 10 });
    const { endCursor } = await reader.read({ first: 3 });
    upstream.takeLog();
    const foreign = encodeCursor(
      { id: 'i3', position: 3, preceding: [], following: [] },
      'Query.others',
    );
    for (const cursor of [foreign, `${endCursor}A`, 'x']) {
      for (const given of [{ after: cursor }, { before: cursor }]) {
        await expect(reader.read(given)).rejects.toThrow(UserInputError);
        await expect(
          reader.read(given, { wanted: { page: false, hasNextPage: false } }),
        ).rejects.toThrow(UserInputError);
      }
    }
    expect(upstream.takeLog()).toEqual([]);
  });

  test('a connection pages through a complete list like through a paged one', async () => {
    const ids = Array.from({ length: 7 }, (_, index) => `w${index}`);
    const source = createCompleteList(async () => ids.map((id) => ({ id })));
    const all = await readConnection(source, toPageRequest({ first: 100 }), SCOPE, ALL_PARTS);
    const cursors = all.edges.map(({ cursor }) => cursor);
    for (const after of [undefined, 0, 3, 6]) {
      for (const before of [undefined, 0, 3, 6]) {
        for (const size of [1, 3, 20]) {
          for (const direction of ['first', 'last'] as const) {
            const request = toPageRequest({
              [direction]: size,
              after: after === undefined ? null : cursors[after],
              before: before === undefined ? null : cursors[before],
            });
            const {
              ids: got,
              hasNextPage,
              hasPreviousPage,
            } = toPageSummary(await readConnection(source, request, SCOPE, ALL_PARTS));
            const given = {
              [direction]: size,
              ...(after !== undefined && { after }),
              ...(before !== undefined && { before }),
            };
            expect({ ids: got, hasNextPage, hasPreviousPage }, JSON.stringify(given)).toEqual(
              relay(ids, given),
            );
          }
        }
      }
    }
    expect(await all.totalCount()).toBe(7);

    const empty = await readConnection(
      createCompleteList(async () => []),
      toPageRequest({ last: 3 }),
      SCOPE,
      ALL_PARTS,
    );
    expect(toPageSummary(empty)).toEqual({
      ids: [],
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
      isCursorItemGone: false,
    });
    const gone = await readConnection(
      createCompleteList(async () => []),
      toPageRequest({ first: 3, after: cursors[2] ?? null }),
      SCOPE,
      ALL_PARTS,
    );
    expect(toPageSummary(gone)).toMatchObject({
      ids: [],
      hasNextPage: false,
      isCursorItemGone: true,
    });
  });
});

test('a connection over a complete list finds an item again however much the list has shrunk', async () => {
  const sourceOf = (...ids: string[]) => createCompleteList(async () => ids.map((id) => ({ id })));
  const ids = Array.from({ length: 12 }, (_, index) => `w${index}`);
  const all = await readConnection(
    sourceOf(...ids),
    toPageRequest({ first: 100 }),
    SCOPE,
    ALL_PARTS,
  );
  const cursor = all.edges[10]!.cursor;
  const found = await readConnection(
    sourceOf('w10', 'w11'),
    toPageRequest({ first: 3, after: cursor }),
    SCOPE,
    ALL_PARTS,
  );
  expect(toPageSummary(found)).toMatchObject({
    ids: ['w11'],
    hasPreviousPage: true,
    isCursorItemGone: false,
  });
  const neighbour = await readConnection(
    sourceOf('w9'),
    toPageRequest({ last: 3, before: cursor }),
    SCOPE,
    ALL_PARTS,
  );
  expect(toPageSummary(neighbour)).toMatchObject({
    ids: ['w9'],
    hasNextPage: false,
    isCursorItemGone: false,
  });
});

describe('Upstream requests of a walk', () => {
  const PAGE = 10;
  const ends = ['empty', 400, 404, 'clamped'] as const;

  test.each(ends)(
    'a forward walk without a cache needs at most two upstream requests for a client page, at any alignment (end: %s)',
    async (past) => {
      for (const hasTotal of [false, true]) {
        for (let size = 1; size <= PAGE; size += 1) {
          for (const length of [
            0,
            1,
            PAGE - 1,
            PAGE,
            PAGE + 1,
            3 * PAGE - 1,
            3 * PAGE,
            3 * PAGE + 1,
            47,
          ]) {
            const upstream = createSimulatedList(length, { past, firstPage: 1, hasTotal });
            const reader = createListReader(upstream, { pageSize: PAGE });
            // The upstream's behavior past the end is known: its discovery may cost one more request,
            // once for the endpoint.
            reader.facts.repeatsLastPage = past === 'clamped';
            const walked: string[] = [];
            for (let after: string | null = null; ; ) {
              const page = await reader.read({ first: size, after });
              expect(
                page.requested.length,
                `${length} items by ${size}: ${page.requested}`,
              ).toBeLessThanOrEqual(2);
              walked.push(...page.ids);
              after = page.endCursor;
              if (!page.hasNextPage) break;
            }
            expect(walked).toEqual(upstream.ids);
          }
        }
      }
    },
  );

  test.each(ends)(
    'a backward walk without a cache needs at most two upstream requests for a client page, at any alignment (end: %s)',
    async (past) => {
      for (let size = 1; size <= PAGE; size += 1) {
        for (const length of [
          1,
          PAGE - 1,
          PAGE,
          PAGE + 1,
          3 * PAGE - 1,
          3 * PAGE,
          3 * PAGE + 1,
          47,
        ]) {
          const upstream = createSimulatedList(length, { past, firstPage: 1 });
          const reader = createListReader(upstream, { pageSize: PAGE });
          reader.facts.repeatsLastPage = past === 'clamped';
          const last = await reader.read({ last: size });
          const walked = [...last.ids];
          for (let { hasPreviousPage, startCursor: before } = last; hasPreviousPage; ) {
            const page = await reader.read({ last: size, before });
            expect(
              page.requested.length,
              `${length} items by ${size}: ${page.requested}`,
            ).toBeLessThanOrEqual(2);
            expect(page.hasNextPage).toBe(true);
            walked.unshift(...page.ids);
            hasPreviousPage = page.hasPreviousPage;
            before = page.startCursor;
          }
          expect(walked).toEqual(upstream.ids);
        }
      }
    },
  );

  test('a forward walk over one source reads each upstream page once, and one more when the last page is full', async () => {
    for (const size of [1, 3, 10, 17, 100]) {
      for (const hasTotal of [true, false]) {
        for (const length of [10, 11, 19, 20, 21, 30, 47]) {
          const upstream = createSimulatedList(length, { hasTotal });
          const reader = createListReader(upstream, { pageSize: PAGE });
          const source = reader.createSource();
          const walked: string[] = [];
          for (let after: string | null = null; ; ) {
            const page = await reader.read({ first: size, after }, { source });
            walked.push(...page.ids);
            after = page.endCursor;
            if (!page.hasNextPage) break;
          }
          expect(walked).toEqual(upstream.ids);
          expect(upstream.log.length).toBe(
            Math.ceil(length / PAGE) + (length % PAGE === 0 && !hasTotal ? 1 : 0),
          );
        }
      }
    }
  });

  test('a backward walk over one source reuses the pages that measured the list', async () => {
    const upstream = createSimulatedList(47, { hasTotal: true });
    const reader = createListReader(upstream, { pageSize: PAGE });
    const source = reader.createSource();
    const walked: string[] = [];
    for (let [before, more] = [null as string | null, true]; more; ) {
      const page = await reader.read({ last: 7, before }, { source });
      walked.unshift(...page.ids);
      [before, more] = [page.startCursor, page.hasPreviousPage];
    }
    expect(walked).toEqual(upstream.ids);
    expect(upstream.takeLog()).toEqual([]);
    expect(upstream.log.map(({ page }) => page)).toEqual([0, 4, 3, 2, 1]);
  });
});

describe('Cursor search', () => {
  /** The cursor of the item at a position, with all its neighbours. */
  async function cursorAt(upstream: SimulatedList, position: number, pageSize = 10) {
    const { connection } = await createListReader(upstream, { pageSize }).read({ first: 100 });
    upstream.takeLog();
    return connection.edges[position]!.cursor;
  }

  test('the cursor search reads one page when nothing moved, whichever page border the item is at', async () => {
    const upstream = createSimulatedList(80);
    const reader = createListReader(upstream, { pageSize: 10 });
    const wanted = { page: true, hasNextPage: false };
    for (let position = 11; position <= 58; position += 1) {
      const cursor = await cursorAt(upstream, position);
      const forward = await reader.read({ first: 1, after: cursor }, { wanted });
      expect(forward).toMatchObject({
        ids: [`i${position + 1}`],
        requested: [Math.floor((position + 1) / 10)],
      });
      const backward = await reader.read({ last: 1, before: cursor }, { wanted });
      expect(backward).toMatchObject({
        ids: [`i${position - 1}`],
        requested: [Math.floor((position - 1) / 10)],
      });
    }
  });

  test.each([
    ['ten pages further down', 100, false],
    ['eleven pages further down', 110, true],
    ['five pages further up', -50, false],
    ['six pages further up', -60, true],
  ])('the cursor search handles an item that has moved %s: %i items', async (_, shift, isGone) => {
    for (const side of ['after', 'before'] as const) {
      const upstream = createSimulatedList(300);
      const cursor = await cursorAt(upstream, 75);
      if (shift > 0) upstream.insert(0, shift);
      else upstream.remove(0, -shift);
      const given = side === 'after' ? { first: 2, after: cursor } : { last: 2, before: cursor };
      const page = await createListReader(upstream, { pageSize: 10 }).read(given);
      expect(page.isCursorItemGone).toBe(isGone);
      const gap = isGone ? 75 : upstream.ids.indexOf('i75') + (side === 'after' ? 1 : 0);
      expect(page.ids).toEqual(
        side === 'after' ? upstream.ids.slice(gap, gap + 2) : upstream.ids.slice(gap - 2, gap),
      );
      // Sixteen pages, wherever the item is; they include the window, and therefore the next item.
      expect(page.requested.length).toBeLessThanOrEqual(16);
      expect(new Set(page.requested).size).toBe(page.requested.length);
    }
  });

  test('the cursor search reads two later pages for each earlier page, because items are inserted at the start of a list', async () => {
    const upstream = createSimulatedList(300);
    const after = await cursorAt(upstream, 75);
    upstream.remove(60, 40);
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 2, after });
    expect(page).toMatchObject({ ids: upstream.ids.slice(75, 77), isCursorItemGone: true });
    expect(page.requested).toEqual([7, 8, 6, 9, 10, 5, 11, 12, 4, 13, 14, 3, 15, 16, 2, 17]);
  });

  test('an item that is gone with its nearest neighbours is replaced by the survivors, and new items between them are shown', async () => {
    for (const [survivingAbove, survivingBelow] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const upstream = createSimulatedList(80);
      const cursor = await cursorAt(upstream, 35);
      // i35 is gone with i34 and i36: three neighbours survive before it (i31 to i33) and three
      // after it (i37 to i39).
      upstream.remove(34, 3);
      const fresh = upstream.insert(34, 2);
      if (!survivingBelow) upstream.remove(36, 3);
      if (!survivingAbove) upstream.remove(31, 3);
      const reader = createListReader(upstream, { pageSize: 10 });
      const at = upstream.ids.indexOf(fresh[0]!);

      const forward = await reader.read({ first: 4, after: cursor });
      const from = survivingAbove ? at : at + 2;
      expect(forward).toMatchObject({
        ids: upstream.ids.slice(from, from + 4),
        isCursorItemGone: false,
      });
      const backward = await reader.read({ last: 4, before: cursor });
      const to = survivingBelow ? at + 2 : at;
      expect(backward).toMatchObject({
        ids: upstream.ids.slice(to - 4, to),
        isCursorItemGone: false,
      });
    }
  });

  test('the cursor search guarantees nothing when more than its reach was inserted between the item and its only neighbour within reach', async () => {
    const upstream = createSimulatedList(300);
    const after = await cursorAt(upstream, 75);
    const fresh = upstream.insert(74, 120);
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 2, after });
    const pages = Array.from({ length: 11 }, (_, index) => 7 + index);
    expect(page).toMatchObject({
      ids: fresh.slice(0, 2),
      isCursorItemGone: false,
      requested: pages,
    });
  });

  test('the cursor search reads only pages that can still hold the item: after a preceding neighbour, before a following one', async () => {
    const upstream = createSimulatedList(300);
    const cursor = await cursorAt(upstream, 75);
    // The item, all neighbours before it and the first after it are gone: the item could only be
    // before the survivors, up to five pages.
    upstream.remove(71, 6);
    const up = await createListReader(upstream, { pageSize: 10 }).read({ first: 2, after: cursor });
    expect(up).toMatchObject({
      ids: ['i77', 'i78'],
      isCursorItemGone: false,
      requested: [7, 6, 5, 4, 3, 2],
    });

    const other = createSimulatedList(300);
    const otherCursor = await cursorAt(other, 75);
    other.remove(74, 6);
    const down = await createListReader(other, { pageSize: 10 }).read({
      last: 2,
      before: otherCursor,
    });
    const pages = Array.from({ length: 11 }, (_, index) => 7 + index);
    expect(down).toMatchObject({ ids: ['i72', 'i73'], isCursorItemGone: false, requested: pages });
  });
});

describe('List that moves within a client page', () => {
  test('an insertion between two reads shows as an overlap, and the client page is read again from one generation', async () => {
    for (const inserted of [1, 3, 9]) {
      const upstream = createSimulatedList(40);
      upstream.afterRequests(1, () => upstream.insert(0, inserted));
      const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 15 });
      expect(page.ids).toEqual(upstream.ids.slice(0, 15));
      expect(page.requested).toEqual([0, 1, 0, 1]);
    }
  });

  test("a cursor's own item is not repeated when an insertion pushes it across the page border during the read", async () => {
    const upstream = createSimulatedList(40);
    const reader = createListReader(upstream, { pageSize: 10 });
    const { endCursor } = await reader.read(
      { first: 10 },
      { wanted: { page: true, hasNextPage: false } },
    );
    upstream.afterRequests(1, () => upstream.insert(0));
    const page = await reader.read({ first: 5, after: endCursor });
    expect(page.ids).toEqual(upstream.ids.slice(11, 16));
    expect(page.requested).toEqual([0, 1, 0, 1]);
  });

  test('a backward client page detects an insertion too, because its pages are read from start to end', async () => {
    for (const [size, requested] of [
      [12, [1, 2, 1, 2]],
      [25, [0, 1, 0, 1, 2]],
      [5, [2]],
    ] as const) {
      const upstream = createSimulatedList(40);
      const reader = createListReader(upstream, { pageSize: 10 });
      const { endCursor } = await reader.read({ first: 26 });
      upstream.afterRequests(1, () => upstream.insert(0, 3));
      const page = await reader.read({ last: size, before: endCursor });
      expect(page).toMatchObject({ ids: upstream.ids.slice(28 - size, 28), requested });
    }
  });

  test('a total that changes between two reads reveals even a deletion', async () => {
    const upstream = createSimulatedList(40, { hasTotal: true });
    upstream.afterRequests(1, () => upstream.remove(3));
    const page = await createListReader(upstream, { pageSize: 10 }).read({ first: 15 });
    expect(page.ids).toEqual(upstream.ids.slice(0, 15));
    expect(page.requested).toEqual([0, 1, 0, 1]);
  });

  test('a list that never stops moving yields a page without repetitions in a bounded number of requests', async () => {
    for (const given of [{ first: 25 }, { last: 25 }]) {
      const upstream = createSimulatedList(60, { hasTotal: true });
      const restless = {
        ...upstream,
        readPage: async (pageFetch: { page: number; pageSize: number }) => {
          const page = await upstream.readPage(pageFetch);
          upstream.insert(0, 2);
          return page;
        },
      };
      const page = await createListReader(restless, { pageSize: 10 }).read(given);
      expect(new Set(page.ids).size).toBe(page.ids.length);
      expect(page.ids.length).toBe(25);
      // Three generations end at their first overlap, and the fourth is used as it is.
      expect(page.requested.length).toBeLessThanOrEqual(3 * 2 + 5);
    }
  });
});
