import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page, Reading } from './list.ts';
import { EMPTY_PAGE, isOneOf, repeats, sharedShare } from './page-content.ts';
import { isFirsthand, newest } from './reading.ts';

/** The start of a list: which number the upstream gives to its first page, and what was read on the way, by index from 0. */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  readonly read: ReadonlyMap<number, Page<T>>;
  /** The number is configured, or this operation has looked: then nothing that is served contradicts it. */
  readonly isSettled: boolean;
  /** The list has moved since: pages read from now on must be newer than this. */
  readonly floor?: Reading | undefined;
}

type ReadNumber<T> = (page: number, newerThan: Reading | undefined) => Promise<Page<T>>;

/** After so many looks the list moves faster than it can be read. */
const MAX_LOOKS = 3;

/**
 * Finds out whether pages are numbered from 0 or from 1, for the credential that asks.
 *
 * From 1: page 0 is refused (400, 422) while page 1 is not, or empty while page 1 is not, or served as page 1 (a clamped number).
 * Else from 0. It takes two requests, and a third where page 0 is served as page 1: that could as well be a list of one page, numbered
 * from 0, whose numbers are clamped past the end, and only page 2 shows the difference.
 *
 * A list that moves between two requests, or a single odd answer, can make 0 look like 1. A wrong 1 loses a page, so page 0 is read once
 * more before 1 is concluded; a wrong 0 shows at the start of a list. Once the number is trusted, a look verifies it from time to time.
 *
 * Nothing is concluded from any other failure, which is thrown, nor from a list that reads the same either way. Such a list is read
 * from 0. What is remembered may be as old as it likes where nothing is concluded from it; else it is read again first.
 * @param isAtStart the list is read from its start
 */
export async function findListStart<T extends Identified>(
  readNumber: ReadNumber<T>,
  facts: EndpointFacts,
  { isAtStart }: { readonly isAtStart: boolean },
): Promise<ListStart<T>> {
  const needsLook = await facts.needsFirstPageLook(isAtStart);
  const { firstPage } = facts;
  if (firstPage !== undefined && !needsLook) return { firstPage, read: new Map(), isSettled: facts.isFirstPageFixed };
  let hasLooked = false;
  try {
    const start = await findOut(readNumber, facts);
    hasLooked = true;
    return start;
  } finally {
    facts.endFirstPageLook({ hasLooked });
  }
}

async function findOut<T extends Identified>(readNumber: ReadNumber<T>, facts: EndpointFacts): Promise<ListStart<T>> {
  const { firstPage: believed, isFirstPageTrusted: wasTrusted } = facts;
  /** Another operation may be quicker. */
  const findMeanwhile = () => (!wasTrusted && facts.isFirstPageTrusted ? facts.firstPage : undefined);
  let newerThan: Reading | undefined;
  for (let looks = 1; ; looks += 1) {
    const first = await lookAtStart(readNumber, newerThan);
    const meanwhile = findMeanwhile();
    if (meanwhile !== undefined) return toStart({ ...first, firstPage: meanwhile }, newerThan);
    if (!first.isProof) return toStart(first, newerThan);
    const isFresh = isFirsthand(readingsOf(first));
    const seen = isFresh ? first : await lookAtStart(readNumber, readingsOf(first).reduce(newest, undefined));
    // It is from memory again where that stands in for an upstream that fails.
    if (!seen.isProof || !(isFresh || isFirsthand(readingsOf(seen)))) return toStart(seen, newerThan);
    if (seen.firstPage === 0 || believed === 1) return conclude(seen, facts, newerThan);

    const again = await readAgain(seen, readNumber);
    if (again.isSame) return conclude(seen, facts, again.newest);
    newerThan = again.newest;
    // From 0 nothing is lost.
    if (looks === MAX_LOOKS) return again.zero?.served ? fromZero(again.zero, newerThan) : toStart(seen, newerThan);
  }
}

