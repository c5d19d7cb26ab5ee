import type { AddFinding, Finding } from '#doctor/finding.ts';
import { type ProbedPage, toPage, toPageOrEmpty } from '#doctor/upstream/items.ts';
import {
  describeProblem,
  isRejected,
  type Probe,
  type ProbeClient,
} from '#doctor/upstream/probe-client.ts';
import { isFirstPageAgain } from '#pagination/first-page.ts';
import { hasSameItems } from '#pagination/page-content.ts';

/** The start of the list of call attempts. */
export interface AttemptPages {
  /** Undefined if the list does not show it. */
  readonly firstPage: 0 | 1 | undefined;
  readonly first: ProbedPage;
  /** Undefined if it was not read. */
  readonly second: ProbedPage | undefined;
}

interface Numbering {
  readonly firstPage: 0 | 1 | undefined;
  readonly message: string;
  readonly behaviour: 'rejected' | 'empty' | 'clamped' | 'own page' | 'inconclusive';
}

export function attemptsPath(page: number, pageSize: number, statuses = ''): string {
  return `/call?page=${page}&page_size=${pageSize}${statuses}`;
}

/**
 * Determines the number of the first page as the gateway does: from the pages with the numbers 0
 * and 1, and 2 where those do not suffice.
 */
export async function checkFirstPage(
  client: ProbeClient,
  { pageSize, firstPage: configured }: { pageSize: number; firstPage: 'auto' | 0 | 1 },
  add: AddFinding,
): Promise<AttemptPages | undefined> {
  const read = (page: number) => client.get(attemptsPath(page, pageSize));
  const zeroProbe = await read(0);
  const zero = toPage(zeroProbe, 'calls');
  if (!zero && !isRejected(zeroProbe)) {
    add(toUnreadable(zeroProbe));
    return undefined;
  }
  const oneProbe = await read(1);
  const one = zero ? toPageOrEmpty(oneProbe, 'calls') : toPage(oneProbe, 'calls');
  if (!one) {
    add(toUnreadable(oneProbe));
    return undefined;
  }
  const needsTwo = !zero || zero.served === 0 || isFirstPageAgain(zero, one);
  const two = needsTwo && one.served > 0 ? toPageOrEmpty(await read(2), 'calls') : undefined;
  const numbering = toNumbering(zero, one, two);
  add(toFinding(numbering, configured));
  return numbering.firstPage === 0 && zero
    ? { firstPage: 0, first: zero, second: one }
    : { firstPage: numbering.firstPage, first: one.served > 0 || !zero ? one : zero, second: two };
}

function toNumbering(
  zero: ProbedPage | undefined,
  one: ProbedPage,
  two: ProbedPage | undefined,
): Numbering {
  if (!zero)
    return {
      firstPage: 1,
      behaviour: 'rejected',
      message: 'The first page has the number 1: the API rejects page 0.',
    };
  if (zero.served === 0 && one.served === 0)
    return {
      firstPage: undefined,
      behaviour: 'inconclusive',
      message:
        'The list of call attempts is empty, so it does not show the number of its first page.',
    };
  if (zero.served === 0)
    return {
      firstPage: 1,
      behaviour: 'empty',
      message: 'The first page has the number 1: page 0 is empty.',
    };
  if (!isFirstPageAgain(zero, one))
    return { firstPage: 0, behaviour: 'own page', message: 'The first page has the number 0.' };
  if (!two || hasSameItems(one, two))
    return {
      firstPage: undefined,
      behaviour: 'inconclusive',
      message:
        'The list has a single page for every number, so it does not show the number of its first page.',
    };
  return {
    firstPage: 1,
    behaviour: 'clamped',
    message: 'The first page has the number 1: the API serves page 1 for page 0.',
  };
}

function toFinding(
  { firstPage, message, behaviour }: Numbering,
  configured: 'auto' | 0 | 1,
): Finding {
  const check = 'first-page';
  const details = { pageZero: behaviour };
  if (firstPage === undefined) return { check, verdict: 'unknown', message, details };
  const isContradicted = configured !== 'auto' && configured !== firstPage;
  return {
    check,
    verdict: isContradicted ? 'finding' : 'ok',
    message: isContradicted
      ? `${message.replace(/\.$/, '')}, but REVOX_FIRST_PAGE is ${configured}.`
      : message,
    settings: { REVOX_FIRST_PAGE: String(firstPage) },
    details: { ...details, firstPage },
  };
}

function toUnreadable(probe: Probe): Finding {
  return {
    check: 'first-page',
    verdict: probe.wasSent ? 'finding' : 'unknown',
    message: `The list of call attempts cannot be read: ${describeProblem(probe)}.`,
    details: { status: probe.status ?? 0 },
  };
}
