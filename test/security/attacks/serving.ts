import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Attack, Observed, Target } from '../attack.ts';
import {
  createOutcomeTally,
  type OutcomeTally,
  pause,
  repeat,
  sendOperation,
  toOutcome,
} from './requests.ts';

const TENANT = 'sk_demo_a';
const MEBIBYTE = 2 ** 20;
const QUERY = 'query ($id: ID!) { assistant(id: $id) { prompt } }';
const SMALL = 'query ($id: ID!) { assistant(id: $id) { name } }';

/** An assistant, for any key, whose id contains the length of its prompt in bytes: `large-10485760-n`. */
function respondLarge(request: Request): Response | undefined {
  const bytes = /\/assistants\/large-(\d+)-/.exec(request.url)?.[1];
  if (bytes === undefined) return undefined;
  const id = new URL(request.url).pathname.split('/').at(-1);
  return Response.json({ id, name: 'Large', prompt: 'x'.repeat(Number(bytes)) });
}

const large = (name = 'one', bytes = 10 * MEBIBYTE) => ({
  query: QUERY,
  variables: { id: `large-${bytes}-${name}` },
});

/** Sends a request on a new connection, reads the head of the response, then calls `read` until the connection closes. */
async function sendAndStall(
  target: Target,
  tally: OutcomeTally,
  key: string,
  read: (socket: Socket) => void,
  bytes?: number,
): Promise<void> {
  const body = JSON.stringify(large('one', bytes));
  const lines = [
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  const socket = open(target);
  socket.write(['POST /graphql HTTP/1.1', 'Host: localhost', ...lines, '', body].join('\r\n'));
  const { promise: first, resolve } = Promise.withResolvers<Buffer | undefined>();
  socket.once('data', (part: Buffer) => {
    socket.pause();
    resolve(part);
  });
  socket.once('close', () => resolve(undefined));
  const start = (await first)?.toString('latin1');
  if (target.signal.aborted) return;
  const [head = '', rest = ''] = start?.split('\r\n\r\n') ?? [];
  if (start === undefined) tally.record('closed');
  else if (!head.startsWith('HTTP/1.1 200'))
    tally.record(toOutcome(rest, Number(head.slice(9, 12))));
  else {
    tally.record('ok');
    for (let second = 0; second < 15 && !target.signal.aborted; second += 1) {
      read(socket);
      await pause(target, 1_000);
    }
  }
  socket.destroy();
}

function open({ url, signal }: Target): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  return socket.once('close', () => signal.removeEventListener('abort', end));
}

/** Keeps this number of connections open, sends the text on each, and reopens each one that closes. */
async function holdConnections(target: Target, count: number, sent: string): Promise<Observed> {
  const tally = createOutcomeTally();
  await repeat(target, count, async () => {
    const socket = open(target);
    if (sent !== '') socket.write(sent);
    let response = '';
    socket.on('data', (part: Buffer) => {
      response += part.toString('latin1');
    });
    await new Promise((resolve) => socket.once('close', resolve));
    if (target.signal.aborted) {
      tally.record('open');
      return;
    }
    const [head = '', body = ''] = response.split('\r\n\r\n');
    tally.record(response === '' ? 'closed' : toOutcome(body, Number(head.slice(9, 12))));
    await pause(target, 10);
  });
  return tally.observed();
}

/** Runs workers that send requests, and returns the outcomes. */
function sendingWorkers(
  workers: number,
  act: (target: Target, tally: OutcomeTally, worker: number, round: number) => Promise<void>,
) {
  return async (target: Target): Promise<Observed> => {
    const tally = createOutcomeTally();
    await repeat(target, workers, (worker, round) => act(target, tally, worker, round));
    return tally.observed();
  };
}

const persisted = (text: string) => ({
  query: text,
  variables: { id: 'large-10-one' },
  extensions: {
    persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(text).digest('hex') },
  },
});

const UNSENT_BYTES_BOUND =
  '`MAX_UNSENT_BYTES_PER_CALLER` (32 MiB); the next part of a response within 60 s';
const CALLER_REST_BOUND = 'a caller pauses for twice the time of its operation';

