import type { Identified, Page } from './list.ts';
import { repeats } from './page-content.ts';

interface SearchedPages<T> {
  readonly pageSize: number;
  /** A page by its index. Past the end it is empty, or it repeats the last one. */
  read(index: number): Promise<Page<T>>;
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
    if (page.served === 0 || (end && repeats(page, end))) {
      past = probe;
    } else if (!end && repeats(page, await read(last))) {
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
