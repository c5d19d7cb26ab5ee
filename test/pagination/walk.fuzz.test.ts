import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, MAX_NEIGHBOURS } from '#pagination/cursor.ts';
import { createSimulatedList } from '../support/simulated-list.ts';
import { createListReader, SCOPE } from './list-reader.ts';
import {
  applyEdit,
  arbitraryBehavior,
  arbitraryEdit,
  expectedGap,
  NUM_RUNS,
  requestBound,
  type Side,
  searchBound,
  TIMEOUT_MS,
} from './moving-lists.ts';

type Scenario = typeof scenario extends fc.Arbitrary<infer W> ? W : never;
const scenario = fc.record({
  length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 250 })),
  pageSize: fc.integer({ min: 1, max: 12 }),
  behavior: arbitraryBehavior,
  sizes: fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 6 }),
  selectsHasNextPage: fc.boolean(),
  edits: fc.array(fc.array(arbitraryEdit, { maxLength: 2 }), { maxLength: 20 }),
});

/** What the runs covered, so that a property that never meets its subject is noticed. */
const covered = { exact: 0, moved: 0, itemGone: 0, lost: 0, walkedToTheEnd: 0 };

async function walk(
  direction: 'forward' | 'backward',
  { length, pageSize, behavior, sizes, selectsHasNextPage, edits }: Scenario,
) {
  const upstream = createSimulatedList(length, behavior);
  const isClamped = upstream.behavior.past === 'clamped';
  const reader = createListReader(upstream, { pageSize, firstPage: 'auto' });
  const side: Side = direction === 'forward' ? 'after' : 'before';
  /** In the list throughout, and not yet returned. */
  const awaited = new Set(upstream.ids);
  const returned = new Set<string>();
  let cursorText: string | null = null;

  for (let step = 0; ; step += 1) {
    const size = sizes[step % sizes.length]!;
    const known = reader.currentFacts();
    // Backward pages know without a request whether more items precede; forward pages must look for
    // following ones.
    const wanted = { page: true, hasNextPage: direction === 'forward' || selectsHasNextPage };
    const given =
      direction === 'forward'
        ? { first: size, after: cursorText }
        : { last: size, before: cursorText };
    const page = await reader.read(given, { wanted });
    const realSize = reader.facts.pageSize;
    const at = page.ids[0] === undefined ? undefined : upstream.ids.indexOf(page.ids[0]);

    // (d) The bound. Discovery takes 2 requests, a page size 4, a clamped end 1 and the true end;
    // then one more generation follows.
    const once = requestBound(size, realSize);
    const isFindingOut = known.firstPage === undefined || known.pageSize !== realSize || isClamped;
    const measures = direction === 'backward' && (cursorText === null || page.isCursorItemGone);
    const measuring = measures || isClamped ? searchBound(upstream.ids.length / realSize) : 0;
    expect(page.requested.length, `requests: ${page.requested}`).toBeLessThanOrEqual(
      (isFindingOut ? 2 * once + 7 : once) + measuring,
    );

    // A client page is always a contiguous piece of the list with the requested length, unless the
    // list ends.
    const from = at ?? 0;
    expect(page.ids).toEqual(upstream.ids.slice(from, from + page.ids.length));

    if (cursorText !== null) {
      const cursor = decodeCursor(cursorText, SCOPE, side);
      const { a, b, isExact, isLost, canAppearRepeated } = expectedGap(
        upstream,
        cursor,
        side,
        realSize,
      );
      // (c) A lost item is reported, and only a lost one.
      if (!isLost) expect(page.isCursorItemGone).toBe(false);
      else if (!canAppearRepeated) expect(page.isCursorItemGone).toBe(true);
      if (isLost) covered.lost += 1;
      if (!isExact) return;
      covered.exact += 1;
      if (upstream.ids[cursor.position] !== cursor.id) covered.moved += 1;
      if (!upstream.ids.includes(cursor.id)) covered.itemGone += 1;

      // The gap is between A and B.
      if (at !== undefined) {
        const gap = direction === 'forward' ? at : at + page.ids.length;
        expect(gap).toBeGreaterThan(a);
        expect(gap).toBeLessThanOrEqual(b);
      }
    } else {
      expect(page.isCursorItemGone).toBe(false);
      expect(at ?? 0).toBe(direction === 'forward' ? 0 : Math.max(0, upstream.ids.length - size));
    }

    // A page is short only at the end, and reports the end correctly.
    const isAtEnd =
      direction === 'forward' ? from + page.ids.length >= upstream.ids.length : from === 0;
    if (page.ids.length < size && page.ids.length > 0) expect(isAtEnd).toBe(true);
    const hasMore = direction === 'forward' ? page.hasNextPage : page.hasPreviousPage;
    if (page.ids.length > 0 && !(isClamped && direction === 'backward'))
      expect(hasMore).toBe(!isAtEnd);
    if (
      page.ids.length > 0 &&
      direction === 'backward' &&
      cursorText !== null &&
      selectsHasNextPage
    ) {
      expect(page.hasNextPage).toBe(from + page.ids.length < upstream.ids.length);
    }

    // (a) Nothing is repeated.
    for (const id of page.ids) {
      expect(returned.has(id), `${id} twice`).toBe(false);
      returned.add(id);
      awaited.delete(id);
    }
    if (!hasMore) break;
    cursorText = direction === 'forward' ? page.endCursor : page.startCursor;
    const cursorItem = direction === 'forward' ? page.ids.at(-1)! : page.ids[0]!;

    for (const one of edits[step] ?? []) {
      for (const id of applyEdit(upstream, one, cursorItem)) awaited.delete(id);
    }
    // An empty piece of a list that shrank ends the walk.
    expect(step).toBeLessThan(500);
  }
  // (b) Nothing is skipped.
  covered.walkedToTheEnd += 1;
  expect([...awaited]).toEqual([]);
}

