import type {
  Assistant,
  Call,
  CallStatus,
  Campaign,
  CampaignRowResult,
} from '#generated/revox-api.ts';
import { isExactNumber, toNumericId } from '#rest/transport/exact-number.ts';
import type { UpstreamContext } from './upstream-context.ts';
import {
  type EmbeddedResponse,
  type FetchOptions,
  type FetchUpstream,
  type ReadVersion,
  UnexpectedShapeError,
  type UpstreamRequest,
} from './upstream-request.ts';
import {
  type ArrayFormat,
  isPathSegment,
  type QueryParameters,
  toPathSegment,
  toQueryString,
} from './url.ts';

/** A page in the upstream's numbering. */
export interface NumberedPage {
  readonly page: number;
  readonly pageSize: number;
  /** The page is known to be the first one of its list. */
  readonly isFirst?: boolean | undefined;
}

/** Items of a list, unchecked: an item may be any JSON value. */
export interface ListResponse {
  readonly items: readonly unknown[];
  /** The length of the whole list, if the response contains it. */
  readonly total?: number;
}

/** A page of a list that may change between two reads. */
export interface PageResponse extends ListResponse {
  readonly readVersion: ReadVersion;
}

export interface CampaignRowFilter {
  readonly query?: string | undefined;
  readonly result?: CampaignRowResult | undefined;
  readonly statuses?: readonly CallStatus[] | undefined;
}

/** The upstream's endpoints, for one operation. Each method fetches exactly one response. */
export interface RevoxApi {
  getCall(id: string): Promise<Call>;
  listCallAttempts(
    page: NumberedPage,
    statuses: readonly CallStatus[],
    options?: FetchOptions,
  ): Promise<PageResponse>;
  getAssistant(id: string): Promise<Assistant>;
  listAssistants(): Promise<ListResponse>;
  getCampaign(id: string): Promise<Campaign>;
  listCampaigns(): Promise<ListResponse>;
  /** `calls`: the complete calls that the rows embed. */
  listCampaignRows(
    campaignId: string,
    page: NumberedPage,
    filter: CampaignRowFilter,
    options?: FetchOptions,
  ): Promise<PageResponse & { readonly calls: readonly Call[] }>;
}

export type CreateRevoxApi = (context: UpstreamContext) => RevoxApi;

/** @param arrayFormat of `statuses` in `GET /call`; rows always use one comma-joined string */
export function createRevoxApiFactory(
  fetchUpstream: FetchUpstream,
  { arrayFormat }: { readonly arrayFormat: ArrayFormat },
): CreateRevoxApi {
  const encodeQuery = (parameters: QueryParameters) => toQueryString(parameters, arrayFormat);

  return (context) => {
    const get = async <T>(request: UpstreamRequest<T>) =>
      (await fetchUpstream(context, request)).value;
    const getPage = async (
      request: UpstreamRequest<ListResponse>,
      options: FetchOptions | undefined,
    ): Promise<PageResponse> => {
      const { value, readVersion } = await fetchUpstream(context, request, options);
      return { ...value, readVersion };
    };
    return {
      getCall: async (id) =>
        get({
          endpoint: '/call/{id}',
          path: objectPaths.call(id),
          query: '',
          parse: (body) => parseObject<Call>('call', body),
        }),
      listCallAttempts: async ({ page, pageSize }, statuses, options) =>
        getPage(
          {
            endpoint: '/call',
            path: '/call',
            query: encodeQuery({
              page,
              page_size: pageSize,
              statuses: statuses.length === 0 ? undefined : statuses,
            }),
            parse: (body) => parsePage('calls', body),
          },
          options,
        ),
      getAssistant: async (id) =>
        get({
          endpoint: '/assistants/{id}',
          path: objectPaths.assistant(id),
          query: '',
          parse(body) {
            // Documented as a bare object; other versions of the API wrap it like every other
            // object.
            const isWrapped = isObject(body) && isObject(body.assistant) && !('id' in body);
            return parseObject<Assistant>('assistant', isWrapped ? body : { assistant: body });
          },
        }),
      listAssistants: () =>
        get({
          endpoint: '/assistants',
          path: '/assistants',
          query: '',
          parse: (body) => parseList('assistants', body),
          embedded: ({ items }) => embeddedIn('/assistants/{id}', objectPaths.assistant, items),
        }),
      getCampaign: async (id) =>
        get({
          endpoint: '/campaigns/{id}',
          path: objectPaths.campaign(id),
          query: '',
          parse: (body) => parseObject<Campaign>('campaign', body),
        }),
      listCampaigns: () =>
        get({
          endpoint: '/campaigns',
          path: '/campaigns',
          query: '',
          parse: (body) => parseList('campaigns', body),
          embedded: ({ items }) => embeddedIn('/campaigns/{id}', objectPaths.campaign, items),
        }),
      async listCampaignRows(
        campaignId,
        { page, pageSize, isFirst = false },
        { query, result, statuses = [] },
        options,
      ) {
        const path = `${objectPaths.campaign(campaignId)}/rows`;
        const toQuery = (size: number) =>
          encodeQuery({
            page,
            page_size: size,
            query: query || undefined,
            result,
            // This endpoint reads one string, whatever the format of other lists.
            statuses: statuses.length === 0 ? undefined : statuses.join(','),
          });
        const response = await getPage(
          {
            endpoint: '/campaigns/{id}/rows',
            path,
            query: toQuery(pageSize),
            parse: (body) => parsePage('rows', body),
            *embedded(list) {
              yield* embeddedIn('/call/{id}', objectPaths.call, fullCallsOf(list.items));
              if (isFirst && pageSize > 1 && list.total !== undefined)
                yield {
                  endpoint: '/campaigns/{id}/rows',
                  path: `${path}${toQuery(1)}`,
                  value: toFirstItem(list),
                };
            },
          },
          options,
        );
        return { ...response, calls: fullCallsOf(response.items) };
      },
    };
  };
}

