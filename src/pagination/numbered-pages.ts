import type { EndpointFacts } from './endpoint-facts.ts';
import { findListStart, type ListStart } from './first-page.ts';
import type { Identified, Page } from './list.ts';
import { EMPTY_PAGE, isOneOf } from './page-content.ts';

/** Reads one page by the upstream's own number. */
export type ReadPage<T> = (request: { readonly page: number; readonly pageSize: number }) => Promise<Page<T>>;

/** The upstream's pages by their index from 0, whatever their numbers. Past the end they are empty, or what the upstream repeats. */
export interface NumberedPages<T> {
  /** A page as it came; asked for once. */
  fetch(index: number): Promise<Page<T>>;
  /** The page as it is now, by the size that is asked for or by another. */
  fetchAgain(index: number, pageSize?: number): Promise<Page<T>>;
}

export function createNumberedPages<T extends Identified>(readPage: ReadPage<T>, facts: EndpointFacts): NumberedPages<T> {
  // As long as these pages are read, they are of one size, even if another operation learns a new one meanwhile.
  const { pageSize: sizeOfPages, requestSize } = facts;
  const fetched = new Map<number, Promise<Page<T>>>();
  let starting: Promise<ListStart<T>> | undefined;

  return {
    fetch: (index) => remembered(fetched, index, () => fetchFirstTime(index)),
    async fetchAgain(index, pageSize = requestSize) {
      return readIndex(await findStart(), index, pageSize);
    },
  };

  function findStart(): Promise<ListStart<T>> {
    starting ??= findListStart((page) => readPage({ page, pageSize: requestSize }), facts).catch((error: unknown) => {
      starting = undefined;
      throw error;
    });
    return starting;
  }

  async function fetchFirstTime(index: number): Promise<Page<T>> {
    const start = await findStart();
    const isEmpty = start.read.get(0)?.served === 0;
    const page = start.read.get(index) ?? (isEmpty ? EMPTY_PAGE : await readIndex(start, index, requestSize));
    // A total that is smaller than what has been served is none.
    const isTotalFalse = page.total !== undefined && page.served > 0 && page.total < index * sizeOfPages + page.served;
    return isTotalFalse ? { items: page.items, served: page.served } : page;
  }

  async function readIndex({ firstPage }: ListStart<T>, index: number, pageSize: number): Promise<Page<T>> {
    try {
      return await readPage({ page: firstPage + index, pageSize });
    } catch (error) {
      if (index > 0 && isOneOf(error, [400, 404])) return EMPTY_PAGE;
      throw error;
    }
  }
}

/** Reads once, and again only after a failure. */
export function remembered<V>(promises: Map<number, Promise<V>>, index: number, read: () => Promise<V>): Promise<V> {
  const known = promises.get(index);
  if (known) return known;
  const reading = read();
  promises.set(index, reading);
  reading.catch(() => promises.delete(index));
  return reading;
}
