/** One upstream page. `served` counts what came, unusable items included: the end of a list is told by it, not by `items`. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly served: number;
  /** The length of the whole list, where the upstream tells it. */
  readonly total?: number | undefined;
  /** Absent of what has not been read: a page past the end that needed no asking. */
  readonly readVersion?: ReadVersion;
}

/**
 * Which reading of the upstream a page comes from. Of two readings of one process the one with the greater number was sent later;
 * nothing is known of the order of two processes.
 */
export interface ReadVersion {
  readonly instance: string;
  readonly sequence: number;
  /** Kept from an earlier question. */
  readonly isCached: boolean;
}

/** What can be paged: it has an id by which it is known again. */
export interface Identified {
  readonly id: string;
}

/**
 * A list that is read in pages of one size, counted from 0. What it has read it keeps: a `List` is one generation,
 * a picture of the upstream's list that is as coherent as reading it page by page allows.
 *
 * Each method may throw `ListMovedError`: then this generation is no coherent picture, and `ListSource.renew` gives the next.
 */
export interface List<T extends Identified> {
  /** Items on each page but the last. */
  readonly pageSize: number;
  /** The items of a page; empty past the end. */
  page(index: number): Promise<readonly T[]>;
  /** The items of a page that has been read, without asking. */
  loaded(index: number): readonly T[] | undefined;
  /** Whether nothing follows this page, as far as is known without asking. */
  isKnownEnd(index: number): boolean;
  /** The length of the list, if a page that has been read told it. */
  readonly total: number | undefined;
  /** The length of the list: as told, else as measured. */
  count(): Promise<number>;
  /** The length of the list, found by looking for its end, whatever has been told. */
  measure(): Promise<number>;
  /**
   * Says that one item stands on two pages: the list moved between the two reads.
   * Throws `ListMovedError`, unless it has been tried often enough; then the answer has to make do.
   */
  reportOverlap(): void;
  /**
   * Says that an item is not where it should be. What is only remembered may be older than the item, and is read again: it throws
   * `ListMovedError` where that says something else, unless it has been tried often enough.
   */
  reportMissing(): Promise<void>;
}

/** The upstream's list, and the generation of it that is read at present. */
export interface ListSource<T extends Identified> {
  /** A promise where the list has to be asked for first; it is asked for once. */
  current(): List<T> | Promise<List<T>>;
  /** The generation after this one; the same for all who found this one wanting. */
  renew(list: List<T>): List<T>;
}

/** The generation at hand is no coherent picture of the list; read again from the next one. Never leaves this room. */
export class ListMovedError extends Error {
  override name = 'ListMovedError';
}

/** Runs `read` over the current generation, and over the next one as long as the list moves under it. */
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
