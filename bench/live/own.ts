/** Queries beside subscriptions, and what only this gateway is measured for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile } from '../harness/median.ts';
import type { ServerProcess } from '../harness/start.ts';
import { callIdOf } from './calls.ts';
import {
  type LiveScene,
  measureSubscribers,
  type SubscriberBytes,
  startScene,
  warmUp,
} from './measure.ts';
import type { SubscribersReport } from './subscribers.ts';
import { HEADERS, INTERVAL_MS, type LiveTarget, type Scale, thisGateway } from './targets.ts';
import type { LiveCounts } from './upstream.ts';

export interface QueryTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface QueriesMeasurement {
  readonly target: LiveTarget;
  readonly without: QueryTimes;
  readonly beside: QueryTimes;
  /** The events meanwhile. */
  readonly eventsPerSecond: number;
}

export interface WebSocketMeasurement extends SubscriberBytes {
  readonly sockets: number;
  readonly perSocket: number;
}

export interface TransportMeasurement extends SubscriberBytes {
  readonly transport: LiveTarget['transport'];
  /** Subscriptions of one connection. */
  readonly perConnection: number;
}

export interface TrafficMeasurement {
  readonly subscribers: number;
  readonly calls: number;
  /** Of the call with the most requests. */
  readonly requestsPerInterval: number;
  readonly shortestGapMs: number;
}

export interface Leftovers {
  readonly subscriptions: number;
  readonly cohorts: number;
  readonly watched: number;
  readonly timers: number;
  readonly heapBytes: number;
}

export interface ChurnMeasurement {
  readonly before: Leftovers;
  readonly after: Leftovers;
}

export interface DrainMeasurement {
  readonly exitMs: number;
  readonly report: SubscribersReport;
}

const QUERIES_PER_SECOND = 100;
/** A hundredth of the queries must be more than a handful. */
const QUERY_SECONDS_PER_SECOND = 4;
/** Calls that are queried in turn, and that no subscriber watches. */
const QUERIED_CALLS = 100;
/** Calls that change every fifth second. */
const SLOW = 5;
const CHURN_PER_SECOND = 100;
const WARM_UP_SECONDS = 10;
/** The default of MAX_SUBSCRIPTIONS_PER_CONNECTION. */
const SUBSCRIPTIONS_PER_SOCKET = 100;
const SETTLING_MS = 2_000;

export async function measureQueries(
  target: LiveTarget,
  scale: Scale,
): Promise<QueriesMeasurement> {
  const { subscribers, calls } = scale;
  const seconds = QUERY_SECONDS_PER_SECOND * scale.seconds;
  await using scene = await startScene(target, calls + QUERIED_CALLS);
  await warmUp(scene, scale);
  await sendQueries(scene.served, calls, seconds);
  const without = await sendQueries(scene.served, calls, seconds);
  await scene.open(subscribers, calls);
  await scene.upstream({ changeEvery: SLOW });
  await sleep(SETTLING_MS);
  await scene.subscribers({ kind: 'report' });
  const beside = await sendQueries(scene.served, calls, seconds);
  const { events, seconds: elapsed } = await scene.subscribers({ kind: 'report' });
  return { target, without, beside, eventsPerSecond: events / elapsed };
}

/** Sends queries at a constant rate, however long their responses take. */
async function sendQueries(
  served: ServerProcess,
  firstCall: number,
  seconds: number,
): Promise<QueryTimes> {
  const { origin, pathname: path } = new URL(served.url);
  await using pool = closing(new Pool(origin, { connections: 20, pipelining: 1 }));
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...HEADERS };
  const times: number[] = [];
  const query = 'query ($id: ID!) { call(id: $id) { id status callAttempts { id status } } }';
  const send = async (index: number, dueAt: number) => {
    const id = callIdOf(firstCall + (index % QUERIED_CALLS));
    const body = JSON.stringify({ query, variables: { id } });
    const response = await pool.value.request({ method: 'POST', path, headers, body });
    const text = await response.body.text();
    if (!text.includes(`"id":"${id}"`)) throw new Error(`A query has failed: ${text}`);
    times.push(performance.now() - dueAt);
  };
  const startedAt = performance.now();
  const sent: Promise<void>[] = [];
  for (let index = 0; index < QUERIES_PER_SECOND * seconds; index += 1) {
    const dueAt = startedAt + (index * 1_000) / QUERIES_PER_SECOND;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    sent.push(send(index, Math.max(dueAt, performance.now())));
  }
  await Promise.all(sent);
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

