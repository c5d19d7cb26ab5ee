import type { ReadVersion } from '#rest/upstream-request.ts';
import type { EndpointFacts } from './endpoint-facts.ts';
import type { Identified, Page } from './list.ts';
import { EMPTY_PAGE, hasSameItems, hasStatus, overlapRatio } from './page-content.ts';
import { isUncached, latestVersion } from './read-version.ts';

/**
 * The start of a list: the upstream's number of the first page, and the pages that the probe has
 * read, by index from 0.
 */
export interface ListStart<T> {
  readonly firstPage: 0 | 1;
  readonly pages: ReadonlyMap<number, Page<T>>;
  /**
   * Whether the number is configured, or this operation has probed it. If so, the gateway does not
   * check the number again, even if the first page is rejected or empty, or the pages do not reach
   * the total.
   */
  readonly isSettled: boolean;
  /** The list has moved since this version: pages read from now on must be newer. */
  readonly newerThan?: ReadVersion | undefined;
}

type ReadPageNumber<T> = (page: number, newerThan: ReadVersion | undefined) => Promise<Page<T>>;

/**
 * Maximum number of probes: a list that moves during each of them moves faster than it can be read.
 */
const MAX_PROBES = 3;

/**
 * Determines whether the upstream numbers pages from 0 or from 1, for one credential.
 *
 * The upstream numbers pages from 1 if page 0 is rejected (400, 422) while page 1 is not, or page 0
 * is empty while page 1 is not, or number 0 returns the same page as number 1 (the upstream clamps
 * 0 to 1). Otherwise it numbers them from 0. The probe costs two requests, and a third (page 2) if
 * numbers 0 and 1 return the same page. These numbers also return the same page if a list numbered
 * from 0 has one page, and the upstream clamps numbers past the end. Number 2 then returns this
 * page again.
 *
 * A list that moves between two requests, or a single anomalous response, can make 0 look like 1.
 * If the gateway wrongly assumes 1, the list lacks its first page. So the probe reads page 0 once
 * more before it concludes 1. If page 0 equals page 1, it also reads page 1 again, and page 2 unless
 * that has only items of its own. If the gateway wrongly assumes 0, the start of the list shows the
 * error. Once the number is trusted, a probe verifies it from time to time.
 *
 * If page 0 is served, a 400 or 404 for a later number counts as an empty page. The probe throws
 * all other failures. A list that reads the same with both numberings is inconclusive. It is read
 * from 0, or from 1 if the upstream rejects page 0. A conclusion needs uncached pages: the probe
 * reads cached pages again before it concludes.
 * @param isAtStart the list is read from its start
 */
export async function findListStart<T extends Identified>(
  readNumber: ReadPageNumber<T>,
  facts: EndpointFacts,
  { isAtStart }: { readonly isAtStart: boolean },
): Promise<ListStart<T>> {
  const needsProbe = await facts.beginFirstPageProbe(isAtStart);
  const { firstPage } = facts;
  if (firstPage !== undefined && !needsProbe)
    return { firstPage, pages: new Map(), isSettled: facts.isFirstPageConfigured };
  let hasProbed = false;
  try {
    const start = await probeStart(readNumber, facts);
    hasProbed = true;
    return start;
  } finally {
    facts.endFirstPageProbe({ hasProbed });
  }
}

async function probeStart<T extends Identified>(
  readNumber: ReadPageNumber<T>,
  facts: EndpointFacts,
): Promise<ListStart<T>> {
  const { firstPage: assumed, isFirstPageTrusted: wasTrusted } = facts;
  /** Another operation may have determined the number during this probe. */
  const foundMeanwhile = () =>
    !wasTrusted && facts.isFirstPageTrusted ? facts.firstPage : undefined;
  let newerThan: ReadVersion | undefined;
  for (let attempts = 1; ; attempts += 1) {
    const first = await probeNumbers(readNumber, newerThan);
    const meanwhile = foundMeanwhile();
    if (meanwhile !== undefined) return toStart({ ...first, firstPage: meanwhile }, newerThan);
    if (!first.isConclusive) return toStart(first, newerThan);
    const isFirstUncached = isUncached(versionsOf(first));
    const probe = isFirstUncached
      ? first
      : await probeNumbers(readNumber, versionsOf(first).reduce(latestVersion, undefined));
    // The pages may come from the cache again, if the upstream has failed (stale-if-error).
    if (!probe.isConclusive || !(isFirstUncached || isUncached(versionsOf(probe))))
      return toStart(probe, newerThan);
    if (probe.firstPage === 0 || assumed === 1) return conclude(probe, facts, newerThan);

    const reread = await rereadStart(probe, readNumber);
    if (reread.isConsistent) return conclude(probe, facts, reread.latestVersion);
    newerThan = reread.latestVersion;
    // Reading from 0 loses no page.
    if (attempts === MAX_PROBES)
      return reread.zero?.served ? fromZero(reread.zero, newerThan) : toStart(probe, newerThan);
  }
}

interface Reread<T> {
  readonly zero: Page<T> | undefined;
  /** Whether the responses lead to the same conclusion as those of the probe. */
  readonly isConsistent: boolean;
  readonly latestVersion: ReadVersion | undefined;
}

