import type { Attack, Observed, Target } from '../attack.ts';
import {
  type OpenedStream,
  openStream,
  type StreamOptions,
  type StreamTransport,
} from '../stream-client.ts';
import {
  createOutcomeTally,
  type GraphQLParams,
  KNOWN_KEY,
  type OutcomeTally,
  pause,
  repeat,
} from './requests.ts';

/** Requests that `LIVE_RATE` (10) permits in the time of an attack, with the first burst. */
export const MAX_POLLS = 80;

export const watch = (id: string, selection = 'status'): GraphQLParams => ({
  query: `subscription ($id: ID!) { callUpdated(id: $id) { ${selection} } }`,
  variables: { id },
});

/** Each worker subscribes, records the outcome, does something with the stream, and closes it. */
function subscribingWorkers(
  workers: number,
  next: (worker: number, round: number) => StreamOptions,
  act: (stream: OpenedStream, target: Target) => Promise<unknown> = async () => {},
) {
  return async (target: Target): Promise<Observed> => {
    const tally: OutcomeTally = createOutcomeTally();
    await repeat(target, workers, async (worker, round) => {
      const stream = await openStream(target, next(worker, round));
      if (!target.signal.aborted) tally.record(stream.outcome);
      if (stream.outcome === 'ok') await act(stream, target);
      else await pause(target, 10);
      stream.socket.destroy();
    });
    return tally.observed();
  };
}

/** Reads the stream until the gateway or the end of the attack closes it. */
const readToEnd = ({ socket }: OpenedStream, target: Target) =>
  Promise.race([
    new Promise((resolve) => socket.resume().once('close', resolve)),
    pause(target, 60_000),
  ]);

/** Reads nothing more until the attack ends. */
const stall = ({ socket }: OpenedStream, target: Target) => {
  socket.pause();
  return pause(target, 60_000);
};

const TRANSPORTS: readonly StreamTransport[] = ['sse', 'multipart', 'websocket'];

const transportOf = (worker: number) => TRANSPORTS[worker % TRANSPORTS.length] ?? 'sse';

let changes = 0;

/** A call of one megabyte that changes with each request. */
function respondChanging(request: Request): Response | undefined {
  const id = /\/call\/(large-\d+)$/.exec(request.url)?.[1];
  if (id === undefined) return undefined;
  changes += 1;
  const metadata = { text: `${changes} ${'x'.repeat(2 ** 20)}` };
  return Response.json({ call: { id, status: 'calling', call_attempts: [], metadata } });
}

/** A call that is being called, for any key. */
export function respondLive(request: Request): Response | undefined {
  const id = /\/call\/(live-\d+)$/.exec(request.url)?.[1];
  return id === undefined
    ? undefined
    : Response.json({ call: { id, status: 'calling', call_attempts: [] } });
}

const EXPENSIVE_ROWS = Array.from(
  { length: 60 },
  (_, n) => `r${n}: rows(first: 100) { nodes { id } }`,
).join(' ');
const MANY_LISTS = Array.from(
  { length: 40 },
  (_, n) => `r${n}: rows(first: 1, query: "${n}") { totalCount }`,
).join(' ');

/** A call of a campaign, and the campaign's rows, for any key. */
function respondCampaign(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  if (pathname.endsWith('/call/of-campaign'))
    return Response.json({
      call: {
        id: 'of-campaign',
        status: 'calling',
        call_attempts: [],
        campaign: { id: 'c', name: 'C' },
      },
    });
  if (pathname.endsWith('/campaigns/c/rows')) return Response.json({ rows: [], total: 0 });
  return pathname.endsWith('/campaigns/c')
    ? Response.json({ campaign: { id: 'c', name: 'C', status: 'running' } })
    : undefined;
}

