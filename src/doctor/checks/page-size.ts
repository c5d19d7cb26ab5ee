import type { Finding } from '#doctor/finding.ts';
import { type ProbedPage, toPage, toPageOrEmpty } from '#doctor/upstream/items.ts';
import { describeProblem, isRejected, type ProbeClient } from '#doctor/upstream/probe-client.ts';
import { type AttemptPages, attemptsPath } from './first-page.ts';

/** Sizes to request in search of the largest one that is served. */
const LARGE_SIZES = [1000, 500, 200, 100];
/** Maximum bytes that the largest page may have, as estimated from the first one. */
const MAX_LARGE_PAGE_BYTES = 8 * 2 ** 20;

interface SizeScene {
  readonly client: ProbeClient;
  /** `REVOX_PAGE_SIZE` */
  readonly pageSize: number;
  readonly maxResponseBytes: number;
  readonly pages: AttemptPages;
}

/** The check's finding, without its name. */
type Result = Omit<Finding, 'check' | 'settings'> & { readonly pageSize?: number };

/**
 * Determines the largest page that the API serves, whether it honours `page_size`, and whether
 * pages that it caps follow each other without holes.
 */
export async function checkPageSize(scene: SizeScene): Promise<Finding> {
  const { pageSize = scene.pageSize, ...result } = await determinePageSize(scene);
  return { check: 'page-size', ...result, settings: { REVOX_PAGE_SIZE: String(pageSize) } };
}

async function determinePageSize(scene: SizeScene): Promise<Result> {
  const { client, pageSize, pages } = scene;
  const { first, firstPage } = pages;
  if (first.served === 0 || firstPage === undefined) return TOO_SHORT;
  if (first.served > pageSize) return toIgnored(first);
  const largeSize = toLargeSize(scene);
  const probe = await client.get(attemptsPath(firstPage, largeSize), {
    headers: { 'accept-encoding': 'gzip, br' },
  });
  if (isRejected(probe) && first.served === pageSize)
    return {
      verdict: 'ok',
      message: `The API serves pages of ${pageSize}, and rejects page_size=${largeSize} with status ${probe.status}.`,
      details: { largestServed: pageSize },
    };
  const large = toPage(probe, 'calls');
  if (!large && first.served === pageSize)
    return {
      verdict: 'unknown',
      message: `The API serves pages of ${pageSize}; a page of ${largeSize} cannot be read: ${describeProblem(probe)}.`,
      details: { largestServed: pageSize },
    };
  if (large && large.served > first.served && large.served >= largeSize)
    return {
      verdict: 'ok',
      message: `The API honours page_size, and serves pages of at least ${large.served}.`,
      details: { largestServed: large.served },
    };
  const longest = large && large.served > first.served ? large : first;
  return longest.served < 2 ? TOO_SHORT : readSmallerPage(scene, firstPage, longest);
}

const TOO_SHORT: Result = {
  verdict: 'unknown',
  message: 'The list of call attempts is too short to show whether the API honours page_size.',
};

/**
 * Reads the second page in a size that is smaller by one than the longest page. If the API honours
 * that size, the page begins with the last item of the longest one, and its length shows whether
 * the list ends there.
 */
async function readSmallerPage(
  { client, pageSize, pages: { second } }: SizeScene,
  firstPage: number,
  longest: ProbedPage,
): Promise<Result> {
  const size = longest.served;
  const probe = await client.get(attemptsPath(firstPage + 1, size - 1));
  const smaller = toPageOrEmpty(probe, 'calls');
  if (!smaller)
    return {
      verdict: 'unknown',
      message: `The API serves pages of ${size}; whether it honours smaller sizes could not be read.`,
    };
  const isHonoured = longest.items.some(({ id }) => id === smaller.items[0]?.id);
  if (!isHonoured || smaller.served >= size) return toIgnored(longest);
  if (smaller.served === 1)
    return {
      verdict: 'ok',
      message: `The API honours page_size; the list has only ${size} items, so its largest page is not known.`,
      details: { listLength: size },
    };
  return size >= pageSize
    ? {
        verdict: 'ok',
        message: `The API honours page_size, and serves at most ${size} items a page.`,
        details: { largestServed: size },
      }
    : toCapped(size, pageSize, hasHoles(smaller, second));
}

/** Whether the second page of the requested size does not continue where the first one ends. */
function hasHoles({ items }: ProbedPage, second: ProbedPage | undefined): boolean {
  const next = items[1];
  return (
    next !== undefined && second !== undefined && !second.items.some(({ id }) => id === next.id)
  );
}

function toCapped(cap: number, pageSize: number, isWithHoles: boolean): Result {
  const effect = isWithHoles
    ? `a page of ${pageSize} leaves out the rest of its items`
    : `the gateway must first learn that REVOX_PAGE_SIZE=${pageSize} is too large`;
  return {
    verdict: 'finding',
    message: `The API serves at most ${cap} items a page: ${effect}.`,
    pageSize: cap,
    details: { largestServed: cap, hasHoles: isWithHoles },
  };
}

function toIgnored({ served }: ProbedPage): Result {
  return {
    verdict: 'finding',
    message: `The API ignores page_size, and serves pages of ${served}.`,
    pageSize: served,
    details: { largestServed: served },
  };
}

/** The largest size whose page would not be too large, as estimated from the first page. */
function toLargeSize({ pages: { first }, pageSize, maxResponseBytes }: SizeScene): number {
  const itemBytes = first.probe.bytes / first.served;
  const maxBytes = Math.min(MAX_LARGE_PAGE_BYTES, maxResponseBytes / 2);
  const size = LARGE_SIZES.find((candidate) => candidate * itemBytes <= maxBytes) ?? 100;
  return Math.max(size, pageSize);
}
