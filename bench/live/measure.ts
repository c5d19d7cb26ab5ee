import { setTimeout as sleep } from 'node:timers/promises';
import {
  freePort,
  type ServerProcess,
  startServer,
  startWorker,
  type WorkerProcess,
} from '../harness/start.ts';
import type { SubscribersReport, SubscribersRequest } from './subscribers.ts';
import type { LiveTarget, Scale } from './targets.ts';
import type { LiveCounts, LiveUpstreamOptions } from './upstream.ts';

/** A server, its upstream and its subscribers, each a process. */
export interface LiveScene extends AsyncDisposable {
  readonly served: ServerProcess;
  readonly port: number;
  subscribers(request: SubscribersRequest): Promise<SubscribersReport>;
  upstream(options?: LiveUpstreamOptions): Promise<LiveCounts>;
  /**
   * Opens subscriptions of the first `calls` calls in turn. Each has its first event then.
   * @param perSocket subscriptions of one socket. @default 1
   */
  open(subscribers: number, calls: number, perSocket?: number): Promise<SubscribersReport>;
}

/** What a load has cost. */
export interface EventLoad {
  readonly events: SubscribersReport;
  /** Processor time of the server, in cores. */
  readonly cores: number;
}

/** Bytes for each subscriber, with its share of a call. */
export interface SubscriberBytes {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface LiveMeasurement extends SubscriberBytes {
  readonly target: LiveTarget;
  /** Every call changes every five seconds, and every second. */
  readonly slow: EventLoad;
  readonly fast: EventLoad;
}

/** Subscriptions that compile the code, before anything is measured. */
const WARM_UP_SUBSCRIBERS = 500;
const SETTLING_MS = 2_000;

export async function startScene(target: LiveTarget, calls: number): Promise<LiveScene> {
  await using stack = new AsyncDisposableStack();
  const upstreamPort = await freePort();
  const upstream = stack.use(
    await startWorker('bench/live/upstream.ts', [String(upstreamPort), String(calls)]),
  );
  const clients: WorkerProcess = stack.use(await startWorker('bench/live/subscribers.ts', []));
  const served = stack.use(await startServer(target.start(`http://127.0.0.1:${upstreamPort}/api`)));
  const port = Number(new URL(served.url).port);
  const subscribers = (request: SubscribersRequest) => clients.ask<SubscribersReport>(request);
  const owned = stack.move();
  return {
    served,
    port,
    subscribers,
    upstream: (options = {}) => upstream.ask<LiveCounts>(options),
    open: (count, ofCalls, perSocket = 1) =>
      subscribers({
        kind: 'open',
        port,
        transport: target.transport,
        subscribers: count,
        calls: ofCalls,
        perSocket,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function measureTarget(target: LiveTarget, scale: Scale): Promise<LiveMeasurement> {
  const { calls, seconds } = scale;
  await using scene = await startScene(target, calls);
  const bytes = await measureSubscribers(scene, scale);
  const slow = await measureLoad(scene, 5, seconds);
  const fast = await measureLoad(scene, 1, seconds);
  return { target, ...bytes, slow, fast };
}

/**
 * Opens the subscribers.
 * @param perSocket subscriptions of one socket. @default 1
 */
export async function measureSubscribers(
  scene: LiveScene,
  scale: Scale,
  perSocket = 1,
): Promise<SubscriberBytes> {
  const { subscribers, calls } = scale;
  await warmUp(scene, scale);
  const before = await measureMemory(scene);
  await scene.open(subscribers, calls, perSocket);
  await sleep(SETTLING_MS);
  const after = await measureMemory(scene);
  return {
    heapBytes: (after.heapBytes - before.heapBytes) / subscribers,
    rssBytes: (after.rssBytes - before.rssBytes) / subscribers,
  };
}

/** Opens and closes subscriptions, while their calls change. */
export async function warmUp(scene: LiveScene, { calls }: Scale): Promise<void> {
  await scene.upstream({ changeEvery: 1 });
  for (let round = 0; round < 3; round += 1) {
    await scene.open(WARM_UP_SUBSCRIBERS, Math.min(calls, WARM_UP_SUBSCRIBERS));
    await sleep(SETTLING_MS);
    await scene.subscribers({ kind: 'close' });
  }
  await scene.upstream({ changeEvery: 0 });
  await sleep(SETTLING_MS);
}

async function measureMemory({ served }: LiveScene) {
  await served.measureLive();
  return served.measureLive();
}

/** @param changeEvery a call changes with every n-th poll */
export async function measureLoad(
  scene: LiveScene,
  changeEvery: number,
  seconds: number,
): Promise<EventLoad> {
  await scene.upstream({ changeEvery });
  await sleep(SETTLING_MS);
  await scene.subscribers({ kind: 'report' });
  const before = await scene.served.measure();
  await sleep(seconds * 1_000);
  const events = await scene.subscribers({ kind: 'report' });
  const after = await scene.served.measure();
  return { events, cores: (after.cpuMs - before.cpuMs) / (events.seconds * 1_000) };
}
