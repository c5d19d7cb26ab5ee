import type { Identified, Page, ReadVersion } from './list.ts';
import { hasSameItems, isIdenticalPage, overlapRatio } from './page-content.ts';
import { latestVersion } from './read-version.ts';

export interface SearchedPages<T> {
  readonly pageSize: number;
  /** A page by its index. Past the end it is empty, or it repeats the last one. */
  read(index: number, newerThan?: ReadVersion): Promise<Page<T>>;
  /** What has been read, by index. */
  readonly visited: ReadonlyMap<number, Page<T>>;
}

/**
 * Finds the last page of a list that is not empty, by a galloping search over page numbers: about 2·log₂(pages) requests.
 * @param repetition a page that is known to be the last one, or to repeat it: then it is searched only upwards from there
 */
export async function findLastPage<T extends Identified>(
  { read, pageSize }: SearchedPages<T>,
  repetition?: { readonly index: number; readonly page: Page<T> },
): Promise<number> {
  /** What the last page holds, as soon as that is known. Pages that hold the same stand past the end, but for the first of them. */
  let end = repetition?.page;
  /** The nearest page known to be empty or to hold the end, and the farthest two known to be neither, if they differ from each other. */
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
        // Most likely the last one: the next page tells.
        probe += 1;
        continue;
      }
    }
    probe = past === Number.POSITIVE_INFINITY ? last * 2 : Math.floor((last + past) / 2);
  }
  return end && (await read(past)).served > 0 ? past : last;
}

/** Whether the search looked at pages that are only remembered. */
export function usedCache({ visited }: SearchedPages<unknown>): boolean {
  return [...visited.values()].some(({ readVersion }) => readVersion?.isCached);
}

/**
 * Whether a page that was found to be the last one is, though pages that were looked at may be older than others: one that was empty
 * then says nothing of what the list has pushed onto it since, and one that held the end then may stand past the end now. Where what
 * decides was read last, it costs nothing.
 * @param isComplete the page says by itself that nothing follows
 */
export async function isLastPage<T extends Identified>(
  { read, visited }: SearchedPages<T>,
  last: number,
  { isComplete }: { readonly isComplete: boolean },
): Promise<boolean> {
  const page = await read(last);
  if (visited.get(last + 1)?.served === 0) return isComplete || (await read(last + 1, page.readVersion)).served === 0;
  if (last === 0) return true;
  // Pages past the end repeat the last one. The page before tells that this is none of them, if it was read after all that does repeat it.
  const others = [...visited].filter(([index]) => index < last - 1 || index > last).map(([, { readVersion }]) => readVersion);
  const before = await read(last - 1, others.reduce(latestVersion, undefined));
  const again = await read(last, before.readVersion);
  return isIdenticalPage(again, page) && overlapRatio(again, before) === 0;
}