export const attacks: readonly Attack[] = [
  {
    name: '120 connections of one tenant request a cached response of 10 MB and do not read it',
    bound: UNSENT_BYTES_BOUND,
    respond: respondLarge,
    run: sendingWorkers(120, (target, tally) => sendAndStall(target, tally, TENANT, () => {})),
    maxUpstreamRequests: () => 300,
    outcomes: ['ok', 'RATE_LIMITED', 'closed'],
  },
  {
    name: '120 connections of 40 keys request a response of 4 MB and do not read it',
    bound: '`MAX_UNSENT_BYTES` (64 MiB)',
    respond: respondLarge,
    run: sendingWorkers(120, (target, tally, worker) =>
      sendAndStall(target, tally, `sk_any_${worker % 40}`, () => {}, 4 * MEBIBYTE),
    ),
    outcomes: ['ok', 'RATE_LIMITED', 'closed', 'UNAUTHENTICATED'],
  },
  {
    name: '120 connections of one tenant request a cached response of 10 MB and read one byte a second',
    bound: UNSENT_BYTES_BOUND,
    respond: respondLarge,
    run: sendingWorkers(120, (target, tally) =>
      sendAndStall(target, tally, TENANT, (socket) => socket.read(1)),
    ),
    maxUpstreamRequests: () => 300,
    outcomes: ['ok', 'RATE_LIMITED', 'closed'],
  },
  {
    name: 'Eight clients of one tenant request a cached response of 10 MB as fast as possible',
    bound: CALLER_REST_BOUND,
    respond: respondLarge,
    run: sendingWorkers(8, (target, tally) => sendOperation(target, tally, TENANT, large())),
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: 'Eight clients of one tenant request a response of 10 MB that is not in the response cache',
    bound: CALLER_REST_BOUND,
    respond: respondLarge,
    // The response cache does not store the response to such a long request.
    run: sendingWorkers(8, (target, tally) =>
      sendOperation(target, tally, TENANT, {
        ...large(),
        query: `${QUERY} #${'x'.repeat(17_000)}`,
      }),
    ),
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: 'Eight clients of one tenant request a response of 10 MB with new documents',
    bound: CALLER_REST_BOUND,
    respond: respondLarge,
    run: sendingWorkers(8, (target, tally, worker, round) =>
      sendOperation(target, tally, TENANT, { ...large(), query: `${QUERY} # ${worker} ${round}` }),
    ),
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: 'Requests that differ in white space, order, unknown properties and unknown variables',
    bound: 'the response cache uses parsed parameters as its key',
    respond: respondLarge,
    run: sendingWorkers(8, (target, tally, worker, round) => {
      const { query, variables } = large(`${worker}`, MEBIBYTE);
      const bodies = [
        `${JSON.stringify({ query, variables })}${' '.repeat(round % 1_000)}`,
        JSON.stringify({ variables: { ...variables, unknown: round }, query }),
        JSON.stringify({ query, variables, extensions: { round } }),
        JSON.stringify({ query, variables, unknown: round }),
      ];
      return sendOperation(target, tally, TENANT, bodies[round % bodies.length] ?? '');
    }),
    outcomes: ['ok', 'RATE_LIMITED', 'BAD_USER_INPUT'],
  },
  {
    name: 'One tenant fills the cache with entries of 1 MB',
    bound: 'the credential with the most bytes is evicted first (`CACHE_MAX_BYTES`)',
    respond: respondLarge,
    run: sendingWorkers(4, (target, tally, worker, round) =>
      sendOperation(target, tally, TENANT, large(`${worker}-${round}`, MEBIBYTE)),
    ),
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: '100 unaccepted keys send large new documents',
    bound:
      'keys that the upstream has not accepted share one turn of the scheduler and one share of memory',
    run: sendingWorkers(100, (target, tally, worker, round) =>
      sendOperation(target, tally, `sk_invented_${worker}`, {
        query: `{ assistants(first: 1) { nodes { id } } } # ${worker} ${round} ${'x'.repeat(40_000)}`,
      }),
    ),
    outcomes: ['UNAUTHENTICATED', 'RATE_LIMITED'],
  },
  {
    name: 'Eight clients with unaccepted keys register 100 persisted documents of 120 kB repeatedly',
    bound: 'registration requires an accepted key',
    run: sendingWorkers(8, (target, tally, worker, round) =>
      sendOperation(
        target,
        tally,
        `sk_invented_${worker}`,
        persisted(`${SMALL} #${worker} ${round % 100} ${'x'.repeat(120_000)}`),
      ),
    ),
    outcomes: ['UNAUTHENTICATED', 'RATE_LIMITED'],
  },
  {
    name: 'Eight clients of one tenant register new persisted documents of 120 kB continuously',
    bound: 'documents of the caller with the most bytes are evicted first (16 MiB)',
    respond: respondLarge,
    run: sendingWorkers(8, (target, tally, worker, round) =>
      sendOperation(
        target,
        tally,
        TENANT,
        persisted(`${SMALL} #${worker} ${round} ${'x'.repeat(120_000)}`),
      ),
    ),
    outcomes: ['ok', 'RATE_LIMITED'],
  },
  {
    name: '2,010 connections send nothing',
    bound:
      '`MAX_CONNECTIONS_PER_ADDRESS` (1000); closed after `KEEP_ALIVE_TIMEOUT_MS` (620 s), earlier when connections run short',
    run: (target) => holdConnections(target, 2_010, ''),
    maxUpstreamRequests: () => 0,
    outcomes: ['open', 'closed', 'RATE_LIMITED'],
  },
  {
    name: '2,010 connections stop in the headers of a request',
    bound:
      '`MAX_CONNECTIONS_PER_ADDRESS` (1000), `CLIENT_HEADERS_TIMEOUT_MS` (10 s), earlier when connections run short',
    run: (target) =>
      holdConnections(target, 2_010, 'POST /graphql HTTP/1.1\r\nHost: localhost\r\n'),
    maxUpstreamRequests: () => 0,
    outcomes: ['open', 'closed', 'RATE_LIMITED', 'BAD_USER_INPUT'],
  },
  {
    name: '900 connections stop in the body of a request',
    bound: '`CLIENT_REQUEST_TIMEOUT_MS` (30 s), earlier when connections run short',
    run: (target) =>
      holdConnections(
        target,
        900,
        'POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_invented\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
      ),
    maxUpstreamRequests: () => 0,
    outcomes: ['open', 'closed', 'RATE_LIMITED', 'BAD_USER_INPUT'],
  },
];
