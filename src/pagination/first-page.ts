import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page, Reading } from './list.ts';
import { EMPTY_PAGE, isOneOf, repeats, sharedShare } from './page-content.ts';
import { isFirsthand, newest } from './reading.ts';

/** The start of a list: which number the upstream gives to its first page, and what was read on the way, by index from 0. */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  readonly read: ReadonlyMap<number, Page<T>>;
}

type ReadNumber<T> = (page: number, newerThan: Reading | undefined) => Promise<Page<T>>;

/**
 * Finds out whether pages are numbered from 0 or from 1, and keeps it in `facts`, where it holds for everyone.
 *
 * From 1: page 0 is refused (400, 422) while page 1 is not, or empty while page 1 is not, or served as page 1 (a clamped number).
 * Else from 0. It takes at most two requests, and a third where page 0 is served as page 1: that could as well be a list of one page,
 * numbered from 0, whose numbers are clamped past the end, and only page 2 tells one from the other.
 *
 * Nothing is concluded from any other failure, which is thrown, nor from a list that reads the same either way. What is remembered may
 * be as old as it likes where nothing is concluded from it; else it is read anew first.
 */
export async function findListStart<T extends Identified>(
  readNumber: ReadNumber<T>,
  facts: EndpointFacts,
): Promise<ListStart<T>> {
  if (facts.firstPage === undefined) await facts.recallFirstPage();
  if (facts.firstPage !== undefined) return { firstPage: facts.firstPage, read: new Map() };
  const look = await lookAtStart(readNumber, undefined);
  // Who asked at the same time may have been quicker.
  if (facts.firstPage !== undefined) return toStart(facts.firstPage, look.pages);
  if (!look.isProof) return toStart(look.firstPage, look.pages);

  const readings = readingsOf(look);
  const proof = isFirsthand(readings) ? look : await lookAtStart(readNumber, readings.reduce(newest, undefined));
  // It is from memory again where that stands in for an upstream that fails.
  if (proof.isProof && isFirsthand(readingsOf(proof))) facts.learnFirstPage(proof.firstPage);
  return toStart(proof.firstPage, proof.pages);
}

/** What the first numbers hold, and what that says. */
interface Look<T> {
  readonly firstPage: 0 | 1;
  /** Whether the list would not read the same, numbered the other way. */
  readonly isProof: boolean;
  /** By their numbers, but for a page 0 that was refused. */
  readonly pages: ReadonlyMap<number, Page<T>>;
}

/** Reads each page after the one before. */
async function lookAtStart<T extends Identified>(readNumber: ReadNumber<T>, newerThan: Reading | undefined): Promise<Look<T>> {
  const pages = new Map<number, Page<T>>();
  let last = newerThan;
  const read = async (number: number) => {
    const page = await readNumber(number, last);
    last = page.reading ?? last;
    pages.set(number, page);
    return page;
  };
  const readOrEmpty = (number: number) =>
    read(number).catch((error: unknown) => {
      if (!isOneOf(error, [400, 404])) throw error;
      pages.set(number, EMPTY_PAGE);
      return EMPTY_PAGE;
    });

  const zero = await read(0).catch((error: unknown) => {
    if (isOneOf(error, [400, 422])) return undefined;
    throw error;
  });
  if (!zero) {
    // Refused: its number, or something else in the request. Then page 1 is refused as well, and that is thrown.
    const one = await read(1);
    return { firstPage: 1, isProof: one.served > 0, pages };
  }
  const one = await readOrEmpty(1);
  if (zero.served === 0) return { firstPage: one.served > 0 ? 1 : 0, isProof: one.served > 0, pages };
  if (!isServedAs(zero, one)) return { firstPage: 0, isProof: true, pages };
  const two = await readOrEmpty(2);
  return { firstPage: 1, isProof: !repeats(two, one), pages };
}

/**
 * Whether the second read is the first page again. It begins as the first read did, but for what came in on top between the two; a
 * second page that the list has moved onto shares items with the first one, too, but never the topmost.
 */
function isServedAs<T extends Identified>(first: Page<T>, again: Page<T>): boolean {
  const topmost = first.items[0]?.id;
  return sharedShare(first, again) > 0.5 && again.items.some(({ id }) => id === topmost);
}

function readingsOf({ pages }: Look<unknown>): (Reading | undefined)[] {
  return [...pages.values()].map(({ reading }) => reading);
}

function toStart<T>(firstPage: 0 | 1, pages: Look<T>['pages']): ListStart<T> {
  const read = [...pages].flatMap(([number, page]) => (number < firstPage ? [] : [[number - firstPage, page] as const]));
  return { firstPage, read: new Map(read) };
}
