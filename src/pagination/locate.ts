import { type Cursor, shortHash } from './cursor.ts';
import type { Identified, List } from './list.ts';

/**
 * How far from its last known position an item is searched, in upstream pages. New items are
 * inserted at the start of a list and move others to later positions, so the search reads more
 * later pages.
 */
export const SEARCH_REACH = { later: 10, earlier: 5 } as const;

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
 * A survivor is the cursor's item or a stored neighbour that is still in the list. A gap is exact
 * if a walk from it repeats no item, and skips no item that was in the list throughout. For this,
 * the search must find the nearest survivor on one side of the gap. The search reads `SEARCH_REACH`
 * pages around the item's last position. From a found neighbour, the search also reads up to the
 * page where the item must be, provided that no items were inserted between the two. If too many
 * items were inserted there, the walk continues beside that neighbour, and may repeat or skip the
 * items between the neighbour and the gap. If no survivor is found, `isLost` is true.
 *
 * If a page is cached, `locate` reads it again before it gives the item up: another instance may
 * have served the item later.
 *
 * The search reads one page if the list has not moved, and at most `SEARCH_REACH.later +
 * SEARCH_REACH.earlier + 1` pages. A neighbour near the border of the reach adds at most
 * ⌈MAX_NEIGHBOURS / page size⌉ pages beyond the border.
 */
export async function locate<T extends Identified>(
  list: List<T>,
  cursor: Cursor,
  side: 'after' | 'before',
): Promise<Gap> {
  const expectedPage = pageOf(list, cursor.position);
  const search = new NeighbourSearch(cursor, list.pageSize);
  let firstRead = entryPage(list, cursor, side);
  let lastRead = firstRead;
  search.add(firstRead, await list.page(firstRead));

  for (let step = 0; ; step += 1) {
    const gap = search.gap(side);
    if (gap !== undefined) return { position: gap, isLost: false };

    // If the cursor's item still exists, it is after a found predecessor and before a found
    // successor. It is farther away than before only if items were inserted between them.
    const { before, after } = search;
    const lastToRead = Math.max(
      expectedPage + SEARCH_REACH.later,
      before ? pageOf(list, before.position + before.distance) : 0,
    );
    const firstToRead = Math.max(
      0,
      Math.min(
        expectedPage - SEARCH_REACH.earlier,
        after ? pageOf(list, after.position - after.distance) : expectedPage,
      ),
    );
    const canReadLater = lastRead < lastToRead && !after && !list.isKnownEnd(lastRead);
    const canReadEarlier = firstRead > firstToRead && !before;
    if (canReadLater && (!canReadEarlier || prefersLater(step))) {
      lastRead += 1;
      search.add(lastRead, await list.page(lastRead));
    } else if (canReadEarlier) {
      firstRead -= 1;
      search.add(firstRead, await list.page(firstRead));
    } else {
      // Cached pages may be older than the cursor.
      await list.rereadCached();
      // The item is gone or out of reach. All items between survivors on both sides are new, so the
      // walk includes them.
      const [afterEarlier, beforeLater] = [before && before.position + 1, after?.position];
      const position =
        side === 'after' ? (afterEarlier ?? beforeLater) : (beforeLater ?? afterEarlier);
      return { position: position ?? cursor.position, isLost: position === undefined };
    }
  }
}

function pageOf(list: List<Identified>, position: number): number {
  return Math.floor(position / list.pageSize);
}

/**
 * The page where the search begins: for `after`, the page of the next item after the cursor's item,
 * and for `before`, the page of the previous item. That neighbour alone determines the gap. At a
 * page border, it is on the neighbouring page. If the cursor has no such neighbour, the search
 * begins on the page of the cursor's item.
 */
function entryPage(list: List<Identified>, cursor: Cursor, side: 'after' | 'before'): number {
  if (side === 'after')
    return pageOf(list, cursor.following.length > 0 ? cursor.position + 1 : cursor.position);
  return pageOf(
    list,
    cursor.preceding.length > 0 ? Math.max(0, cursor.position - 1) : cursor.position,
  );
}

/** Two later pages for one earlier page, because items are inserted at the start of a list. */
function prefersLater(step: number): boolean {
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
export class NeighbourSearch {
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
      const idHash = shortHash(one.id);
      const distanceIn = (side: Cursor['preceding']) =>
        1 + side.findIndex((known) => known.equals(idHash));
      this.before = nearest(this.before, { position, distance: distanceIn(preceding) });
      this.after = nearest(this.after, { position, distance: distanceIn(following) });
    }
  }

  get itemPosition(): number | undefined {
    return this.#item;
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
