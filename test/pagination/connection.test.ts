import { describe, expect, test } from 'vitest';
import { UserInputError } from '#errors/gateway-error.ts';
import { connect } from '#pagination/connection.ts';
import { decodeCursor, encodeCursor } from '#pagination/cursor.ts';
import { fingerprint } from '#pagination/fingerprint.ts';
import { toPageRequest } from '#pagination/page-request.ts';
import { createWholeList } from '#pagination/whole-list.ts';
import { createSimulatedList, type Manners } from '../kit/simulated-list.ts';
import { createReader, EVERYTHING, SCOPE, shown } from './reader.ts';

/** Relay's "pagination algorithm" over an array; cursors are places. */
function relay(
  ids: readonly string[],
  { first, last, after, before }: { first?: number; last?: number; after?: number; before?: number },
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

describe('a connection is the one that Relay specifies', () => {
  const manners: Manners[] = [
    {},
    { past: 'clamped', firstPage: 1, below: 'clamped' },
    { past: 404, tellsTotal: true },
    { cap: 2, past: 'clamped' },
  ];
  test.each(manners)('for every first, last, after and before: %o', async (manner) => {
    for (const length of [0, 1, 4, 8, 9]) {
      const upstream = createSimulatedList(length, manner);
      const reader = createReader(upstream, { pageSize: 4 });
      const { connection } = await reader.read({ first: 100 });
      const cursors = connection.edges.map(({ cursor }) => cursor);
      const places = [undefined, ...upstream.ids.keys()];
      for (const after of places) {
        for (const before of places) {
          for (const size of [1, 3, 4, 5, 20]) {
            for (const direction of ['first', 'last'] as const) {
              const given = { [direction]: size, ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
              const page = await reader.read({
                [direction]: size,
                after: after === undefined ? null : cursors[after],
                before: before === undefined ? null : cursors[before],
              });
              const { ids, hasNextPage, hasPreviousPage, isCursorItemGone } = page;
              expect({ ids, hasNextPage, hasPreviousPage }, `${length} items, ${JSON.stringify(given)}`).toEqual(
                relay(upstream.ids, given),
              );
              expect(isCursorItemGone).toBe(false);
              const ends = [ids.at(0), ids.at(-1)].map((id) =>
                id === undefined ? null : decodeCursor(cursors[upstream.ids.indexOf(id)]!, SCOPE, 'after').id,
              );
              expect(
                [page.startCursor, page.endCursor].map((cursor) => cursor && decodeCursor(cursor, SCOPE, 'after').id),
              ).toEqual(ends);
              // Two pages a cursor, the window, the end; and what a list without a total costs to be measured.
              expect(page.asked.length).toBeLessThanOrEqual(4 + Math.ceil(length / 4) + 6);
            }
          }
        }
      }
    }
  });

  test('edges and nodes are the same items, and cursors name them with their place and neighbours', async () => {
    const upstream = createSimulatedList(12);
    const { connection } = await createReader(upstream, { pageSize: 5 }).read({ first: 8 });
    expect(connection.edges.map(({ node }) => node)).toEqual(connection.nodes);
    const prints = (...places: number[]) => places.map((place) => fingerprint(upstream.ids[place]!));
    const cursorOf = (place: number) => decodeCursor(connection.edges[place]!.cursor, SCOPE, 'after');
    // Ten items have been read, in two pages.
    expect(cursorOf(0)).toEqual({ id: 'i0', place: 0, preceding: [], following: prints(1, 2, 3, 4) });
    expect(cursorOf(4)).toEqual({ id: 'i4', place: 4, preceding: prints(3, 2, 1, 0), following: prints(5, 6, 7, 8) });
    expect(cursorOf(7)).toEqual({ id: 'i7', place: 7, preceding: prints(6, 5, 4, 3), following: prints(8, 9) });
    expect(upstream.log.length).toBe(2);
  });

  test('what is not wanted is not paid for', async () => {
    const upstream = createSimulatedList(30);
    const reader = createReader(upstream, { pageSize: 10 });
    const page = await reader.read({ first: 10 }, { wanted: { page: true, hasNextPage: false } });
    expect(page).toMatchObject({ ids: upstream.ids.slice(0, 10), hasNextPage: false, asked: [0] });
    const nothing = await reader.read({ first: 10 }, { wanted: { page: false, hasNextPage: false } });
    expect(nothing).toMatchObject({ ids: [], startCursor: null, endCursor: null, asked: [] });
    const backward = await reader.read({ last: 10, before: page.endCursor }, { wanted: { page: true, hasNextPage: false } });
    expect(backward).toMatchObject({ ids: upstream.ids.slice(0, 9), hasNextPage: false, asked: [0] });
  });

  test('a foreign or damaged cursor is refused before anything is read, even if no page is wanted', async () => {
    const upstream = createSimulatedList(30);
    const reader = createReader(upstream, { pageSize: 10 });
    const { endCursor } = await reader.read({ first: 3 });
    upstream.takeLog();
    const foreign = encodeCursor({ id: 'i3', place: 3, preceding: [], following: [] }, 'Query.others');
    for (const cursor of [foreign, `${endCursor}A`, 'x']) {
      for (const given of [{ after: cursor }, { before: cursor }]) {
        await expect(reader.read(given)).rejects.toThrow(UserInputError);
        await expect(reader.read(given, { wanted: { page: false, hasNextPage: false } })).rejects.toThrow(UserInputError);
      }
    }
    expect(upstream.takeLog()).toEqual([]);
  });

  test('a whole list pages like any other', async () => {
    const ids = Array.from({ length: 7 }, (_, index) => `w${index}`);
    const source = createWholeList(ids.map((id) => ({ id })));
    const all = await connect(source, toPageRequest({ first: 100 }), SCOPE, EVERYTHING);
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
            const { ids: got, hasNextPage, hasPreviousPage } = shown(await connect(source, request, SCOPE, EVERYTHING));
            const given = { [direction]: size, ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
            expect({ ids: got, hasNextPage, hasPreviousPage }, JSON.stringify(given)).toEqual(relay(ids, given));
          }
        }
      }
    }
    expect(await all.totalCount()).toBe(7);

    const empty = await connect(createWholeList([]), toPageRequest({ last: 3 }), SCOPE, EVERYTHING);
    expect(shown(empty)).toEqual({
      ids: [],
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
      isCursorItemGone: false,
    });
    const gone = await connect(createWholeList([]), toPageRequest({ first: 3, after: cursors[2] ?? null }), SCOPE, EVERYTHING);
    expect(shown(gone)).toMatchObject({ ids: [], hasNextPage: false, isCursorItemGone: true });
  });
});

