import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { GatewayError } from '#errors/gateway-error.ts';
import {
  UpstreamInvalidResponseError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { FetchUpstream, UpstreamRequest } from '#rest/upstream-request.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import {
  change,
  groupPaths,
  type JsonPath,
  type Mutation,
  mutations,
} from '../binding/mutations.ts';
import { KEY_A } from '../support/test-gateway.ts';

/** What the simulated upstream does in one run. */
export interface UpstreamBehaviour {
  /** Each is applied to every response of its endpoint. */
  readonly changes: readonly { readonly endpoint: number; readonly mutations: Mutation[] }[];
  /** The requests that fail, by their number in the operation. */
  readonly failures: readonly { readonly request: number; readonly error: number }[];
  /** How long each response takes: the numbers apply to the requests in turn. */
  readonly delays: readonly number[];
  /** The request at which the client disconnects. */
  readonly disconnectAt: number | undefined;
}

const ENDPOINTS = [
  '/call/{id}',
  '/call',
  '/assistants',
  '/assistants/{id}',
  '/campaigns',
  '/campaigns/{id}',
  '/campaigns/{id}/rows',
];

export const upstreamBehaviours: fc.Arbitrary<UpstreamBehaviour> = fc.record({
  changes: fc.array(
    fc.record({
      endpoint: fc.nat({ max: ENDPOINTS.length - 1 }),
      mutations: mutations({ maxLength: 12 }),
    }),
    { maxLength: 4, size: 'max' },
  ),
  failures: fc.array(fc.record({ request: fc.nat({ max: 12 }), error: fc.nat({ max: 5 }) }), {
    maxLength: 3,
  }),
  delays: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 4 }),
  disconnectAt: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 20 }),
});

const { calls, attempts, assistants, campaigns, rows } = createSandbox().control.data(KEY_A);

/** A few objects of each kind: most mutations affect an object that a document selects. */
const DATA = trimLists({
  calls: [
    ...calls.filter(({ campaign, call_attempts }) => campaign && call_attempts.length > 1),
    ...calls,
  ].slice(0, 4),
  attempts: attempts.slice(0, 7),
  assistants: assistants.slice(0, 4),
  campaigns: campaigns.slice(0, 3),
  rows: Object.fromEntries(campaigns.slice(0, 3).map(({ id }) => [id, rows[id]?.slice(0, 4)])),
}) as {
  readonly [list in 'calls' | 'attempts' | 'assistants' | 'campaigns']: readonly { id: string }[];
} & { readonly rows: { readonly [campaign: string]: readonly object[] } };

export const PAGE_SIZE = 3;

const idsOf = (objects: readonly { id: string }[]) => objects.map(({ id }) => id);

/** The ids of all objects, by type. */
export const IDS = {
  Call: idsOf(DATA.calls),
  Assistant: idsOf(DATA.assistants),
  Campaign: idsOf(DATA.campaigns),
};

export interface SimulatedUpstream {
  readonly fetch: FetchUpstream;
  readonly requests: readonly string[];
  /** Resolves when no request is in flight and none follows from the last response. */
  idle(): Promise<void>;
}

/**
 * An upstream in memory, for one execution. Two upstreams with the same behaviour respond alike if
 * they get the same requests in the same order.
 */
