import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor } from '#pagination/cursor.ts';
import { createSimulatedList } from '../support/simulated-list.ts';
import { createCachedUpstream, FRESH_MS } from './cached-upstream.ts';
import { createListReader, SCOPE } from './list-reader.ts';
import {
  applyEdit,
  arbitraryBehavior,
  arbitraryEdit,
  arbitrarySmallEdit,
  type Edit,
  expectedGap,
  isUndecidable,
  NUM_RUNS,
  requestBound,
  type Side,
  searchBound,
  TIMEOUT_MS,
} from './moving-lists.ts';

/**
 * The guarantee of `walk.fuzz.test.ts` for pages that may be cached and therefore of different age.
 *
 * Each client page consists of pages that were read within the freshness before it. Its *view* is
 * the set of all states of the list in that time, the present one included. What a walk guarantees,
 * it guarantees for one state in the view.
 *
 * - `isCalm`: in the view nothing was removed, and less than an upstream page was inserted. Then
 *   there is one state in the view for which all guarantees of `walk.fuzz.test.ts` for a list
 *   without a cache hold: the client page is a contiguous piece of it, starts at the cursor's gap,
 *   has the requested length, and reports correctly what follows. So nothing is repeated and
 *   nothing is skipped.
 * - Not calm: an item that a removal has pulled up across the border of two upstream pages is on
 *   neither of them, if the earlier one was read before the removal and the later one after it.
 *   Nothing in the pages tells it from an item that never existed. Such items, and no others, may
 *   be skipped: `mayBeSkipped`. When a page or more was inserted, the two pages need not overlap,
 *   and earlier items may be repeated; when numbers past the end are clamped, the two pages may
 *   even be identical, as past the end. From there on nothing is guaranteed.
 *
 * Whatever was edited: an item that counts as gone (`isCursorItemGone`) is out of reach now, and
 * not only in the cached pages; and no fact is stored for the endpoint that is not true of it.
 */

const arbitraryWait = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: FRESH_MS / 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 * FRESH_MS }) },
);

const stepsOf = (edits: fc.Arbitrary<Edit>) =>
  fc.array(
    fc.record({
      walker: fc.nat({ max: 2 }),
      /**
       * Whether all walkers step at once, so that they join each other's requests; otherwise only
       * this one steps.
       */
      isTogether: fc.boolean(),
      /**
       * The waits between the client page and the edits, and between the edits and the next client
       * page, in ms.
       */
      waits: fc.tuple(arbitraryWait, arbitraryWait),
      edits: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(edits, { minLength: 1, maxLength: 2 }) },
      ),
    }),
    { maxLength: 60, size: 'max' },
  );

