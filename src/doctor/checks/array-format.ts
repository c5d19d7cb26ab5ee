import type { Finding } from '#doctor/finding.ts';
import { type ProbedPage, toPage } from '#doctor/upstream/items.ts';
import { isRejected, type Probe, type ProbeClient } from '#doctor/upstream/probe-client.ts';
import { wireEnums } from '#generated/revox-api.ts';
import { type ArrayFormat, toQueryString } from '#rest/url.ts';
import { attemptsPath } from './first-page.ts';

const FORMATS: readonly ArrayFormat[] = ['comma', 'repeat', 'brackets'];

/** The most frequent status, and all others: each attempt belongs to one of the two parts. */
const FREQUENT = 'completed';
/**
 * With the two rarest at the ends: an API that reads only the first or the last value of a list
 * then returns hardly anything.
 */
const OTHERS = (wireEnums.CallStatus ?? [])
  .filter((status) => status !== FREQUENT)
  .toSorted((a, b) => toPosition(a) - toPosition(b));

/** A list moves, and statuses change, between two requests. */
const MAX_MISMATCH_RATIO = 0.1;

/** How the API reads a list of statuses in one format. */
type Reading = 'filters' | 'rejected' | 'ignored' | 'filters wrongly' | 'unknown';

interface FormatScene {
  readonly client: ProbeClient;
  readonly configured: ArrayFormat;
  readonly pageSize: number;
  readonly firstPage: 0 | 1 | undefined;
  /** The first page without a filter. */
  readonly unfiltered: ProbedPage;
  readonly orderStatuses: ReadonlyMap<string, unknown>;
}

/**
 * Determines which format of `statuses` really filters. The list is read with one status and with
 * all others: if both filter, each attempt of the unfiltered page is in exactly one of the two
 * responses. The first format that filters ends the check.
 */
export async function checkArrayFormat(scene: FormatScene): Promise<Finding> {
  const { configured, unfiltered } = scene;
  const readings = new Map<ArrayFormat, Reading>();
  if (unfiltered.served === 0) return toFinding(readings, configured);
  const plain = await read(scene, [FREQUENT], 'comma');
  for (const format of [configured, ...FORMATS.filter((one) => one !== configured)]) {
    const others = await read(scene, OTHERS, format);
    readings.set(format, await classify(scene, format, plain, others));
    if (readings.get(format) === 'filters') break;
  }
  return toFinding(readings, configured);
}

function read(
  { client, firstPage, pageSize }: FormatScene,
  statuses: readonly string[],
  format: ArrayFormat,
): Promise<Probe> {
  const query = toQueryString({ statuses }, format).replace('?', '&');
  return client.get(attemptsPath(firstPage ?? 1, pageSize, query));
}

async function classify(
  scene: FormatScene,
  format: ArrayFormat,
  plain: Probe,
  othersProbe: Probe,
): Promise<Reading> {
  if (isRejected(othersProbe)) return 'rejected';
  const others = toPage(othersProbe, 'calls');
  if (!others) return 'unknown';
  // One value is the same text as `comma` and as `repeat`.
  const isPlainConclusive = format !== 'brackets' || isPartOf(plain, scene.unfiltered);
  const frequent = toPage(
    isPlainConclusive ? plain : await read(scene, [FREQUENT], format),
    'calls',
  );
  if (isContradicted(others, scene.orderStatuses))
    return hasAll(others, scene.unfiltered) ? 'ignored' : 'filters wrongly';
  return frequent ? compare(scene.unfiltered, frequent, others) : 'unknown';
}

/** Whether the response contains some, and not all, of the unfiltered items. */
function isPartOf(probe: Probe, unfiltered: ProbedPage): boolean {
  const page = toPage(probe, 'calls');
  return page !== undefined && countIn(page, unfiltered) > 0 && !hasAll(page, unfiltered);
}

