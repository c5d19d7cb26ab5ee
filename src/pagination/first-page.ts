import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page, ReadVersion } from './list.ts';
import { EMPTY_PAGE, hasSameItems, hasStatus, overlapRatio } from './page-content.ts';
import { isUncached, latestVersion } from './read-version.ts';

/** The start of a list: which number the upstream gives to its first page, and what was read on the way, by index from 0. */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  readonly pages: ReadonlyMap<number, Page<T>>;
  /** The number is configured, or this operation has looked: then nothing that is served contradicts it. */
  readonly isSettled: boolean;
  /** The list has moved since: pages read from now on must be newer than this. */
  readonly newerThan?: ReadVersion | undefined;
}

type ReadPageNumber<T> = (page: number, newerThan: ReadVersion | undefined) => Promise<Page<T>>;

/** After so many looks the list moves faster than it can be read. */
const MAX_PROBES = 3;

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
  readNumber: ReadPageNumber<T>,
  facts: EndpointFacts,
  { isAtStart }: { readonly isAtStart: boolean },
): Promise<ListStart<T>> {
  const needsProbe = await facts.needsFirstPageProbe(isAtStart);
  const { firstPage } = facts;
  if (firstPage !== undefined && !needsProbe) return { firstPage, pages: new Map(), isSettled: facts.isFirstPageConfigured };
  let hasLooked = false;
  try {
    const start = await probeStart(readNumber, facts);
    hasLooked = true;
    return start;
  } finally {
    facts.endFirstPageProbe({ hasLooked });
  }
}

async function probeStart<T extends Identified>(readNumber: ReadPageNumber<T>, facts: EndpointFacts): Promise<ListStart<T>> {
  const { firstPage: assumed, isFirstPageTrusted: wasTrusted } = facts;
  /** Another operation may be quicker. */
  const foundMeanwhile = () => (!wasTrusted && facts.isFirstPageTrusted ? facts.firstPage : undefined);
  let newerThan: ReadVersion | undefined;
  for (let attempts = 1; ; attempts += 1) {
    const first = await probeNumbers(readNumber, newerThan);
    const meanwhile = foundMeanwhile();
    if (meanwhile !== undefined) return toStart({ ...first, firstPage: meanwhile }, newerThan);
    if (!first.isConclusive) return toStart(first, newerThan);
    const isFirstUncached = isUncached(versionsOf(first));
    const probe = isFirstUncached ? first : await probeNumbers(readNumber, versionsOf(first).reduce(latestVersion, undefined));
    // It is from memory again where that stands in for an upstream that fails.
    if (!probe.isConclusive || !(isFirstUncached || isUncached(versionsOf(probe)))) return toStart(probe, newerThan);
    if (probe.firstPage === 0 || assumed === 1) return conclude(probe, facts, newerThan);

    const reread = await rereadStart(probe, readNumber);
    if (reread.isConsistent) return conclude(probe, facts, reread.latestVersion);
    newerThan = reread.latestVersion;
    // From 0 nothing is lost.
    if (attempts === MAX_PROBES) return reread.zero?.served ? fromZero(reread.zero, newerThan) : toStart(probe, newerThan);
  }
}

interface Reread<T> {
  readonly zero: Page<T> | undefined;
  /** Whether number 0 is answered as it was before number 1. */
  readonly isConsistent: boolean;
  readonly latestVersion: ReadVersion | undefined;
}

async function rereadStart<T extends Identified>(probe: Probe<T>, readNumber: ReadPageNumber<T>): Promise<Reread<T>> {
  const last = versionsOf(probe).reduce(latestVersion, undefined);
  const zero = await readPageZero(readNumber, last);
  const newerThan = latestVersion(last, zero?.readVersion);
  if (!zero) return { zero, isConsistent: probe.zero === 'refused', latestVersion: newerThan };
  if (zero.served === 0) return { zero, isConsistent: probe.zero === 'empty', latestVersion: newerThan };
  if (probe.zero !== 'page 1' || !isFirstPageAgain(probe.one, zero))
    return { zero, isConsistent: false, latestVersion: newerThan };
  // A list of one page that grew before page 2 was read looks the same, until page 1 is read again.
  const one = await readNumber(1, newerThan);
  return { zero, isConsistent: isFirstPageAgain(zero, one), latestVersion: latestVersion(newerThan, one.readVersion) };
}