describe('the upstream requests of a walk', () => {
  const PAGE = 10;
  const ends = ['empty', 400, 404, 'clamped'] as const;

  test.each(ends)('nothing remembered: at most two for a client page, forward, at any alignment (end: %s)', async (past) => {
    for (let size = 1; size <= PAGE; size += 1) {
      for (const length of [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE - 1, 3 * PAGE, 3 * PAGE + 1, 47]) {
        const upstream = createSimulatedList(length, { past, firstPage: 1 });
        const reader = createReader(upstream, { pageSize: PAGE });
        // The upstream's manner past the end is known: to find it out may cost one request more, once for the endpoint.
        reader.facts.repeatsLastPage = past === 'clamped';
        const walked: string[] = [];
        for (let after: string | null = null; ; ) {
          const page = await reader.read({ first: size, after });
          expect(page.asked.length, `${length} items by ${size}: ${page.asked}`).toBeLessThanOrEqual(2);
          walked.push(...page.ids);
          after = page.endCursor;
          if (!page.hasNextPage) break;
        }
        expect(walked).toEqual(upstream.ids);
      }
    }
  });

  test.each(ends)('nothing remembered: at most two for a client page, backward, at any alignment (end: %s)', async (past) => {
    for (let size = 1; size <= PAGE; size += 1) {
      for (const length of [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE - 1, 3 * PAGE, 3 * PAGE + 1, 47]) {
        const upstream = createSimulatedList(length, { past, firstPage: 1 });
        const reader = createReader(upstream, { pageSize: PAGE });
        reader.facts.repeatsLastPage = past === 'clamped';
        const last = await reader.read({ last: size });
        const walked = [...last.ids];
        for (let { hasPreviousPage, startCursor: before } = last; hasPreviousPage; ) {
          const page = await reader.read({ last: size, before });
          expect(page.asked.length, `${length} items by ${size}: ${page.asked}`).toBeLessThanOrEqual(2);
          expect(page.hasNextPage).toBe(true);
          walked.unshift(...page.ids);
          hasPreviousPage = page.hasPreviousPage;
          before = page.startCursor;
        }
        expect(walked).toEqual(upstream.ids);
      }
    }
  });

  test('everything remembered: each upstream page once, and one more when the last page is full', async () => {
    for (const size of [1, 3, 10, 17, 100]) {
      for (const tellsTotal of [true, false]) {
        for (const length of [10, 11, 19, 20, 21, 30, 47]) {
          const upstream = createSimulatedList(length, { tellsTotal });
          const reader = createReader(upstream, { pageSize: PAGE });
          const source = reader.createSource();
          const walked: string[] = [];
          for (let after: string | null = null; ; ) {
            const page = await reader.read({ first: size, after }, { source });
            walked.push(...page.ids);
            after = page.endCursor;
            if (!page.hasNextPage) break;
          }
          expect(walked).toEqual(upstream.ids);
          expect(upstream.log.length).toBe(Math.ceil(length / PAGE) + (length % PAGE === 0 && !tellsTotal ? 1 : 0));
        }
      }
    }
  });

  test('everything remembered, backward: what measures the list is used again', async () => {
    const upstream = createSimulatedList(47, { tellsTotal: true });
    const reader = createReader(upstream, { pageSize: PAGE });
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

describe('a list that moves between two reads of one client page', () => {
  test('an insertion shows as an overlap, and the page is read again from one generation', async () => {
    for (const inserted of [1, 3, 9]) {
      const upstream = createSimulatedList(40);
      upstream.afterRequests(1, () => upstream.insert(0, inserted));
      const page = await createReader(upstream, { pageSize: 10 }).read({ first: 15 });
      expect(page.ids).toEqual(upstream.ids.slice(0, 15));
      expect(page.asked).toEqual([0, 1, 0, 1]);
    }
  });

  test("the cursor's own item is not shown again when it is pushed across the border meanwhile", async () => {
    const upstream = createSimulatedList(40);
    const reader = createReader(upstream, { pageSize: 10 });
    const { endCursor } = await reader.read({ first: 10 }, { wanted: { page: true, hasNextPage: false } });
    upstream.afterRequests(1, () => upstream.insert(0));
    const page = await reader.read({ first: 5, after: endCursor });
    expect(page.ids).toEqual(upstream.ids.slice(11, 16));
    expect(page.asked).toEqual([0, 1, 0, 1]);
  });

  test('backward, too', async () => {
    const upstream = createSimulatedList(40);
    const reader = createReader(upstream, { pageSize: 10 });
    const { endCursor } = await reader.read({ first: 26 });
    upstream.afterRequests(1, () => upstream.remove(0, 2));
    const page = await reader.read({ last: 12, before: endCursor });
    expect(page.ids).toEqual(upstream.ids.slice(11, 23));
    expect(page.asked).toEqual([2, 1, 2, 1]);
  });

  test('a total that changes between two reads shows even a deletion', async () => {
    const upstream = createSimulatedList(40, { tellsTotal: true });
    upstream.afterRequests(1, () => upstream.remove(3));
    const page = await createReader(upstream, { pageSize: 10 }).read({ first: 15 });
    expect(page.ids).toEqual(upstream.ids.slice(0, 15));
    expect(page.asked).toEqual([0, 1, 0, 1]);
  });

  test('a list that never stands still is given up on: an answer without repetitions, in bounded requests', async () => {
    for (const given of [{ first: 25 }, { last: 25 }]) {
      const upstream = createSimulatedList(60, { tellsTotal: true });
      const restless = {
        ...upstream,
        readPage: async (asked: { page: number; pageSize: number }) => {
          const page = await upstream.readPage(asked);
          upstream.insert(0, 2);
          return page;
        },
      };
      const page = await createReader(restless, { pageSize: 10 }).read(given);
      expect(new Set(page.ids).size).toBe(page.ids.length);
      expect(page.ids.length).toBe(25);
      // Three generations end at their first overlap, the fourth makes do.
      expect(page.asked.length).toBeLessThanOrEqual(3 * 2 + 5);
    }
  });
});
