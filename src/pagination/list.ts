import type { ReadVersion } from '#rest/upstream-request.ts';

/**
 * One upstream page. `served` counts all items, unusable ones included. Whether a page is short,
 * which may mark the end of the list, depends on `served` and not on the length of `items`.
 */
export interface Page<T> {
  readonly items: readonly T[];
  readonly served: number;
  /** The length of the whole list, if the upstream reports it. */
  readonly total?: number | undefined;
  /** Absent for a page that was not read: a page past a known end needs no request. */
  readonly readVersion?: ReadVersion;
}

/** An item of a list: its id identifies it across reads. */
export interface Identified {
  readonly id: string;
}

/**
 * A list that is read in pages of one size, counted from 0. It keeps the pages that it has read: a
 * `List` is one generation, a picture of the upstream's list that is as coherent as reading page by
 * page allows.
 *
 * Each method may throw `ListMovedError`: then this generation is not coherent, and
 * `ListSource.renew` returns the next one.
 */
export interface List<T extends Identified> {
  /** Items on each page except the last. */
  readonly pageSize: number;
  /** The items of a page; empty past the end. */
  page(index: number): Promise<readonly T[]>;
  /** The items of a page if it has been read; never sends a request. */
  loaded(index: number): readonly T[] | undefined;
  /** Whether the pages read so far show that no item follows this page; never sends a request. */
  isKnownEnd(index: number): boolean;
  /** The length of the list, if a page that has been read reports it. */
  readonly total: number | undefined;
  /** The length of the list: the reported total, else the measured length. */
  count(): Promise<number>;
  /**
   * Number of repeated items on the pages read so far: an earlier item has the same id. No
   * connection shows the repeated items, although the length counts them.
   */
  readonly repeatedItems: number;
  /** The length of the list, measured by searching for its end, whatever total is reported. */
  measure(): Promise<number>;
  /**
   * Rejects this generation as not coherent: the list moved between two reads, or the gateway
   * assumed wrong facts. Throws `ListMovedError`, except in the last generation or if the upstream
   * has failed: the response then uses this generation.
   */
  rejectGeneration(): void;
  /**
   * Reads cached pages again: an item is not at its expected position, and cached pages may be
   * older than the item. Throws `ListMovedError` if one of them has changed, except in the last
   * generation or if the upstream has failed.
   */
  rereadCached(): Promise<void>;
}

/** The upstream's list, and its current generation. */
export interface ListSource<T extends Identified> {
  /** A promise if the list must be requested first; it is requested only once. */
  current(): List<T> | Promise<List<T>>;
  /** The generation after this one; the same for all readers of this one. */
  renew(list: List<T>): List<T>;
  /** For lists whose total may cost less than a page. */
  readonly totalOnly?: TotalOnly;
}

/** Reads the total of a list of which the operation reads no page. */
export interface TotalOnly {
  /** A reader of the list needs its pages: they also show the total. */
  expectPages(): void;
  /** Undefined if the total must be counted in the list's pages. */
  read(): Promise<number | undefined>;
}

/**
 * The generation is not a coherent picture of the list: read again from the next one. This error
 * never leaves `src/pagination`.
 */
export class ListMovedError extends Error {
  override name = 'ListMovedError';
}

/**
 * Runs `read` over the current generation, and over the next one for as long as the list moves
 * during the read.
 */
export async function readCoherently<T extends Identified, R>(
  source: ListSource<T>,
  read: (list: List<T>) => Promise<R>,
): Promise<R> {
  for (let list = await source.current(); ; list = source.renew(list)) {
    try {
      return await read(list);
    } catch (error) {
      if (!(error instanceof ListMovedError)) throw error;
    }
  }
}
