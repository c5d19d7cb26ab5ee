import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page } from './list.ts';
import { EMPTY_PAGE, isOneOf, sharedShare } from './page-content.ts';

/** The start of a list: which number the upstream gives to its first page, and what was read on the way, by index from 0. */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  /** False: the list may have but one page, which then stands under both numbers. A second page proves it (`judgeSecondPage`). */
  readonly isProven: boolean;
  readonly read: ReadonlyMap<number, Page<T>>;
}

/**
 * Finds out whether pages are numbered from 0 or from 1, at a cost of at most two requests, and keeps it in `facts`.
 *
 * From 1: page 0 is refused (400, 422), or empty while page 1 is not, or holds mostly what page 1 holds (a clamped number).
 * Else from 0. Nothing is concluded from any other failure, which is thrown, nor from an empty list, nor from a list that fits
 * one page and stands under both numbers: that is also how pages numbered from 0 look where numbers past the end are clamped.
 */
export async function findListStart<T extends Identified>(
  readNumber: (page: number) => Promise<Page<T>>,
  facts: EndpointFacts,
): Promise<ListStart<T>> {
  if (facts.firstPage !== undefined) return { firstPage: facts.firstPage, isProven: true, read: new Map() };
  const { pageSize } = facts;

  const zero = await readNumber(0).catch((error: unknown) => {
    if (isOneOf(error, [400, 422])) return undefined;
    throw error;
  });
  if (!zero) {
    facts.firstPage = 1;
    return { firstPage: 1, isProven: true, read: new Map() };
  }
  const one = await readNumber(1).catch((error: unknown) => {
    if (isOneOf(error, [400, 404])) return EMPTY_PAGE;
    throw error;
  });

  if (zero.served === 0 && one.served === 0) return { firstPage: 0, isProven: false, read: new Map([[0, EMPTY_PAGE]]) };
  if (zero.served === 0) {
    facts.firstPage = 1;
    return { firstPage: 1, isProven: true, read: new Map([[0, one]]) };
  }
  if (sharedShare(zero, one) > 0.5) {
    const isLonger = one.total === undefined ? undefined : one.total > pageSize;
    if (isLonger ?? one.served >= pageSize) facts.firstPage = 1;
    return { firstPage: 1, isProven: isLonger === true, read: new Map([[0, one]]) };
  }
  facts.firstPage = 0;
  const read = new Map([
    [0, zero],
    [1, one],
  ]);
  return { firstPage: 0, isProven: true, read };
}

/** Settles an unproven `ListStart` by the page after the first: if it brings more, the number was right, else nothing is known. */
export function judgeSecondPage<T extends Identified>(
  { firstPage, read }: ListStart<T>,
  second: Page<T>,
  facts: EndpointFacts,
): void {
  const bringsMore = second.served > 0 && sharedShare(second, read.get(0) ?? EMPTY_PAGE) === 0;
  facts.firstPage = bringsMore ? firstPage : undefined;
}
