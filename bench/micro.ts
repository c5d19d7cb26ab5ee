/**
 * The cost of the individual steps of an operation: `npm run bench:micro`. Processor time of this
 * process, in a loop, after compilation.
 */
import { devNull } from 'node:os';
import { parse, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import { destination } from 'pino';
import { Pool, request } from 'undici';
import { estimateBytes } from '#cache/estimate-size.ts';
import { readSettings } from '#config/settings.ts';
import { createCredentialResolver } from '#context/credential-resolver.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { createGateway } from '#gateway.ts';
import { createCostCheck } from '#http/limits/cost.ts';
import { measureDocument } from '#http/limits/document-size.ts';
import { createLogger } from '#observability/logger.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import { createHttpServer } from '#server/http-server.ts';
import { toServerLimits } from '#server/server-limits.ts';
import { createExecutions } from './execution.ts';
import { callIdOf, callOf, listedAttemptOf } from './fixture/data.ts';
import { kindOf, kinds, type Operation } from './fixture/operations.ts';
import { createUpstream } from './fixture/upstream.ts';
import { median } from './harness/median.ts';
import { toTable } from './harness/report.ts';
import { freePort, pinThisProcess, startUpstream } from './harness/start.ts';
import { HEADERS, NO_CACHE } from './targets.ts';

type BenchAct = () => unknown;

const SAMPLES = 5;
const SAMPLE_MS = 80;
const WARM_UP_MS = 300;
/** The whole gateway has much more code to compile. */
const GATEWAY_WARM_UP_MS = 2_000;
/** Samples of each executor, and their length. */
const COMPARED_SAMPLES = 300;
const COMPARED_SAMPLE_MS = 5;
/** Number of acts between two reads of the clock. */
const BATCH = 8;
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

pinThisProcess();
await using stack = new AsyncDisposableStack();
const upstream = stack.use(await startUpstream());

const callBody = Buffer.from(JSON.stringify({ call: callOf(0) }));
const pageBody = Buffer.from(
  JSON.stringify({ calls: Array.from({ length: 50 }, (_, index) => listedAttemptOf(index)) }),
);
const [callText, pageText] = [String(callBody), String(pageBody)];
const call: object = JSON.parse(callText);
const page: { calls: object[] } = JSON.parse(pageText);

await runSection('upstream responses', {
  'decode a call of 12 kB': () => callBody.toString(),
  'decode a page of 104 kB': () => pageBody.toString(),
  'parse a call': () => JSON.parse(callText),
  'parse a page': () => JSON.parse(pageText),
  'read a call as the gateway does (decode, parse, check)': () => parseJson([callBody]),
  'read a page as the gateway does': () => parseJson([pageBody]),
  'estimateBytes of a call': () => estimateBytes(call),
  'estimateBytes of a page': () => estimateBytes(page),
  'structuredClone of a call': () => structuredClone(call),
  'read from an LRU of 5,000': readFromLru(),
});

const oneCall = `${upstream.url}/call/${callIdOf(0)}`;
const pool = new Pool(new URL(upstream.url).origin);
await runSection('GET of a call, 12 kB', {
  'undici, request of a pool': async () =>
    (
      await pool.request({ method: 'GET', path: new URL(oneCall).pathname, headers: HEADERS })
    ).body.bytes(),
  'undici, request': async () => (await request(oneCall, { headers: HEADERS })).body.bytes(),
  'global fetch': async () => (await fetch(oneCall, { headers: HEADERS })).arrayBuffer(),
});
await pool.close();

const schema = createSubgraphSchema();
const settings = { PORT: '0', NODE_ENV: 'production', REVOX_BASE_URL: 'http://upstream.test/api' };
const { limits } = readSettings(settings);
const identify = createCredentialResolver({});
const headers = new Headers(HEADERS);
const checkCost = createCostCheck(limits);
await runSection('before execution', {
  'the credential of a request': () => identify(headers),
  ...Object.fromEntries(kinds.flatMap((kind) => Object.entries(toSteps(kind.at(0))))),
});
await compareExecutions();

const log = createLogger(
  { level: 'info', format: 'json' },
  destination({ dest: devNull, sync: false }),
);
for (const [state, more] of Object.entries({ warm: {}, 'all freshness 0': NO_CACHE })) {
  const respond = createUpstream();
  const read = readSettings({ ...settings, ...more });
  const gateway = createGateway(read, {
    fetch: async ({ url, headers: sent }) => {
      const { status, body } = respond(
        url.slice('http://upstream.test'.length),
        sent.get('authorization') ?? undefined,
      );
      return {
        status,
        headers: new Headers({ 'content-type': 'application/json' }),
        body: [body],
      } as unknown as Response;
    },
    log,
  });
  const server = createHttpServer(gateway, toServerLimits(read), gateway);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const client = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
  const acts = {
    'a Request and its text': async () => toRequest(kindOf('Q1').at(0)).text(),
    ...Object.fromEntries(
      kinds.map((kind) => [
        `${kind.name}, no socket`,
        async () => (await gateway.fetch(toRequest(kind.at(0)))).text(),
      ]),
    ),
    ...Object.fromEntries(
      kinds.map((kind) => [`${kind.name}, over a socket`, () => sendOver(client, kind.at(0))]),
    ),
  };
  await runSection(`the whole gateway, ${state}, including its client`, acts, GATEWAY_WARM_UP_MS);
  await client.close();
  server.close();
  await gateway.dispose();
}

async function runSection(
  name: string,
  acts: Readonly<Record<string, BenchAct>>,
  warmUpMs = WARM_UP_MS,
): Promise<void> {
  const rows: string[][] = [];
  for (const [label, act] of Object.entries(acts))
    rows.push([label, ...toCells(await costOf(act, warmUpMs))]);
  // biome-ignore lint/suspicious/noConsole: the table is the program's output
  console.log(`\n${toTable([name, 'µs'], rows)}`);
}

/** The two executors in turn, because the speed of the machine changes: the least of many samples. */
async function compareExecutions(): Promise<void> {
  const rows: string[][] = [];
  for (const { name } of kinds) {
    const { planned, graphqlJs } = await createExecutions(name);
    const least = { planned: Number.POSITIVE_INFINITY, graphqlJs: Number.POSITIVE_INFINITY };
    for (let sample = 0; sample < COMPARED_SAMPLES; sample += 1) {
      least.planned = Math.min(least.planned, await timeOf(planned));
      least.graphqlJs = Math.min(least.graphqlJs, await timeOf(graphqlJs));
    }
    const ratio = (least.graphqlJs / least.planned).toFixed(1);
    rows.push([name, ...toCells(least.graphqlJs), ...toCells(least.planned), ratio]);
  }
  const head = ['execution and serialization, in memory', 'graphql-js, µs', 'planned, µs', 'ratio'];
  // biome-ignore lint/suspicious/noConsole: the table is the program's output
  console.log(`\n${toTable(head, rows)}`);
}

/** Time of an act, in µs: the mean of some milliseconds. */
async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const times = await repeat(act, COMPARED_SAMPLE_MS);
  return ((performance.now() - startedAt) * 1_000) / times;
}

