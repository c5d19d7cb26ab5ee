import type { ReadVersion } from '#rest/upstream-request.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { findListStart, type ListStart } from './first-page.ts';
import { type Identified, ListMovedError, type Page } from './list.ts';
import { EMPTY_PAGE, hasSameItems, hasStatus } from './page-content.ts';
import { isRecentEnough, isTooOld, latestVersion } from './read-version.ts';

/** Reads one page by the upstream's own page number. */
export type ReadPage<T> = (request: PageFetch) => Promise<Page<T>>;

export interface PageFetch {
  readonly page: number;
  readonly pageSize: number;
  /**
   * Whether the page is the first one. The cache can then also store its first item, as the
   * response to a request for a page of one item.
   */
  readonly isFirst?: boolean | undefined;
  /** The response must come from a request that is known to have been sent after this version. */
  readonly newerThan?: ReadVersion | undefined;
}

/**
 * The upstream's pages by their index from 0, whatever their numbers. Past the end they are empty
 * or repetitions.
 */
export interface NumberedPages<T> {
  /**
   * A page as the upstream served it. It is requested once, and again if the known page is cached
   * and not known to be newer than `newerThan`.
   */
  fetch(index: number, newerThan?: ReadVersion): Promise<Page<T>>;
  /** Requests the page again, newer than this version, with the list's page size or another one. */
  fetchAgain(
    index: number,
    newerThan: ReadVersion | undefined,
    pageSize?: number,
  ): Promise<Page<T>>;
  /**
   * The latest version of all pages received, including those that were too old: a version newer
   * than this one is newer than all of them.
   */
  readonly latestVersion: ReadVersion | undefined;
  /**
   * The upstream has failed, and the cache has served a page that was too old (stale-if-error):
   * another request would return the same page.
   */
  readonly servedStale: boolean;
  /**
   * To be called if the page at index 1 repeats the page at index 0. Returns true if the page at
   * number 2 differs: the upstream numbers pages from 1, and has served its first page also for
   * number 0 (clamped). Returns false if it is the same: the list ends. Always false if the number
   * of the first page is 1 or configured.
   */
  isFirstPageClamped(one: Page<T>): Promise<boolean>;
  /**
   * Whether a total that the pages do not reach contradicts the number of the first page: then the
   * next generation probes the number again.
   */
  isFirstPageContradictedByTotal(): Promise<boolean>;
  /** Records that pages 0 and 1, read one after the other, hold different items. */
  recordDistinctFirstPages(): Promise<void>;
}

/** @param newerThan every page must be newer than this version */
export function createNumberedPages<T extends Identified>(
  readPage: ReadPage<T>,
  facts: EndpointFacts,
  newerThan?: ReadVersion,
): NumberedPages<T> {
  return new UpstreamPages(readPage, facts, newerThan);
}

class UpstreamPages<T extends Identified> implements NumberedPages<T> {
  readonly #readPage: ReadPage<T>;
  readonly #facts: EndpointFacts;
  #newerThan: ReadVersion | undefined;
  // All these pages have one size, even if another operation observes a new one meanwhile.
  readonly #pageSize: number;
  readonly #requestSize: number;
  /**
   * The size that the gateway requests for the first page, except in a probe: the maximum. An
   * upstream with a cap serves the same first page for any size above the cap. A first page longer
   * than the known cap therefore shows that the upstream has lifted its cap.
   */
  readonly #firstRequestSize: number;
  readonly #fetched = new Map<number, Promise<Page<T>>>();
  #start: Promise<ListStart<T>> | undefined;
  #verification: Promise<ListStart<T>> | undefined;
  #latestVersion: ReadVersion | undefined;
  #servedStale = false;

  constructor(readPage: ReadPage<T>, facts: EndpointFacts, newerThan: ReadVersion | undefined) {
    this.#readPage = readPage;
    this.#facts = facts;
    this.#newerThan = newerThan;
    this.#latestVersion = newerThan;
    this.#pageSize = facts.pageSize;
    this.#requestSize = facts.requestSize;
    this.#firstRequestSize = facts.maxRequestSize;
  }

  get latestVersion(): ReadVersion | undefined {
    return this.#latestVersion;
  }

  get servedStale(): boolean {
    return this.#servedStale;
  }

