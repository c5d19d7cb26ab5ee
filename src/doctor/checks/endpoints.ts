import { isDeepStrictEqual } from 'node:util';
import { isWireObject, type WireObject } from '#binding/wire-object.ts';
import type { AddFinding, Finding } from '#doctor/finding.ts';
import { type ProbedPage, toPage, toPathId } from '#doctor/upstream/items.ts';
import {
  describeProblem,
  isRejected,
  isUsable,
  type Probe,
  type ProbeClient,
} from '#doctor/upstream/probe-client.ts';
import { isFirstPageAgain } from '#pagination/first-page.ts';
import { plural } from '#plural.ts';
import { toPathSegment } from '#rest/url.ts';

/** Statuses of campaigns in the order in which their rows are likely to have calls. */
const CAMPAIGN_ORDER = ['completed', 'running', 'paused'];

export interface EndpointScene {
  readonly client: ProbeClient;
  readonly pageSize: number;
  /** The first page of call attempts. */
  readonly attempts: ProbedPage | undefined;
  /** The number of the first page of call attempts. */
  readonly firstPage: 0 | 1 | undefined;
  /** The response to `GET /assistants`. */
  readonly assistants: Probe;
  readonly add: AddFinding;
}

export interface EndpointFacts {
  /** Attempt id → status of its order, of the orders that were read. */
  readonly orderStatuses: ReadonlyMap<string, unknown>;
  /** The response to the id of an attempt in the place of the id of an order. */
  readonly attemptProbe: Probe | undefined;
}

/**
 * Reads each endpoint once: the campaigns lead to rows, the rows to orders, and an order to its
 * assistant. The comparison with the contract reads the responses later.
 */
export async function readEndpoints(scene: EndpointScene): Promise<EndpointFacts> {
  const { client, pageSize, attempts, firstPage, assistants, add } = scene;
  const campaign = pickCampaign(toPage(await client.get('/campaigns'), 'campaigns'));
  let rows: ProbedPage | undefined;
  if (campaign !== undefined) {
    const path = `/campaigns/${toPathSegment(campaign)}`;
    await client.get(path);
    const start = await readRows(client, `${path}/rows`, pageSize);
    add(toRowPages(start.firstRowPage, firstPage));
    rows = start.rows;
  }
  const calls = (rows?.objects ?? []).flatMap(({ call }) => (isWireObject(call) ? [call] : []));
  const order = await readOrder(client, calls);
  const attemptId = attempts?.items[0]?.id;
  const attemptProbe =
    attemptId === undefined ? undefined : await client.get(`/call/${toPathSegment(attemptId)}`);
  if (attemptProbe) add(toAttemptId(attemptProbe));
  add(await checkEmbeddedAssistant(client, order ?? calls[0], toPage(assistants, 'assistants')));
  return { orderStatuses: orderStatusesOf(calls), attemptProbe };
}

function pickCampaign(campaigns: ProbedPage | undefined): string | undefined {
  const rank = ({ status }: WireObject) => {
    const index = CAMPAIGN_ORDER.indexOf(String(status));
    return index === -1 ? CAMPAIGN_ORDER.length : index;
  };
  const [campaign] = (campaigns?.objects ?? []).toSorted((a, b) => rank(a) - rank(b));
  return toPathId(campaign?.id);
}

/** Reads the first page of rows, which is numbered like the list of attempts or differently. */
async function readRows(client: ProbeClient, path: string, pageSize: number) {
  const read = (page: number) => client.get(`${path}?page=${page}&page_size=${pageSize}`);
  const zeroProbe = await read(0);
  const zero = toPage(zeroProbe, 'rows');
  if (!zero && !isRejected(zeroProbe)) return { firstRowPage: undefined, rows: undefined };
  // A page that names itself 1 is the first page of a list that clamps numbers.
  if (zero && zero.served > 0 && isWireObject(zeroProbe.json) && zeroProbe.json.page === 1)
    return { firstRowPage: 1 as const, rows: zero };
  const one = toPage(await read(1), 'rows');
  if (!zero) return { firstRowPage: one && (1 as const), rows: one };
  if (zero.served === 0) {
    const hasRows = one !== undefined && one.served > 0;
    return { firstRowPage: hasRows ? (1 as const) : undefined, rows: hasRows ? one : zero };
  }
  const isAgain = one !== undefined && isFirstPageAgain(zero, one);
  return { firstRowPage: isAgain || !one ? undefined : (0 as const), rows: zero };
}