/** Processor time of all threads, in µs. */
async function costOf(act: BenchAct, warmUpMs: number): Promise<number> {
  await repeat(act, warmUpMs);
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const before = process.cpuUsage();
    const times = await repeat(act, SAMPLE_MS);
    const { user, system } = process.cpuUsage(before);
    samples.push((user + system) / times);
  }
  return median(samples);
}

async function repeat(act: BenchAct, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let times = 0;
  for (; performance.now() < until; times += BATCH) {
    for (let turn = 0; turn < BATCH; turn += 1) {
      const result = act();
      // Awaiting a value that is not a promise would cost more than most of these acts.
      if (result instanceof Promise) await result;
    }
  }
  return times;
}

function toSteps({ name, query, variables = {} }: Operation): Record<string, BenchAct> {
  const document = parse(query);
  const [operation] = document.definitions;
  if (operation?.kind !== 'OperationDefinition') throw new Error('The document has no operation.');
  return {
    [`${name}: parse`]: () => parse(query),
    [`${name}: validate`]: () => validate(schema, document),
    [`${name}: measure`]: () => measureDocument(document),
    [`${name}: cost`]: () => checkCost({ schema, document, operation, variables }),
  };
}

function readFromLru(): BenchAct {
  const cache = new LRUCache<string, object>({ max: 5_000 });
  const keys = Array.from({ length: 5_000 }, (_, index) => `/call/${callIdOf(index)}`);
  for (const key of keys) cache.set(key, call);
  let next = 0;
  return () => {
    next = (next + 1) % keys.length;
    return cache.get(keys[next] ?? '');
  };
}

function toRequest({ query, variables }: Operation): Request {
  const body = JSON.stringify({ query, variables });
  return new Request('http://localhost/graphql', {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...HEADERS },
    body,
  });
}

async function sendOver(client: Pool, { query, variables }: Operation): Promise<unknown> {
  const body = JSON.stringify({ query, variables });
  const response = await client.request({
    method: 'POST',
    path: '/graphql',
    headers: { ...JSON_HEADERS, ...HEADERS },
    body,
  });
  return response.body.text();
}

function toCells(us: number): string[] {
  return [us < 10 ? us.toFixed(2) : us.toFixed(0)];
}
