import type { CallStatus } from '#generated/revox-api.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import { createPageScan, type ScannedPage } from '#pagination/page-scan.ts';
import type { CampaignRowFilter, RevoxApi } from '#rest/revox-api.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import type { ListPage, OpenList } from './list-poller.ts';
import { type PollUpstream, SHARED_DEADLINE_MS, undefinedIfNotShared } from './poll-upstream.ts';

/** The statuses of the calls that the rows of a campaign are read for. */
const STATUSES: readonly CallStatus[] = ['queued_for_calling', 'calling'];
const FILTER: CampaignRowFilter = { statuses: STATUSES };

const ENDPOINT = '/campaigns/{id}/rows';

/** Deadline of each page, in ms. */
const DEADLINE_MS = 10_000;

interface Row {
  readonly id: string;
  /** Undefined if the row does not embed a complete call. */
  readonly callId: string | undefined;
}

/**
 * The campaign whose rows embed a call in its present state. Versions of the API without a campaign
 * or a status of the order have none.
 */
export function toListKey(call: unknown): string | undefined {
  const { status, campaign } = toProperties(call);
  const { id } = toProperties(campaign);
  const isListed = STATUSES.some((listed) => listed === status);
  return isListed && typeof id === 'string' && id !== '' ? id : undefined;
}

/** Reads the rows of a campaign whose calls are live. The caching client offers their calls. */
export function createOpenCallRows(poll: PollUpstream, facts: FactsByEndpoint): OpenList {
  return (campaignId, { acquire, readLeased }) => {
    // Without `newerThan`, the scan would verify the number of the first page by a cached page.
    const scan = createPageScan<Row>(({ newerThan, ...page }) => {
      const read = async (rest: RevoxApi, options: FetchOptions) => {
        const response = await rest.listCampaignRows(campaignId, page, FILTER, options);
        const { items, calls, total, readVersion, requestedAt } = response;
        const rows = toRows(items, new Set<unknown>(calls));
        return { items: rows, served: items.length, total, readVersion, requestedAt };
      };
      const request = async (isForced: boolean) => {
        const release = await acquire();
        try {
          return await poll(
            (rest, options) =>
              read(rest, { ...options, newerThan: options.newerThan ?? newerThan }),
            { isForced, deadlineMs: DEADLINE_MS },
          );
        } finally {
          release();
        }
      };
      if (!readLeased) return request(false);
      const readShared = () =>
        undefinedIfNotShared(
          poll(read, { isForced: false, deadlineMs: SHARED_DEADLINE_MS, shared: 'any' }),
        );
      return readLeased(`${page.page} ${page.pageSize}`, { request, readShared });
    }, facts(ENDPOINT));
    return {
      first: async () => toListPage(await scan.first()),
      page: async (index) => toListPage(await scan.page(index)),
    };
  };
}

function toListPage({ items, isEnd, pageCount }: ScannedPage<Row>): ListPage {
  const ids = items.flatMap(({ callId }) => (callId === undefined ? [] : [callId]));
  return { ids, isEnd, pageCount };
}

function toRows(items: readonly unknown[], calls: ReadonlySet<unknown>): Row[] {
  return items.flatMap((item) => {
    const { id, call } = toProperties(item);
    if (id === undefined || id === null) return [];
    const { id: callId } = toProperties(call);
    return [{ id: String(id), callId: calls.has(call) ? String(callId) : undefined }];
  });
}

function toProperties(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
