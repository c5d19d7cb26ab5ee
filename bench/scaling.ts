/**
 * Measures how this gateway's cost of one operation grows with the number of distinct documents and
 * of distinct calls: `npm run bench:scaling`, or with `-- --short` to verify that the benchmark
 * works. Prints the report, and writes it into docs/operations/performance.md. The run ends within ten
 * minutes.
 */

import { callIdOf } from './fixture/data.ts';
import { kindOf, type Operation } from './fixture/operations.ts';
import { exitAfter } from './harness/deadline.ts';
import { type Client, createClient, type Load } from './harness/load.ts';
import { median } from './harness/median.ts';
import { describeConditions, logProgress, publish, toTable } from './harness/report.ts';
import { pinThisProcess, type ServerProcess, startServer, startUpstream } from './harness/start.ts';
import { HEADERS, thisGateway } from './targets.ts';

const isShort = process.argv.includes('--short');
const DOCUMENTS = [1, 10, 100, 1_000];
const CALLS = [100, 10_000, 1_000_000];
const ROUNDS = 5;
const ROUND_MS = isShort ? 400 : 2_000;
const WARM_UP_MS = isShort ? 2_000 : 4_000;
/** Maximum time for requesting all calls once. */
const MAX_FILL_MS = isShort ? 10_000 : 240_000;
const MAX_RUN_MS = 590_000;
const CONNECTIONS = 16;
const CALLS_PER_OPERATION = 100;
/** Concurrent operations while all calls are requested once. */
const FILL_CONCURRENCY = 4;
/** Maximum number of requested calls, evenly spread, that are requested again one by one. */
const SAMPLED_CALLS = 10_000;
/**
 * Maximum number of most recently requested calls, which are still cached, that are requested
 * again.
 */
const RECENT_CALLS = 1_000;

exitAfter(MAX_RUN_MS);
pinThisProcess();
await using stack = new AsyncDisposableStack();
const upstream = stack.use(await startUpstream());

const documents = await measureEach(DOCUMENTS, measureDocuments);
const calls = await measureEach(CALLS, measureCalls);
publish('scaling', toReport());

interface SteadyLoad {
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Upstream requests per operation. */
  readonly requests: number;
}

