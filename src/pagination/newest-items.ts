import { type Edge, toEdge } from './connection.ts';
import type { Cursor } from './cursor.ts';
import { type Identified, type List, type ListSource, readCoherently } from './list.ts';
import { NeighbourSearch } from './locate.ts';
import { type PositionedItem, takeBackward, takeForward } from './window.ts';

/** At which end of a list new items are inserted. */
export type ListOrder = 'newestFirst' | 'oldestFirst';

/** What earlier reads have shown of a list. The reader of the list keeps it between two reads. */
export interface NewestItemsState {
  /** Assumed until the times of enough items show it. */
  order: ListOrder;
  /** Whether the first read has looked for evidence of the order, which small pages may not show. */
  isOrderProbed: boolean;
  /** The index of the last page, for a list with the oldest items first. */
  lastPage: number | undefined;
  /** The first page is the whole list if it has at most this many items. */
  shortLength: number;
}

export interface NewestItemsRequest<T extends Identified> {
  /** Names field, parent and filter of the connection that has the same cursors. */
  readonly scope: string;
  /** Whether the items, from the newest to the oldest, are enough: further pages are not read. */
  readonly isEnough: (items: readonly T[]) => boolean;
  /** Places up to which the list must be read. */
  readonly cursors: readonly Cursor[];
  /** When an item came into being, in ms. Undefined if it is unknown. */
  readonly timeOf: (item: T) => number | undefined;
}

/** The newest items of a list, without a gap between them. */
export interface NewestItems<T extends Identified> {
  /** From the newest item to the oldest. */
  readonly items: readonly T[];
  /** Whether they are the whole list. */
  readonly isWhole: boolean;
  /** The end of the list where they are. */
  readonly order: ListOrder;
  /** The edges of the items, as the connection has them. */
  edgeOf(index: number): Edge<T>;
  /**
   * The number of items that are newer than a cursor of the request. Undefined if the pages that
   * were read contain neither its item nor a neighbour.
   */
  countNewerThan(cursor: Cursor): number | undefined;
}

/** Maximum pages of one read. */
export const MAX_NEWEST_PAGES = 4;

export function createNewestItemsState(): NewestItemsState {
  return { order: 'newestFirst', isOrderProbed: false, lastPage: undefined, shortLength: 0 };
}

/**
 * Reads the newest items of a list page by page, until the items are enough and every cursor is
 * found, but at most `MAX_NEWEST_PAGES` pages. If the list turns out to have the oldest items first,
 * the pages are read from its end.
 */
export async function readNewestItems<T extends Identified>(
  source: ListSource<T>,
  request: NewestItemsRequest<T>,
  state: NewestItemsState,
): Promise<NewestItems<T>> {
  return readCoherently(source, async (list) => {
    const newest = await readInOrder(list, request, state);
    if (!isContradicted(newest.items, request.timeOf)) return newest;
    state.order = newest.order === 'newestFirst' ? 'oldestFirst' : 'newestFirst';
    return readInOrder(list, request, state);
  });
}

async function readInOrder<T extends Identified>(
  list: List<T>,
  request: NewestItemsRequest<T>,
  state: NewestItemsState,
): Promise<NewestPages<T>> {
  const newest = new NewestPages(list, request, state.order);
  const start = state.order === 'newestFirst' ? 0 : await findLastPage(list, state);
  for (let pages = 1; ; pages += 1) {
    await newest.read(start, pages);
    newest.isWhole ||= await isWholeList(list, newest.items.length, state);
    const isOrderShown =
      state.isOrderProbed || findSteps(newest.items, request.timeOf).length >= MIN_STEPS;
    if (isOrderShown && newest.isEnough()) break;
    if (!newest.isWhole && pages < MAX_NEWEST_PAGES) continue;
    // Cached pages may be older than a cursor that is not found.
    if (newest.isCursorMissing()) await list.rereadCached();
    break;
  }
  state.isOrderProbed ||= !newest.isWhole;
  return newest;
}

/**
 * Whether a first page that is short is the whole list. A short page may be the upstream's cap, so
 * the page that follows proves it, once for pages of this length.
 */
async function isWholeList<T extends Identified>(
  list: List<T>,
  length: number,
  state: NewestItemsState,
): Promise<boolean> {
  if (state.order === 'oldestFirst' || length >= list.pageSize) return false;
  if (length <= state.shortLength) return true;
  if ((await list.page(1)).length > 0) return false;
  state.shortLength = length;
  return true;
}

