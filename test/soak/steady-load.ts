import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '#sandbox/data/random.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { startFaultyUpstream } from '../support/faulty-upstream.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { KEY_A } from '../support/test-gateway.ts';
import {
  type Ending,
  type MeasuredGateway,
  type ProcessUsage,
  startMeasuredGateway,
} from './gateway-process.ts';
import { createRandomFaults } from './random-faults.ts';
import { createSimulatedClients, type VisitTally } from './simulated-clients.ts';

export interface SoakResult {
  /** Visits of clients during the steady load. */
  readonly visits: number;
  readonly upstreamRequests: number;
  /** Client connections that the gateway closed (`client_disconnects_total`). */
  readonly disconnects: number;
  /** Outcomes of the visits and of the warm-up requests. */
  readonly tally: VisitTally;
  /** Resources before the first request and after the last one. */
  readonly idle: { readonly before: ProcessUsage; readonly after: ProcessUsage };
  /** Samples during the steady load. */
  readonly samples: readonly (ProcessUsage & { readonly atMs: number })[];
  readonly ending: Ending;
}

export const VISITS_PER_SECOND = 60;
/**
 * A visit is skipped when this many are in progress; on a slow machine their number would grow
 * without bound.
 */
const MAX_CONCURRENT_VISITS = 100;
const SAMPLE_EVERY_MS = 10_000;
/**
 * How long the load runs before the measurement after the bounded caches are full, in ms. By then,
 * state with a lifetime of a minute has expired, and code that is compiled on first use has been
 * compiled.
 */
const SETTLE_MS = 120_000;
/** More keys and documents than any cache holds, so that bounded memory has reached its bound. */
const INITIAL_KEYS = 10_500;
const KEYS = 40;
/** Shorter than the default, so that idle connections are closed within the suite. */
const KEEP_ALIVE_TIMEOUT_MS = 20_000;
/** Longer than any idle connection is kept. */
const IDLE_MS = 60_000;
const SEED = 7;

const SETTINGS = {
  CACHE_MAX_BYTES: String(16 * 2 ** 20),
  REVOX_TIMEOUT_MS: '2000',
  REQUEST_DEADLINE_MS: '6000',
  REVOX_FIRST_PAGE: '1',
  KEEP_ALIVE_TIMEOUT_MS: String(KEEP_ALIVE_TIMEOUT_MS),
};

/**
 * Sends visits at a constant rate to a gateway in its own process, over real sockets and with an
 * upstream that has random faults.
 * @param isQuick skips what only a measurement needs: filling bounded caches, and waiting until
 * the load has settled
 */
export async function runSoak(
  minutes: number,
  { isQuick }: { readonly isQuick: boolean },
): Promise<SoakResult> {
  const startedAt = performance.now();
  const monotonicNow = () => performance.now() - startedAt;
  const sandbox = createSandbox({ live: true });
  const ids = sampleIds(sandbox);
  const callIds = sandbox.control.data(KEY_A).calls.map(({ id }) => id);
  await using upstream = await startFaultyUpstream({
    basePath: sandbox.basePath,
    fetch: (request) => sandbox.fetch(withSandboxKey(request)),
  });
  await using gateway = await startMeasuredGateway({ REVOX_BASE_URL: upstream.url, ...SETTINGS });

  const tally: VisitTally = {};
  const chance = createRandom(SEED, 'clients');
  const visit = createSimulatedClients({ url: gateway.url, ids, callIds, chance, tally });
  const before = await gateway.measure();
  // While the caches are filled, the load already compiles code.
  const load = startLoad(visit);
  if (!isQuick) await fill(gateway.url, tally);

  upstream.respondWith(createRandomFaults(createRandom(SEED, 'upstream'), monotonicNow));
  let upstreamRequests = 0;
  const reset = () => {
    upstreamRequests += upstream.traffic().length;
    sandbox.control.clearLog();
  };
  await load.during(isQuick ? 0 : SETTLE_MS, reset);
  reset();
  upstreamRequests = 0;
  const visitsBefore = load.visits;

  let disconnects = 0;
  const samples: (ProcessUsage & { atMs: number })[] = [];
  const sample = async () => {
    reset();
    // Reads the metrics regularly, as Prometheus does.
    const metrics = parseMetrics(await (await fetch(new URL('/metrics', gateway.url))).text());
    disconnects = sumSamples(metrics, 'client_disconnects_total');
    samples.push({ atMs: monotonicNow(), ...(await gateway.measure()) });
  };
  await load.during(minutes * 60_000, sample);
  const visits = load.visits - visitsBefore;
  await load.end();

  upstream.respondWith(undefined);
  const after = await settle(gateway, before.descriptors);
  return {
    visits,
    upstreamRequests,
    disconnects,
    tally,
    idle: { before, after },
    samples,
    ending: await gateway.end(),
  };
}

