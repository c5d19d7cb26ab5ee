import type { Cursor } from './cursor.ts';
import { fingerprint } from './fingerprint.ts';
import type { Identified, List } from './list.ts';

/** How far from its last known place an item is searched, in upstream pages. New items arrive on top and push others down: so, farther down. */
export const SEARCH_REACH = { down: 10, up: 5 } as const;

/** A gap between two items of a list, named by the number of items before it. */
export interface Gap {
  readonly position: number;
  /** Neither the cursor's item nor any of its neighbours was found: the gap is where the item once stood. */
  readonly isLost: boolean;
}

/**
 * Finds the gap after (or before) a cursor's item, wherever the list has moved meanwhile.
 *
 * Of the item and the neighbours that the cursor remembers, let those that are still in the list be the survivors. The gap is exact,
 * so that a walk repeats nothing and skips nothing that was there throughout, while the nearest survivor on at least one of its two
 * sides stands within `SEARCH_REACH` pages of the item's last place; or beyond, but no farther from a neighbour that stands within
 * than it once stood. (If instead a neighbour stands within the reach, and so much was inserted between the two that the nearest
 * survivors stand beyond, the walk goes on beside that neighbour, and may repeat or skip what stands between.)
 * With no survivor within the reach the gap is lost, and says so.
 *
 * All of this holds for the list as the pages show it, and these may be remembered. But the item counts as gone, and a farther neighbour
 * as the nearest, only when no page is only remembered: another instance may have seen the item later.
 *
 * It reads one page where nothing has moved, and at most `SEARCH_REACH.down + SEARCH_REACH.up + 1`, and ⌈NEIGHBOURS / page size⌉
 * across the border of the reach.
 */
export async function locate<T extends Identified>(list: List<T>, cursor: Cursor, side: 'after' | 'before'): Promise<Gap> {
  const expectedPage = pageOf(list, cursor.position);
  const search = new NeighbourSearch(cursor, list.pageSize);
  let top = entryPage(list, cursor, side);
  let bottom = top;
  search.add(top, await list.page(top));

  for (let step = 0; ; step += 1) {
    const gap = search.gap(side);
    if (gap !== undefined) return { position: gap, isLost: false };

    // What was seen of one side says where the rest must be: beyond it, and where nothing came in between, just so far.
    const { before, after } = search;
    const highest = Math.max(expectedPage + SEARCH_REACH.down, before ? pageOf(list, before.position + before.distance) : 0);
    const lowest = Math.max(
      0,
      Math.min(expectedPage - SEARCH_REACH.up, after ? pageOf(list, after.position - after.distance) : expectedPage),
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
      // What is remembered may be older than the cursor.
      await list.reportMissing();
      // The item is gone, or out of reach. Between survivors on both sides all is new: so it is shown.
      const [above, below] = [before && before.position + 1, after?.position];
      const position = side === 'after' ? (above ?? below) : (below ?? above);
      return { position: position ?? cursor.position, isLost: position === undefined };
    }
  }
}

function pageOf(list: List<Identified>, position: number): number {
  return Math.floor(position / list.pageSize);
}

/** The page where the search begins: the item's, or the one across the border if that alone can tell where to go on. */
function entryPage(list: List<Identified>, cursor: Cursor, side: 'after' | 'before'): number {
  if (side === 'after') return pageOf(list, cursor.following.length > 0 ? cursor.position + 1 : cursor.position);
  return pageOf(list, cursor.preceding.length > 0 ? Math.max(0, cursor.position - 1) : cursor.position);
}

/** Two pages down for one up, as lists grow on top. */
function prefersDown(step: number): boolean {
  return step % 3 !== 1;
}

/** A neighbour of the cursor's item: where it stands, and how far from the item it once stood. */
interface SeenNeighbour {
  readonly position: number;
  readonly distance: number;
}

/** Where the cursor's item and its neighbours stand, among the pages that were looked at. */
class NeighbourSearch {
  /** The nearest that were seen on either side of the item. */
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
        // An upstream that lists an item twice must not send a walk back to the first of them.
        const isNearer = this.#item === undefined || Math.abs(position - lastPosition) < Math.abs(this.#item - lastPosition);
        if (isNearer) this.#item = position;
        continue;
      }
      const itemFingerprint = fingerprint(one.id);
      const distanceIn = (side: Cursor['preceding']) => 1 + side.findIndex((known) => known.equals(itemFingerprint));
      this.before = nearest(this.before, { position, distance: distanceIn(preceding) });
      this.after = nearest(this.after, { position, distance: distanceIn(following) });
    }
  }

  /** The gap on one side of the item, if what was seen leaves no doubt of it. */
  gap(side: 'after' | 'before'): number | undefined {
    if (this.#item !== undefined) return side === 'after' ? this.#item + 1 : this.#item;
    if (side === 'after' && this.after?.distance === 1) return this.after.position;
    if (side === 'before' && this.before?.distance === 1) return this.before.position + 1;
    return undefined;
  }
}

/** Distance 0: no neighbour at all. */
function nearest(known: SeenNeighbour | undefined, other: SeenNeighbour): SeenNeighbour | undefined {
  return other.distance > 0 && (!known || other.distance < known.distance) ? other : known;
}
