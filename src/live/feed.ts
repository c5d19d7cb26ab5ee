import type { Identified } from '#pagination/list.ts';

/** The newest part of a list: some pages, without a gap between them. */
export interface FeedReading<T extends Identified> {
  /** From the newest item to the oldest, each id once. */
  readonly items: readonly T[];
  /** Whether the reading contains the whole list. */
  readonly isWhole: boolean;
}

export interface FeedNews<T extends Identified> {
  /** The items that are new, from the oldest to the newest. */
  readonly added: readonly T[];
  /** Whether more items may be new than the reading contains. */
  readonly isSkipped: boolean;
}

/** Ids that are not sent again, if their items leave the list and come back. */
const MAX_KNOWN_IDS = 1_000;

/**
 * Finds the new items of a list by comparing each reading of its newest part with the one before.
 *
 * An item is new if it is not among the last ids and stands above an item of the reading before. A
 * removal moves older items up, but never above an item that remains. If no item of the reading
 * before remains, or the reading before contained the whole list, no older item can move up, and
 * every unknown item is new.
 */
export class Feed<T extends Identified> {
  /** In the order in which they were last read. */
  readonly #knownIds = new Set<string>();
  #previousIds: ReadonlySet<string> | undefined;
  #wasWhole = false;

  /** Whether the list has been read before: the first reading contains nothing new. */
  get hasBegun(): boolean {
    return this.#previousIds !== undefined;
  }

  /** Whether the new items of a reading are known without the pages that follow it. */
  isEnough(items: readonly T[]): boolean {
    const previousIds = this.#previousIds;
    return !previousIds || items.some(({ id }) => previousIds.has(id));
  }

  /** Whether two readings can be compared that are from different ends of the list. */
  get wasWhole(): boolean {
    return this.#wasWhole;
  }

  /** Replaces the reading before. */
  accept({ items, isWhole }: FeedReading<T>): FeedNews<T> {
    const previousIds = this.#previousIds;
    const lastRemaining = previousIds ? items.findLastIndex(({ id }) => previousIds.has(id)) : -1;
    const end = this.#wasWhole || lastRemaining < 0 ? items.length : lastRemaining;
    const isNew = ({ id }: T) => !this.#knownIds.has(id) && !previousIds?.has(id);
    const added = previousIds ? items.slice(0, end).filter(isNew) : [];
    this.#previousIds = new Set(items.map(({ id }) => id));
    this.#wasWhole = isWhole;
    this.#addKnownIds(items);
    return {
      added: added.reverse(),
      isSkipped: previousIds !== undefined && lastRemaining < 0 && !isWhole,
    };
  }

  #addKnownIds(items: readonly T[]): void {
    for (const { id } of items.toReversed()) {
      this.#knownIds.delete(id);
      this.#knownIds.add(id);
    }
    for (const id of this.#knownIds) {
      if (this.#knownIds.size <= MAX_KNOWN_IDS) return;
      this.#knownIds.delete(id);
    }
  }
}