/** The last page, near where it was. If the list has become much longer or shorter, it is searched. */
async function findLastPage<T extends Identified>(
  list: List<T>,
  state: NewestItemsState,
): Promise<number> {
  let index = state.lastPage;
  if (index !== undefined && (await list.page(index)).length > 0) {
    const end = index + MAX_NEWEST_PAGES;
    while (index < end && !list.isKnownEnd(index) && (await list.page(index + 1)).length > 0)
      index += 1;
    if (index === end) index = undefined;
  } else {
    index = undefined;
  }
  index ??= Math.max(0, Math.ceil((await list.measure()) / list.pageSize) - 1);
  state.lastPage = index;
  return index;
}

/** Some pages from the end of a list where the newest items are. */
class NewestPages<T extends Identified> implements NewestItems<T> {
  items: readonly T[] = [];
  isWhole = false;
  readonly order: ListOrder;
  readonly #list: List<T>;
  readonly #request: NewestItemsRequest<T>;
  readonly #searches: ReadonlyMap<Cursor, NeighbourSearch>;
  #positioned: readonly PositionedItem<T>[] = [];

  constructor(list: List<T>, request: NewestItemsRequest<T>, order: ListOrder) {
    this.#list = list;
    this.#request = request;
    this.order = order;
    this.#searches = new Map(
      request.cursors.map((cursor) => [cursor, new NeighbourSearch(cursor, list.pageSize)]),
    );
  }

  /** Reads so many pages, of which all but the last one have been read. */
  async read(start: number, pages: number): Promise<void> {
    const list = this.#list;
    const { pageSize } = list;
    if (this.order === 'newestFirst') {
      this.#positioned = await takeForward(list, 0, pages * pageSize, Number.POSITIVE_INFINITY);
      this.isWhole = list.isKnownEnd(pages - 1);
      this.#search(pages - 1);
    } else {
      const first = Math.max(0, start - pages + 1);
      const end = (start + 1) * pageSize;
      const backward = await takeBackward(list, first * pageSize, end, Number.POSITIVE_INFINITY);
      this.#positioned = backward.reverse();
      this.isWhole = first === 0;
      this.#search(first);
    }
    this.items = this.#positioned.map(({ item }) => item);
  }

  isEnough(): boolean {
    return (
      this.#request.isEnough(this.items) &&
      this.#request.cursors.every((cursor) => this.#gapOf(cursor, { isFinal: false }) !== undefined)
    );
  }

  isCursorMissing(): boolean {
    return this.#request.cursors.some(
      (cursor) => this.#gapOf(cursor, { isFinal: true }) === undefined,
    );
  }

  edgeOf(index: number): Edge<T> {
    const positioned = this.#positioned[index];
    if (!positioned) throw new RangeError(`There is no item ${index}.`);
    return toEdge(positioned, this.#list, this.#request.scope);
  }

  countNewerThan(cursor: Cursor): number | undefined {
    const gap = this.#gapOf(cursor, { isFinal: true });
    if (gap === undefined) return undefined;
    const isNewer =
      this.order === 'newestFirst'
        ? ({ position }: PositionedItem<T>) => position < gap
        : ({ position }: PositionedItem<T>) => position >= gap;
    return this.#positioned.filter(isNewer).length;
  }

  #search(index: number): void {
    const items = this.#list.loaded(index) ?? [];
    for (const search of this.#searches.values()) search.add(index, items);
  }

  /**
   * The position between the item of a cursor and the newer ones. The item, or else the nearest
   * older neighbour, determines it; only if neither is found in the end, a newer neighbour.
   */
  #gapOf(cursor: Cursor, { isFinal }: { readonly isFinal: boolean }): number | undefined {
    const search = this.#searches.get(cursor);
    if (!search) return undefined;
    const { itemPosition, before, after } = search;
    const afterBefore = before && before.position + 1;
    if (this.order === 'newestFirst')
      return itemPosition ?? after?.position ?? (isFinal ? afterBefore : undefined);
    if (itemPosition !== undefined) return itemPosition + 1;
    return afterBefore ?? (isFinal ? after?.position : undefined);
  }
}

/** Fewer steps do not show the order of a list. */
const MIN_STEPS = 9;
/** A list may be sorted by another time, so a few steps in the wrong direction show nothing. */
const MIN_SHARE = 0.9;

/**
 * Whether the times of the items show that they are in the other order than assumed.
 * @param items from the newest to the oldest, in the assumed order
 */
function isContradicted<T>(items: readonly T[], timeOf: (item: T) => number | undefined): boolean {
  const steps = findSteps(items, timeOf);
  const rising = steps.filter((step) => step > 0);
  return steps.length >= MIN_STEPS && rising.length >= MIN_SHARE * steps.length;
}

/** The differences between the times of neighbours, where they are known and differ. */
function findSteps<T>(items: readonly T[], timeOf: (item: T) => number | undefined): number[] {
  const times = items.map(timeOf).filter((time) => time !== undefined);
  return times
    .slice(1)
    .map((time, index) => time - (times[index] ?? time))
    .filter((step) => step !== 0);
}