/** Whether attempts of orders that are known to be completed are among the others. */
function isContradicted(
  { items }: ProbedPage,
  orderStatuses: ReadonlyMap<string, unknown>,
): boolean {
  return items.some(({ id }) => orderStatuses.get(id) === FREQUENT);
}

function compare(unfiltered: ProbedPage, frequent: ProbedPage, others: ProbedPage): Reading {
  const [inFrequent, inOthers] = [idsOf(frequent), idsOf(others)];
  const count = (isFrequent: boolean, isOther: boolean) =>
    unfiltered.items.filter(
      ({ id }) => inFrequent.has(id) === isFrequent && inOthers.has(id) === isOther,
    ).length;
  const both = count(true, true);
  const onlyFrequent = count(true, false);
  const onlyOthers = count(false, true);
  // The list of others contains the frequent ones, too.
  if (both > onlyFrequent) return 'ignored';
  // Either no order has the frequent status, or nothing is filtered.
  if (onlyFrequent === 0 && both === 0 && onlyOthers > 0) return 'unknown';
  // Either every order has the frequent status, or the list was read as one unknown value.
  if (onlyOthers === 0 && others.served === 0 && count(false, false) === 0) return 'unknown';
  const mismatches = both + count(false, false);
  return mismatches <= unfiltered.items.length * MAX_MISMATCH_RATIO ? 'filters' : 'filters wrongly';
}

function hasAll(page: ProbedPage, unfiltered: ProbedPage): boolean {
  return countIn(page, unfiltered) === unfiltered.items.length;
}

function countIn(page: ProbedPage, unfiltered: ProbedPage): number {
  const ids = idsOf(page);
  return unfiltered.items.filter(({ id }) => ids.has(id)).length;
}

function idsOf({ items }: ProbedPage): Set<string> {
  return new Set(items.map(({ id }) => id));
}

function toPosition(status: string): number {
  if (status === 'initializing') return -1;
  return status === 'queued_for_calling' ? 1 : 0;
}

function toFinding(readings: ReadonlyMap<ArrayFormat, Reading>, configured: ArrayFormat): Finding {
  const check = 'array-format';
  const found = [...readings].find(([, reading]) => reading === 'filters')?.[0];
  const described = [...readings].map(([format, reading]) => `${format} ${PREDICATES[reading]}`);
  const details = Object.fromEntries(readings);
  if (found === configured)
    return {
      check,
      verdict: 'ok',
      message: `The API filters by statuses in the format ${found}.`,
      settings: { REVOX_ARRAY_FORMAT: found },
      details,
    };
  if (found !== undefined)
    return {
      check,
      verdict: 'finding',
      message: `The API filters by statuses in the format ${found}, but REVOX_ARRAY_FORMAT is ${configured}.`,
      settings: { REVOX_ARRAY_FORMAT: found },
      details,
    };
  const accepted = [...readings].filter(([, reading]) => reading !== 'rejected');
  const [only] = accepted.length === 1 ? accepted : [];
  if (readings.size === FORMATS.length && only?.[1] === 'unknown')
    return {
      check,
      verdict: only[0] === configured ? 'unknown' : 'finding',
      message: `The API accepts statuses only in the format ${only[0]}, and the data does not show that it filters.`,
      settings: { REVOX_ARRAY_FORMAT: only[0] },
      details,
    };
  if (readings.size === FORMATS.length && ![...readings.values()].includes('unknown'))
    return {
      check,
      verdict: 'finding',
      message: `The API filters by statuses in no format: ${described.join(', ')}.`,
      details,
    };
  return {
    check,
    verdict: 'unknown',
    message: `The data does not show which format filters by statuses${described.length === 0 ? '' : `: ${described.join(', ')}`}.`,
    details,
  };
}

const PREDICATES: Readonly<Record<Reading, string>> = {
  filters: 'filters',
  rejected: 'is rejected',
  ignored: 'is ignored',
  'filters wrongly': 'filters wrongly',
  unknown: 'is not conclusive',
};
