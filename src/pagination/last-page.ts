import type { ReadVersion } from '#rest/upstream-request.ts';
import type { Identified, Page } from './list.ts';
import { hasSameItems, isIdenticalPage, overlapRatio } from './page-content.ts';
import { latestVersion } from './read-version.ts';

export interface SearchedPages<T> {
  readonly pageSize: number;
  /** Reads a page by its index. A page past the end is empty or repeats the last one. */
  read(index: number, newerThan?: ReadVersion): Promise<Page<T>>;
  /** The pages that the search has read, by index. */
  readonly visited: ReadonlyMap<number, Page<T>>;
}

/**
 * Finds the last page of a list that is not empty, by a galloping search over page numbers: about
 * 2·log₂(pages) requests.
 * @param repetition a page that is known to be the last one or to repeat it: then the search reads
 *   only earlier pages
 */
export async function findLastPage<T extends Identified>(
  { read, pageSize }: SearchedPages<T>,
  repetition?: { readonly index: number; readonly page: Page<T> },
): Promise<number> {
  /**
   * The content of the last page, once it is known. All pages with this content except the first
   * are past the end.
   */
  let end = repetition?.page;
  /**
   * `past`: the lowest index known to be empty or to have the content of the last page. `last`: the
   * highest index below `past` that the search has reached. `beforeLast`: the previous value of
   * `last`. `last` and `beforeLast` are -1 if there is no such index.
   */
  let past = repetition?.index ?? Number.POSITIVE_INFINITY;
  let last = repetition ? -1 : 0;
  let beforeLast = -1;
  let probe = repetition ? past - 1 : 1;

  while (last + 1 < past) {
    const page = await read(probe);
    if (page.served === 0 || (end && hasSameItems(page, end))) {
      past = probe;
    } else if (!end && hasSameItems(page, await read(last))) {
      end = page;
      past = last;
      last = beforeLast;
    } else {
      beforeLast = last;
      last = probe;
      if (!end && page.served < pageSize) {
        // A short page is most likely the last one: the next page confirms it.
        probe += 1;
        continue;
      }
    }
    probe = past === Number.POSITIVE_INFINITY ? last * 2 : Math.floor((last + past) / 2);
  }
  return end && (await read(past)).served > 0 ? past : last;
}

/** Whether the search has used cached pages. */
export function usedCache({ visited }: SearchedPages<unknown>): boolean {
  return [...visited.values()].some(({ readVersion }) => readVersion?.isCached);
}

/**
 * Verifies that the found page is the last one, because the search may have used pages of different
 * ages. Insertions may have moved items onto a page that was empty when it was read. A page that
 * was the last one when it was read may now be past the end. If the decisive pages were read last,
 * the verification costs no request.
 * @param isComplete the page itself shows that no item follows
 */
export async function isLastPage<T extends Identified>(
  { read, visited }: SearchedPages<T>,
  last: number,
  { isComplete }: { readonly isComplete: boolean },
): Promise<boolean> {
  const page = await read(last);
  if (visited.get(last + 1)?.served === 0)
    return isComplete || (await read(last + 1, page.readVersion)).served === 0;
  if (last === 0) return true;
  // Pages past the end repeat the last one, so the page at `last` may be a repetition. To exclude
  // this, the gateway reads the page before `last` newer than all other visited pages, and then the
  // page at `last` newer than that page. The two pages must have no common item.
  const others = [...visited]
    .filter(([index]) => index < last - 1 || index > last)
    .map(([, { readVersion }]) => readVersion);
  const before = await read(last - 1, others.reduce(latestVersion, undefined));
  const again = await read(last, before.readVersion);
  return isIdenticalPage(again, page) && overlapRatio(again, before) === 0;
}