async function rereadStart<T extends Identified>(
  probe: Probe<T>,
  readNumber: ReadPageNumber<T>,
): Promise<Reread<T>> {
  const last = versionsOf(probe).reduce(latestVersion, undefined);
  const zero = await readPageZero(readNumber, last);
  const newerThan = latestVersion(last, zero?.readVersion);
  if (!zero) return { zero, isConsistent: probe.zero === 'rejected', latestVersion: newerThan };
  if (zero.served === 0)
    return { zero, isConsistent: probe.zero === 'empty', latestVersion: newerThan };
  if (probe.zero !== 'page 1' || !isFirstPageAgain(probe.one, zero))
    return { zero, isConsistent: false, latestVersion: newerThan };
  // If a list of one page grows during the probe, number 0 can look clamped. Then a second read of
  // number 1 returns another page.
  const one = await readNumber(1, newerThan);
  const isRepeated = isFirstPageAgain(zero, one);
  const upToOne = latestVersion(newerThan, one.readVersion);
  const { one: firstOne, pages } = probe;
  // Page 2 distinguishes a clamped 0 from a list of one page that numbers past the end repeat. A
  // single anomalous response, or a list that has moved since page 1, must not decide this.
  if (!isRepeated || isSecondPage(pages.get(2), firstOne))
    return { zero, isConsistent: isRepeated, latestVersion: upToOne };
  const two = await readOrEmpty(readNumber, 2, upToOne);
  return {
    zero,
    isConsistent: !isFirstPageAgain(one, two),
    latestVersion: latestVersion(upToOne, two.readVersion),
  };
}

/** Whether page 2 has items, and none of page 1. */
function isSecondPage(two: Page<Identified> | undefined, one: Page<Identified>): boolean {
  return two !== undefined && two.served > 0 && overlapRatio(one, two) === 0;
}

function conclude<T>(
  probe: Probe<T>,
  facts: EndpointFacts,
  newerThan: ReadVersion | undefined,
): ListStart<T> {
  facts.observeFirstPage(probe.firstPage, { isConfirmed: probe.firstPage === 1 });
  return toStart(probe, newerThan);
}

/** The upstream's response to number 0, compared with its response to number 1. */
type PageZero = 'rejected' | 'empty' | 'page 1' | 'a page of its own';

/** The pages at the first numbers, and the number of the first page that follows from them. */
interface Probe<T> {
  readonly zero: PageZero;
  readonly one: Page<T>;
  readonly firstPage: 0 | 1;
  /** False if the list reads the same with either numbering. */
  readonly isConclusive: boolean;
  /** By their numbers; without page 0 if the upstream rejected it. */
  readonly pages: ReadonlyMap<number, Page<T>>;
}

/** Reads the pages in sequence: each one must be newer than the one before. */
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
  const zeroPage = await readPageZero(readNumber, last);
  if (zeroPage) record(0, zeroPage);
  // A rejected page 0 has a wrong number, or the request has another fault. Such a fault rejects
  // page 1 too, and that error is thrown.
  const one = record(1, await (zeroPage ? readOrEmpty(readNumber, 1, last) : readNumber(1, last)));
  const zero = classifyPageZero(zeroPage, one);
  if (zero === 'rejected') return { zero, one, firstPage: 1, isConclusive: one.served > 0, pages };
  if (zero === 'empty')
    return { zero, one, firstPage: one.served > 0 ? 1 : 0, isConclusive: one.served > 0, pages };
  if (zero === 'a page of its own') return { zero, one, firstPage: 0, isConclusive: true, pages };
  const isConclusive = !hasSameItems(record(2, await readOrEmpty(readNumber, 2, last)), one);
  return { zero, one, firstPage: isConclusive ? 1 : 0, isConclusive, pages };
}

/** @returns an empty page if the upstream rejects the number */
async function readOrEmpty<T>(
  readNumber: ReadPageNumber<T>,
  number: number,
  newerThan: ReadVersion | undefined,
): Promise<Page<T>> {
  try {
    return await readNumber(number, newerThan);
  } catch (error) {
    if (hasStatus(error, [400, 404])) return EMPTY_PAGE;
    throw error;
  }
}

/** @returns undefined if the upstream rejects the number */
async function readPageZero<T>(
  readNumber: ReadPageNumber<T>,
  newerThan: ReadVersion | undefined,
): Promise<Page<T> | undefined> {
  try {
    return await readNumber(0, newerThan);
  } catch (error) {
    if (hasStatus(error, [400, 422])) return undefined;
    throw error;
  }
}

function classifyPageZero(zero: Page<Identified> | undefined, one: Page<Identified>): PageZero {
  if (!zero) return 'rejected';
  if (zero.served === 0) return 'empty';
  return isFirstPageAgain(zero, one) ? 'page 1' : 'a page of its own';
}

/**
 * Whether the second read returned the first page again: it begins with the same items, except for
 * items inserted at the start between the two reads. If the list has moved, the second page may
 * contain items of the first page. The second page contains the first item of the first page only
 * if a whole page was inserted.
 */
export function isFirstPageAgain(first: Page<Identified>, again: Page<Identified>): boolean {
  const firstId = first.items[0]?.id;
  return overlapRatio(first, again) > 0.5 && again.items.some(({ id }) => id === firstId);
}

function versionsOf({ pages }: Probe<unknown>): (ReadVersion | undefined)[] {
  return [...pages.values()].map(({ readVersion }) => readVersion);
}

function toStart<T>(
  { firstPage, pages }: Pick<Probe<T>, 'firstPage' | 'pages'>,
  newerThan: ReadVersion | undefined,
): ListStart<T> {
  const read = [...pages].flatMap(([number, page]) =>
    number < firstPage ? [] : [[number - firstPage, page] as const],
  );
  return { firstPage, pages: new Map(read), isSettled: true, newerThan };
}

function fromZero<T>(zero: Page<T>, newerThan: ReadVersion | undefined): ListStart<T> {
  return toStart({ firstPage: 0, pages: new Map([[0, zero]]) }, newerThan);
}
