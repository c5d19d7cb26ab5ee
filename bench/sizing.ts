/**
 * Measures the memory of this gateway by the size of its cache and by the number of callers, and the
 * processor time by the number of callers: `npm run bench:sizing`. Prints the report, and writes it
 * into docs/operations/sizing.md. The run takes a few minutes, and less than ten.
 */

import { Pool } from 'undici';
import { callIdOf } from './fixture/data.ts';
import { kindOf } from './fixture/operations.ts';
import { exitAfter } from './harness/deadline.ts';
import { median } from './harness/median.ts';
import { describeConditions, logProgress, publish, toTable } from './harness/report.ts';
import { pinThisProcess, type ServerProcess, startServer, startUpstream } from './harness/start.ts';
import { HEADERS, startGateway } from './targets.ts';

const MEBIBYTE = 2 ** 20;
/** Of `CACHE_MAX_BYTES`, in MiB. */
const CACHE_SIZES = [0, 16, 64, 256];
/** Requested calls: more than the largest cache holds. */
const CALLS = 20_000;
const CALLER_COUNTS = [1, 100, 5_000];
/** Calls that all callers together request: they fit into the cache. */
const CALLS_OF_CALLERS = 5_000;
const CALLER_CACHE_MIB = 256;
const CALLS_PER_OPERATION = 100;
const CONCURRENCY = 4;
const CONNECTIONS = 16;
const ROUNDS = 5;
const MAX_RUN_MS = 590_000;

exitAfter(MAX_RUN_MS);
pinThisProcess();
await using stack = new AsyncDisposableStack();
const upstream = stack.use(await startUpstream());

interface Memory {
  /** Of the heap, after a garbage collection. */
  readonly liveBytes: number;
  readonly rssBytes: number;
}

const bySize: (Memory & { readonly mebibytes: number; readonly cachedCalls: number })[] = [];
for (const mebibytes of CACHE_SIZES) {
  logProgress(`a cache of ${mebibytes} MiB`);
  bySize.push(await measureSize(mebibytes));
}
const byCallers: (Memory & { readonly callers: number; readonly cpuUs: number })[] = [];
for (const callers of CALLER_COUNTS) {
  logProgress(`${callers} callers`);
  byCallers.push(await measureCallers(callers));
}
publish('sizing', toReport(), 'docs/operations/sizing.md');

/** The heap grows with the cache, as the page recommends. */
function startSized(mebibytes: number): Promise<ServerProcess> {
  return startServer({
    ...startGateway({ CACHE_MAX_BYTES: String(mebibytes * MEBIBYTE) })(upstream.url),
    flags: ['--expose-gc', `--max-old-space-size=${heapFor(mebibytes)}`],
  });
}

function heapFor(mebibytes: number): number {
  return 192 + mebibytes;
}

async function measureSize(mebibytes: number) {
  await using served = await startSized(mebibytes);
  await using client = createSender(served);
  await inParallel(CALLS / CALLS_PER_OPERATION, CONCURRENCY, (index) => {
    const first = index * CALLS_PER_OPERATION;
    const ids = Array.from({ length: CALLS_PER_OPERATION }, (_, item) => callIdOf(first + item));
    return client.send(
      { query: 'query Calls($ids: [ID!]!) { calls(ids: $ids) { id } }', variables: { ids } },
      HEADERS.authorization,
    );
  });
  return { mebibytes, cachedCalls: await countCachedCalls(client), ...(await memoryOf(served)) };
}

/** Of the requested calls, the newest that no request goes upstream for, to the nearest hundred. */
async function countCachedCalls(client: Sender): Promise<number> {
  for (let cached = 0; cached < CALLS; cached += 100) {
    await upstream.takeCounts();
    await client.send(kindOf('Q1').at(CALLS - 1 - cached), HEADERS.authorization);
    const requests = Object.values(await upstream.takeCounts()).reduce((sum, one) => sum + one, 0);
    if (requests > 0) return cached;
  }
  return CALLS;
}

async function measureCallers(callers: number) {
  await using served = await startSized(CALLER_CACHE_MIB);
  await using client = createSender(served);
  const sendAll = () =>
    inParallel(CALLS_OF_CALLERS, CONNECTIONS, (index) =>
      client.send(kindOf('Q1').at(index), `Bearer sk_bench_${index % callers}`),
    );
  await sendAll();
  // Compiles the code.
  await sendAll();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await served.measure();
    await sendAll();
    const after = await served.measure();
    rounds.push(((after.cpuMs - before.cpuMs) * 1_000) / CALLS_OF_CALLERS);
  }
  return { callers, cpuUs: median(rounds), ...(await memoryOf(served)) };
}

async function memoryOf(served: ServerProcess): Promise<Memory> {
  const { rssBytes } = await served.measure();
  const { heapBytes } = await served.measureLive();
  return { liveBytes: heapBytes, rssBytes };
}

interface Sender extends AsyncDisposable {
  /** Sends an operation with a key, and fails unless the response has all data. */
  send(operation: { query: string; variables?: unknown }, authorization: string): Promise<void>;
}

function createSender(served: ServerProcess): Sender {
  const { origin, pathname: path } = new URL(served.url);
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
  return {
    async send({ query, variables }, authorization) {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', accept: 'application/json', authorization },
        body: JSON.stringify({ query, variables }),
      });
      const text = await body.text();
      if (statusCode !== 200 || text.includes('"errors"'))
        throw new Error(`The gateway responds with ${statusCode}: ${text.slice(0, 1_000)}`);
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

async function inParallel(
  count: number,
  concurrency: number,
  run: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const keepRunning = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, keepRunning));
}

function toReport(): string {
  const first = byCallers[0];
  return [
    describeConditions(
      `Calls of 12 kB. One process for each line, with \`--max-old-space-size\` of 192 MiB and the cache.`,
    ),
    `By the size of the cache: ${toCount(CALLS)} calls of one caller are requested once, ${CALLS_PER_OPERATION} per operation, ${CONCURRENCY} operations at a time.`,
    toTable(
      ['`CACHE_MAX_BYTES`', 'cached calls', 'live heap, MiB', 'memory of the process, MiB'],
      bySize.map(({ mebibytes, cachedCalls, ...memory }) => [
        `${mebibytes} MiB`,
        toCount(cachedCalls),
        ...toMebibytes(memory),
      ]),
    ),
    `By the number of callers: ${toCount(CALLS_OF_CALLERS)} calls, shared out to callers with a key each, and requested ${ROUNDS + 2} times. The cache holds all of them. Processor time of a cached call is a multiple of the first line.`,
    toTable(
      ['callers', 'processor time', 'live heap, MiB', 'memory of the process, MiB'],
      byCallers.map(({ callers, cpuUs, ...memory }) => [
        toCount(callers),
        (cpuUs / (first?.cpuUs ?? cpuUs)).toFixed(2),
        ...toMebibytes(memory),
      ]),
    ),
  ].join('\n\n');
}

function toMebibytes({ liveBytes, rssBytes }: Memory): string[] {
  return [liveBytes, rssBytes].map((bytes) => (bytes / MEBIBYTE).toFixed(0));
}

function toCount(count: number): string {
  return count.toLocaleString('en-US');
}
