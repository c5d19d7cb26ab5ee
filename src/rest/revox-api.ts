import type {
  Assistant,
  Call,
  CallStatus,
  Campaign,
  CampaignRowResult,
} from '#generated/revox-api.ts';
import {
  isObject,
  type ListResponse,
  parseList,
  parseObject,
  parsePage,
  toFirstItem,
} from './response-body.ts';
import type { UpstreamContext } from './upstream-context.ts';
import type {
  EmbeddedResponse,
  FetchOptions,
  FetchUpstream,
  ReadVersion,
  UpstreamRequest,
  UpstreamResponse,
} from './upstream-request.ts';
import {
  type ArrayFormat,
  isPathSegment,
  type QueryParameters,
  toPathSegment,
  toQueryString,
} from './url.ts';
import { isPartialCall, WholeCalls } from './whole-calls.ts';

/** A page in the upstream's numbering. */
export interface NumberedPage {
  readonly page: number;
  readonly pageSize: number;
  /** The page is known to be the first one of its list. */
  readonly isFirst?: boolean | undefined;
}

/** A page of a list that may change between two reads. */
export interface PageResponse extends ListResponse {
  readonly readVersion: ReadVersion;
  /** When the request was sent, by the gateway's clock, in ms. */
  readonly requestedAt?: number | undefined;
}

export interface CampaignRowFilter {
  readonly query?: string | undefined;
  readonly result?: CampaignRowResult | undefined;
  readonly statuses?: readonly CallStatus[] | undefined;
}

/** The upstream's endpoints, for one operation. Each method fetches exactly one response. */
export interface RevoxApi {
  getCall(id: string): Promise<Call>;
  /** A call with the version of its read, as `FetchOptions` demand. */
  readCall(id: string, options: FetchOptions): Promise<UpstreamResponse<Call>>;
  listCallAttempts(
    page: NumberedPage,
    statuses: readonly CallStatus[],
    options?: FetchOptions,
  ): Promise<PageResponse>;
  getAssistant(id: string): Promise<Assistant>;
  listAssistants(): Promise<ListResponse>;
  getCampaign(id: string): Promise<Campaign>;
  /** A campaign with the version of its read, as `FetchOptions` demand. */
  readCampaign(id: string, options: FetchOptions): Promise<UpstreamResponse<Campaign>>;
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

export interface RevoxApiOptions {
  /** Of `statuses` in `GET /call`; rows always use one comma-joined string. */
  readonly arrayFormat: ArrayFormat;
  /** A monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

export function createRevoxApiFactory(
  fetchUpstream: FetchUpstream,
  { arrayFormat, monotonicNow }: RevoxApiOptions,
): CreateRevoxApi {
  const encodeQuery = (parameters: QueryParameters) => toQueryString(parameters, arrayFormat);
  const wholeCalls = new WholeCalls(monotonicNow);

  return (context) => {
    const { fingerprint } = context.credential;
    const recordCall = (call: Call) => wholeCalls.record(fingerprint, call);
    const canReplaceCall = (call: Call, cached: unknown) =>
      wholeCalls.isWhole(fingerprint, call) && !isPartialCall(call, cached);
    /** @param toRequest may throw: the promise then rejects */
    const get = async <T>(toRequest: () => UpstreamRequest<T>) =>
      (await fetchUpstream(context, toRequest())).value;
    const getPage = async (
      request: UpstreamRequest<ListResponse>,
      options: FetchOptions | undefined,
    ): Promise<PageResponse> => {
      const { pageOptions } = context;
      const { value, readVersion, requestedAt } = await fetchUpstream(
        context,
        request,
        pageOptions ? { ...pageOptions, ...options } : options,
      );
      return { ...value, readVersion, requestedAt };
    };
    return {
      getCall: (id) => get(() => toCallRequest(id, recordCall)),
      readCall: async (id, options) =>
        fetchUpstream(context, toCallRequest(id, recordCall), options),
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
      getAssistant: (id) =>
        get(() => ({
          endpoint: '/assistants/{id}',
          path: objectPaths.assistant(id),
          query: '',
          parse(body) {
            // Documented as a bare object; other versions of the API wrap it like every other
            // object.
            const isWrapped = isObject(body) && isObject(body.assistant) && !('id' in body);
            return parseObject<Assistant>('assistant', isWrapped ? body : { assistant: body });
          },
        })),
      listAssistants: () =>
        get(() => ({
          endpoint: '/assistants',
          path: '/assistants',
          query: '',
          parse: (body) => parseList('assistants', body),
          embedded: ({ items }) => embeddedIn('/assistants/{id}', objectPaths.assistant, items),
        })),
      getCampaign: (id) => get(() => toCampaignRequest(id)),
      readCampaign: async (id, options) => fetchUpstream(context, toCampaignRequest(id), options),
      listCampaigns: () =>
        get(() => ({
          endpoint: '/campaigns',
          path: '/campaigns',
          query: '',
          parse: (body) => parseList('campaigns', body),
          embedded: ({ items }) => embeddedIn('/campaigns/{id}', objectPaths.campaign, items),
        })),
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
              const calls = fullCallsOf(list.items);
              yield* embeddedIn('/call/{id}', objectPaths.call, calls, canReplaceCall);
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

/** @param onParsed called with each call that was parsed */
function toCallRequest(id: string, onParsed: (call: Call) => void): UpstreamRequest<Call> {
  return {
    endpoint: '/call/{id}',
    path: objectPaths.call(id),
    query: '',
    parse(body) {
      const call = parseObject<Call>('call', body);
      onParsed(call);
      return call;
    },
  };
}

function toCampaignRequest(id: string): UpstreamRequest<Campaign> {
  return {
    endpoint: '/campaigns/{id}',
    path: objectPaths.campaign(id),
    query: '',
    parse: (body) => parseObject<Campaign>('campaign', body),
  };
}

/** The paths of single objects, with their ids encoded. */
export const objectPaths = {
  call: (id: string) => `/call/${toPathSegment(id)}`,
  assistant: (id: string) => `/assistants/${toPathSegment(id)}`,
  campaign: (id: string) => `/campaigns/${toPathSegment(id)}`,
};

function* embeddedIn<T>(
  endpoint: EmbeddedResponse['endpoint'],
  toPath: (id: string) => string,
  items: readonly T[],
  canReplace?: (item: T, cached: unknown) => boolean,
): Iterable<EmbeddedResponse> {
  for (const value of items) {
    if (!isObject(value) || typeof value.id !== 'string' || !isPathSegment(value.id)) continue;
    const response = { endpoint, path: toPath(value.id), value };
    yield canReplace
      ? { ...response, canReplace: (cached) => canReplace(value, cached) }
      : response;
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
