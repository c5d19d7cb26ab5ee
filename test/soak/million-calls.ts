/**
 * A process of its own, so that its memory is the gateway's and nobody else's: asks a gateway with a cache of 64 MiB for so many distinct
 * calls, a hundred an operation, and prints what that took as JSON.
 *
 *     node test/soak/million-calls.ts 1000000
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
  /** Requests that the upstream answered while each call was asked for once. */
  readonly requests: number;
  /** The calls, latest first, that were then answered without a request. */
  readonly cachedCalls: number;
  /** Requests that the hundred calls asked for first cost the second time. */
  readonly requestsForOldest: number;
  readonly bodyBytes: number;
  /** What the value of one answer takes, by the cache's own estimate. */
  readonly valueBytes: number;
  /** Resident memory of the process when it had worked for a while, and had remembered nothing yet. */
  readonly baseRssBytes: number;
  /** The highest after any operation. */
  readonly peakRssBytes: number;
  /** The highest at any moment since the process began, as the system has seen it. */
  readonly highWaterRssBytes: number;
  readonly finalRssBytes: number;
  /** What the process holds when it has thrown away all that nobody can reach. */
  readonly liveHeapBytes: number;
}

export const CACHE_MAX_BYTES = 64 * 2 ** 20;
const CALLS_PER_OPERATION = 100;
const CONCURRENT_OPERATIONS = 4;
/** Until the code is compiled, and the heap has the size that passing objects need. */
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
      // The standard output is for the report.
      LOG_LEVEL: 'silent',
      CACHE_MAX_BYTES: String(cacheMaxBytes),
    });
    return createGateway(settings, { fetch: upstream.fetch });
  }

  /** A few operations at a time, each for the next hundred. */
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

/** Asks for a hundred calls, and makes sure that each is the one asked for. */
async function fetchCalls(gateway: Gateway, first: number): Promise<void> {
  const indices = Array.from({ length: CALLS_PER_OPERATION }, (_, place) => first + place);
  const response = await gateway.fetch(
    new Request('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: QUERY, variables: { ids: indices.map(idOf) } }),
    }),
  );
  const { data, errors } = (await response.json()) as CallsResult;
  const wrong = indices.find((index, place) => {
    const call = data?.calls[place];
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
 * Until a collection finds next to nothing: the signal of each Request holds what listens to it until a FinalizationRegistry has been told that it is
 * gone, which a task of its own does after the collection that has found it. The collector is no flag of the process: until now its memory was
 * nobody's business but its own.
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
