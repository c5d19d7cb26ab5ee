import type { Environment } from '#config/settings.ts';
import type { GatewayOptions } from '#gateway.ts';
import { type CapturedLog, captureLog } from './captured-log.ts';
import type { TestGateway, TestGatewayOptions } from './test-gateway.ts';
import { createTimedGateway, type TimedGateway, untilIdle } from './timed-gateway.ts';

/**
 * The pipelines of an operation: with the response cache and the fast path, with each alone, and
 * through all of Yoga.
 */
export const PIPELINES = {
  cached: { fastPath: true, responseCache: true },
  fast: { fastPath: true, responseCache: false },
  yoga: { fastPath: false, responseCache: false },
  cachedYoga: { fastPath: false, responseCache: true },
} satisfies { [name: string]: Pick<GatewayOptions, 'fastPath' | 'responseCache'> };

export type Pipeline = keyof typeof PIPELINES;

/**
 * A deadline used nowhere else, in ms, which identifies the timer of an operation that was started.
 */
const DEADLINE_MS = 31_234;

export interface ObservedGateway extends TimedGateway {
  readonly capturedLog: CapturedLog;
  /** Operations started since the last call, each identified by its deadline. */
  takeStartedOperations(): number;
}

export function createObservedGateway(
  pipeline: Pipeline,
  { settings, gateway, ...options }: TestGatewayOptions = {},
): ObservedGateway {
  const capturedLog = captureLog();
  let startedOperations = 0;
  const testGateway = createTimedGateway({
    ...options,
    settings: { REQUEST_DEADLINE_MS: String(DEADLINE_MS), LOG_PERSONAL_DATA: 'on', ...settings },
    gateway: {
      log: capturedLog.log,
      random: () => 0.5,
      startTimer(ms, onTime) {
        if (ms === DEADLINE_MS) startedOperations += 1;
        const timer = setTimeout(onTime, ms).unref();
        return () => clearTimeout(timer);
      },
      ...PIPELINES[pipeline],
      ...gateway,
    },
  });
  return {
    ...testGateway,
    capturedLog,
    takeStartedOperations() {
      const taken = startedOperations;
      startedOperations = 0;
      return taken;
    },
  };
}

/** Fields that differ between identical requests. */
const VOLATILE_FIELDS = new Set(['time', 'requestId', 'durationMs', 'overheadMs']);

/**
 * Sends a request, and returns everything observable about it: response, upstream traffic, log and
 * metrics.
 */
export async function observeAll(
  gateway: ObservedGateway,
  url: string,
  init: RequestInit,
): Promise<unknown> {
  gateway.capturedLog.lines.splice(0);
  gateway.traffic();
  let observed: object;
  try {
    const response = await gateway.fetch(url, init);
    const { 'x-request-id': _, ...headers } = Object.fromEntries(
      // Yoga spells header names differently.
      [...response.headers].map(([name, value]) => [name.toLowerCase(), value]),
    );
    observed = { status: response.status, headers, text: await response.text() };
  } catch (error) {
    observed = { rejected: (error as Error).name };
  }
  // Background revalidations have completed as well.
  await untilIdle();
  const log = gateway.capturedLog
    .read()
    .map((line) =>
      Object.fromEntries(Object.entries(line).filter(([name]) => !VOLATILE_FIELDS.has(name))),
    );
  return { ...observed, traffic: gateway.traffic(), log, metrics: await readAllMetrics(gateway) };
}

/** Metrics that differ by design: the size of the response cache, and the counter of pipelines. */
const VOLATILE_METRICS = /^revox_gateway_(cache_bytes|cache_entries|operations_total)\b/;

async function readAllMetrics(gateway: Pick<TestGateway, 'fetch'>): Promise<string[]> {
  const text = await (await gateway.fetch('/metrics')).text();
  return text.split('\n').filter((line) => !VOLATILE_METRICS.test(line));
}

export interface Pipelines {
  readonly gateways: Readonly<Record<Pipeline, ObservedGateway>>;
  /** Runs `act` on each gateway. */
  each(act: (gateway: ObservedGateway) => unknown): Promise<void>;
  /**
   * Sends the same request through each pipeline, and returns what was observed and how many
   * operations were started.
   */
  observe(
    init: RequestInit,
    url?: string,
  ): Promise<{
    readonly observed: Readonly<Record<Pipeline, unknown>>;
    readonly startedOperations: Record<Pipeline, number>;
  }>;
}

export function createPipelines(
  options: TestGatewayOptions & { readonly settings?: Environment } = {},
): Pipelines {
  const gateways = {
    cached: createObservedGateway('cached', options),
    fast: createObservedGateway('fast', options),
    yoga: createObservedGateway('yoga', options),
    cachedYoga: createObservedGateway('cachedYoga', options),
  };
  const names = Object.keys(gateways) as Pipeline[];
  return {
    gateways,
    async each(act) {
      for (const name of names) await act(gateways[name]);
    },
    async observe(init, url = '/graphql') {
      const observed = {} as Record<Pipeline, unknown>;
      const startedOperations = {} as Record<Pipeline, number>;
      for (const name of names) {
        gateways[name].takeStartedOperations();
        observed[name] = await observeAll(gateways[name], url, init);
        startedOperations[name] = gateways[name].takeStartedOperations();
      }
      return { observed, startedOperations };
    },
  };
}