describe('Walk through a moving list', () => {
  for (const direction of ['forward', 'backward'] as const) {
    test(
      `a ${direction} walk repeats nothing, skips nothing, and reports when it cannot know`,
      async () => {
        for (const key of Object.keys(covered) as (keyof typeof covered)[]) covered[key] = 0;
        await fc.assert(
          fc.asyncProperty(scenario, (one) => walk(direction, one)),
          { numRuns: NUM_RUNS },
        );
        for (const [subject, times] of Object.entries(covered)) {
          expect(times, `${subject} was met`).toBeGreaterThan(NUM_RUNS / 50);
        }
      },
      TIMEOUT_MS,
    );
  }

  test(
    'a walk follows a shift within the search reach exactly and reports a shift beyond it',
    async () => {
      const sides = { within: 0, beyond: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            pageSize: fc.integer({ min: 1, max: 12 }),
            position: fc.integer({ min: 0, max: 150 }),
            /**
             * Whole pages, and some items; negative values move items to earlier positions by
             * deletion.
             */
            pages: fc.integer({ min: -7, max: 12 }),
            items: fc.integer({ min: -12, max: 12 }),
            size: fc.integer({ min: 1, max: 15 }),
            isItemGone: fc.boolean(),
            side: fc.constantFrom('after' as const, 'before' as const),
            past: fc.constantFrom('empty' as const, 404 as const),
          }),
          async ({ pageSize, position, pages, items, size, isItemGone, side, past }) => {
            const upstream = createSimulatedList(400, { past });
            const reader = createListReader(upstream, { pageSize });
            const source = reader.createSource();
            let after: string | null = null;
            for (let left = position + 1; left > 0; left -= 100) {
              after = (await reader.read({ first: Math.min(100, left), after }, { source }))
                .endCursor;
            }
            const cursor = decodeCursor(after!, SCOPE, side);
            expect(cursor).toMatchObject({ id: upstream.ids[position], position });

            const shift = pages * pageSize + items;
            if (shift > 0) upstream.insert(0, shift);
            // The neighbours stay in the list.
            else upstream.remove(0, Math.min(-shift, Math.max(0, position - MAX_NEIGHBOURS)));
            const nodes = [cursor.id];
            if (isItemGone) upstream.remove(upstream.ids.indexOf(nodes[0]!));

            const { a, b, isLost, isExact } = expectedGap(upstream, cursor, side, pageSize);
            // Nothing was inserted in between, so the result is either exact or lost.
            expect(isExact).toBe(!isLost);
            const page = await reader.read(
              side === 'after' ? { first: size, after } : { last: size, before: after },
            );
            expect(page.isCursorItemGone).toBe(isLost);
            const measuring =
              isLost && side === 'before' ? searchBound(upstream.ids.length / pageSize) : 0;
            expect(page.requested.length).toBeLessThanOrEqual(
              requestBound(size, pageSize) + measuring,
            );

            const gap = isLost
              ? Math.min(cursor.position, upstream.ids.length)
              : a >= 0
                ? a + 1
                : b;
            const [from, to] =
              side === 'after' ? [gap, gap + size] : [Math.max(0, gap - size), gap];
            expect(page.ids).toEqual(upstream.ids.slice(from, to));
            if (!isLost && pages === 0 && items === 0 && !isItemGone) {
              // Each page is read once, even if several steps need it.
              const touched = new Set([...page.requested]);
              expect(touched.size).toBe(page.requested.length);
            }
            sides[isLost ? 'beyond' : 'within'] += 1;
          },
        ),
        { numRuns: NUM_RUNS },
      );
      expect(sides.within).toBeGreaterThan(NUM_RUNS / 10);
      expect(sides.beyond).toBeGreaterThan(NUM_RUNS / 50);
    },
    TIMEOUT_MS,
  );

  test(
    'a client page shows each item once and misses none, even if items are inserted while it is read',
    async () => {
      let reread = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            pageSize: fc.integer({ min: 2, max: 12 }),
            position: fc.integer({ min: 0, max: 80 }),
            size: fc.integer({ min: 1, max: 30 }),
            side: fc.constantFrom('after' as const, 'before' as const),
            afterRequests: fc.integer({ min: 1, max: 6 }),
            at: fc.double({ min: 0, max: 1, noNaN: true }),
            // An insertion of a whole page or more between two reads leaves no trace.
            share: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
            hasTotal: fc.boolean(),
          }),
          async ({ pageSize, position, size, side, afterRequests, at, share, hasTotal }) => {
            const upstream = createSimulatedList(100, { hasTotal });
            const reader = createListReader(upstream, { pageSize });
            const cursor = (await reader.read({ first: position + 1 })).endCursor;
            const was = [...upstream.ids];
            upstream.afterRequests(afterRequests, () => {
              upstream.insert(Math.floor(at * 100), Math.max(1, Math.floor(share * pageSize)));
            });
            const page = await reader.read(
              side === 'after' ? { first: size, after: cursor } : { last: size, before: cursor },
            );

            expect(new Set(page.ids).size).toBe(page.ids.length);
            const old = page.ids.filter((id) => was.includes(id));
            expect(old).toEqual(
              side === 'after'
                ? was.slice(position + 1, position + 1 + old.length)
                : was.slice(position - old.length, position),
            );
            const isAtEnd =
              side === 'after' ? old.at(-1) === was.at(-1) : old[0] === was[0] || position === 0;
            expect(page.ids.length === size || isAtEnd).toBe(true);
            // The list moves once, so one more generation is enough.
            expect(page.requested.length).toBeLessThanOrEqual(2 * requestBound(size, pageSize));
            if (new Set(page.requested).size < page.requested.length) reread += 1;
          },
        ),
        { numRuns: NUM_RUNS },
      );
      expect(reread).toBeGreaterThan(NUM_RUNS / 20);
    },
    TIMEOUT_MS,
  );
});
