import type { Assistant, Call, CallStatus, Campaign, CampaignRowResult } from '#generated/revox-api.ts';
import type { Errand } from './errand.ts';
import { type Ask, type HeldAnswer, type Question, type Reading, type Wish, WrongShapeError } from './question.ts';
import { type ArrayFormat, isPathSegment, type QueryParameters, toPathSegment, toQueryString } from './url.ts';

/** A page as the upstream numbers and sizes it. */
export interface NumberedPage {
  readonly page: number;
  readonly pageSize: number;
}

/** Items of a list, unchecked: any of them may be no object at all. */
export interface ListAnswer {
  readonly items: readonly unknown[];
  /** The length of the whole list, where the answer tells it. */
  readonly total?: number;
}

/** A page of a list that may move between two readings. */
export interface PageAnswer extends ListAnswer {
  readonly reading: Reading;
}

export interface CampaignRowFilter {
  readonly query?: string | undefined;
  readonly result?: CampaignRowResult | undefined;
  readonly statuses?: readonly CallStatus[] | undefined;
}

/** The upstream's endpoints, for one operation. Each asks exactly one question. */
export interface Rest {
  getCall(id: string): Promise<Call>;
  listCallAttempts(page: NumberedPage, statuses: readonly CallStatus[], wish?: Wish): Promise<PageAnswer>;
  getAssistant(id: string): Promise<Assistant>;
  listAssistants(): Promise<ListAnswer>;
  getCampaign(id: string): Promise<Campaign>;
  listCampaigns(): Promise<ListAnswer>;
  /** `calls`: the calls that the rows embed whole. */
  listCampaignRows(
    campaignId: string,
    page: NumberedPage,
    filter: CampaignRowFilter,
    wish?: Wish,
  ): Promise<PageAnswer & { readonly calls: readonly Call[] }>;
}

export type CreateRest = (errand: Errand) => Rest;

/** @param arrayFormat of `statuses` in `GET /call`; that of rows is one comma-joined string always */
export function createRestFactory(ask: Ask, { arrayFormat }: { readonly arrayFormat: ArrayFormat }): CreateRest {
  const write = (parameters: QueryParameters) => toQueryString(parameters, arrayFormat);

  return (errand) => {
    const get = async <T>(question: Question<T>) => (await ask(errand, question)).value;
    const getPage = async (question: Question<ListAnswer>, wish: Wish | undefined): Promise<PageAnswer> => {
      const { value, reading } = await ask(errand, question, wish);
      return { ...value, reading };
    };
    return {
      getCall: async (id) =>
        get({ endpoint: '/call/{id}', path: pathOfOne.call(id), query: '', read: (body) => objectAt<Call>('call', body) }),
      listCallAttempts: async ({ page, pageSize }, statuses, wish) =>
        getPage(
          {
            endpoint: '/call',
            path: '/call',
            query: write({ page, page_size: pageSize, statuses: statuses.length === 0 ? undefined : statuses }),
            read: (body) => pageAt('calls', body),
          },
          wish,
        ),
      getAssistant: async (id) =>
        get({
          endpoint: '/assistants/{id}',
          path: pathOfOne.assistant(id),
          query: '',
          read(body) {
            // Documented bare; other versions wrap it as everything else is wrapped.
            const isWrapped = isObject(body) && isObject(body.assistant) && !('id' in body);
            return objectAt<Assistant>('assistant', isWrapped ? body : { assistant: body });
          },
        }),
      listAssistants: () =>
        get({
          endpoint: '/assistants',
          path: '/assistants',
          query: '',
          read: (body) => listAt('assistants', body),
          held: ({ items }) => held('/assistants/{id}', pathOfOne.assistant, items),
        }),
      getCampaign: async (id) =>
        get({
          endpoint: '/campaigns/{id}',
          path: pathOfOne.campaign(id),
          query: '',
          read: (body) => objectAt<Campaign>('campaign', body),
        }),
      listCampaigns: () =>
        get({
          endpoint: '/campaigns',
          path: '/campaigns',
          query: '',
          read: (body) => listAt('campaigns', body),
          held: ({ items }) => held('/campaigns/{id}', pathOfOne.campaign, items),
        }),
      async listCampaignRows(campaignId, { page, pageSize }, { query, result, statuses = [] }, wish) {
        const answer = await getPage(
          {
            endpoint: '/campaigns/{id}/rows',
            path: `${pathOfOne.campaign(campaignId)}/rows`,
            query: write({
              page,
              page_size: pageSize,
              query: query || undefined,
              result,
              // One string here, whatever the format of lists elsewhere.
              statuses: statuses.length === 0 ? undefined : statuses.join(','),
            }),
            read: (body) => pageAt('rows', body),
            held: ({ items }) => held('/call/{id}', pathOfOne.call, wholeCallsOf(items)),
          },
          wish,
        );
        return { ...answer, calls: wholeCallsOf(answer.items) };
      },
    };
  };
}

const pathOfOne = {
  call: (id: string) => `/call/${toPathSegment(id)}`,
  assistant: (id: string) => `/assistants/${toPathSegment(id)}`,
  campaign: (id: string) => `/campaigns/${toPathSegment(id)}`,
};

function* held(
  endpoint: HeldAnswer['endpoint'],
  toPath: (id: string) => string,
  items: readonly unknown[],
): Iterable<HeldAnswer> {
  for (const value of items) {
    if (isObject(value) && typeof value.id === 'string' && isPathSegment(value.id))
      yield { endpoint, path: toPath(value.id), value };
  }
}

/** A row embeds its call whole; only a whole one can stand for `GET /call/{id}`. */
function wholeCallsOf(rows: readonly unknown[]): Call[] {
  return rows.flatMap((row) => (isObject(row) && isWholeCall(row.call) ? [row.call] : []));
}

function isWholeCall(call: unknown): call is Call {
  return isObject(call) && typeof call.id === 'string' && call.id !== '' && Array.isArray(call.call_attempts);
}

function objectAt<T>(key: string, body: unknown): T {
  const object = isObject(body) ? body[key] : undefined;
  const id = isObject(object) ? object.id : undefined;
  if (typeof id === 'string' && id !== '') return object as T;
  if (typeof id === 'number') return Object.freeze({ ...(object as T), id: String(id) });
  throw new WrongShapeError(`no ${key} with an id`);
}

function listAt(key: string, body: unknown): ListAnswer {
  const items = isObject(body) ? body[key] : undefined;
  if (!isObject(body) || !Array.isArray(items)) throw new WrongShapeError(`no list of ${key}`);
  const total = typeof body.total === 'string' && body.total !== '' ? Number(body.total) : body.total;
  return Object.freeze(isCount(total) ? { items, total } : { items });
}

/** A page on which nothing can be known again is none: no cursor could stand on it. */
function pageAt(key: string, body: unknown): ListAnswer {
  const list = listAt(key, body);
  const isUsable = (item: unknown) =>
    isObject(item) && (typeof item.id === 'number' || (typeof item.id === 'string' && item.id !== ''));
  if (list.items.length === 0 || list.items.some(isUsable)) return list;
  throw new WrongShapeError('a list of which no item has an id');
}

/** What GraphQL can hold as an `Int`; a total that is none is as good as not told, for the length can be found out. */
function isCount(total: unknown): total is number {
  return Number.isInteger(total) && Number(total) >= 0 && Number(total) < 2 ** 31;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