function closing<T extends { close(): Promise<void> }>(value: T) {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}

/** Upstream requests of one call, and of all calls, by the number of subscribers. */
export async function measureTraffic(scale: Scale): Promise<TrafficMeasurement[]> {
  const { subscribers, calls } = scale;
  const measurements: TrafficMeasurement[] = [];
  for (const [count, ofCalls] of [
    [1, 1],
    [100, 1],
    [subscribers, 1],
    [subscribers, calls],
  ] as const) {
    await using scene = await startScene(thisGateway, ofCalls);
    await scene.open(count, ofCalls);
    await scene.upstream({ changeEvery: 1 });
    await sleep(SETTLING_MS);
    await scene.upstream();
    await sleep(scale.seconds * 1_000);
    const counts: LiveCounts = await scene.upstream();
    measurements.push({
      subscribers: count,
      calls: ofCalls,
      requestsPerInterval: (counts.mostOfOneCall * INTERVAL_MS) / (counts.seconds * 1_000),
      shortestGapMs: counts.shortestGapMs,
    });
  }
  return measurements;
}

/** Memory of subscribers with a socket each, and of subscribers that share sockets. */
export async function measureWebSocket(scale: Scale): Promise<WebSocketMeasurement[]> {
  const measurements: WebSocketMeasurement[] = [];
  for (const perSocket of [1, SUBSCRIPTIONS_PER_SOCKET]) {
    await using scene = await startScene({ ...thisGateway, transport: 'WebSocket' }, scale.calls);
    const bytes = await measureSubscribers(scene, scale, perSocket);
    measurements.push({ sockets: scale.subscribers / perSocket, perSocket, ...bytes });
  }
  return measurements;
}

/** Memory of subscribers, by the way in which they are connected. */
export async function measureTransports(scale: Scale): Promise<TransportMeasurement[]> {
  const measurements: TransportMeasurement[] = [];
  for (const [transport, perConnection] of [
    ['SSE', 1],
    ['WebSocket', 1],
    ['WebSocket', SUBSCRIPTIONS_PER_SOCKET],
  ] as const) {
    await using scene = await startScene({ ...thisGateway, transport }, scale.calls);
    const bytes = await measureSubscribers(scene, scale, perConnection);
    measurements.push({ transport, perConnection, ...bytes });
  }
  return measurements;
}

/** Subscribers that subscribe, get the present state and leave. */
export async function measureChurn(scale: Scale): Promise<ChurnMeasurement> {
  const { calls, churnSeconds } = scale;
  await using scene = await startScene(thisGateway, calls);
  await warmUp(scene, scale);
  // What is kept for a caller or a call exists then, and the code is compiled.
  await comeAndGo(WARM_UP_SECONDS);
  const before = await measureLeftovers(scene);
  await scene.upstream({ changeEvery: 1 });
  await comeAndGo(churnSeconds);
  return { before, after: await measureLeftovers(scene) };

  function comeAndGo(seconds: number): Promise<SubscribersReport> {
    const { port, subscribers } = scene;
    return subscribers({ kind: 'churn', port, perSecond: CHURN_PER_SECOND, seconds, calls });
  }
}

async function measureLeftovers({ served, port }: LiveScene): Promise<Leftovers> {
  // The connections of the clients are closed, and polls in progress end.
  await sleep(2 * SETTLING_MS);
  await served.measureLive();
  const { heapBytes, timers } = await served.measureLive();
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const sumOf = (name: string) =>
    Array.from(
      text.matchAll(new RegExp(`^revox_gateway_live_${name}(?:\\{.*\\})? (\\S+)$`, 'gm')),
    ).reduce((sum, [, value]) => sum + Number(value), 0);
  return {
    subscriptions: sumOf('subscriptions'),
    cohorts: sumOf('cohorts'),
    watched: sumOf('watched'),
    timers,
    heapBytes,
  };
}

export async function measureDrain({ subscribers, calls }: Scale): Promise<DrainMeasurement> {
  await using scene = await startScene(thisGateway, calls);
  await scene.open(subscribers, calls);
  await sleep(SETTLING_MS);
  const exitMs = await scene.served.terminate();
  return { exitMs, report: await scene.subscribers({ kind: 'report' }) };
}
