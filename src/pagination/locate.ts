import { type Cursor, fingerprint } from './cursor.ts';
import type { Identified, List } from './list.ts';

/**
 * How far from its last known position an item is searched, in upstream pages. New items arrive on
 * top and push others down, so the search reaches farther down.
 */
export const SEARCH_REACH = { down: 10, up: 5 } as const;

/** A gap between two items of a list, identified by the number of items before it. */
export interface Gap {
  readonly position: number;
  /**
   * Neither the cursor's item nor any of its neighbours was found: the gap is at the item's last
   * known position.
   */
  readonly isLost: boolean;
}

/**
 * Finds the gap after (or before) a cursor's item, wherever the list has moved meanwhile.
 *
 * The survivors are those of the cursor's item and its stored neighbours that are still in the
 * list. The gap is exact (a walk repeats no item, and skips no item that was in the list
 * throughout) if the nearest survivor on at least one of its two sides is within `SEARCH_REACH`
 * pages of the item's last position; or beyond, but no farther from a neighbour within the reach
 * than it once was. (If instead a neighbour is within the reach, and so many items were inserted
 * between the two that the nearest survivors are beyond, the walk continues beside that neighbour,
 * and may repeat or skip the items between.) With no survivor within the reach the gap is lost, and
 * `isLost` is true.
 *
 * All of this holds for the list as the pages show it, and pages may be cached. But the item counts
 * as gone, and a farther neighbour as the nearest, only if none of the pages is cached: another
 * instance may have seen the item later.
 *
 * The search reads one page if the list has not moved, and at most `SEARCH_REACH.down +
 * SEARCH_REACH.up + 1` pages, plus ⌈MAX_NEIGHBOURS / page size⌉ across the border of the reach.
 */
export async function locate<T extends Identified>(
  list: List<T>,
  cursor: Cursor,
  side: 'after' | 'before',
): Promise<Gap> {
  const expectedPage = pageOf(list, cursor.position);
  const search = new NeighbourSearch(cursor, list.pageSize);
  let top = entryPage(list, cursor, side);
  let bottom = top;
  search.add(top, await list.page(top));

  for (let step = 0; ; step += 1) {
    const gap = search.gap(side);
    if (gap !== undefined) return { position: gap, isLost: false };

    // A neighbour found on one side bounds the search for the other items: they are beyond it, at
    // their former distance unless items were inserted between.
    const { before, after } = search;
    const highest = Math.max(
      expectedPage + SEARCH_REACH.down,
      before ? pageOf(list, before.position + before.distance) : 0,
    );
    const lowest = Math.max(
      0,
      Math.min(
        expectedPage - SEARCH_REACH.up,
        after ? pageOf(list, after.position - after.distance) : expectedPage,
      ),
    );
    const canGoDown = bottom < highest && !after && !list.isKnownEnd(bottom);
    const canGoUp = top > lowest && !before;
    if (canGoDown && (!canGoUp || prefersDown(step))) {
      bottom += 1;
      search.add(bottom, await list.page(bottom));
    } else if (canGoUp) {
      top -= 1;
      search.add(top, await list.page(top));
    } else {
      // Cached pages may be older than the cursor.
      await list.reportMissing();
      // The item is gone or out of reach. All items between survivors on both sides are new, so the
      // page includes them.
      const [above, below] = [before && before.position + 1, after?.position];
      const position = side === 'after' ? (above ?? below) : (below ?? above);
      return { position: position ?? cursor.position, isLost: position === undefined };
    }
  }
}

function pageOf(list: List<Identified>, position: number): number {
  return Math.floor(position / list.pageSize);
}

/**
 * The page where the search begins: the item's own or, if the gap is at a page border, the one
 * across it: the neighbour there is sufficient to determine the gap.
 */
function entryPage(list: List<Identified>, cursor: Cursor, side: 'after' | 'before'): number {
  if (side === 'after')
    return pageOf(list, cursor.following.length > 0 ? cursor.position + 1 : cursor.position);
  return pageOf(
    list,
    cursor.preceding.length > 0 ? Math.max(0, cursor.position - 1) : cursor.position,
  );
}

/** Two pages down for one page up, because lists grow on top. */
function prefersDown(step: number): boolean {
  return step % 3 !== 1;
}

/**
 * A neighbour of the cursor's item: its current position, and its former distance from the item.
 */
interface SeenNeighbour {
  readonly position: number;
  readonly distance: number;
}

/** The positions of the cursor's item and its neighbours on the pages read so far. */
class NeighbourSearch {
  /** The nearest neighbours found before and after the item. */
  before: SeenNeighbour | undefined;
  after: SeenNeighbour | undefined;
  readonly #cursor: Cursor;
  readonly #pageSize: number;
  #item: number | undefined;

  constructor(cursor: Cursor, pageSize: number) {
    this.#cursor = cursor;
    this.#pageSize = pageSize;
  }

  add(index: number, items: readonly Identified[]): void {
    const { id, position: lastPosition, preceding, following } = this.#cursor;
    for (const [offset, one] of items.entries()) {
      const position = index * this.#pageSize + offset;
      if (one.id === id) {
        // If an upstream lists an item twice, a walk must not return to the first occurrence.
        const isNearer =
          this.#item === undefined ||
          Math.abs(position - lastPosition) < Math.abs(this.#item - lastPosition);
        if (isNearer) this.#item = position;
        continue;
      }
      const itemFingerprint = fingerprint(one.id);
      const distanceIn = (side: Cursor['preceding']) =>
        1 + side.findIndex((known) => known.equals(itemFingerprint));
      this.before = nearest(this.before, { position, distance: distanceIn(preceding) });
      this.after = nearest(this.after, { position, distance: distanceIn(following) });
    }
  }

  /** The gap on one side of the item, if the pages read so far determine it. */
  gap(side: 'after' | 'before'): number | undefined {
    if (this.#item !== undefined) return side === 'after' ? this.#item + 1 : this.#item;
    if (side === 'after' && this.after?.distance === 1) return this.after.position;
    if (side === 'before' && this.before?.distance === 1) return this.before.position + 1;
    return undefined;
  }
}

/** A distance of 0 means: not a neighbour. */
function nearest(
  known: SeenNeighbour | undefined,
  other: SeenNeighbour,
): SeenNeighbour | undefined {
  return other.distance > 0 && (!known || other.distance < known.distance) ? other : known;
}
