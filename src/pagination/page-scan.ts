import type { EndpointFacts } from './endpoint-facts.ts';
import { type Identified, ListMovedError, type Page } from './list.ts';
import { createNumberedPages, type ReadPage } from './numbered-pages.ts';
import { hasSameItems } from './page-content.ts';

export interface ScannedPage<T> {
  readonly items: readonly T[];
  /** Whether no item follows this page, as far as it shows. */
  readonly isEnd: boolean;
  /** Pages of the whole list. Undefined if the upstream reports no total. */
  readonly pageCount: number | undefined;
}

/**
 * Reads the pages of a list once, in any order, for a reader that does not need a coherent picture
 * of the list: an item that moves to another page meanwhile may be missing.
 */
export interface PageScan<T> {
  /** To be read before all others. */
  first(): Promise<ScannedPage<T>>;
  /** @param index from 1 */
  page(index: number): Promise<ScannedPage<T>>;
}

/** @param readPage is called once for each upstream request */
export function createPageScan<T extends Identified>(
  readPage: ReadPage<T>,
  facts: EndpointFacts,
): PageScan<T> {
  let pages = createNumberedPages(readPage, facts);
  const scanned = new Map<number, Page<T>>();

  return {
    async first() {
      const page = await fetchFirst();
      scanned.set(0, page);
      return toScannedPage(page, page.served);
    },
    async page(index) {
      const first = scanned.get(0);
      if (!first) throw new Error('The first page of a scan must be read first.');
      // If the upstream caps its pages, or leaves items out of them, the page with this number and
      // the size that it has served begins after `index` pages of that size.
      const size = Math.min(first.served, facts.maxRequestSize);
      const page = await pages.fetchAgain(index, undefined, size);
      const previous = scanned.get(index - 1);
      if (previous && hasSameItems(page, previous)) {
        // The upstream may number its pages from 1 by now: then the next scan determines it.
        if (index === 1) await pages.isFirstPageClamped(page);
        return { items: [], isEnd: true, pageCount: undefined };
      }
      scanned.set(index, page);
      return toScannedPage(page, first.served);
    },
  };

  async function fetchFirst(): Promise<Page<T>> {
    try {
      return await pages.fetch(0);
    } catch (error) {
      if (!(error instanceof ListMovedError)) throw error;
      // The assumed number of the first page is wrong: other pages determine it again.
      pages = createNumberedPages(readPage, facts);
      return pages.fetch(0);
    }
  }
}

function toScannedPage<T>({ items, served, total }: Page<T>, size: number): ScannedPage<T> {
  const pageCount = total === undefined || size === 0 ? undefined : Math.ceil(total / size);
  return { items, isEnd: served === 0 || served < size, pageCount };
}
