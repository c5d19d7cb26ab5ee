import fc from 'fast-check';
import { type Cursor, MAX_NEIGHBOURS, shortHash } from '#pagination/cursor.ts';
import type { EndpointFacts } from '#pagination/endpoint-facts.ts';
import { SEARCH_REACH } from '#pagination/locate.ts';
import type { PagingBehavior, SimulatedList } from '../support/simulated-list.ts';

/**
 * Runs of each property; use `FUZZ_RUNS=100000 npx vitest run test/pagination/walk` for a long
 * night.
 */
export const NUM_RUNS = Number(process.env.FUZZ_RUNS ?? 100);
export const TIMEOUT_MS = 20_000 + NUM_RUNS * 20;

export type Side = 'after' | 'before';

/**
 * The guarantee for each client page of a walk, whatever was inserted or deleted since the page
 * before.
 *
 * A cursor contains an item, up to four neighbours on either side, and the position of the item.
 * The survivors are those of them that are still in the list; A is the nearest survivor before the
 * walk's gap (after the item, or before it), B the nearest one after it. The reach is the pages
 * from `SEARCH_REACH.earlier` before to `SEARCH_REACH.later` after the position, and beyond its
 * border as far as a neighbour within it implies that the item must be, if nothing was inserted in
 * between.
 *
 * - `isExact`: A or B is within the reach. Then the page begins (ends) between A and B: what was
 *   returned before is not returned again, and what was in the list throughout is not skipped.
 *   `isCursorItemGone` is false.
 * - `isLost`: no survivor is within `SEARCH_REACH` pages. `isCursorItemGone` is true.
 * - Neither: A and B are beyond the reach and a farther neighbour is within it, because that
 *   many items were inserted in between. Only the bound on requests is guaranteed, and
 *   `isCursorItemGone` is false.
 *
 * When numbers past the end are clamped, pages past the end repeat the last one, and an item beyond
 * the reach may be found there. So the item may count as gone or not when only a repetition shows a
 * survivor.
 */
export function expectedGap(upstream: SimulatedList, cursor: Cursor, side: Side, pageSize: number) {
  const { ids } = upstream;
  const positionOf = new Map(ids.map((id, position) => [shortHash(id).toString('hex'), position]));
  const positions = (hashes: readonly Buffer[]) =>
    hashes.map((idHash) => positionOf.get(idHash.toString('hex')));
  const item = ids.indexOf(cursor.id);
  const [preceding, following] = [positions(cursor.preceding), positions(cursor.following)];
  const itself = item < 0 ? undefined : item;
  const earlier = side === 'after' ? [itself, ...preceding] : preceding;
  const later = side === 'after' ? following : [itself, ...following];
  const isPresent = (position: number | undefined): position is number => position !== undefined;
  const [a, b] = [earlier.find(isPresent), later.find(isPresent)];

  const pageOf = (position: number) => Math.floor(position / pageSize);
  const expectedPage = pageOf(cursor.position);
  const [firstInReach, lastInReach] = [
    expectedPage - SEARCH_REACH.earlier,
    expectedPage + SEARCH_REACH.later,
  ];
  const isWithin = (position: number | undefined): position is number =>
    isPresent(position) && pageOf(position) >= firstInReach && pageOf(position) <= lastInReach;
  const seenEarlier = preceding.findIndex(isWithin);
  const seenLater = following.findIndex(isWithin);
  const lastReached =
    seenEarlier < 0
      ? lastInReach
      : Math.max(lastInReach, pageOf(preceding[seenEarlier]! + seenEarlier + 1));
  const firstReached =
    seenLater < 0
      ? firstInReach
      : Math.min(firstInReach, pageOf(following[seenLater]! - seenLater - 1));
  const isReached = (position: number | undefined) =>
    isPresent(position) && pageOf(position) >= firstReached && pageOf(position) <= lastReached;

  const survivors = [...earlier, ...later];
  const lastPage = pageOf(ids.length - 1);
  const isRepeated = upstream.behavior.past === 'clamped' && lastInReach > lastPage;
  return {
    a: a ?? -1,
    b: b ?? ids.length,
    isExact: isReached(a) || isReached(b),
    isLost: !survivors.some(isWithin),
    canAppearRepeated:
      isRepeated &&
      survivors.some((position) => isPresent(position) && pageOf(position) === lastPage),
  };
}