interface Again<T> {
  readonly zero: Page<T> | undefined;
  /** Whether number 0 is answered as it was before number 1. */
  readonly isSame: boolean;
  readonly newest: Reading | undefined;
}

async function readAgain<T extends Identified>(seen: Look<T>, readNumber: ReadNumber<T>): Promise<Again<T>> {
  const last = readingsOf(seen).reduce(newest, undefined);
  const zero = await readZero(readNumber, last);
  const newerThan = newest(last, zero?.reading);
  if (!zero) return { zero, isSame: seen.zero === 'refused', newest: newerThan };
  if (zero.served === 0) return { zero, isSame: seen.zero === 'empty', newest: newerThan };
  if (seen.zero !== 'page 1' || !isServedAs(seen.one, zero)) return { zero, isSame: false, newest: newerThan };
  // A list of one page that grew before page 2 was read looks the same, until page 1 is read again.
  const one = await readNumber(1, newerThan);
  return { zero, isSame: isServedAs(zero, one), newest: newest(newerThan, one.reading) };
}

function conclude<T>(seen: Look<T>, facts: EndpointFacts, floor: Reading | undefined): ListStart<T> {
  facts.seeFirstPage(seen.firstPage, { isConfirmed: seen.firstPage === 1 });
  return toStart(seen, floor);
}

/** How number 0 is answered, beside number 1. */
type Zero = 'refused' | 'empty' | 'page 1' | 'a page of its own';

/** What the first numbers hold, and what that says. */
interface Look<T> {
  readonly zero: Zero;
  readonly one: Page<T>;
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
  const keep = (number: number, page: Page<T>) => {
    last = page.reading ?? last;
    pages.set(number, page);
    return page;
  };
  const readOrEmpty = (number: number) =>
    readNumber(number, last).catch((error: unknown) => {
      if (!isOneOf(error, [400, 404])) throw error;
      return EMPTY_PAGE;
    });

  const zeroPage = await readZero(readNumber, last);
  if (zeroPage) keep(0, zeroPage);
  // Where 0 is refused, it is its number, or something else in the request. Then page 1 is refused as well, and that is thrown.
  const one = keep(1, await (zeroPage ? readOrEmpty(1) : readNumber(1, last)));
  const zero = toZero(zeroPage, one);
  if (zero === 'refused') return { zero, one, firstPage: 1, isProof: one.served > 0, pages };
  if (zero === 'empty') return { zero, one, firstPage: one.served > 0 ? 1 : 0, isProof: one.served > 0, pages };
  if (zero === 'a page of its own') return { zero, one, firstPage: 0, isProof: true, pages };
  const isProof = !repeats(keep(2, await readOrEmpty(2)), one);
  return { zero, one, firstPage: isProof ? 1 : 0, isProof, pages };
}

/** @returns undefined when the number is refused */
async function readZero<T>(readNumber: ReadNumber<T>, newerThan: Reading | undefined): Promise<Page<T> | undefined> {
  try {
    return await readNumber(0, newerThan);
  } catch (error) {
    if (isOneOf(error, [400, 422])) return undefined;
    throw error;
  }
}

function toZero(zero: Page<Identified> | undefined, one: Page<Identified>): Zero {
  if (!zero) return 'refused';
  if (zero.served === 0) return 'empty';
  return isServedAs(zero, one) ? 'page 1' : 'a page of its own';
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

function toStart<T>({ firstPage, pages }: Pick<Look<T>, 'firstPage' | 'pages'>, floor: Reading | undefined): ListStart<T> {
  const read = [...pages].flatMap(([number, page]) => (number < firstPage ? [] : [[number - firstPage, page] as const]));
  return { firstPage, read: new Map(read), isSettled: true, floor };
}

function fromZero<T>(zero: Page<T>, floor: Reading | undefined): ListStart<T> {
  return toStart({ firstPage: 0, pages: new Map([[0, zero]]) }, floor);
}