function conclude<T>(probe: Probe<T>, facts: EndpointFacts, newerThan: ReadVersion | undefined): ListStart<T> {
  facts.observeFirstPage(probe.firstPage, { isConfirmed: probe.firstPage === 1 });
  return toStart(probe, newerThan);
}

/** How number 0 is answered, beside number 1. */
type PageZero = 'refused' | 'empty' | 'page 1' | 'a page of its own';

/** What the first numbers hold, and what that says. */
interface Probe<T> {
  readonly zero: PageZero;
  readonly one: Page<T>;
  readonly firstPage: 0 | 1;
  /** Whether the list would not read the same, numbered the other way. */
  readonly isConclusive: boolean;
  /** By their numbers, but for a page 0 that was refused. */
  readonly pages: ReadonlyMap<number, Page<T>>;
}

/** Reads each page after the one before. */
async function probeNumbers<T extends Identified>(
  readNumber: ReadPageNumber<T>,
  newerThan: ReadVersion | undefined,
): Promise<Probe<T>> {
  const pages = new Map<number, Page<T>>();
  let last = newerThan;
  const record = (number: number, page: Page<T>) => {
    last = page.readVersion ?? last;
    pages.set(number, page);
    return page;
  };
  const readOrEmpty = (number: number) =>
    readNumber(number, last).catch((error: unknown) => {
      if (!hasStatus(error, [400, 404])) throw error;
      return EMPTY_PAGE;
    });

  const zeroPage = await readPageZero(readNumber, last);
  if (zeroPage) record(0, zeroPage);
  // Where 0 is refused, it is its number, or something else in the request. Then page 1 is refused as well, and that is thrown.
  const one = record(1, await (zeroPage ? readOrEmpty(1) : readNumber(1, last)));
  const zero = classifyPageZero(zeroPage, one);
  if (zero === 'refused') return { zero, one, firstPage: 1, isConclusive: one.served > 0, pages };
  if (zero === 'empty') return { zero, one, firstPage: one.served > 0 ? 1 : 0, isConclusive: one.served > 0, pages };
  if (zero === 'a page of its own') return { zero, one, firstPage: 0, isConclusive: true, pages };
  const isConclusive = !hasSameItems(record(2, await readOrEmpty(2)), one);
  return { zero, one, firstPage: isConclusive ? 1 : 0, isConclusive, pages };
}

/** @returns undefined when the number is refused */
async function readPageZero<T>(readNumber: ReadPageNumber<T>, newerThan: ReadVersion | undefined): Promise<Page<T> | undefined> {
  try {
    return await readNumber(0, newerThan);
  } catch (error) {
    if (hasStatus(error, [400, 422])) return undefined;
    throw error;
  }
}

function classifyPageZero(zero: Page<Identified> | undefined, one: Page<Identified>): PageZero {
  if (!zero) return 'refused';
  if (zero.served === 0) return 'empty';
  return isFirstPageAgain(zero, one) ? 'page 1' : 'a page of its own';
}

/**
 * Whether the second read is the first page again. It begins as the first read did, but for what came in on top between the two; a
 * second page that the list has moved onto shares items with the first one, too, but never the topmost.
 */
function isFirstPageAgain<T extends Identified>(first: Page<T>, again: Page<T>): boolean {
  const topmost = first.items[0]?.id;
  return overlapRatio(first, again) > 0.5 && again.items.some(({ id }) => id === topmost);
}

function versionsOf({ pages }: Probe<unknown>): (ReadVersion | undefined)[] {
  return [...pages.values()].map(({ readVersion }) => readVersion);
}

function toStart<T>(
  { firstPage, pages }: Pick<Probe<T>, 'firstPage' | 'pages'>,
  newerThan: ReadVersion | undefined,
): ListStart<T> {
  const read = [...pages].flatMap(([number, page]) => (number < firstPage ? [] : [[number - firstPage, page] as const]));
  return { firstPage, pages: new Map(read), isSettled: true, newerThan };
}

function fromZero<T>(zero: Page<T>, newerThan: ReadVersion | undefined): ListStart<T> {
  return toStart({ firstPage: 0, pages: new Map([[0, zero]]) }, newerThan);
}