/**
 * The pages that the search may read, the window with its two borders (including the look-ahead and
 * the proof of the end), and, backward, the window at its last known position.
 */
export function requestBound(size: number, pageSize: number): number {
  const search =
    SEARCH_REACH.earlier + SEARCH_REACH.later + 1 + Math.ceil(MAX_NEIGHBOURS / pageSize);
  return search + 2 * Math.ceil(size / pageSize) + 2;
}

/** A galloping search for the end: when `last` has no `before`, or a position is past the end. */
export const searchBound = (pages: number) => 2 * Math.ceil(Math.log2(Math.max(2, pages))) + 5;

export const arbitraryEdit = fc.oneof(
  fc.record({ kind: fc.constant('insertOnTop'), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('insertOnTop'), count: fc.integer({ min: 1, max: 150 }) }),
  fc.record({
    kind: fc.constant('insertAnywhere'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('removeAnywhere'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('insertByCursor'),
    offset: fc.integer({ min: -5, max: 5 }),
    count: fc.integer({ min: 1, max: 30 }),
  }),
  // The cursor's own item and its neighbours: some of them, or all.
  fc.record({
    kind: fc.constant('removeByCursor'),
    offset: fc.integer({ min: -6, max: 3 }),
    count: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ kind: fc.constant('removeCursor') }),
);
/** Edits that usually leave a trace when they happen between two reads: a few insertions. */
export const arbitrarySmallEdit = fc.oneof(
  fc.record({ kind: fc.constant('insertOnTop'), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    kind: fc.constant('insertAnywhere'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constant('insertByCursor'),
    offset: fc.integer({ min: -5, max: 5 }),
    count: fc.integer({ min: 1, max: 2 }),
  }),
);

export type Edit = { kind: string; count?: number; at?: number; offset?: number };

export function applyEdit(
  upstream: SimulatedList,
  { kind, count = 1, at = 0, offset = 0 }: Edit,
  cursorItem: string,
): string[] {
  const { ids } = upstream;
  const anyPosition = Math.floor(at * (ids.length + 1));
  const byCursor = Math.min(ids.length, Math.max(0, ids.indexOf(cursorItem) + offset));
  switch (kind) {
    case 'insertOnTop':
      upstream.insert(0, count);
      return [];
    case 'insertAnywhere':
      upstream.insert(anyPosition, count);
      return [];
    case 'insertByCursor':
      upstream.insert(byCursor, count);
      return [];
    case 'removeAnywhere':
      return upstream.remove(anyPosition, count);
    case 'removeByCursor':
      return upstream.remove(byCursor, count);
    default:
      return ids.includes(cursorItem) ? upstream.remove(ids.indexOf(cursorItem)) : [];
  }
}

export const arbitraryBehavior: fc.Arbitrary<PagingBehavior> = fc
  .record({
    firstPage: fc.constantFrom(0 as const, 1 as const),
    below: fc.constantFrom(400 as const, 422 as const, 'empty' as const, 'clamped' as const),
    past: fc.constantFrom('empty' as const, 400 as const, 404 as const, 'clamped' as const),
    cap: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 4 }),
    offsetBy: fc.constantFrom('served' as const, 'requested' as const),
    hasTotal: fc.boolean(),
  })
  // Offsets by the requested size hide rows of a short list from every reader, unless a total
  // reveals them.
  .filter(({ cap, offsetBy, hasTotal }) => cap === undefined || offsetBy === 'served' || hasTotal);

/**
 * The one ambiguity that two requests cannot resolve: a list of exactly one full page, without a
 * total, that appears under both numbers. When its cached pages are of different age, a page by
 * which it has grown looks like a repetition.
 */
export function isUndecidable(
  { ids, behavior }: SimulatedList,
  { firstPage, pageSize }: Pick<EndpointFacts, 'firstPage' | 'pageSize'>,
): boolean {
  const isInBothGenerations =
    behavior.firstPage === 0 && behavior.past === 'clamped' && !behavior.hasTotal;
  return firstPage === undefined && isInBothGenerations && ids.length === pageSize;
}
