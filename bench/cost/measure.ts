/**
 * Measures allocations in a process of its own. Its young generation is so large that no garbage
 * collection runs during a sample: the growth of the heap is then exactly the memory that the
 * operations have allocated. Prints a `CostReport` as JSON.
 *
 *     node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 bench/cost/measure.ts
 */
import { devNull } from 'node:os';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { destination } from 'pino';
import { readSettings } from '#config/settings.ts';
import { createGateway, type Gateway } from '#gateway.ts';
import { createLogger } from '#observability/logger.ts';
import { joinLines } from '#observability/standard-output.ts';
import { startTimer } from '#system-clock.ts';
import { kinds, type Operation, type OperationName } from '../fixture/operations.ts';
import { createUpstream } from '../fixture/upstream.ts';
import { median, quantile } from '../harness/median.ts';
import { HEADERS, NO_CACHE } from '../targets.ts';

export interface Cost {
  readonly requests: number;
  /** Bytes of the heap and of external buffers. */
  readonly bytes: number;
  /**
   * Distance between the quartiles of the samples, as a share of the median: a great one
   * invalidates the measurement.
   */
  readonly spread: number;
}

export type CostReport = Readonly<
  Record<'warm' | 'uncached', Readonly<Record<OperationName, Cost>>>
> & {
  /** Number of garbage collections during samples: a single one invalidates its sample. */
  readonly collections: number;
};

/** Operations until the code has reached its final compilation. */
const WARM_UP = 600;
const SAMPLES = 8;
/**
 * Operations per sample: a cached operation allocates so little that other work of the process
 * would distort a smaller sample.
 */
const OPERATIONS = { warm: 250, uncached: 40 };

const collections: PerformanceEntry[] = [];
const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

if (import.meta.main) process.stdout.write(JSON.stringify(await measureAll()));

async function measureAll(): Promise<CostReport> {
  const windows: (readonly [number, number])[] = [];
  const warm = await measureKinds({}, OPERATIONS.warm, windows);
  const uncached = await measureKinds(NO_CACHE, OPERATIONS.uncached, windows);
  await setImmediate();
  const within = (entry: PerformanceEntry) =>
    windows.some(([from, to]) => entry.startTime >= from && entry.startTime <= to);
  return { warm, uncached, collections: collections.filter(within).length };
}

async function measureKinds(
  settings: Readonly<Record<string, string>>,
  operations: number,
  windows: (readonly [number, number])[],
) {
  const startedAt = Date.now();
  let requests = 0;
  const respond = createUpstream();
  /** Created once per path: the allocations of the upstream must not count. */
  const responses = new Map<string, Response>();
  const gateway = createGateway(
    readSettings({
      NODE_ENV: 'production',
      REVOX_BASE_URL: 'http://upstream.test/api',
      ...settings,
    }),
    {
      fetch: async ({ url, headers }) => {
        requests += 1;
        const path = url.slice('http://upstream.test'.length);
        const known = responses.get(path);
        if (known) return known;
        const response = toResponse(respond(path, headers.get('authorization') ?? undefined));
        responses.set(path, response);
        return response;
      },
      log: createLogger(
        { level: 'info', format: 'json' },
        joinLines(destination({ dest: devNull, sync: false }), startTimer),
      ),
      // The clock stands still: cached responses stay fresh.
      now: () => startedAt,
    },
  );
  const costs: Partial<Record<OperationName, Cost>> = {};
  for (const kind of kinds) {
    const operation = kind.at(0);
    await check(gateway, operation);
    await runRequests(gateway, prepare(operation, WARM_UP));
    const samples: number[] = [];
    const before = requests;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const prepared = prepare(operation, operations);
      // Twice: the first collection frees memory lazily, and the second one waits until that is
      // done.
      globalThis.gc?.();
      await setImmediate();
      globalThis.gc?.();
      await setImmediate();
      const from = performance.now();
      const start = allocated();
      await runRequests(gateway, prepared);
      samples.push((allocated() - start) / operations);
      windows.push([from, performance.now()]);
    }
    costs[kind.name] = {
      requests: (requests - before) / (SAMPLES * operations),
      bytes: Math.round(median(samples)),
      spread: toSpread(samples),
    };
    await check(gateway, operation);
  }
  await gateway.dispose();
  return costs as Record<OperationName, Cost>;
}

function toSpread(samples: readonly number[]): number {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / median(samples);
}

/** Grows monotonically unless a garbage collection runs. */
function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Creates the requests in advance: their cost is the client's. */
function prepare({ query, variables }: Operation, count: number): Request[] {
  const body = JSON.stringify({ query, variables });
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...HEADERS };
  return Array.from(
    { length: count },
    () => new Request('http://localhost/graphql', { method: 'POST', headers, body }),
  );
}

async function runRequests(gateway: Gateway, requests: readonly Request[]): Promise<void> {
  for (const request of requests) await (await gateway.fetch(request)).text();
}

async function check(gateway: Gateway, operation: Operation): Promise<void> {
  const [request] = prepare(operation, 1);
  const response = await gateway.fetch(request as Request);
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown };
  if (errors !== undefined || !isDeepStrictEqual(data, operation.data)) {
    throw new Error(
      `${operation.name} has a wrong response: ${JSON.stringify(errors ?? data).slice(0, 1_000)}`,
    );
  }
}

/** The parts of a response that the gateway uses, readable more than once. */
function toResponse({ status, body }: { status: number; body: Buffer }): Response {
  return {
    status,
    headers: new Headers({ 'content-type': 'application/json' }),
    body: [body],
  } as unknown as Response;
}
