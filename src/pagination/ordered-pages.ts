import type { Identified, Page, ReadVersion } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { isIdenticalPage } from './page-content.ts';
import { isRecentEnough } from './read-version.ts';

/**
 * The pages of one generation, by their index, of which each was read after the one before it.
 *
 * Lists grow on top. Read downwards, what moves across the border between two reads is seen twice, and shows; read upwards, it would be
 * seen on neither page. Two reads of one operation are close together, whatever their order. What is remembered may be much older: so it
 * has to be known to be newer than the page before, or it is read again.
 *
 * What a removal pulls up across the border between two reads is on neither page, whatever the order, and nothing but a total tells it
 * from an item that never was. That can be between two reads of one operation, and between two that are remembered, as far apart as they
 * are fresh: it is the price of reading each page once.
 */
export interface OrderedPages<T> {
  get(index: number): Page<T> | undefined;
  set(index: number, page: Page<T>): void;
  /** Reads a page, after the one before it if that is there; it is not put among the others yet. */
  fetch(index: number): Promise<Page<T>>;
  /** Sees to it that of two neighbours that are there the lower one is read after the upper one. */
  ensureOrder(upper: number): Promise<void>;
  /** Sees to it that nothing is there that is only remembered. */
  rereadCached(): Promise<void>;
}

export interface OrderedPagesOptions<T> extends Pick<NumberedPages<T>, 'fetch' | 'fetchAgain'> {
  /** To read anything again would bring nothing else. */
  readonly isPointless: () => boolean;
  /** Hears of a page that says something else when it is read again. It may throw; else the new page is taken. */
  readonly onMoved: () => void;
}

export function createOrderedPages<T extends Identified>(upstream: OrderedPagesOptions<T>): OrderedPages<T> {
  const pages = new Map<number, Page<T>>();
  /** The reading that a page was asked to be newer than. */
  const requestedNewerThan = new Map<number, ReadVersion | undefined>();

  return {
    get: (index) => pages.get(index),
    set: (index, page) => pages.set(index, page),
    fetch(index) {
      const newerThan = pages.get(index - 1)?.readVersion;
      requestedNewerThan.set(index, newerThan);
      return upstream.fetch(index, newerThan);
    },
    async ensureOrder(upper) {
      const newerThan = pages.get(upper)?.readVersion;
      const lower = pages.get(upper + 1);
      const isInOrder = isRecentEnough(lower?.readVersion, newerThan) || requestedNewerThan.get(upper + 1) === newerThan;
      if (lower && !isInOrder) await reread(upper + 1, lower, newerThan);
    },
    async rereadCached() {
      for (const index of [...pages.keys()].sort((one, other) => one - other)) {
        const page = pages.get(index);
        if (page?.readVersion?.isCached) await reread(index, page, page.readVersion);
      }
    },
  };

  async function reread(index: number, page: Page<T>, newerThan: ReadVersion | undefined): Promise<void> {
    if (upstream.isPointless()) return;
    const again = await upstream.fetchAgain(index, newerThan);
    if (!isIdenticalPage(again, page)) {
      upstream.onMoved();
      pages.set(index, again);
    } else if (page.readVersion && isRecentEnough(again.readVersion, newerThan)) {
      // It has said the same since then: so what follows it need not be newer than that, and no page is read again for another's sake.
      pages.set(index, { ...again, readVersion: { ...page.readVersion, isCached: false } });
    }
  }
}