const scenario = fc.record({
  length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 250 })),
  pageSize: fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 2, arbitrary: fc.integer({ min: 5, max: 12 }) },
  ),
  behavior: arbitraryBehavior,
  walkers: fc.array(
    fc.record({
      direction: fc.constantFrom('forward' as const, 'backward' as const),
      sizes: fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 6 }),
      selectsHasNextPage: fc.boolean(),
      counts: fc.boolean(),
      /**
       * The instance that performs a step: each has its own memory cache, and all share a second
       * tier.
       */
      processes: fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  steps: fc.oneof(
    stepsOf(arbitrarySmallEdit),
    stepsOf(fc.oneof(arbitraryEdit, arbitrarySmallEdit)),
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer W> ? W : never;

/** What the runs covered, so that a property that never meets its subject is noticed. */
const covered = {
  cached: 0,
  ofDifferentAge: 0,
  calmOfDifferentAge: 0,
  readAgain: 0,
  movedInMemory: 0,
  notCalm: 0,
  counted: 0,
  gone: 0,
  walkedToTheEnd: 0,
};

interface State {
  readonly ids: readonly string[];
  /** When the state was replaced, in ms. */
  until: number;
  /** How many items were inserted into the previous state, and how many were removed from it. */
  readonly inserted: number;
  readonly removed: number;
}

async function run({ length, pageSize, behavior, walkers, steps }: Scenario) {
  const upstream = createSimulatedList(length, behavior);
  const isClamped = upstream.behavior.past === 'clamped';
  const first = createCachedUpstream(upstream);
  const processes = [first, first.anotherInstance()].map((memory) => ({
    memory,
    reader: createListReader(memory, { pageSize, firstPage: 'auto' }),
  }));
  const { clock } = first;
  const smallest = Math.min(pageSize, behavior.cap ?? pageSize);

  const states: State[] = [
    { ids: [...upstream.ids], until: Number.POSITIVE_INFINITY, inserted: 0, removed: 0 },
  ];
  const change = (one: Edit, cursorItem: string): void => {
    const before = upstream.ids.length;
    const removed = applyEdit(upstream, one, cursorItem);
    states.at(-1)!.until = clock.now();
    const inserted = upstream.ids.length - before + removed.length;
    states.push({
      ids: [...upstream.ids],
      until: Number.POSITIVE_INFINITY,
      inserted,
      removed: removed.length,
    });
    for (const walk of walks) for (const id of removed) walk.awaited?.delete(id);
  };

  const walks = walkers.map((walker) => ({
    ...walker,
    side: (walker.direction === 'forward' ? 'after' : 'before') as Side,
    /** In the list throughout, and not yet returned. */
    awaited: undefined as Set<string> | undefined,
    returned: new Set<string>(),
    mayBeSkipped: new Set<string>(),
    cursorText: null as string | null,
    cursorItem: '',
    step: 0,
    isOver: false,
  }));
  type Walk = (typeof walks)[number];

  async function takeStep(walk: Walk, isAlone = true): Promise<void> {
    const { direction, side, cursorText } = walk;
    // Each instance learns page sizes, and positions are counted by them: positions counted by
    // another instance's size are out of scope.
    const { reader, memory } =
      processes[
        behavior.cap === undefined ? walk.processes[walk.step % walk.processes.length]! : 0
      ]!;
    const isForward = direction === 'forward';
    const size = walk.sizes[walk.step % walk.sizes.length]!;
    walk.step += 1;
    expect(walk.step).toBeLessThan(500);
    const view = states.filter(({ until }) => until > clock.now() - FRESH_MS);
    const listAt = ({ ids }: State) => ({ ...upstream, ids: [...ids] });
    const known = reader.currentFacts();
    // The one ambiguity that two requests cannot resolve.
    if (view.some((state) => isUndecidable(listAt(state), known))) return stop(walk);
    // Changes from before the view began are part of every state in it.
    const changes = view.slice(1);
    const inserted = changes.reduce((sum, state) => sum + state.inserted, 0);
    const isCalm = inserted < smallest && changes.every(({ removed }) => removed === 0);
    const present = view.at(-1)!;
    walk.awaited ??= new Set(present.ids.filter((id) => view.every(({ ids }) => ids.includes(id))));

    const wanted = { page: true, hasNextPage: isForward || walk.selectsHasNextPage };
    memory.takeServedPages();
    const page = await reader.read(
      isForward ? { first: size, after: cursorText } : { last: size, before: cursorText },
      {
        wanted,
      },
    );
    const servedPages = memory.takeServedPages();
    const realSize = reader.facts.pageSize;
    const isOfDifferentAge = new Set(servedPages.map(({ version }) => version)).size > 1;
    covered.cached += Number(servedPages.some(({ source }) => source === 'cache'));
    covered.ofDifferentAge += Number(isOfDifferentAge);
    covered.calmOfDifferentAge += Number(isOfDifferentAge && isCalm);
    const renewed =
      new Set(servedPages.filter(({ source }) => source === 'network').map(({ page }) => page))
        .size < page.requested.length;
    covered.movedInMemory += Number(renewed && isCalm && changes.length > 0);
    covered.readAgain += Number(servedPages.some(({ isReread }) => isReread));
    covered.notCalm += Number(!isCalm);

    // No fact that is not true is stored for the endpoint.
    expect(reader.facts.hasHoles).toBe(false);
    if (reader.facts.repeatsLastPage) expect(isClamped).toBe(true);
    expect([pageSize, smallest]).toContain(reader.facts.pageSize);
    expect([undefined, upstream.behavior.firstPage]).toContain(reader.facts.firstPage);

    // The bound on requests. When the list has moved within the view, the reader detects it as it
    // detects a move during the read, and reads again.
    const once = requestBound(size, realSize);
    const isFindingOut = known.firstPage === undefined || known.pageSize !== realSize || isClamped;
    const measures = !isForward && (cursorText === null || page.isCursorItemGone);
    const measuring =
      measures || isClamped
        ? searchBound(Math.max(...view.map(({ ids }) => ids.length)) / realSize)
        : 0;
    const bound = (isFindingOut ? 2 * once + 7 : once) + measuring;
    if (isAlone) {
      expect(page.requested.length, `requests: ${page.requested}`).toBeLessThanOrEqual(
        bound * (changes.length > 0 ? 2 : 1),
      );
    }

    if (isCalm && walk.counts) {
      covered.counted += 1;
      memory.takeServedPages();
      const { connection } = await reader.read(
        { first: 1 },
        { wanted: { page: false, hasNextPage: false } },
      );
      const counted = await connection.totalCount();
      expect(view.map(({ ids }) => ids.length)).toContain(counted);
    }

    // An item counts as gone only when it is gone now.
    if (cursorText === null) expect(page.isCursorItemGone).toBe(false);
    const cursor = cursorText === null ? undefined : decodeCursor(cursorText, SCOPE, side);
    if (page.isCursorItemGone) {
      covered.gone += 1;
      expect(expectedGap(listAt(present), cursor!, side, realSize).isLost).toBe(true);
      return stop(walk);
    }
    expect(new Set(page.ids).size).toBe(page.ids.length);

    const promises = view.map((state) => ({
      state,
      ...(cursor
        ? expectedGap(listAt(state), cursor, side, realSize)
        : { a: -1, b: state.ids.length, isExact: true }),
    }));
    if (promises.some(({ isExact }) => !isExact)) return stop(walk);

    const hasMore = isForward ? page.hasNextPage : page.hasPreviousPage;
    if (isCalm) {
      const faults = promises.map(({ state, a, b }) => {
        const { ids } = state;
        const at = page.ids[0] === undefined ? undefined : ids.indexOf(page.ids[0]);
        const from = at ?? 0;
        if (at === -1 || page.ids.some((id, offset) => ids[from + offset] !== id))
          return 'no piece';
        const isAtEnd = isForward ? from + page.ids.length >= ids.length : from === 0;
        if (at !== undefined) {
          const gap = isForward ? at : at + page.ids.length;
          if (!(gap > a && gap <= b)) return `gap ${gap} not between ${a} and ${b}`;
          if (page.ids.length < size && !isAtEnd) return 'short';
          if (!(isClamped && !isForward) && hasMore === isAtEnd) return `has more: ${hasMore}`;
          if (
            !isForward &&
            cursor &&
            walk.selectsHasNextPage &&
            page.hasNextPage !== gap < ids.length
          )
            return 'has next';
          if (!cursor && (isForward ? at !== 0 : gap !== ids.length)) return 'not from the end';
        } else if (!cursor && ids.length > 0) return 'empty';
        return '';
      });
      expect(faults, 'of no state in the view').toContain('');
    } else {
      if (inserted >= smallest) return stop(walk);
      // In the order of each state, for the items that are in it.
      for (const { ids } of view) {
        const positions = page.ids.map((id) => ids.indexOf(id)).filter((position) => position >= 0);
        expect(positions).toEqual([...positions].sort((one, other) => one - other));
      }
      if (isClamped) return stop(walk);
      const pagesOf = new Map<string, number>();
      for (const { ids } of view) {
        for (const [position, id] of ids.entries()) {
          const on = Math.floor(position / realSize);
          if ((pagesOf.get(id) ?? -1) > on) walk.mayBeSkipped.add(id);
          pagesOf.set(id, Math.max(on, pagesOf.get(id) ?? -1));
        }
      }
    }

    for (const id of page.ids) {
      expect(walk.returned.has(id), `${id} twice`).toBe(false);
      walk.returned.add(id);
      walk.awaited.delete(id);
    }
    if (!hasMore) {
      covered.walkedToTheEnd += 1;
      expect([...walk.awaited].filter((id) => !walk.mayBeSkipped.has(id))).toEqual([]);
      return stop(walk);
    }
    walk.cursorText = isForward ? page.endCursor : page.startCursor;
    walk.cursorItem = isForward ? page.ids.at(-1)! : page.ids[0]!;
  }

  function stop(walk: Walk): void {
    walk.isOver = true;
  }

  for (const { walker, isTogether, waits, edits } of steps) {
    const walk = walks[walker % walks.length]!;
    if (isTogether) await Promise.all(walks.map((one) => one.isOver || takeStep(one, false)));
    else if (!walk.isOver) await takeStep(walk);
    clock.pass(waits[0]);
    for (const one of edits) change(one, walk.cursorItem);
    clock.pass(waits[1]);
  }
  while (walks.some(({ isOver }) => !isOver)) {
    for (const walk of walks) if (!walk.isOver) await takeStep(walk);
    clock.pass(100);
  }
}

describe('Walk over cached pages of a moving list', () => {
  test(
    'a walk over cached pages repeats nothing and skips only items that a removal has pulled across a page border',
    async () => {
      await fc.assert(fc.asyncProperty(scenario, run), { numRuns: NUM_RUNS });
      for (const [subject, times] of Object.entries(covered))
        expect(times, `${subject} was met`).toBeGreaterThan(NUM_RUNS / 100);
    },
    2 * TIMEOUT_MS,
  );
});
