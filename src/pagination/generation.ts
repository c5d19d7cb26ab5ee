import type { ReadVersion } from '#rest/upstream-request.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import { findLastPage, isLastPage, type SearchedPages, usedCache } from './last-page.ts';
import { type Identified, type List, ListMovedError, type Page } from './list.ts';
import { ListEnd } from './list-end.ts';
import {
  createNumberedPages,
  type NumberedPages,
  type ReadPage,
  readOnce,
} from './numbered-pages.ts';
import { createOrderedPages, type OrderedPages } from './ordered-pages.ts';
import { EMPTY_PAGE, hasSameItems, isIdenticalPage, overlapRatio } from './page-content.ts';
import { isUncached, latestVersion } from './read-version.ts';
import { classifyShortPage, type ShortPage } from './short-page.ts';

interface GenerationOptions {
  readonly isLast: boolean;
  /** The first index past the end of the list, if the previous generation has determined it. */
  readonly pastEndFrom: number;
  /**
   * Every page must be newer than this, and therefore newer than all pages of the previous
   * generation.
   */
  readonly newerThan: ReadVersion | undefined;
}

/** A page and an identical next page, and which of the two was read earlier. */
interface Repetition<T> {
  readonly page: Page<T>;
  readonly next: Page<T>;
  readonly earlier: 'page' | 'next';
}

/** One generation of a page-numbered list: see `List`. */
export class Generation<T extends Identified> implements List<T> {
  readonly pageSize: number;
  /**
   * The first index past the end, for the next generation. It is set if this generation treated a
   * repetition past the end as a page of the list.
   */
  nextPastEndFrom = Number.POSITIVE_INFINITY;

  readonly #upstream: NumberedPages<T>;
  readonly #facts: EndpointFacts;
  readonly #isLast: boolean;
  readonly #reads = new Map<number, Promise<void>>();
  readonly #pages: OrderedPages<T>;
  /** Pages that have been compared with their neighbours: `loaded` returns only these. */
  readonly #compared = new Set<number>();
  readonly #end: ListEnd;
  #total: number | undefined;

