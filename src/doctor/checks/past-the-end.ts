import type { Finding } from '#doctor/finding.ts';
import { toPage } from '#doctor/upstream/items.ts';
import type { Probe, ProbeClient } from '#doctor/upstream/probe-client.ts';
import { hasSameItems } from '#pagination/page-content.ts';
import { type AttemptPages, attemptsPath } from './first-page.ts';

/** A number of pages that no list has. */
const MANY_PAGES = 100_000;

/** Determines how the API responds to a page past the end of the list. */
export async function checkPastTheEnd(
  client: ProbeClient,
  pageSize: number,
  pages: AttemptPages,
): Promise<Finding> {
  const probe = await client.get(attemptsPath((pages.firstPage ?? 1) + MANY_PAGES, pageSize));
  return { check: 'past-the-end', ...toResult(probe, pages) };
}

function toResult(probe: Probe, { first, second }: AttemptPages): Omit<Finding, 'check'> {
  const page = toPage(probe, 'calls');
  if (page?.served === 0)
    return { verdict: 'ok', message: 'Past the end, the API serves an empty page.' };
  if (page) {
    const hasSecondPage = second && second.served > 0 && !hasSameItems(second, first);
    return hasSecondPage && hasSameItems(page, first)
      ? {
          verdict: 'finding',
          message: 'Past the end, the API serves the first page again, so the list seems endless.',
        }
      : {
          verdict: 'note',
          message: 'Past the end, the API serves the last page again; the gateway recognizes that.',
        };
  }
  const { status, isWebPage, wasSent } = probe;
  if (status !== undefined && [400, 404, 422].includes(status) && !isWebPage)
    return { verdict: 'ok', message: `Past the end, the API responds with status ${status}.` };
  if (!wasSent)
    return { verdict: 'unknown', message: 'No request was left to read past the end of the list.' };
  return {
    verdict: 'finding',
    message:
      status === undefined
        ? 'Past the end, the API does not respond.'
        : `Past the end, the API responds with status ${status}, which counts as a failure.`,
  };
}
