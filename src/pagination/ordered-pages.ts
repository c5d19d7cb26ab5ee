import type { Identified, Page, Reading } from './list.ts';
import type { NumberedPages } from './numbered-pages.ts';
import { isSame } from './page-content.ts';
import { isRecent } from './reading.ts';

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
  putInOrder(upper: number): Promise<void>;
  /** Sees to it that nothing is there that is only remembered. */
  readAnew(): Promise<void>;
}

export interface OrderedPagesOptions<T> extends Pick<NumberedPages<T>, 'fetch' | 'fetchAgain'> {
  /** To read anything again would bring nothing else. */
  readonly isInVain: () => boolean;
  /** Hears of a page that says something else when it is read again. It may throw; else the new page is taken. */
  readonly onMoved: () => void;
}

export function createOrderedPages<T extends Identified>(upstream: OrderedPagesOptions<T>): OrderedPages<T> {
  const pages = new Map<number, Page<T>>();
  /** The reading that a page was asked to be newer than. */
  const askedAfter = new Map<number, Reading | undefined>();

  return {
    get: (index) => pages.get(index),
    set: (index, page) => pages.set(index, page),
    fetch(index) {
      const newerThan = pages.get(index - 1)?.reading;
      askedAfter.set(index, newerThan);
      return upstream.fetch(index, newerThan);
    },
    async putInOrder(upper) {
      const newerThan = pages.get(upper)?.reading;
      const lower = pages.get(upper + 1);
      const isInOrder = isRecent(lower?.reading, newerThan) || askedAfter.get(upper + 1) === newerThan;
      if (lower && !isInOrder) await readAgain(upper + 1, lower, newerThan);
    },
    async readAnew() {
      for (const index of [...pages.keys()].sort((one, other) => one - other)) {
        const page = pages.get(index);
        if (page?.reading?.isRemembered) await readAgain(index, page, page.reading);
      }
    },
  };

  async function readAgain(index: number, page: Page<T>, newerThan: Reading | undefined): Promise<void> {
    if (upstream.isInVain()) return;
    const again = await upstream.fetchAgain(index, newerThan);
    if (!isSame(again, page)) {
      upstream.onMoved();
      pages.set(index, again);
    } else if (page.reading && isRecent(again.reading, newerThan)) {
      // It has said the same since then: so what follows it need not be newer than that, and no page is read again for another's sake.
      pages.set(index, { ...again, reading: { ...page.reading, isRemembered: false } });
    }
  }
}