  async fetch(index: number, newerThan?: ReadVersion): Promise<Page<T>> {
    const fetched = this.#fetched;
    for (let known = fetched.get(index); known; known = fetched.get(index)) {
      const page = await known;
      if (isRecentEnough(page.readVersion, newerThan)) return page;
      if (fetched.get(index) === known) fetched.delete(index);
    }
    return readOnce(fetched, index, () => this.#fetchFirstTime(index, newerThan));
  }

  async fetchAgain(
    index: number,
    newerThan: ReadVersion | undefined,
    pageSize = this.#sizeOf(index),
  ): Promise<Page<T>> {
    return this.#readIndex(await this.#findStart(), index, pageSize, newerThan);
  }

  async isFirstPageClamped(one: Page<T>): Promise<boolean> {
    const { firstPage } = await this.#findStart();
    if (firstPage === 1 || this.#facts.isFirstPageConfigured) return false;
    if (hasSameItems(await this.fetch(2, one.readVersion), one)) return false;
    this.#facts.invalidateFirstPage();
    return true;
  }

  async isFirstPageContradictedByTotal(): Promise<boolean> {
    const { isSettled } = await this.#findStart();
    if (isSettled) this.#facts.hasWrongTotals = true;
    if (isSettled || this.#facts.hasWrongTotals) return false;
    this.#facts.invalidateFirstPage();
    return true;
  }

  async recordDistinctFirstPages(): Promise<void> {
    const { firstPage, isSettled } = await this.#findStart();
    if (firstPage === 0 && !isSettled) this.#facts.observeFirstPage(0, { isConfirmed: false });
  }

  #sizeOf(index: number): number {
    return index === 0 ? this.#firstRequestSize : this.#requestSize;
  }

  #findStart(isAtStart = true): Promise<ListStart<T>> {
    this.#start ??= this.#probeStart(isAtStart).catch((error: unknown) => {
      this.#start = undefined;
      throw error;
    });
    return this.#start;
  }

  async #probeStart(isAtStart: boolean): Promise<ListStart<T>> {
    const read = (page: number, newerThan: ReadVersion | undefined) =>
      this.#read({ page, pageSize: this.#requestSize, newerThan });
    const start = await findListStart(read, this.#facts, { isAtStart });
    this.#newerThan = latestVersion(this.#newerThan, start.newerThan);
    return start;
  }

  /**
   * If the gateway wrongly assumes 0, only the start of the list shows the error. Before the
   * gateway reads the list from anywhere else, it verifies the number.
   */
  async #findStartFor(index: number): Promise<ListStart<T>> {
    const isAtStart = index === 0 || this.#fetched.has(index - 1);
    const start = await this.#findStart(isAtStart);
    if (isAtStart || start.isSettled || start.firstPage === 1 || this.#facts.isFirstPageTrusted)
      return start;
    this.#verification ??= this.#probeStart(false).catch((error: unknown) => {
      this.#verification = undefined;
      throw error;
    });
    const { isSettled } = await this.#verification;
    if (this.#facts.firstPage === 1) throw new ListMovedError();
    return { ...start, isSettled };
  }

  async #fetchFirstTime(index: number, newerThan: ReadVersion | undefined): Promise<Page<T>> {
    const start = await this.#findStartFor(index);
    const known = start.pages.get(0)?.served === 0 ? EMPTY_PAGE : start.pages.get(index);
    if (known && isRecentEnough(known.readVersion, newerThan))
      return this.#withoutFalseTotal(index, known);
    return index === 0 && !start.isSettled
      ? this.#readFirst(start, newerThan)
      : this.#readIndex(start, index, this.#sizeOf(index), newerThan);
  }

  /**
   * If the first page is rejected or empty, and its number is uncertain, reads the other number: if
   * that has items, the assumed number is wrong.
   */
  async #readFirst(start: ListStart<T>, newerThan: ReadVersion | undefined): Promise<Page<T>> {
    let page: Page<T>;
    try {
      page = await this.#readIndex(start, 0, this.#sizeOf(0), newerThan);
    } catch (error) {
      const isRejection = hasStatus(error, start.firstPage === 0 ? [400, 422] : [400, 404, 422]);
      if (isRejection && (await this.#isOtherNumberServed(start)))
        throw this.#invalidateFirstPage();
      throw error;
    }
    if (page.served > 0) {
      if (start.firstPage === 0 && !this.#facts.servesPageZero) this.#facts.servesPageZero = true;
      return page;
    }
    const isSure =
      (start.firstPage === 0 ? this.#facts.servesPageZero : this.#facts.isFirstPageTrusted) &&
      !page.total;
    if (!isSure && (await this.#isOtherNumberServed(start))) throw this.#invalidateFirstPage();
    return page;
  }

  async #isOtherNumberServed({ firstPage }: ListStart<T>): Promise<boolean> {
    try {
      const other = await this.#read({
        page: 1 - firstPage,
        pageSize: this.#requestSize,
        newerThan: this.#latestVersion,
      });
      return other.served > 0;
    } catch (error) {
      if (hasStatus(error, [400, 404, 422])) return false;
      throw error;
    }
  }

  #invalidateFirstPage(): ListMovedError {
    this.#facts.invalidateFirstPage();
    return new ListMovedError();
  }

  async #readIndex(
    { firstPage }: ListStart<T>,
    index: number,
    pageSize: number,
    newerThan: ReadVersion | undefined,
  ) {
    try {
      return this.#withoutFalseTotal(
        index,
        await this.#read({
          page: firstPage + index,
          pageSize,
          newerThan,
          isFirst: index === 0 ? true : undefined,
        }),
      );
    } catch (error) {
      if (index > 0 && hasStatus(error, [400, 404])) return EMPTY_PAGE;
      throw error;
    }
  }

  /** Drops a total that is smaller than the number of items up to the end of this page. */
  #withoutFalseTotal(index: number, page: Page<T>): Page<T> {
    const reached = index * this.#pageSize + page.served;
    const isTotalFalse = page.total !== undefined && page.served > 0 && page.total < reached;
    return isTotalFalse ? { ...page, total: undefined } : page;
  }

  async #read(request: PageFetch): Promise<Page<T>> {
    const newerThan = latestVersion(this.#newerThan, request.newerThan);
    const page = await this.#readPage({ ...request, newerThan });
    const { readVersion } = page;
    this.#latestVersion = latestVersion(this.#latestVersion, readVersion);
    this.#servedStale ||= isTooOld(readVersion, newerThan);
    return page;
  }
}

/** Reads each index once, and again only after a failure. */
export function readOnce<V>(
  promises: Map<number, Promise<V>>,
  index: number,
  read: () => Promise<V>,
): Promise<V> {
  const known = promises.get(index);
  if (known) return known;
  const promise = read();
  promises.set(index, promise);
  promise.catch(() => {
    if (promises.get(index) === promise) promises.delete(index);
  });
  return promise;
}