/** Maps all keys to the key of one organization, except keys that the upstream must reject. */
function withSandboxKey(request: Request): Request {
  const key = request.headers.get('authorization') ?? '';
  if (!key.includes('_refused_')) request.headers.set('authorization', `Bearer ${KEY_A}`);
  return request;
}

/** Starts visits at a constant rate, independent of their duration. */
function startLoad(visit: (key: string) => Promise<void>) {
  const inFlight = new Set<Promise<void>>();
  let visits = 0;
  let failure: unknown;
  const startedAt = performance.now();
  let due = 0;
  // On a busy machine the timer fires late, and the loop catches up.
  const timer = setInterval(() => {
    const until = ((performance.now() - startedAt) * VISITS_PER_SECOND) / 1000;
    while (due < until) {
      due += 1;
      if (inFlight.size < MAX_CONCURRENT_VISITS) startVisit();
    }
  }, 1000 / VISITS_PER_SECOND);

  function startVisit(): void {
    // Adds a new key regularly, which reveals state that is kept for each key without a bound.
    const key =
      visits % VISITS_PER_SECOND === 0 ? `sk_soak_new_${visits}` : `sk_soak_${visits % KEYS}`;
    visits += 1;
    const one: Promise<void> = visit(key)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inFlight.delete(one));
    inFlight.add(one);
  }

  return {
    get visits() {
      return visits;
    },
    async during(ms: number, act: () => void | Promise<void>): Promise<void> {
      for (let left = ms; left > 0; left -= SAMPLE_EVERY_MS) {
        await sleep(Math.min(left, SAMPLE_EVERY_MS));
        await act();
        if (failure !== undefined) throw failure;
      }
    },
    async end(): Promise<void> {
      clearInterval(timer);
      await Promise.all(inFlight);
      if (failure !== undefined) throw failure;
    },
  };
}

/**
 * Sends requests with `INITIAL_KEYS` valid keys, each with a new document, and with as many
 * rejected keys.
 */
async function fill(url: string, tally: VisitTally): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < 2 * INITIAL_KEYS) {
      next += 1;
      const key = next % 2 === 0 ? `sk_soak_first_${next}` : `sk_soak_refused_${next}`;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({
          query: `query First${next} { assistants(first: 100) { nodes { id } } }`,
        }),
      });
      await response.arrayBuffer();
      tally['warm-up requests'] = (tally['warm-up requests'] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 4 }, one));
}

/**
 * Waits until the gateway has no open socket, for at most `IDLE_MS`. Idle connections to the upstream
 * do not keep the process alive, so only their descriptors show them.
 */
async function settle(gateway: MeasuredGateway, descriptors: number): Promise<ProcessUsage> {
  const deadlineAt = performance.now() + IDLE_MS;
  for (;;) {
    const measure = await gateway.measure();
    const isIdle =
      (measure.resources.TCPSocketWrap ?? 0) === 0 && measure.descriptors <= descriptors;
    if (isIdle || performance.now() > deadlineAt) return measure;
    await sleep(1_000);
  }
}
