import type { EndpointFacts } from './endpoint-facts.ts';
import { findLastPage } from './last-page.ts';
import { type Identified, type List, ListMovedError, type ListSource, type Page } from './list.ts';
import { createNumberedPages, type NumberedPages, type ReadPage, remembered } from './numbered-pages.ts';
import { EMPTY_PAGE, repeats, sharedShare } from './page-content.ts';

/** After so many generations the list moves faster than it can be read, and the answer makes do with what it has. */
const LAST_GENERATION = 3;

/**
 * A page-numbered list. It finds out, when it matters, the number of the first page, the real page size and the end of the list,
 * and keeps in `facts` what is true of the endpoint.
 *
 * Past the end is an empty page, a 400 or 404 beyond the first page, or a page that repeats the one before it.
 */
export function createPagedList<T extends Identified>(readPage: ReadPage<T>, facts: EndpointFacts): ListSource<T> {
  let generation = 0;
  let current = new Generation(readPage, facts, { isLast: false, pastEndFrom: Number.POSITIVE_INFINITY });
  return {
    current: () => current,
    renew(list) {
      if (list === current) {
        generation += 1;
        const isLast = generation >= LAST_GENERATION;
        current = new Generation(readPage, facts, { isLast, pastEndFrom: current.endForNext });
      }
      return current;
    },
  };
}

class Generation<T extends Identified> implements List<T> {
  readonly pageSize: number;
  /** Where the list ends for the next generation, if this one took repetitions past the end for pages of the list. */
  endForNext = Number.POSITIVE_INFINITY;

  readonly #upstream: NumberedPages<T>;
  readonly #facts: EndpointFacts;
  readonly #isLast: boolean;
  /** Pages that have been compared with their neighbours: only these are shown. */
  readonly #reads = new Map<number, Promise<void>>();
  readonly #pages = new Map<number, Page<T>>();
  /** Short pages that are followed by more, although the upstream serves full pages too: they prove nothing. */
  readonly #holes = new Set<number>();
  /** Pages from this index on repeat the one before: known only of upstreams that clamp page numbers. */
  #pastEndFrom: number;
  #total: number | undefined;
  #hasFullPage = false;

  constructor(
    readPage: ReadPage<T>,
    facts: EndpointFacts,
    { isLast, pastEndFrom }: { readonly isLast: boolean; readonly pastEndFrom: number },
  ) {
    this.#upstream = createNumberedPages(readPage, facts);
    this.#facts = facts;
    this.#isLast = isLast;
    this.#pastEndFrom = pastEndFrom;
    // One generation has one page size, even if another operation learns a new one meanwhile.
    this.pageSize = facts.pageSize;
  }

