import type { EndpointFacts } from './endpoint-facts.ts';
import { findListStart, type ListStart } from './first-page.ts';
import { type Identified, ListMovedError, type Page, type Reading } from './list.ts';
import { EMPTY_PAGE, isOneOf, repeats } from './page-content.ts';
import { isRecent, isTooOld, newest } from './reading.ts';

/** Reads one page by the upstream's own number. */
export type ReadPage<T> = (request: PageQuestion) => Promise<Page<T>>;

export interface PageQuestion {
  readonly page: number;
  readonly pageSize: number;
  /** Nothing will do that was sent before this reading, or is not known to have been sent after it. */
  readonly newerThan?: Reading | undefined;
}

/** The upstream's pages by their index from 0, whatever their numbers. Past the end they are empty, or what the upstream repeats. */
export interface NumberedPages<T> {
  /** A page as it came; asked for once, and once more where what came for an earlier asker is remembered and too old for this one. */
  fetch(index: number, newerThan?: Reading): Promise<Page<T>>;
  /** The page as it is now, after this reading, by the size that is asked for or by another. */
  fetchAgain(index: number, newerThan: Reading | undefined, pageSize?: number): Promise<Page<T>>;
  /** The newest of all readings that have come in, and of those that were too old: what is newer than it is newer than all of them. */
  readonly newest: Reading | undefined;
  /** The upstream has failed, and what is remembered stood in for it although it was too old: to ask again would bring the same. */
  readonly hasStandIn: boolean;
  /**
   * Whether page 1 that repeats page 0 is no end of the list, so far as page 2 shows. Where the number of the first page is not sure, page 0
   * may be page 1 served for a number below it.
   */
  isRepeatedByNumber(one: Page<T>): Promise<boolean>;
  /** Whether a total that the pages do not reach contradicts the number of the first page: then the next generation finds it out again. */
  doubtsByTotal(): Promise<boolean>;
  /** Pages 0 and 1, one after the other, hold different items. */
  seeFirstPages(): Promise<void>;
}

/** @param floor every page has to be newer than this reading */
export function createNumberedPages<T extends Identified>(
  readPage: ReadPage<T>,
  facts: EndpointFacts,
  floor?: Reading,
): NumberedPages<T> {
  return new UpstreamPages(readPage, facts, floor);
}

class UpstreamPages<T extends Identified> implements NumberedPages<T> {
  readonly #readPage: ReadPage<T>;
  readonly #facts: EndpointFacts;
  #floor: Reading | undefined;
  // As long as these pages are read, they are of one size, even if another operation learns a new one meanwhile.
  readonly #sizeOfPages: number;
  readonly #requestSize: number;
  /** Of the first page, which is the same by any size that the upstream caps: so a cap that is gone shows. */
  readonly #firstRequestSize: number;
  readonly #fetched = new Map<number, Promise<Page<T>>>();
  #starting: Promise<ListStart<T>> | undefined;
  #verifying: Promise<ListStart<T>> | undefined;
  #seen: Reading | undefined;
  #hasStandIn = false;

  constructor(readPage: ReadPage<T>, facts: EndpointFacts, floor: Reading | undefined) {
    this.#readPage = readPage;
    this.#facts = facts;
    this.#floor = floor;
    this.#seen = floor;
    this.#sizeOfPages = facts.pageSize;
    this.#requestSize = facts.requestSize;
    this.#firstRequestSize = facts.maxRequestSize;
  }

  get newest(): Reading | undefined {
    return this.#seen;
  }

  get hasStandIn(): boolean {
    return this.#hasStandIn;
  }

