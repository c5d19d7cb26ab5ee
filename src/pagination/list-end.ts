import type { EndpointFacts } from './endpoint-facts.ts';
import type { Page } from './list.ts';

/** The end of the list, as the pages of one generation show it. */
export class ListEnd {
  /**
   * The first index past the end: pages from this index on repeat the last page. Infinity until a
   * repetition is found.
   */
  pastEndFrom: number;
  hasFullPage = false;
  readonly #pageSize: number;
  readonly #facts: EndpointFacts;
  /**
   * Short pages followed by more items, although the upstream also serves full pages: they do not
   * prove the end. Undefined for most lists, which have none.
   */
  #holes: Set<number> | undefined;

  constructor(facts: EndpointFacts, pageSize: number, pastEndFrom: number) {
    this.#facts = facts;
    this.#pageSize = pageSize;
    this.pastEndFrom = pastEndFrom;
  }

  /** Whether no item follows this page. */
  isEnd(index: number, page: Page<unknown>): boolean {
    if (page.served === 0 || index + 1 >= this.pastEndFrom) return true;
    if (page.total !== undefined) return !this.isTotalBeyond(index, page);
    // A full page of the same generation shows that the upstream serves the requested page size,
    // and saves the request that would prove the end; unless this endpoint is known to leave holes.
    return (
      page.served < this.#pageSize &&
      this.hasFullPage &&
      !this.#facts.hasHoles &&
      !this.isHole(index)
    );
  }

  /** Whether the reported total counts items after this page. */
  isTotalBeyond(index: number, { served, total }: Page<unknown>): boolean {
    return total !== undefined && index * this.#pageSize + served < total;
  }

  isHole(index: number): boolean {
    return this.#holes?.has(index) ?? false;
  }

  addHole(index: number): void {
    this.#holes ??= new Set();
    this.#holes.add(index);
  }
}