  constructor(
    readPage: ReadPage<T>,
    facts: EndpointFacts,
    { isLast, pastEndFrom, newerThan }: GenerationOptions,
  ) {
    this.#upstream = createNumberedPages(readPage, facts, newerThan);
    this.#pages = createOrderedPages({
      fetch: (index, newerThan) => this.#fetch(index, newerThan),
      fetchAgain: (index, newerThan) => this.#upstream.fetchAgain(index, newerThan),
      isRereadPointless: () => this.#upstream.servedStale,
      onMoved: () => this.rejectGeneration(),
    });
    this.#facts = facts;
    this.#isLast = isLast;
    // One generation has one page size, even if another operation observes a new one meanwhile.
    this.pageSize = facts.pageSize;
    this.#end = new ListEnd(facts, this.pageSize, pastEndFrom);
  }

  /** A version newer than this one is newer than all pages of this generation. */
  get latestVersion(): ReadVersion | undefined {
    return this.#upstream.latestVersion;
  }

  async page(index: number): Promise<readonly T[]> {
    return (await this.#read(index)).items;
  }

  loaded(index: number): readonly T[] | undefined {
    return this.#compared.has(index) ? this.#pages.get(index)?.items : undefined;
  }

  get total(): number | undefined {
    return this.#total;
  }

  isKnownEnd(index: number): boolean {
    const page = this.#pages.get(index);
    return page !== undefined && this.#end.isEnd(index, page);
  }

  async count(): Promise<number> {
    if (this.#total !== undefined) return this.#total;
    return (await this.#read(0)).total ?? this.measure();
  }

  get repeatedItems(): number {
    const ids = new Set<string>();
    let items = 0;
    for (const page of this.#pages.all()) {
      items += page.items.length;
      for (const { id } of page.items) ids.add(id);
    }
    return items - ids.size;
  }

  async measure(): Promise<number> {
    const first = await this.#read(0);
    if (first.served === 0) return 0;
    // Page 1 shows whether the upstream caps its pages, and whether page 1 repeats page 0. The
    // search reads page 1 first anyway.
    await this.#read(1);
    const searched = this.#searched();
    const last = await findLastPage(searched);
    const found = await searched.read(last);
    if (usedCache(searched)) {
      // The search may have used cached pages. The response combines the last page with pages that
      // were read in order, so the gateway reads the last page in order, too, and requires the same
      // content.
      const page = await this.#read(last);
      const isComplete = this.#end.isEnd(last, page);
      if (!isIdenticalPage(page, found) || !(await isLastPage(searched, last, { isComplete })))
        this.rejectGeneration();
    }
    if (this.#facts.repeatsLastPage) this.#end.pastEndFrom = last + 1;
    return last * this.pageSize + found.served;
  }

  rejectGeneration(): void {
    if (!this.#isBestEffort) throw new ListMovedError();
  }

  rereadCached(): Promise<void> {
    return this.#pages.rereadCached();
  }

  /** Whether this generation is used as it is: another one would not be more coherent. */
  get #isBestEffort(): boolean {
    return this.#isLast || this.#upstream.servedStale;
  }

  /** @param defaultNewerThan the pages must be newer than this version */
  #searched(defaultNewerThan?: ReadVersion): SearchedPages<T> {
    const visited = new Map<number, Page<T>>();
    const read = async (index: number, newerThan = defaultNewerThan) => {
      const page =
        index >= this.#end.pastEndFrom ? EMPTY_PAGE : await this.#fetch(index, newerThan);
      visited.set(index, page);
      return page;
    };
    return { pageSize: this.pageSize, read, visited };
  }

  async #read(index: number): Promise<Page<T>> {
    await readOnce(this.#reads, index, () => this.#readAndCompare(index));
    return this.#pages.get(index) ?? EMPTY_PAGE;
  }

  async #readAndCompare(index: number): Promise<void> {
    const page = await this.#pageAt(index);
    this.#pages.set(index, page);
    if (page.total !== undefined) {
      if (this.#total !== undefined && this.#total !== page.total) this.rejectGeneration();
      this.#total = page.total;
    }
    await this.#pages.ensureOrder(index - 1);
    await this.#pages.ensureOrder(index);
    await this.#compare(index - 1, { earlier: 'page' });
    await this.#compare(index, { earlier: 'next' });
    await this.#classifyShortPage(index - 1);
    await this.#classifyShortPage(index);
    this.#compared.add(index);
  }

  /** A page as the upstream served it, before the comparison with its neighbours. */
  async #pageAt(index: number): Promise<Page<T>> {
    const isPastTheEnd =
      index >= this.#end.pastEndFrom || (index > 0 && this.isKnownEnd(index - 1));
    return isPastTheEnd ? EMPTY_PAGE : this.#pages.fetch(index);
  }

  async #fetch(index: number, newerThan?: ReadVersion): Promise<Page<T>> {
    const page = await this.#upstream.fetch(index, newerThan);
    if (page.served === this.pageSize) this.#end.hasFullPage = true;
    if (page.served > this.pageSize)
      this.#learnPageSize(Math.max(page.served, this.#facts.maxRequestSize));
    if (index > 0 && page.served === 0 && this.#facts.repeatsLastPage)
      this.#facts.repeatsLastPage = false;
    return page;
  }

  /**
   * Compares two neighbouring pages. They may show the end of the list, or a move of the list
   * between the two reads.
   */
  async #compare(index: number, { earlier }: { readonly earlier: 'page' | 'next' }): Promise<void> {
    const page = this.#pages.get(index);
    const next = this.#pages.get(index + 1);
    if (!page || !next) return;
    if (hasSameItems(next, page)) return this.#handleRepetition(index, { page, next, earlier });
    if (overlapRatio(page, next) > 0 || (page.served === 0 && next.served > 0))
      return this.rejectGeneration();
    const isTotalMissed = next.served === 0 && this.#end.isTotalBeyond(index, page);
    if (isTotalMissed && (await this.#upstream.isFirstPageContradictedByTotal()))
      return this.rejectGeneration();
    if (index === 0 && next.served > 0 && isUncached([page.readVersion, next.readVersion]))
      await this.#upstream.recordDistinctFirstPages();
  }

  /**
   * A short page followed by more items: the upstream caps its pages, the list has moved, or the
   * upstream has left items out of the page (a hole).
   */
  async #classifyShortPage(index: number): Promise<void> {
    const page = this.#pages.get(index);
    if (!page || page.served === 0 || page.served >= this.pageSize || this.#end.isHole(index))
      return;
    const next = this.#pages.get(index + 1);
    const following = next?.served ?? 0;
    if (following === 0 && !this.#end.isTotalBeyond(index, page)) return;
    if (!this.#facts.areHolesTrusted && this.#requireUncached(page, next)) {
      // A capped upstream never serves a page longer than its cap.
      const canBeCapped = following <= page.served && !this.#end.hasFullPage;
      await this.#learnFromShortPage({ index, page, isFollowed: following > 0, canBeCapped });
    }
    this.#end.addHole(index);
  }

  async #learnFromShortPage(short: ShortPage<T>): Promise<void> {
    const reason = await classifyShortPage(this.#upstream, short);
    if (!this.#requireUncached()) return;
    const isKnown = this.#facts.hasHoles || !short.canBeCapped;
    if (reason === 'hole') this.#facts.hasHoles = true;
    if (reason === 'cap') {
      this.#facts.hasHoles = false;
      this.#learnPageSize(short.page.served);
    }
    if (reason !== 'hole' || !isKnown) this.rejectGeneration();
  }

  /**
   * The next page repeats this one: the list ends here or before, or moved by one page between the
   * two reads.
   */
  async #handleRepetition(index: number, { page, next, earlier }: Repetition<T>): Promise<void> {
    if (index === 0 && (await this.#upstream.isFirstPageClamped(next)))
      return this.rejectGeneration();
    const isCertainEnd =
      this.#facts.repeatsLastPage || (earlier === 'page' && page.served < this.pageSize);
    // If the endpoint is known to repeat its last page, cached pages are sufficient evidence. They
    // are not if this page is full and cached, and the next one is not: a whole page may have been
    // inserted between the two reads.
    const canHaveMoved =
      page.served === this.pageSize && page.readVersion?.isCached && !next.readVersion?.isCached;
    const isKnownRepetition = this.#facts.repeatsLastPage && earlier === 'page' && !canHaveMoved;
    if (isKnownRepetition || this.#requireUncached(page, next)) {
      const [rereadIndex, newerThan] = [
        earlier === 'page' ? index : index + 1,
        latestVersion(page.readVersion, next.readVersion),
      ];
      if (
        !isCertainEnd &&
        !hasSameItems(await this.#upstream.fetchAgain(rereadIndex, newerThan), page)
      )
        return this.rejectGeneration();
      // Only a repeated full page is evidence that the endpoint repeats its last page. A repeated
      // short page may also mean that the list moved by a whole page.
      if (page.served >= this.pageSize && this.#requireUncached())
        this.#facts.repeatsLastPage = true;
    }
    this.#end.pastEndFrom = Math.min(this.#end.pastEndFrom, index + 1);
    this.#pages.set(index + 1, EMPTY_PAGE);
    if (earlier === 'page' || this.#isBestEffort) return;
    // The next page was treated as a page of the list, at an index past the end.
    this.nextPastEndFrom =
      1 + (await findLastPage(this.#searched(page.readVersion), { index, page }));
    this.rejectGeneration();
  }

  /**
   * Throws `ListMovedError` if one of the pages comes from the cache, so that the next generation
   * reads all pages again. No fact about the endpoint may be concluded from cached pages: facts
   * outlive this operation, and pages of different ages do not show the upstream's paging.
   * @returns whether all pages are uncached; false if another generation would not be more coherent
   */
  #requireUncached(...pages: readonly (Page<T> | undefined)[]): boolean {
    if (!this.#upstream.servedStale && isUncached(pages.map((page) => page?.readVersion)))
      return true;
    this.rejectGeneration();
    return false;
  }

  #learnPageSize(served: number): void {
    if (this.#facts.pageSize === this.pageSize) this.#facts.pageSize = served;
    this.rejectGeneration();
  }
}