interface ScalingResult {
  readonly count: number;
  readonly load: SteadyLoad;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

async function measureDocuments(count: number): Promise<ScalingResult> {
  logProgress(`${count} documents`);
  await using served = await startServer(thisGateway.start(upstream.url));
  await using client = createClient(served, HEADERS, CONNECTIONS);
  const operations = Array.from({ length: count }, (_, number) => toDocument(number));
  await client.check(operations[0] as Operation);
  await client.check(operations.at(-1) as Operation);
  const load = await loadSteadily(client, operations);
  await client.check(operations.at(-1) as Operation);
  return { count, load, ...(await served.measure()) };
}

/** Q1 of one call, in a distinct document for each number. */
function toDocument(number: number): Operation {
  const { query, ...rest } = kindOf('Q1').at(0);
  return { ...rest, query: query.replace('query One', `query One${number}`) };
}

interface CallScalingResult extends ScalingResult {
  readonly fetched: number;
  readonly fillSeconds: number;
  /** The load of the most recently requested calls. */
  readonly loadOfRecent: SteadyLoad;
}

async function measureCalls(count: number): Promise<CallScalingResult> {
  logProgress(`${count} calls`);
  await using served = await startServer(thisGateway.start(upstream.url));
  await using client = createClient(served, HEADERS, CONNECTIONS);
  const { fetched, fillSeconds } = await fetchAllCalls(served, count);
  logProgress(`requested ${fetched} calls in ${fillSeconds.toFixed(0)} s`);
  const q1 = kindOf('Q1');
  const last = Math.min(fetched, RECENT_CALLS);
  const again = Math.min(fetched, SAMPLED_CALLS);
  const recentOperations = Array.from({ length: last }, (_, index) => q1.at(fetched - 1 - index));
  const sampledOperations = Array.from({ length: again }, (_, index) =>
    q1.at(Math.floor((index * fetched) / again)),
  );
  const loadOfRecent = await loadSteadily(client, recentOperations);
  const load = await loadSteadily(client, sampledOperations);
  await client.check(q1.at(fetched - 1));
  await client.check(q1.at(0));
  return { count, fetched, fillSeconds, load, loadOfRecent, ...(await served.measure()) };
}

/** Requests all calls once, a hundred per operation, for at most `MAX_FILL_MS`. */
async function fetchAllCalls(
  served: ServerProcess,
  count: number,
): Promise<{ fetched: number; fillSeconds: number }> {
  await using client = createClient(served, HEADERS, FILL_CONCURRENCY);
  const startedAt = performance.now();
  let fetched = 0;
  const keepSending = async () => {
    while (fetched < count && performance.now() - startedAt < MAX_FILL_MS) {
      const first = fetched;
      fetched += CALLS_PER_OPERATION;
      await client.check(toCallsOperation(first));
    }
  };
  await Promise.all(Array.from({ length: FILL_CONCURRENCY }, keepSending));
  return { fetched, fillSeconds: (performance.now() - startedAt) / 1000 };
}

function toCallsOperation(first: number): Operation {
  const ids = Array.from({ length: CALLS_PER_OPERATION }, (_, index) => callIdOf(first + index));
  return {
    name: 'Q3',
    query: 'query Calls($ids: [ID!]!) { calls(ids: $ids) { id } }',
    variables: { ids },
    data: { calls: ids.map((id) => ({ id })) },
  };
}

/** The median of several rounds, after a warm-up. */
async function loadSteadily(client: Client, operations: readonly Operation[]): Promise<SteadyLoad> {
  await client.load(operations, WARM_UP_MS);
  await upstream.takeCounts();
  const loads: Load[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    loads.push(await client.load(operations, ROUND_MS));
  const requests = Object.values(await upstream.takeCounts()).reduce((sum, one) => sum + one, 0);
  return {
    cpuUs: median(loads.map(({ cpuUs }) => cpuUs)),
    perSecond: median(loads.map(({ perSecond }) => perSecond)),
    requests: requests / loads.reduce((sum, { operations }) => sum + operations, 0),
  };
}

function toReport(): string {
  const how = `One process for each count; the median of ${ROUNDS} rounds of ${ROUND_MS} ms. Processor time and operations per second are multiples of the first line.`;
  const [firstOfDocuments, firstOfCalls] = [documents[0]?.load, calls[0]?.loadOfRecent];
  return [
    describeConditions(how),
    'Q1 of one cached call, by number of distinct documents:',
    toTable(
      ['documents', 'processor time', 'operations per second', 'memory, MB', 'heap, MB'],
      documents.map((one) => [
        toCount(one.count),
        ...toMultiples(one.load, firstOfDocuments),
        ...toMemory(one),
      ]),
    ),
    `By number of distinct calls: each call is requested once by \`calls(ids:)\`, ${CALLS_PER_OPERATION} per operation, ${FILL_CONCURRENCY} operations at a time, for at most ${MAX_FILL_MS / 1000} s; ` +
      `then Q1 of the ${toCount(RECENT_CALLS)} most recent ones, and of ${toCount(SAMPLED_CALLS)} of all, in turn, repeatedly (the worst case for a smaller cache: it has just evicted the next call):`,
    toTable(
      [
        'calls',
        'loaded',
        'calls per second',
        'most recent: processor time',
        'operations per second',
        'requests per operation',
        'all: processor time',
        'operations per second',
        'requests per operation',
        'memory, MB',
        'heap, MB',
      ],
      calls.map((one) => [
        toCount(one.count),
        toCount(one.fetched),
        (one.fetched / one.fillSeconds).toFixed(0),
        ...toMultiples(one.loadOfRecent, firstOfCalls),
        one.loadOfRecent.requests.toFixed(2),
        ...toMultiples(one.load, firstOfCalls),
        one.load.requests.toFixed(2),
        ...toMemory(one),
      ]),
    ),
  ].join('\n\n');
}

function toMultiples({ cpuUs, perSecond }: SteadyLoad, first: SteadyLoad | undefined): string[] {
  if (!first) return [];
  return [(cpuUs / first.cpuUs).toFixed(2), (perSecond / first.perSecond).toFixed(2)];
}

function toMemory({ rssBytes, heapBytes }: ScalingResult): string[] {
  return [rssBytes, heapBytes].map((bytes) => (bytes / 1e6).toFixed(0));
}

function toCount(count: number): string {
  return count.toLocaleString('en-US');
}

async function measureEach<T>(
  counts: readonly number[],
  measure: (count: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (const count of counts) results.push(await measure(count));
  return results;
}
