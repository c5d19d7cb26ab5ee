import { type Cursor, decodeCursor, encodeCursor, MAX_NEIGHBOURS, shortHash } from './cursor.ts';
import { type Identified, type List, type ListSource, readCoherently } from './list.ts';
import { type Gap, locate } from './locate.ts';
import type { PageRequest } from './page-request.ts';
import { type PositionedItem, takeBackward, takeForward } from './window.ts';

/** A page of a list, as Relay's connection specification defines it. Cursors are encoded lazily. */
export interface Connection<T> {
  readonly edges: readonly Edge<T>[];
  readonly nodes: readonly T[];
  readonly pageInfo: PageInfo;
  /** Counts the whole list; the cost in upstream requests depends on the list. */
  totalCount(): Promise<number>;
  /**
   * Whether the search for a cursor's item has found neither the item nor a neighbour: then the
   * page begins (or ends) at the item's last known position.
   */
  readonly isCursorItemGone: boolean;
}

export interface Edge<T> {
  readonly node: T;
  readonly cursor: string;
}

export interface PageInfo {
  /** Also false when the client has not selected it. */
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/** Which parts of a connection the client has selected; other parts cost no upstream request. */
export interface SelectedParts {
  /** `edges`, `nodes`, any field of `pageInfo`, or whether the item of a cursor is gone. */
  readonly page: boolean;
  /** `hasNextPage`: it may cost one more upstream page. */
  readonly hasNextPage: boolean;
}

/**
 * Reads one page of a list.
 * @param scope names field, parent and filter: a cursor is valid only within its own scope
 * @throws UserInputError for a foreign or damaged cursor, before any upstream request
 */
export async function readConnection<T extends Identified>(
  source: ListSource<T>,
  request: PageRequest,
  scope: string,
  selected: SelectedParts,
): Promise<Connection<T>> {
  const after =
    request.after === undefined ? undefined : decodeCursor(request.after, scope, 'after');
  const before =
    request.before === undefined ? undefined : decodeCursor(request.before, scope, 'before');
  const totalCount = async () =>
    (await source.totalOnly?.read()) ?? readCoherently(source, countShown);

  if (!selected.page)
    return { ...toConnection(NO_PAGE, scope), totalCount, isCursorItemGone: false };
  source.totalOnly?.expectPages();
  const pageView = await readCoherently(source, (list) =>
    readView(list, request, { after, before }, selected),
  );
  return {
    ...toConnection(pageView, scope),
    totalCount,
    isCursorItemGone: pageView.isCursorItemGone,
  };
}

/** The length of the list, without the repeated items on the pages read so far. */
async function countShown(list: List<Identified>): Promise<number> {
  const count = await list.count();
  return Math.max(0, count - list.repeatedItems);
}

interface PageView<T extends Identified> {
  readonly list: List<T> | undefined;
  readonly items: readonly PositionedItem<T>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly isCursorItemGone: boolean;
}

const NO_PAGE: PageView<never> = {
  list: undefined,
  items: [],
  hasNextPage: false,
  hasPreviousPage: false,
  isCursorItemGone: false,
};

async function readView<T extends Identified>(
  list: List<T>,
  { from, size }: PageRequest,
  { after, before }: { readonly after: Cursor | undefined; readonly before: Cursor | undefined },
  selected: SelectedParts,
): Promise<PageView<T>> {
  const afterGap = after && (await locate(list, after, 'after'));
  if (from === 'end' && before)
    await readInListOrder(
      list,
      Math.max(afterGap?.position ?? 0, before.position - size),
      before.position,
    );
  const beforeGap = before && (await locate(list, before, 'before'));
  const start = afterGap?.position ?? 0;
  const isCursorItemGone = Boolean(afterGap?.isLost || beforeGap?.isLost);

  if (from === 'start') {
    const end = beforeGap?.position ?? Number.POSITIVE_INFINITY;
    const items = await takeForward(list, start, end, size);
    const last = items.at(-1);
    const hasItemAfter = async (next: number) =>
      beforeGap && !beforeGap.isLost ? next < end : hasItemAt(list, next, end);
    const hasNextPage =
      selected.hasNextPage &&
      items.length === size &&
      last !== undefined &&
      (await hasItemAfter(last.position + 1));
    return { list, items, hasNextPage, hasPreviousPage: start > 0, isCursorItemGone };
  }

  const end = await findEnd(list, beforeGap);
  const items = await takeBackward(list, start, end, size);
  const first = items[0];
  const hasNextPage =
    selected.hasNextPage &&
    beforeGap !== undefined &&
    (await hasItemAt(list, end, Number.POSITIVE_INFINITY));
  return {
    list,
    items,
    hasNextPage,
    hasPreviousPage: first !== undefined && first.position > start,
    isCursorItemGone,
  };
}

/**
 * Whether the list has an item at or after `start`, before `end`. If `start` is on an unread page,
 * the total decides, if the upstream reports one.
 */
async function hasItemAt(list: List<Identified>, start: number, end: number): Promise<boolean> {
  if (start >= end) return false;
  const isOnUnreadPage = list.loaded(Math.floor(start / list.pageSize)) === undefined;
  if (isOnUnreadPage && list.total !== undefined) return start < list.total;
  return (await takeForward(list, start, end, 1)).length > 0;
}

/**
 * Reads the pages of a window from start to end, before `takeBackward` collects their items from
 * end to start. Items are inserted at the start of a list. An item that moves to a later page
 * between two reads then appears twice, and the gateway reads again. If the pages were read from
 * end to start, the gateway would miss this item.
 */
async function readInListOrder(list: List<Identified>, start: number, end: number): Promise<void> {
  for (let index = Math.floor(start / list.pageSize); index * list.pageSize < end; index += 1)
    await list.page(index);
}

/**
 * The position to page backward from. A position past the end of the list, or a total that the
 * pages do not reach, is replaced by the measured end of the list.
 */
async function findEnd(list: List<Identified>, beforeGap: Gap | undefined): Promise<number> {
  if (beforeGap && !beforeGap.isLost) return beforeGap.position;
  const end = beforeGap?.position ?? (await list.count());
  if (end === 0) return 0;
  const isReached = (await list.page(Math.floor((end - 1) / list.pageSize))).length > 0;
  return isReached ? end : Math.min(end, await list.measure());
}

function toConnection<T extends Identified>(
  { list, items, hasNextPage, hasPreviousPage }: PageView<T>,
  scope: string,
) {
  const edges = items.map((positioned) => toEdge(positioned, list, scope));
  return {
    edges,
    nodes: items.map(({ item }) => item),
    pageInfo: new LazyPageInfo(edges, hasNextPage, hasPreviousPage),
  };
}

/**
 * The edge of an item. Its cursor is encoded on demand, from the pages that `list` has read by then.
 * @param scope as for `readConnection`
 */
export function toEdge<T extends Identified>(
  positioned: PositionedItem<T>,
  list: List<T> | undefined,
  scope: string,
): Edge<T> {
  return new LazyEdge(positioned, list, scope);
}

class LazyPageInfo implements PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly #edges: readonly Edge<unknown>[];