export const attacks: readonly Attack[] = [
  {
    name: '400 subscribers of one tenant, to 20 calls',
    bound: '`MAX_SUBSCRIPTIONS_PER_CALLER` (200); one poll for each call, `LIVE_RATE` (10/s)',
    respond: respondLive,
    run: subscribingWorkers(
      400,
      (worker) => ({
        key: KNOWN_KEY,
        body: watch(`live-${worker % 20}`),
        transport: transportOf(worker),
      }),
      readToEnd,
    ),
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: '200 subscribers of one tenant do not read events of 1 MB',
    bound:
      'a stream holds one event for each call; `MAX_UNSENT_BYTES_PER_CALLER` (32 MiB); disconnected after 30 s',
    respond: respondChanging,
    run: subscribingWorkers(
      200,
      (worker) => ({
        key: KNOWN_KEY,
        body: watch('large-1', 'metadata'),
        transport: transportOf(worker),
      }),
      stall,
    ),
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'RATE_LIMITED', 'closed', 'close 1013'],
  },
  {
    name: '50 clients of one tenant subscribe again and again, each time to another of 1,000 calls',
    bound: '`LIVE_RATE` (10/s), also where no subscription is left',
    respond: respondLive,
    run: subscribingWorkers(50, (worker, round) => ({
      key: KNOWN_KEY,
      body: watch(`live-${(worker * 20 + round) % 1_000}`),
      transport: transportOf(worker),
    })),
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'RATE_LIMITED', 'closed'],
  },
  {
    name: 'Subscriptions that select the rows of a campaign 60 times',
    bound: '`MAX_SUBSCRIPTION_COST` (5000)',
    respond: respondCampaign,
    run: subscribingWorkers(9, (worker) => ({
      key: KNOWN_KEY,
      body: watch('of-campaign', `campaign { ${EXPENSIVE_ROWS} }`),
      transport: transportOf(worker),
    })),
    maxUpstreamRequests: () => 0,
    outcomes: ['OPERATION_TOO_COMPLEX'],
  },
  {
    name: 'Nine subscriptions of one tenant that need 40 upstream requests for each event',
    bound:
      '`MAX_UPSTREAM_REQUESTS_PER_EVENT` (10), which count for `LIVE_RATE`; one execution for equal subscriptions',
    respond: respondCampaign,
    run: subscribingWorkers(
      9,
      (worker) => ({
        key: KNOWN_KEY,
        body: watch('of-campaign', `campaign { ${MANY_LISTS} }`),
        transport: transportOf(worker),
      }),
      readToEnd,
    ),
    maxUpstreamRequests: () => MAX_POLLS,
    // The lists that were read before are cached.
    outcomes: ['UPSTREAM_BUDGET_EXCEEDED', 'RATE_LIMITED', 'ok'],
  },
  {
    name: 'A new unaccepted key for each subscription, 32 at a time',
    bound: 'one upstream request for each unaccepted key, which ends its stream',
    run: subscribingWorkers(32, (worker, round) => ({
      key: `sk_invented_${worker}_${round}`,
      body: watch('any'),
      transport: transportOf(worker),
    })),
    maxUpstreamRequests: ({ outcomes }) => (outcomes.UNAUTHENTICATED ?? 0) + 64,
    outcomes: ['UNAUTHENTICATED', 'RATE_LIMITED', 'closed'],
  },
  {
    name: 'One unaccepted key subscribes repeatedly, 32 at a time',
    bound: 'one upstream request a second',
    run: subscribingWorkers(32, (worker) => ({
      key: 'sk_invented',
      body: watch(`any-${worker}`),
      transport: transportOf(worker),
    })),
    maxUpstreamRequests: () => 20,
    outcomes: ['UNAUTHENTICATED', 'RATE_LIMITED', 'closed'],
  },
  {
    name: '400 subscribers of one tenant close their side of the connection',
    bound:
      '`MAX_SUBSCRIPTIONS_PER_CALLER` (200); a keepalive every 500 ms shows which clients are gone',
    respond: respondLive,
    run: subscribingWorkers(
      400,
      (worker) => ({
        key: KNOWN_KEY,
        body: watch(`live-${worker % 20}`),
        // A WebSocket whose client closes its side is closed.
        transport: worker % 2 === 0 ? 'sse' : 'multipart',
        isHalfClosed: true,
      }),
      readToEnd,
    ),
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'RATE_LIMITED', 'closed'],
  },
];
