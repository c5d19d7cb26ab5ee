import { UpstreamInvalidResponseError } from '#errors/upstream-error.ts';
import type { Assistant, Call, CallStatus, Campaign, CampaignRowResult } from '#generated/revox-api.ts';
import type { Errand, Get } from './client.ts';
import { toPathSegment } from './url.ts';

/** A page as the upstream numbers and sizes it. */
export interface NumberedPage {
  readonly page: number;
  readonly pageSize: number;
}

/** Items of a list, unchecked: any of them may be no object at all. */
export interface ListAnswer {
  readonly items: readonly unknown[];
  /** The length of the whole list, where the answer tells it. */
  readonly total: number | undefined;
}

export interface CampaignRowFilter {
  readonly query?: string | undefined;
  readonly result?: CampaignRowResult | undefined;
  readonly statuses?: readonly CallStatus[] | undefined;
}

/** The upstream's endpoints, for one operation. Each sends exactly one request. */
export interface Rest {
  getCall(id: string): Promise<Call>;
  listCallAttempts(page: NumberedPage, statuses: readonly CallStatus[]): Promise<ListAnswer>;
  getAssistant(id: string): Promise<Assistant>;
  listAssistants(): Promise<ListAnswer>;
  getCampaign(id: string): Promise<Campaign>;
  listCampaigns(): Promise<ListAnswer>;
  listCampaignRows(campaignId: string, page: NumberedPage, filter: CampaignRowFilter): Promise<ListAnswer>;
}

export function createRest(get: Get, errand: Errand): Rest {
  return {
    async getCall(id) {
      const path = `/call/${toPathSegment(id)}`;
      return objectAt<Call>(path, 'call', await get(errand, path));
    },
    async listCallAttempts({ page, pageSize }, statuses) {
      const query = { page, page_size: pageSize, statuses: statuses.length === 0 ? undefined : statuses };
      return listAt('/call', 'calls', await get(errand, '/call', query));
    },
    async getAssistant(id) {
      const path = `/assistants/${toPathSegment(id)}`;
      const body = await get(errand, path);
      // Documented bare; other versions wrap it as everything else is wrapped.
      const isWrapped = isObject(body) && isObject(body.assistant) && !('id' in body);
      return objectAt<Assistant>(path, 'assistant', isWrapped ? body : { assistant: body });
    },
    async listAssistants() {
      return listAt('/assistants', 'assistants', await get(errand, '/assistants'));
    },
    async getCampaign(id) {
      const path = `/campaigns/${toPathSegment(id)}`;
      return objectAt<Campaign>(path, 'campaign', await get(errand, path));
    },
    async listCampaigns() {
      return listAt('/campaigns', 'campaigns', await get(errand, '/campaigns'));
    },
    async listCampaignRows(campaignId, { page, pageSize }, { query, result, statuses = [] }) {
      const path = `/campaigns/${toPathSegment(campaignId)}/rows`;
      const body = await get(errand, path, {
        page,
        page_size: pageSize,
        query: query || undefined,
        result,
        // One string here, whatever the format of lists elsewhere.
        statuses: statuses.length === 0 ? undefined : statuses.join(','),
      });
      return listAt(path, 'rows', body);
    },
  };
}

function objectAt<T>(path: string, key: string, body: unknown): T {
  const object = isObject(body) ? body[key] : undefined;
  const id = isObject(object) ? object.id : undefined;
  if (typeof id === 'string' && id !== '') return object as T;
  if (typeof id === 'number') return Object.freeze({ ...(object as T), id: String(id) });
  throw new UpstreamInvalidResponseError({ method: 'GET', path }, `no ${key} with an id`);
}

function listAt(path: string, key: string, body: unknown): ListAnswer {
  const items = isObject(body) ? body[key] : undefined;
  if (!isObject(body) || !Array.isArray(items)) {
    throw new UpstreamInvalidResponseError({ method: 'GET', path }, `no list of ${key}`);
  }
  const total = typeof body.total === 'string' && body.total !== '' ? Number(body.total) : body.total;
  return { items, total: isCount(total) ? total : undefined };
}

/** What GraphQL can hold as an `Int`; a total that is none is as good as not told, for the length can be found out. */
function isCount(total: unknown): total is number {
  return Number.isInteger(total) && Number(total) >= 0 && Number(total) < 2 ** 31;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
