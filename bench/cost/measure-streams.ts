/**
 * Measures the allocations of the events of a subscription, like `measure.ts`, in a process of its
 * own. Each event is one poll, one execution, and one write to each subscriber. Prints a
 * `StreamCost` as JSON.
 *
 *     node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 bench/cost/measure-streams.ts
 */
import { devNull } from 'node:os';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { destination } from 'pino';
import { readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { streamOf } from '#http/streams/stream-body.ts';
import { createLogger } from '#observability/logger.ts';
import { joinLines } from '#observability/standard-output.ts';
import { startTimer } from '#system-clock.ts';
import { median } from '../harness/median.ts';
import { HEADERS } from '../targets.ts';

export interface StreamCost {
  /** Upstream requests for each event, with one subscriber and with many. */
  readonly requests: readonly [number, number];
  /** Bytes allocated for each event with one subscriber: the poll, the execution and the write. */
  readonly eventBytes: number;
  /** Bytes allocated for each event and further subscriber. */
  readonly subscriberBytes: number;
  /** Number of garbage collections during samples: a single one invalidates its sample. */
  readonly collections: number;
}

const SUBSCRIBERS = 1_000;
const WARM_UP = 300;
const EVENTS = 40;
const SAMPLES = 6;
const INTERVAL_MS = 2_500;

const QUERY =
  'subscription { callUpdated(id: "c") { id status direction toPhoneNumber callAttempts { id status startedAt } } }';

const collections: PerformanceEntry[] = [];
const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

if (import.meta.main) process.stdout.write(JSON.stringify(await measure()));

async function measure(): Promise<StreamCost> {
  const windows: (readonly [number, number])[] = [];
  const one = await measureEvents(1, windows);
  const many = await measureEvents(SUBSCRIBERS, windows);
  await setImmediate();
  const within = (entry: PerformanceEntry) =>
    windows.some(([from, to]) => entry.startTime >= from && entry.startTime <= to);
  return {
    requests: [one.requests, many.requests],
    eventBytes: Math.round(one.bytes),
    subscriberBytes: Math.round((many.bytes - one.bytes) / (SUBSCRIBERS - 1)),
    collections: collections.filter(within).length,
  };
}

async function measureEvents(subscribers: number, windows: (readonly [number, number])[]) {
  const clock = createClock();
  let requests = 0;
  const gateway = createGateway(
    readSettings({
      NODE_ENV: 'production',
      REVOX_BASE_URL: 'http://upstream.test/api',
      MAX_SUBSCRIPTIONS: String(SUBSCRIBERS),
      MAX_SUBSCRIPTIONS_PER_CALLER: String(SUBSCRIBERS),
    }),
    {
      fetch: async () => {
        requests += 1;
        return toResponse(toCall(requests));
      },
      log: createLogger(
        { level: 'info', format: 'json' },
        joinLines(destination({ dest: devNull, sync: false }), startTimer),
      ),
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: clock.startTimer,
      random: () => 0.5,
    },
  );
  let writes = 0;
  for (let subscriber = 0; subscriber < subscribers; subscriber += 1) {
    const response = await gateway.fetch(toRequest());
    streamOf(response)?.attach({
      write() {
        writes += 1;
        return true;
      },
      end() {},
      destroy() {},
    });
  }
  await clock.pass(INTERVAL_MS);
  const runEvents = async (count: number) => {
    for (let event = 0; event < count; event += 1) {
      const expected = writes + subscribers;
      await clock.pass(INTERVAL_MS);
      // The streams take turns, a few in each iteration of the event loop.
      for (let turn = 0; turn < subscribers && writes < expected; turn += 1) await setImmediate();
    }
  };
  await runEvents(WARM_UP);
  const samples: number[] = [];
  const before = { requests, writes };
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    globalThis.gc?.();
    await setImmediate();
    globalThis.gc?.();
    await setImmediate();
    const from = performance.now();
    const start = allocated();
    await runEvents(EVENTS);
    samples.push((allocated() - start) / EVENTS);
    windows.push([from, performance.now()]);
  }
  const events = (writes - before.writes) / subscribers;
  if (events < SAMPLES * EVENTS) throw new Error(`Only ${events} events were written.`);
  await gateway.dispose();
  return { requests: (requests - before.requests) / events, bytes: median(samples) };
}

/** A clock whose timers call back when the measurement advances it. */
function createClock(start = Date.now()) {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly onTime: () => void }>();
  return {
    now: () => now,
    startTimer(ms: number, onTime: () => void) {
      const timer = { at: now + ms, onTime };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async pass(ms: number) {
      now += ms;
      // A poll, and then the execution of its event.
      for (let turn = 0; turn < 4; turn += 1) {
        for (const timer of [...timers]) {
          if (timer.at > now) continue;
          timers.delete(timer);
          timer.onTime();
        }
        await setImmediate();
      }
    },
  };
}

/** A call whose attempt differs in each response. */
function toCall(version: number) {
  const attempt = { id: `a${version}`, status: 'ringing', started_at: null, ended_at: null };
  return {
    call: {
      id: 'c',
      status: 'calling',
      direction: 'outbound',
      to_phone_number: '+33100000000',
      call_attempts: [attempt],
    },
  };
}

function toRequest(): Request {
  return new Request('http://localhost/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...HEADERS },
    body: JSON.stringify({ query: QUERY }),
  });
}

/** Grows monotonically unless a garbage collection runs. */
function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function toResponse(value: unknown): Response {
  return {
    status: 200,
    headers: new Headers({ 'content-type': 'application/json' }),
    body: [Buffer.from(JSON.stringify(value))],
  } as unknown as Response;
}