  async page(index: number): Promise<readonly T[]> {
    return (await this.#read(index)).items;
  }

  loaded(index: number): readonly T[] | undefined {
    return this.#pages.get(index)?.items;
  }

  get total(): number | undefined {
    return this.#total;
  }

  isKnownEnd(index: number): boolean {
    const page = this.#pages.get(index);
    return page !== undefined && this.#isEnd(index, page);
  }

  async count(): Promise<number> {
    if (this.#total !== undefined) return this.#total;
    return (await this.#read(0)).total ?? this.measure();
  }

  async measure(): Promise<number> {
    const first = await this.#read(0);
    if (first.served === 0) return 0;
    // A short page may be a capped one. The page after it tells, and is the first to be probed anyway.
    if (first.served < this.pageSize) await this.#read(1);
    const last = await findLastPage(this.#searched());
    if (this.#facts.repeatsLastPage) this.#pastEndFrom = last + 1;
    return last * this.pageSize + (await this.#fetch(last)).served;
  }

  reportOverlap(): void {
    if (!this.#isLast) throw new ListMovedError();
  }

  #searched() {
    const read = async (index: number) => (index >= this.#pastEndFrom ? EMPTY_PAGE : this.#fetch(index));
    return { pageSize: this.pageSize, read };
  }

  #isEnd(index: number, page: Page<T>): boolean {
    if (page.served === 0 || index + 1 >= this.#pastEndFrom) return true;
    if (page.total !== undefined) return index * this.pageSize + page.served >= page.total;
    // A full page of the same generation shows that the upstream serves what is asked for, and saves the request that would prove the
    // end; unless this endpoint has been seen to leave holes in its pages.
    return page.served < this.pageSize && this.#hasFullPage && !this.#facts.leavesHoles;
  }

  async #read(index: number): Promise<Page<T>> {
    await remembered(this.#reads, index, () => this.#readAndCompare(index));
    return this.#pages.get(index) ?? EMPTY_PAGE;
  }

  async #readAndCompare(index: number): Promise<void> {
    const page = await this.#pageAt(index);
    this.#pages.set(index, page);
    if (page.total !== undefined) {
      if (this.#total !== undefined && this.#total !== page.total) this.reportOverlap();
      this.#total = page.total;
    }
    await this.#compare(index - 1, { earlier: 'page' });
    await this.#compare(index, { earlier: 'next' });
    await this.#explainShortness(index - 1);
    await this.#explainShortness(index);
  }

  /** A page as it came, not compared with any other. */
  async #pageAt(index: number): Promise<Page<T>> {
    const isPastTheEnd = index >= this.#pastEndFrom || (index > 0 && this.isKnownEnd(index - 1));
    return isPastTheEnd ? EMPTY_PAGE : this.#fetch(index);
  }

  async #fetch(index: number): Promise<Page<T>> {
    const page = await this.#upstream.fetch(index);
    if (page.served === this.pageSize) this.#hasFullPage = true;
    if (page.served > this.pageSize) this.#learnPageSize(page.served);
    return page;
  }

  /** Draws from two neighbouring pages what they say of the end of the list, and of its moving between the two reads. */
  async #compare(index: number, { earlier }: { readonly earlier: 'page' | 'next' }): Promise<void> {
    const page = this.#pages.get(index);
    const next = this.#pages.get(index + 1);
    if (!page || !next) return;
    if (repeats(next, page)) return this.#repeated(index, page, earlier);
    if (sharedShare(page, next) > 0 || (page.served === 0 && next.served > 0)) this.reportOverlap();
  }

  /** A short page that is followed by more: the upstream caps its pages, or the list moved, or the page has a hole. */
  async #explainShortness(index: number): Promise<void> {
    const page = this.#pages.get(index);
    if (!page || page.served === 0 || page.served >= this.pageSize || this.#holes.has(index)) return;
    const following = this.#pages.get(index + 1)?.served ?? 0;
    const isFollowed = following > 0 || (page.total !== undefined && index * this.pageSize + page.served < page.total);
    if (!isFollowed) return;
    // A capped upstream never serves a page longer than its cap.
    if (following > page.served || this.#hasFullPage) this.#facts.leavesHoles = true;
    if (this.#facts.leavesHoles) {
      this.#holes.add(index);
      return;
    }
    const again = await this.#upstream.fetchAgain(index);
    if (again.served === page.served) {
      if (await this.#isCapped(index === 0 ? again : await this.#upstream.fetchAgain(0), page.served))
        this.#learnPageSize(page.served);
      else this.#facts.leavesHoles = true;
    }
    this.reportOverlap();
    this.#holes.add(index);
  }

  /**
   * Whether the upstream serves so many items at most. Then the first page is as short; and when no more is asked for, the second one
   * shares nothing with it. Where a hole or a filter made the page short, the second would stand within the first.
   */
  async #isCapped(first: Page<T>, served: number): Promise<boolean> {
    if (first.served !== served) return false;
    const second = await this.#upstream.fetchAgain(1, served);
    return second.served > 0 && sharedShare(first, second) === 0;
  }

  /** The next page repeats this one: the list ends here or before, or it moved by a page between the two reads. */
  async #repeated(index: number, page: Page<T>, earlier: 'page' | 'next'): Promise<void> {
    const isSurelyTheEnd = this.#facts.repeatsLastPage || (earlier === 'page' && page.served < this.pageSize);
    if (!isSurelyTheEnd && !repeats(await this.#upstream.fetchAgain(earlier === 'page' ? index : index + 1), page)) {
      return this.reportOverlap();
    }
    this.#facts.repeatsLastPage = true;
    this.#pastEndFrom = Math.min(this.#pastEndFrom, index + 1);
    this.#pages.set(index + 1, EMPTY_PAGE);
    if (earlier === 'page' || this.#isLast) return;
    // The next page has been taken for a page of the list, at a place that does not exist.
    this.endForNext = 1 + (await findLastPage(this.#searched(), { index, page }));
    this.reportOverlap();
  }

  #learnPageSize(served: number): void {
    if (this.#facts.pageSize === this.pageSize) {
      this.#facts.pageSize = served;
      this.#facts.requestSize = Math.min(this.#facts.requestSize, served);
    }
    this.reportOverlap();
  }
}
