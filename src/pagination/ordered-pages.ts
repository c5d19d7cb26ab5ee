import type { ReadVersion } from '#rest/upstream-request.ts';
import type { Identified, Page } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { isIdenticalPage } from './page-content.ts';
import { isRecentEnough } from './read-version.ts';

/**
 * The pages of one generation, by index, each read after the one before it.
 *
 * Items are inserted at the start of a list. If pages are read from start to end, an item that
 * moves across the border between two reads appears twice, which shows the move; if pages are read
 * from end to start, the item would be on neither page. Two reads of one operation are close
 * together, whatever their order. A cached page may be much older: it must be known to be newer
 * than the page before, or it is read again.
 *
 * If pages are read from start to end, an item that a removal moves to an earlier page between two
 * reads is on neither page. Only a total distinguishes this item from an item that never existed.
 * Such a move can happen between two reads of one operation, and between two cached reads, which
 * may be as far apart as their freshness allows: detecting it would require reading each page
 * twice.
 */
export interface OrderedPages<T> {
  get(index: number): Page<T> | undefined;
  /** All pages read so far, in no order. */
  all(): Iterable<Page<T>>;
  set(index: number, page: Page<T>): void;
  /** Reads a page, newer than the one before it if that has been read; does not store it. */
  fetch(index: number): Promise<Page<T>>;
  /** Reads the later of two stored neighbours again if it may be older than the earlier one. */
  ensureOrder(earlierIndex: number): Promise<void>;
  /** Reads every cached page again. */
  rereadCached(): Promise<void>;
}

export interface OrderedPagesOptions<T> extends Pick<NumberedPages<T>, 'fetch' | 'fetchAgain'> {
  /** Whether another read would only return the same page. */
  readonly isRereadPointless: () => boolean;
  /**
   * Called when a page has changed since the previous read. It may throw; if not, the new page
   * replaces the old one.
   */
  readonly onMoved: () => void;
}

export function createOrderedPages<T extends Identified>(
  upstream: OrderedPagesOptions<T>,
): OrderedPages<T> {
  const pages = new Map<number, Page<T>>();
  /** The version that each page was requested to be newer than. */
  const requestedNewerThan = new Map<number, ReadVersion | undefined>();

  return {
    get: (index) => pages.get(index),
    all: () => pages.values(),
    set: (index, page) => pages.set(index, page),
    fetch(index) {
      const newerThan = pages.get(index - 1)?.readVersion;
      requestedNewerThan.set(index, newerThan);
      return upstream.fetch(index, newerThan);
    },
    async ensureOrder(earlierIndex) {
      const newerThan = pages.get(earlierIndex)?.readVersion;
      const later = pages.get(earlierIndex + 1);
      const isInOrder =
        isRecentEnough(later?.readVersion, newerThan) ||
        requestedNewerThan.get(earlierIndex + 1) === newerThan;
      if (later && !isInOrder) await reread(earlierIndex + 1, later, newerThan);
    },
    async rereadCached() {
      for (const index of [...pages.keys()].sort((one, other) => one - other)) {
        const page = pages.get(index);
        if (page?.readVersion?.isCached) await reread(index, page, page.readVersion);
      }
    },
  };

  async function reread(
    index: number,
    page: Page<T>,
    newerThan: ReadVersion | undefined,
  ): Promise<void> {
    if (upstream.isRereadPointless()) return;
    const again = await upstream.fetchAgain(index, newerThan);
    if (!isIdenticalPage(again, page)) {
      upstream.onMoved();
      pages.set(index, again);
    } else if (page.readVersion && isRecentEnough(again.readVersion, newerThan)) {
      // The page is unchanged, so it keeps its old version: the pages that follow need not be newer
      // than this read, and one reread does not cause another.
      pages.set(index, { ...again, readVersion: { ...page.readVersion, isCached: false } });
    }
  }
}