  async fetch(index: number, newerThan?: Reading): Promise<Page<T>> {
    const fetched = this.#fetched;
    for (let known = fetched.get(index); known; known = fetched.get(index)) {
      const page = await known;
      if (isRecent(page.reading, newerThan)) return page;
      if (fetched.get(index) === known) fetched.delete(index);
    }
    return remembered(fetched, index, () => this.#fetchFirstTime(index, newerThan));
  }

  async fetchAgain(index: number, newerThan: Reading | undefined, pageSize = this.#sizeOf(index)): Promise<Page<T>> {
    return this.#readIndex(await this.#findStart(), index, pageSize, newerThan);
  }

  async isRepeatedByNumber(one: Page<T>): Promise<boolean> {
    const { firstPage } = await this.#findStart();
    if (firstPage === 1 || this.#facts.isFirstPageFixed) return false;
    if (repeats(await this.fetch(2, one.reading), one)) return false;
    this.#facts.doubtFirstPage();
    return true;
  }

  async doubtsByTotal(): Promise<boolean> {
    const { isSettled } = await this.#findStart();
    if (isSettled) this.#facts.totalsMislead = true;
    if (isSettled || this.#facts.totalsMislead) return false;
    this.#facts.doubtFirstPage();
    return true;
  }

  async seeFirstPages(): Promise<void> {
    const { firstPage, isSettled } = await this.#findStart();
    if (firstPage === 0 && !isSettled) this.#facts.seeFirstPage(0, { isConfirmed: false });
  }

  #sizeOf(index: number): number {
    return index === 0 ? this.#firstRequestSize : this.#requestSize;
  }

  #findStart(isAtStart = true): Promise<ListStart<T>> {
    this.#starting ??= this.#lookForStart(isAtStart).catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async #lookForStart(isAtStart: boolean): Promise<ListStart<T>> {
    const read = (page: number, newerThan: Reading | undefined) => this.#read({ page, pageSize: this.#requestSize, newerThan });
    const start = await findListStart(read, this.#facts, { isAtStart });
    this.#floor = newest(this.#floor, start.floor);
    return start;
  }

  /** Only at the start of a list does a wrong 0 show: elsewhere it is verified first. */
  async #findStartFor(index: number): Promise<ListStart<T>> {
    const isAtStart = index === 0 || this.#fetched.has(index - 1);
    const start = await this.#findStart(isAtStart);
    if (isAtStart || start.isSettled || start.firstPage === 1 || this.#facts.isFirstPageTrusted) return start;
    this.#verifying ??= this.#lookForStart(false).catch((error: unknown) => {
      this.#verifying = undefined;
      throw error;
    });
    const { isSettled } = await this.#verifying;
    if (this.#facts.firstPage === 1) throw new ListMovedError();
    return { ...start, isSettled };
  }

  async #fetchFirstTime(index: number, newerThan: Reading | undefined): Promise<Page<T>> {
    const start = await this.#findStartFor(index);
    const known = start.read.get(0)?.served === 0 ? EMPTY_PAGE : start.read.get(index);
    if (known && isRecent(known.reading, newerThan)) return this.#checked(index, known);
    return index === 0 && !start.isSettled
      ? this.#readFirst(start, newerThan)
      : this.#readIndex(start, index, this.#sizeOf(index), newerThan);
  }

  /** Where the first page is refused or empty, its number may be wrong: then the other number holds a page. */
  async #readFirst(start: ListStart<T>, newerThan: Reading | undefined): Promise<Page<T>> {
    let page: Page<T>;
    try {
      page = await this.#readIndex(start, 0, this.#sizeOf(0), newerThan);
    } catch (error) {
      const isRefusal = isOneOf(error, start.firstPage === 0 ? [400, 422] : [400, 404, 422]);
      if (isRefusal && (await this.#isOtherNumberServed(start))) throw this.#toMoved();
      throw error;
    }
    if (page.served > 0) {
      if (start.firstPage === 0 && !this.#facts.servesPageZero) this.#facts.servesPageZero = true;
      return page;
    }
    const isSure = (start.firstPage === 0 ? this.#facts.servesPageZero : this.#facts.isFirstPageTrusted) && !page.total;
    if (!isSure && (await this.#isOtherNumberServed(start))) throw this.#toMoved();
    return page;
  }

  async #isOtherNumberServed({ firstPage }: ListStart<T>): Promise<boolean> {
    try {
      const other = await this.#read({ page: 1 - firstPage, pageSize: this.#requestSize, newerThan: this.#seen });
      return other.served > 0;
    } catch (error) {
      if (isOneOf(error, [400, 404, 422])) return false;
      throw error;
    }
  }

  #toMoved(): ListMovedError {
    this.#facts.doubtFirstPage();
    return new ListMovedError();
  }

  async #readIndex({ firstPage }: ListStart<T>, index: number, pageSize: number, newerThan: Reading | undefined) {
    try {
      return this.#checked(index, await this.#read({ page: firstPage + index, pageSize, newerThan }));
    } catch (error) {
      if (index > 0 && isOneOf(error, [400, 404])) return EMPTY_PAGE;
      throw error;
    }
  }

  /** A total that is smaller than what has been served is none. */
  #checked(index: number, page: Page<T>): Page<T> {
    const reached = index * this.#sizeOfPages + page.served;
    const isTotalFalse = page.total !== undefined && page.served > 0 && page.total < reached;
    return isTotalFalse ? { ...page, total: undefined } : page;
  }

  async #read(question: PageQuestion): Promise<Page<T>> {
    const newerThan = newest(this.#floor, question.newerThan);
    const page = await this.#readPage({ ...question, newerThan });
    const { reading } = page;
    this.#seen = newest(this.#seen, reading);
    this.#hasStandIn ||= isTooOld(reading, newerThan);
    return page;
  }
}

/** Reads once, and again only after a failure. */
export function remembered<V>(promises: Map<number, Promise<V>>, index: number, read: () => Promise<V>): Promise<V> {
  const known = promises.get(index);
  if (known) return known;
  const reading = read();
  promises.set(index, reading);
  reading.catch(() => {
    if (promises.get(index) === reading) promises.delete(index);
  });
  return reading;
}