const objectPaths = {
  call: (id: string) => `/call/${toPathSegment(id)}`,
  assistant: (id: string) => `/assistants/${toPathSegment(id)}`,
  campaign: (id: string) => `/campaigns/${toPathSegment(id)}`,
};

function* embeddedIn(
  endpoint: EmbeddedResponse['endpoint'],
  toPath: (id: string) => string,
  items: readonly unknown[],
): Iterable<EmbeddedResponse> {
  for (const value of items) {
    if (isObject(value) && typeof value.id === 'string' && isPathSegment(value.id))
      yield { endpoint, path: toPath(value.id), value };
  }
}

/**
 * The complete calls that rows embed; only a complete call can replace a response of `GET
 * /call/{id}`.
 */
function fullCallsOf(rows: readonly unknown[]): Call[] {
  return rows.flatMap((row) => (isObject(row) && isFullCall(row.call) ? [row.call] : []));
}

function isFullCall(call: unknown): call is Call {
  return (
    isObject(call) &&
    typeof call.id === 'string' &&
    call.id !== '' &&
    Array.isArray(call.call_attempts)
  );
}

function parseObject<T>(key: string, body: unknown): T {
  const object = isObject(body) ? body[key] : undefined;
  const id = isObject(object) ? object.id : undefined;
  if (typeof id === 'string' && id !== '') return object as T;
  const numericId = toNumericId(id);
  if (numericId !== undefined) return Object.freeze({ ...(object as T), id: numericId });
  throw new UnexpectedShapeError(`no ${key} with an id`);
}

function parseList(key: string, body: unknown): ListResponse {
  const items = isObject(body) ? body[key] : undefined;
  if (!isObject(body) || !Array.isArray(items)) throw new UnexpectedShapeError(`no list of ${key}`);
  const total =
    typeof body.total === 'string' && body.total.trim() !== '' ? Number(body.total) : body.total;
  return Object.freeze(isValidTotal(total) ? { items, total } : { items });
}

/** Rejects a page that has items, but none with an id: no cursor could point into it. */
function parsePage(key: string, body: unknown): ListResponse {
  const list = parseList(key, body);
  const isUsable = (item: unknown) =>
    isObject(item) &&
    (typeof item.id === 'string' ? item.id !== '' : toNumericId(item.id) !== undefined);
  if (list.items.length === 0 || list.items.some(isUsable)) return list;
  throw new UnexpectedShapeError('a list in which no item has an id');
}

/** Derives the response to a request for the first page of one item from a longer first page. */
function toFirstItem({ items, ...rest }: ListResponse): ListResponse {
  return Object.freeze({ ...rest, items: Object.freeze(items.slice(0, 1)) });
}

/**
 * Whether GraphQL's `Int` can hold the total. An invalid total counts as missing: the length can be
 * found in other ways.
 */
function isValidTotal(total: unknown): total is number {
  return Number.isInteger(total) && Number(total) >= 0 && Number(total) < 2 ** 31;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
  );
}
