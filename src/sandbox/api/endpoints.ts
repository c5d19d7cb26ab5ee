import type { Organization } from '#sandbox/data/organization.ts';
import type { PageRules } from './paging.ts';
import { takePage } from './paging.ts';
import type { ArrayFormat } from './parameters.ts';
import {
  ApiError,
  parseChoice,
  parseList,
  parseScalar,
  parseWholeNumber,
  rejectUnknown,
  toListName,
} from './parameters.ts';
import type { CampaignRow } from './wire.ts';
import { CALL_STATUSES, ROW_RESULTS } from './wire.ts';

/** Behaviour that the API documentation leaves open, in addition to page numbers. */
export interface EndpointRules extends PageRules {
  readonly arrayFormat: ArrayFormat;
  /** GET /call accepts `statuses` in any format, and serves all attempts. */
  readonly ignoresStatuses: boolean;
  /** GET /call is sorted oldest first. */
  readonly isOldestFirst: boolean;
  readonly wrapsAssistant: boolean;
}

type Endpoint = (
  organization: Organization,
  id: string,
  query: URLSearchParams,
  rules: EndpointRules,
) => unknown;

/**
 * Responds to a path (without the base path) from one organization's data: another organization's
 * objects do not exist.
 */
export function respond(
  organization: Organization,
  method: string,
  path: string,
  query: URLSearchParams,
  rules: EndpointRules,
): unknown {
  const [empty, collection, id, rest, ...more] = path.split('/').map(decodeSegment);
  if (empty !== '' || collection === undefined || id === '' || more.length > 0)
    throw notFound('Route');
  const endpoint = ENDPOINTS.get(
    [collection, ...(id === undefined ? [] : [':id']), ...(rest === undefined ? [] : [rest])].join(
      '/',
    ),
  );
  if (endpoint === undefined) throw notFound('Route');
  if (method !== 'GET') throw new ApiError(405, 'Method not allowed', { allow: 'GET' });
  return endpoint(organization, id ?? '', query, rules);
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['call', listAttempts],
  ['call/:id', getCall],
  ['assistants', listAssistants],
  ['assistants/:id', getAssistant],
  ['campaigns', listCampaigns],
  ['campaigns/:id', getCampaign],
  ['campaigns/:id/rows', listRows],
]);

function listAttempts(
  organization: Organization,
  _id: string,
  query: URLSearchParams,
  rules: EndpointRules,
): unknown {
  const listNames = rules.ignoresStatuses
    ? ['statuses', 'statuses[]']
    : [toListName('statuses', rules.arrayFormat)];
  rejectUnknown(query, ['page', 'page_size', ...listNames]);
  const requested = parsePage(query, rules);
  const statuses = rules.ignoresStatuses
    ? undefined
    : parseList(query, 'statuses', rules.arrayFormat, CALL_STATUSES);
  const { orderOf } = organization;
  const attempts = rules.isOldestFirst ? organization.attempts.toReversed() : organization.attempts;
  const matching =
    statuses === undefined
      ? attempts
      : attempts.filter((attempt) => {
          const order = orderOf.get(attempt.id);
          return order !== undefined && statuses.includes(order.status);
        });
  return { calls: takePage(matching, requested, rules).items };
}

function getCall(organization: Organization, id: string, query: URLSearchParams): unknown {
  rejectUnknown(query, []);
  return { call: findById(organization.calls, id, 'Call') };
}

function listAssistants(organization: Organization, _id: string, query: URLSearchParams): unknown {
  rejectUnknown(query, []);
  return { assistants: organization.assistants };
}

function getAssistant(
  organization: Organization,
  id: string,
  query: URLSearchParams,
  rules: EndpointRules,
): unknown {
  rejectUnknown(query, []);
  const assistant = findById(organization.assistants, id, 'Assistant');
  return rules.wrapsAssistant ? { assistant } : assistant;
}

function listCampaigns(organization: Organization, _id: string, query: URLSearchParams): unknown {
  rejectUnknown(query, []);
  return { campaigns: organization.campaigns };
}

function getCampaign(organization: Organization, id: string, query: URLSearchParams): unknown {
  rejectUnknown(query, []);
  return { campaign: findById(organization.campaigns, id, 'Campaign') };
}

function listRows(
  organization: Organization,
  id: string,
  query: URLSearchParams,
  rules: EndpointRules,
): unknown {
  rejectUnknown(query, ['page', 'page_size', 'query', 'result', 'statuses']);
  const requested = parsePage(query, rules);
  const text = parseScalar(query, 'query')?.toLowerCase();
  const result = parseChoice(parseScalar(query, 'result') ?? 'all', 'result', ROW_RESULTS);
  const statuses = parseList(query, 'statuses', 'comma', CALL_STATUSES);
  const campaign = findById(organization.campaigns, id, 'Campaign');
  const matching = (organization.rows[campaign.id] ?? []).filter(
    (row) =>
      (text === undefined || mentions(row, text)) &&
      (result === 'all' || (row.call?.last_call_attempt?.result ?? 'none') === result) &&
      (statuses === undefined || (row.call !== undefined && statuses.includes(row.call.status))),
  );
  const { items, page, pageSize } = takePage(matching, requested, rules);
  return { page, page_size: pageSize, rows: items, total: matching.length };
}

function parsePage(query: URLSearchParams, rules: PageRules): { page: number; pageSize: number } {
  return {
    page: parseWholeNumber(
      query,
      'page',
      rules.clampsPageNumber ? Number.MIN_SAFE_INTEGER : rules.firstPage,
    ),
    pageSize: parseWholeNumber(query, 'page_size', 1),
  };
}

function mentions(row: CampaignRow, text: string): boolean {
  return [row.phone_number, ...Object.values(row.input_data)].some((value) =>
    value.toLowerCase().includes(text),
  );
}

function findById<T extends { id: string }>(items: readonly T[], id: string, what: string): T {
  const found = items.find((item) => item.id === id);
  if (found === undefined) throw notFound(what);
  return found;
}

function notFound(what: string): ApiError {
  return new ApiError(404, `${what} not found`);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ApiError(400, 'Malformed percent-encoding in the path');
  }
}
