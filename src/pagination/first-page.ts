import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page } from './list.ts';
import { EMPTY_PAGE, isOneOf, repeats, sharedShare } from './page-content.ts';

/** The start of a list: which number the upstream gives to its first page, and what was read on the way, by index from 0. */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  readonly read: ReadonlyMap<number, Page<T>>;
}

/**
 * Finds out whether pages are numbered from 0 or from 1, and keeps it in `facts`, where it holds for everyone.
 *
 * From 1: page 0 is refused (400, 422) while page 1 is not, or empty while page 1 is not, or served as page 1 (a clamped number).
 * Else from 0. It takes at most two requests, and a third where page 0 is served as page 1: that could as well be a list of one page,
 * numbered from 0, whose numbers are clamped past the end, and only page 2 tells one from the other.
 *
 * Nothing is concluded from any other failure, which is thrown, nor from a list that reads the same either way.
 */
export async function findListStart<T extends Identified>(
  readNumber: (page: number) => Promise<Page<T>>,
  facts: EndpointFacts,
): Promise<ListStart<T>> {
  if (facts.firstPage !== undefined) return { firstPage: facts.firstPage, read: new Map() };
  const readOrEmpty = (page: number) =>
    readNumber(page).catch((error: unknown) => {
      if (isOneOf(error, [400, 404])) return EMPTY_PAGE;
      throw error;
    });

  const zero = await readNumber(0).catch((error: unknown) => {
    if (isOneOf(error, [400, 422])) return undefined;
    throw error;
  });
  if (!zero) {
    // Refused: its number, or something else in the request. Then page 1 is refused as well, and that is thrown.
    const one = await readNumber(1);
    if (one.served > 0) facts.firstPage = 1;
    return { firstPage: 1, read: new Map([[0, one]]) };
  }

  const one = await readOrEmpty(1);
  if (zero.served === 0) {
    if (one.served > 0) facts.firstPage = 1;
    return { firstPage: one.served > 0 ? 1 : 0, read: new Map([[0, one]]) };
  }
  if (!isServedAs(zero, one)) {
    facts.firstPage = 0;
    return { firstPage: 0, read: new Map([[0, zero]]).set(1, one) };
  }

  const two = await readOrEmpty(2);
  if (!repeats(two, one)) facts.firstPage = 1;
  return { firstPage: 1, read: new Map([[0, one]]).set(1, two) };
}

/**
 * Whether the second read is the first page again. It begins as the first read did, but for what came in on top between the two; a
 * second page that the list has moved onto shares items with the first one, too, but never the topmost.
 */
function isServedAs<T extends Identified>(first: Page<T>, again: Page<T>): boolean {
  const topmost = first.items[0]?.id;
  return sharedShare(first, again) > 0.5 && again.items.some(({ id }) => id === topmost);
}