export function createSimulatedUpstream(
  { changes, failures, delays, disconnectAt }: UpstreamBehaviour,
  onDisconnect: () => void,
): SimulatedUpstream {
  const requests: string[] = [];
  let inFlight = 0;
  const version = { instance: 'test', sequence: 0, isCached: false };

  return {
    requests,
    async fetch(context, request) {
      inFlight += 1;
      try {
        return await answer(context, request);
      } finally {
        inFlight -= 1;
      }
    },
    async idle() {
      do await setImmediate();
      while (inFlight > 0);
    },
  };

  async function answer<T>(context: UpstreamContext, request: UpstreamRequest<T>) {
    const number = requests.push(`${request.path}${request.query}`) - 1;
    if (number === disconnectAt) onDisconnect();
    await delay(delays[number % delays.length] ?? 0);
    context.signal.throwIfAborted();
    const failure = failures.find((one) => one.request === number);
    if (failure) throw toError(failure.error, request.path);
    const body = respond(request);
    if (body === undefined) throw new UpstreamNotFoundError(toLine(request.path), 404);
    version.sequence += 1;
    return { value: parse(request, mutate(body, request)), status: 200, readVersion: version };
  }

  function mutate(body: object, { endpoint }: UpstreamRequest<unknown>): unknown {
    let mutated: unknown = body;
    for (const one of changes) {
      if (ENDPOINTS[one.endpoint] !== endpoint) continue;
      const groups = groupsOf(body);
      for (const { where, which, how } of one.mutations) {
        const group = groups[where % groups.length] ?? [];
        mutated = change(mutated, group[which % group.length] ?? [], how);
      }
    }
    return mutated;
  }
}

function parse<T>({ parse: parseBody, path }: UpstreamRequest<T>, body: unknown): T {
  try {
    return parseBody(body);
  } catch (error) {
    throw new UpstreamInvalidResponseError(toLine(path), (error as Error).message);
  }
}

const bodies = new Map<string, object | undefined>();

function respond({ endpoint, path, query }: UpstreamRequest<unknown>): object | undefined {
  const key = `${path}${query}`;
  if (!bodies.has(key)) bodies.set(key, toBody(endpoint, path, new URLSearchParams(query)));
  return bodies.get(key);
}

function toBody(endpoint: string, path: string, query: URLSearchParams): object | undefined {
  const id = path.split('/')[2] ?? '';
  const find = (list: readonly { id: string }[]) => list.find((object) => object.id === id);
  const page = (list: readonly object[]) => {
    const size = Number(query.get('page_size'));
    const start = (Number(query.get('page')) - 1) * size;
    return list.slice(start, start + size);
  };
  const campaignRows = DATA.rows[id];
  switch (endpoint) {
    case '/call/{id}':
      return find(DATA.calls) && { call: find(DATA.calls) };
    case '/call':
      return { calls: page(DATA.attempts) };
    case '/assistants':
      return { assistants: DATA.assistants };
    case '/assistants/{id}':
      return find(DATA.assistants);
    case '/campaigns':
      return { campaigns: DATA.campaigns };
    case '/campaigns/{id}':
      return find(DATA.campaigns) && { campaign: find(DATA.campaigns) };
    default:
      return campaignRows && { rows: page(campaignRows), total: campaignRows.length };
  }
}

const groups = new WeakMap<object, JsonPath[][]>();

function groupsOf(body: object): JsonPath[][] {
  const known = groups.get(body) ?? groupPaths(body, () => true);
  groups.set(body, known);
  return known;
}

/** The first two items of each list within an object. */
function trimLists(value: unknown, depth = 0): unknown {
  if (Array.isArray(value))
    return (depth > 2 ? value.slice(0, 2) : value).map((item) => trimLists(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, trimLists(inner, depth + 1)]),
  );
}

async function delay(kind: number): Promise<void> {
  if (kind === 4) await setImmediate();
  else if (kind === 3) await new Promise<void>((resolve) => process.nextTick(resolve));
  else for (let ticks = 0; ticks < kind * 3; ticks += 1) await undefined;
}

const toLine = (path: string) => ({ method: 'GET' as const, path });

function toError(kind: number, path: string): Error {
  const line = toLine(path);
  switch (kind) {
    case 0:
      return new UpstreamUnavailableError(line);
    case 1:
      return new UpstreamTimeoutError(line);
    case 2:
      return new UpstreamNotFoundError(line, 404);
    case 3:
      return new UpstreamRejectedError(line, 400);
    case 4:
      return new GatewayError('RATE_LIMITED', 'Limited.', { retryAfter: 3 });
    default:
      return new TypeError('An unexpected error.');
  }
}
