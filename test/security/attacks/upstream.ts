import { gzipSync } from 'node:zlib';
import type { Attack, Observed } from '../attack.ts';
import { attackWith } from './requests.ts';

/** A key that the upstream accepts. The other tenant has another. */
const ACCEPTED = 'sk_demo_a';
const MIB = 2 ** 20;
const ROWS_OF_ALL_CAMPAIGNS =
  '{ campaigns(first: 100) { nodes { rows(first: 100) { nodes { id } } } } }';
const CALLS =
  'query ($a: [ID!]!, $b: [ID!]!, $c: [ID!]!) { a: calls(ids: $a) { id } b: calls(ids: $b) { id } c: calls(ids: $c) { id } }';
const CALL = 'query ($id: ID!) { call(id: $id) { id } }';

let count = 0;
const next = () => {
  count += 1;
  return `${process.pid}-${count}`;
};
const ids = (length: number) => Array.from({ length }, () => `call-${next()}`);
const twoHundredAndFifty = () => ({ a: ids(100), b: ids(100), c: ids(50) });
const operationsOf = ({ outcomes }: Observed) =>
  Object.values(outcomes).reduce((sum, times) => sum + times, 0);
/** Operations in progress at the end have no outcome. */
const MAX_UNFINISHED = 128;

const isOfAttacker = (request: Request) =>
  request.headers.get('authorization') === `Bearer ${ACCEPTED}`;
const respondToAttacker =
  (respond: (path: string, page: number) => Response | undefined) => (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    return isOfAttacker(request)
      ? respond(pathname, Number(searchParams.get('page') ?? 1))
      : undefined;
  };

const messages = Array.from({ length: 180 }, (_, n) => ({
  role: n % 2 === 0 ? 'agent' : 'user',
  content: `A sentence of a transcript that goes on for a while, number ${n}`,
  start: n * 1.5,
}));

/** 1.2 MB: fifty rows, each with a call that has a long transcript. */
function longRows(campaign: string, page: number): Response {
  const rows = Array.from({ length: page <= 2 ? 50 : 0 }, (_, n) => {
    const id = `${campaign}-${page}-${n}`;
    return {
      id,
      call: {
        id: `call-${id}`,
        status: 'completed',
        call_attempts: [{ id: `attempt-${id}`, transcript: messages }],
      },
    };
  });
  return Response.json({ rows, total: 100 });
}

const respondWithLongRows = respondToAttacker((path, page) => {
  const campaign = /\/campaigns\/([^/]+)\/rows$/.exec(path)?.[1];
  if (campaign !== undefined) return longRows(campaign, page);
  if (!path.endsWith('/campaigns')) return undefined;
  return Response.json({
    campaigns: Array.from({ length: 100 }, (_, n) => ({ id: `c${n}`, name: `${n}` })),
  });
});

const HELD_BYTES_BOUND = '`MAX_UPSTREAM_BYTES` (40 MiB); 12 MiB held for each key, 32 MiB in total';

/** An attack by the body of a call from the upstream. */
function bodies(name: string, bound: string, respond: () => Response, workers = 4): Attack {
  return {
    name,
    bound,
    respond: respondToAttacker((path) => (path.includes('/call/') ? respond() : undefined)),
    run: (target) =>
      attackWith(target, workers, (n) => ({
        key: ACCEPTED,
        body: { query: CALL, variables: { id: `call-${n}` } },
      })),
    outcomes: ['UPSTREAM_INVALID_RESPONSE', 'UPSTREAM_BUDGET_EXCEEDED', 'UPSTREAM_TIMEOUT'],
  };
}

const BOMB = gzipSync(Buffer.alloc(64 * MIB, ' '));

export const attacks: readonly Attack[] = [
  {
    name: 'The rows of 100 campaigns that contain long calls, four at a time',
    bound: HELD_BYTES_BOUND,
    respond: respondWithLongRows,
    run: (target) =>
      attackWith(target, 4, () => ({ key: ACCEPTED, body: { query: ROWS_OF_ALL_CAMPAIGNS } })),
    outcomes: ['ok', 'UPSTREAM_BUDGET_EXCEEDED', 'UPSTREAM_TIMEOUT'],
  },
  {
    name: '100 aliases of rows that contain long calls, four at a time',
    bound: HELD_BYTES_BOUND,
    respond: respondWithLongRows,
    run: (target) =>
      attackWith(target, 4, () => {
        const fields = Array.from(
          { length: 100 },
          (_, n) => `a${n}: campaign(id: "c${n}") { rows(first: 100) { nodes { id } } }`,
        );
        return { key: ACCEPTED, body: { query: `{ ${fields.join(' ')} }` } };
      }),
    outcomes: ['ok', 'UPSTREAM_BUDGET_EXCEEDED', 'UPSTREAM_TIMEOUT'],
  },
  {
    name: '250 objects with a new unaccepted key for each request, 32 at a time',
    bound:
      'one upstream request for each unaccepted key; all unaccepted keys share one queue and half of the slots',
    run: (target) =>
      attackWith(target, 32, (n) => ({
        key: `sk_invented_${n}`,
        body: { query: CALLS, variables: twoHundredAndFifty() },
      })),
    maxUpstreamRequests: (observed) => operationsOf(observed) + MAX_UNFINISHED,
    outcomes: ['UNAUTHENTICATED'],
  },
  {
    name: '250 objects with one unaccepted key, repeatedly, 32 at a time',
    bound: 'one upstream request a second',
    run: (target) =>
      attackWith(target, 32, () => ({
        key: 'sk_invented',
        body: { query: CALLS, variables: twoHundredAndFifty() },
      })),
    maxUpstreamRequests: () => 10,
    outcomes: ['UNAUTHENTICATED'],
  },
  {
    name: 'New unaccepted keys, 128 at a time, with an upstream that rejects them slowly',
    bound:
      'half of `REVOX_MAX_CONCURRENCY_TOTAL` (200) for all keys that the upstream has not accepted',
    respond(request) {
      if (!request.headers.get('authorization')?.startsWith('Bearer sk_invented')) return undefined;
      return new Promise((resolve) =>
        setTimeout(() => resolve(new Response('{}', { status: 401 })), 1_000),
      );
    },
    run: (target) =>
      attackWith(target, 128, (n) => ({
        key: `sk_invented_${n}`,
        body: { query: CALL, variables: { id: 'x' } },
      })),
    maxUpstreamRequests: (observed) => operationsOf(observed) + MAX_UNFINISHED,
    outcomes: ['UNAUTHENTICATED'],
  },
  bodies(
    'Upstream bodies of 64 MiB in 64 KiB of gzip',
    '`REVOX_MAX_RESPONSE_BYTES` (32 MiB), decoded',
    () => new Response(BOMB, { headers: { 'content-encoding': 'gzip' } }),
  ),
  bodies('Upstream bodies that never end', '`REVOX_MAX_RESPONSE_BYTES` (32 MiB)', () => {
    const part = Buffer.alloc(65_536, ' ');
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(part) }));
  }),
  bodies(
    'Upstream bodies nested five million levels deep',
    '200 levels, one million values',
    () => new Response('['.repeat(5_000_000)),
  ),
  bodies(
    'Upstream bodies of five million empty objects',
    'one million values',
    () => new Response(`[${'{},'.repeat(5_000_000)}{}]`),
    1,
  ),
];