  constructor(edges: readonly Edge<unknown>[], hasNextPage: boolean, hasPreviousPage: boolean) {
    this.#edges = edges;
    this.hasNextPage = hasNextPage;
    this.hasPreviousPage = hasPreviousPage;
  }

  get startCursor(): string | null {
    return this.#edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.#edges.at(-1)?.cursor ?? null;
  }
}

class LazyEdge<T extends Identified> implements Edge<T> {
  readonly node: T;
  readonly #position: number;
  readonly #list: List<T> | undefined;
  readonly #scope: string;

  constructor({ item, position }: PositionedItem<T>, list: List<T> | undefined, scope: string) {
    this.node = item;
    this.#position = position;
    this.#list = list;
    this.#scope = scope;
  }

  get cursor(): string {
    return encodeCursor(
      {
        id: this.node.id,
        position: this.#position,
        preceding: neighbours(this.#list, this.#position, -1),
        following: neighbours(this.#list, this.#position, 1),
      },
      this.#scope,
    );
  }
}

/**
 * The nearest neighbours on one side among the pages already read, across page borders, nearest
 * first.
 */
function neighbours(list: List<Identified> | undefined, position: number, step: 1 | -1): Buffer[] {
  const found: Buffer[] = [];
  if (!list) return found;
  let index = Math.floor(position / list.pageSize);
  let offset = (position % list.pageSize) + step;
  while (found.length < MAX_NEIGHBOURS) {
    const items = list.loaded(index);
    if (!items) break;
    const neighbour = items[offset];
    if (neighbour) {
      found.push(shortHash(neighbour.id));
      offset += step;
    } else {
      index += step;
      const next = list.loaded(index);
      if (!next || next.length === 0) break;
      offset = step === 1 ? 0 : next.length - 1;
    }
  }
  return found;
}