/** A setting applies to both lists, so they must be numbered alike; `auto` is found for each. */
function toRowPages(firstRowPage: 0 | 1 | undefined, firstPage: 0 | 1 | undefined): Finding {
  const check = 'row-pages';
  if (firstRowPage === undefined)
    return {
      check,
      verdict: 'unknown',
      message: 'The rows of the campaign do not show the number of their first page.',
    };
  const isDifferent = firstPage !== undefined && firstRowPage !== firstPage;
  return {
    check,
    verdict: isDifferent ? 'finding' : 'ok',
    message: isDifferent
      ? `The first page of rows has the number ${firstRowPage}, unlike that of call attempts.`
      : `The first page of rows has the number ${firstRowPage}.`,
    ...(isDifferent && { settings: { REVOX_FIRST_PAGE: 'auto' } }),
    details: { firstRowPage },
  };
}

async function readOrder(
  client: ProbeClient,
  calls: readonly WireObject[],
): Promise<WireObject | undefined> {
  const candidate =
    calls.find(({ assistant, id }) => isWireObject(assistant) && toPathId(id)) ?? calls[0];
  const id = toPathId(candidate?.id);
  if (id === undefined) return undefined;
  const probe = await client.get(`/call/${toPathSegment(id)}`);
  const call = isUsable(probe) && isWireObject(probe.json) ? probe.json.call : undefined;
  return isWireObject(call) ? call : undefined;
}

function toAttemptId(probe: Probe): Finding {
  const check = 'attempt-id';
  const { status } = probe;
  if (isUsable(probe))
    return { check, verdict: 'note', message: 'GET /call/{id} accepts the id of an attempt.' };
  return status !== undefined && status < 500 && status !== 429 && !probe.isWebPage
    ? {
        check,
        verdict: 'ok',
        message: `GET /call/{id} accepts only ids of orders: the id of an attempt gets status ${status}.`,
      }
    : {
        check,
        verdict: 'unknown',
        message: `Whether GET /call/{id} accepts the id of an attempt is not known: ${describeProblem(probe)}.`,
      };
}

/** Compares the assistant inside a call with the same assistant on its own. */
async function checkEmbeddedAssistant(
  client: ProbeClient,
  call: WireObject | undefined,
  assistants: ProbedPage | undefined,
): Promise<Finding> {
  const check = 'embedded-assistant';
  const embedded = isWireObject(call?.assistant) ? call.assistant : undefined;
  const id = toPathId(embedded?.id) ?? assistants?.items[0]?.id;
  if (id === undefined)
    return { check, verdict: 'unknown', message: 'There is no assistant to read.' };
  const probe = await client.get(`/assistants/${toPathSegment(id)}`);
  if (!embedded)
    return {
      check,
      verdict: 'unknown',
      message: 'No call with an assistant was found to compare with GET /assistants/{id}.',
    };
  if (!isUsable(probe))
    return {
      check,
      verdict: 'note',
      message: `The assistant of a call cannot be compared with GET /assistants/{id}: ${describeProblem(probe)}.`,
    };
  const own = unwrap(probe.json);
  const differing = [...new Set([...Object.keys(embedded), ...Object.keys(own)])].filter(
    (key) => !isDeepStrictEqual(embedded[key], own[key]),
  );
  return differing.length === 0
    ? { check, verdict: 'ok', message: 'The assistant of a call equals GET /assistants/{id}.' }
    : {
        check,
        verdict: 'note',
        message: `The assistant of a call differs from GET /assistants/{id} in ${plural(differing.length, 'key')}; the gateway does not use one for the other.`,
        details: { keys: differing },
      };
}

/** Documented as a bare object; other versions of the API wrap it. */
export function unwrap(json: unknown): WireObject {
  if (!isWireObject(json)) return {};
  return isWireObject(json.assistant) && !('id' in json) ? json.assistant : json;
}

function orderStatusesOf(calls: readonly WireObject[]): Map<string, unknown> {
  return new Map(
    calls.flatMap(({ status, call_attempts }) =>
      (Array.isArray(call_attempts) ? call_attempts : []).flatMap((attempt) => {
        const id = isWireObject(attempt) ? toPathId(attempt.id) : undefined;
        return id === undefined ? [] : [[id, status] as const];
      }),
    ),
  );
}
