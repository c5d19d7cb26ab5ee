/**
 * Runs in its own process, so that all measured memory belongs to the gateway. Requests this many
 * distinct calls from a gateway with a cache of 64 MiB, a hundred per operation, and prints the
 * measurements as JSON:
 *
 *     node test/soak/distinct-calls.ts 300000
 */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { estimateBytes } from '#cache/estimate-size.ts';
import { readSettings } from '#config/settings.ts';
import { createGateway, type Gateway } from '#gateway.ts';
import { createEndedCalls, idOf, phoneNumberOf } from './ended-calls.ts';

export interface Report {
  readonly calls: number;
  readonly seconds: number;
  /** Upstream requests while each call was requested once. */
  readonly requests: number;
  /** The most recent calls that were then served without an upstream request. */
  readonly cachedCalls: number;
  /** Upstream requests for the first hundred calls when they were requested a second time. */
  readonly requestsForOldest: number;
  readonly bodyBytes: number;
  /** The size of one response's value, as estimated by the cache. */
  readonly valueBytes: number;
  /** Resident memory of the process after the warm-up, before the cache held anything. */
  readonly baseRssBytes: number;
  /** The maximum after any operation. */
  readonly peakRssBytes: number;
  /** The maximum since the process started, as recorded by the operating system. */
  readonly highWaterRssBytes: number;
  readonly finalRssBytes: number;
  /** Heap in use after garbage collection. */
  readonly liveHeapBytes: number;
}

export const CACHE_MAX_BYTES = 64 * 2 ** 20;
const CALLS_PER_OPERATION = 100;
const CONCURRENT_OPERATIONS = 4;
/**
 * Enough calls to compile the code and to grow the heap to the size that short-lived objects need.
 */
const WARM_UP_CALLS = 20_000;
const MINIMAL_CACHE_BYTES = 2 ** 20;

const QUERY = 'query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber } }';

if (import.meta.main) console.log(JSON.stringify(await runSoak(Number(process.argv[2]))));

async function runSoak(calls: number): Promise<Report> {
  const startedAt = performance.now();
  const upstream = createEndedCalls();
  let peakRssBytes = 0;
  await fetchAll(createSoakGateway(0), calls, WARM_UP_CALLS);
  const baseRssBytes = process.memoryUsage.rss();
  const requestsBefore = upstream.requests;

  const gateway = createSoakGateway(CACHE_MAX_BYTES);
  await fetchAll(gateway, 0, calls);
  const requests = upstream.requests - requestsBefore;
  const [highWaterRssBytes, finalRssBytes] = [
    process.resourceUsage().maxRSS * 1024,
    process.memoryUsage.rss(),
  ];

  let cachedCalls = 0;
  for (let first = calls - CALLS_PER_OPERATION; first >= 0; first -= CALLS_PER_OPERATION) {
    const cost = await costOf(first);
    cachedCalls += CALLS_PER_OPERATION - cost;
    if (cost > 0) break;
  }
  const requestsForOldest = await costOf(0);
  await collectGarbage();

  return {
    calls,
    seconds: (performance.now() - startedAt) / 1000,
    requests,
    cachedCalls,
    requestsForOldest,
    bodyBytes: upstream.bodyOf(0).length,
    valueBytes: estimateBytes(JSON.parse(upstream.bodyOf(0).toString()).call),
    baseRssBytes,
    peakRssBytes,
    highWaterRssBytes,
    finalRssBytes,
    liveHeapBytes: process.memoryUsage().heapUsed,
  };

  function createSoakGateway(cacheMaxBytes: number): Gateway {
    const settings = readSettings({
      REVOX_BASE_URL: 'http://revox.test/api',
      REVOX_API_KEY: 'sk_soak',
      // The standard output is reserved for the report.
      LOG_LEVEL: 'silent',
      CACHE_MAX_BYTES: String(cacheMaxBytes),
    });
    return createGateway(settings, { fetch: upstream.fetch });
  }

  /** Runs several operations concurrently, each for the next hundred calls. */
  async function fetchAll(of: Gateway, from: number, count: number): Promise<void> {
    let next = from;
    const keepSending = async () => {
      while (next < from + count) {
        const first = next;
        next += CALLS_PER_OPERATION;
        await fetchCalls(of, first);
        peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_OPERATIONS }, keepSending));
  }

  async function costOf(first: number): Promise<number> {
    const before = upstream.requests;
    await fetchCalls(gateway, first);
    return upstream.requests - before;
  }
}

/** Requests a hundred calls and checks that each result is the requested call. */
async function fetchCalls(gateway: Gateway, first: number): Promise<void> {
  const indices = Array.from({ length: CALLS_PER_OPERATION }, (_, position) => first + position);
  const response = await gateway.fetch(
    new Request('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { ids: indices.map(idOf) } }),
    }),
  );
  const { data, errors } = (await response.json()) as CallsResult;
  const wrong = indices.find((index, position) => {
    const call = data?.calls[position];
    return call?.id !== idOf(index) || call.toPhoneNumber !== phoneNumberOf(index);
  });
  if (wrong !== undefined)
    throw new Error(`${idOf(wrong)}: ${JSON.stringify(errors ?? data?.calls[wrong - first])}`);
}

interface CallsResult {
  readonly data?: {
    readonly calls: readonly ({ readonly id: string; readonly toPhoneNumber: string } | null)[];
  };
  readonly errors?: unknown;
}

/**
 * Collects until a collection frees almost nothing. The signal of each Request retains its
 * listeners until a FinalizationRegistry runs, in a task after the collection that found the
 * Request. The flag is set only now, so that no explicit collection affects the measurements
 * before.
 */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let found = Number.POSITIVE_INFINITY; found > MINIMAL_CACHE_BYTES; ) {
    const { heapUsed } = process.memoryUsage();
    collect();
    found = heapUsed - process.memoryUsage().heapUsed;
    await setImmediate();
  }
}
