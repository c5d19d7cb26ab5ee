import { Registry } from 'prom-client';
import type { CacheEvents, CacheState } from '#cache/cache-events.ts';
import { VERSION } from '#generated/version.ts';
import type { LiveEvents, LiveState } from '#live/live-events.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';
import type { ConditionState } from './condition-log.ts';
import type { EventLoopLagOptions } from './event-loop-lag.ts';
import { createLiveMetrics } from './live-metrics.ts';
import { createMetricFactory } from './metric-factory.ts';
import { addProcessMetrics } from './process-metrics.ts';
import {
  createUpstreamMetrics,
  DURATION_BUCKETS,
  type UpstreamMetrics,
} from './upstream-metrics.ts';

export interface MetricsOptions {
  /** Called on each read of the metrics. */
  readonly upstreamState: () => UpstreamState;
  readonly cacheState: () => CacheState;
  /** @default none */
  readonly conditionStates?: () => readonly ConditionState[];
  /**
   * Bytes of responses that clients have not read yet.
   * @default always 0
   */
  readonly unsentBytes?: () => number;
  /** @default there are no subscriptions */
  readonly liveState?: () => LiveState | undefined;
  /** Called with an unexpected error of a subscription. @default ignored */
  readonly onLiveError?: (error: unknown) => void;
  /**
   * The clock of the metrics of the process: its memory, its event loop.
   * @default the metrics of the process are not included
   */
  readonly processClock?: Pick<EventLoopLagOptions, 'monotonicNow' | 'startTimer'> | undefined;
}

export interface Metrics extends UpstreamMetrics {
  readonly cacheEvents: CacheEvents;
  readonly liveEvents: LiveEvents;
  /** A request to the GraphQL endpoint has arrived. */
  onOperationStart(): void;
  /** A request to the GraphQL endpoint has ended. */
  onOperationEnd(): void;
  /** An executed operation has ended. */
  onOperationExecuted(operation: OperationMetric): void;
  /** A request was rejected before execution. */
  onRejected(code: string): void;
  /**
   * A limit was exceeded.
   * @param setting the setting that raises the limit; undefined if there is none
   */
  onLimitExceeded(setting: string | undefined): void;
  onResponse(route: string, status: number): void;
  /**
   * The server has closed a client's connection, for one of the reasons of
   * `client_disconnects_total`.
   */
  onDisconnected(reason: string): void;
  /** A value in an upstream response is not what the API documentation states. */
  onDrift(kind: string, type: string, field: string, count?: number): void;
  onUnexpectedError(): void;
  readonly contentType: string;
  /** Renders all metrics in the Prometheus text format. */
  render(): Promise<string>;
}

/**
 * What produced a response. `cached`: the response cache. `fast`: the fast path for warm
 * operations. `yoga`: Yoga's pipeline, for all other requests.
 */
export type Pipeline = 'cached' | 'fast' | 'yoga';

export interface OperationMetric {
  /** From a bounded set of names. */
  readonly name: string;
  readonly pipeline: Pipeline;
  readonly code: string;
  readonly ms: number;
  /**
   * Duration without the time of waiting for the upstream, in ms; undefined for an aborted
   * operation, where it is unknown.
   */
  readonly overheadMs: number | undefined;
}

/** Bucket bounds, in seconds. */
const OVERHEAD_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/**
 * The gateway's metrics, in a registry of their own, so that two gateways in one process do not add
 * up. Every label has a bound that no caller can raise, and no label reveals a caller, an id or a
 * key. `docs/operations/monitoring.md` documents each metric.
 */
export function createMetrics({
  upstreamState,
  cacheState,
  conditionStates = () => [],
  unsentBytes = () => 0,
  processClock,
  liveState = () => undefined,
  onLiveError = () => {},
}: MetricsOptions): Metrics {
  const registry = new Registry();
  const factory = createMetricFactory(registry);
  const { counter, bufferedCounter, histogram, gauge, labelledGauge } = factory;

  const operationSeconds = histogram(
    'operation_duration_seconds',
    'Duration of executed operations, from the arrival of the request to its response, by operation name and code of the first error (OK: no error).',
    DURATION_BUCKETS,
    ['operation', 'code'],
  );
  const overheadSeconds = histogram(
    'operation_overhead_seconds',
    'Time that the gateway itself takes for an operation: the duration without the time of waiting for the upstream.',
    OVERHEAD_BUCKETS,
    [],
  );
  const operations = bufferedCounter(
    'operations_total',
    'Executed operations, by operation name and by the pipeline that produced the response (cached, fast, yoga).',
    ['operation', 'pipeline'],
  );
  let operationsInProgress = 0;
  const lagSampler =
    processClock &&
    addProcessMetrics(registry, { ...processClock, isBusy: () => operationsInProgress > 0 });
  gauge('operations_in_progress', 'Requests to /graphql in progress.', () => operationsInProgress);
  const rejections = counter(
    'requests_rejected_total',
    'Requests rejected before execution, by error code.',
    ['code'],
  );
  const limitsExceeded = counter(
    'limit_exceeded_total',
    'Requests over a limit, by the setting that raises the limit (none: no setting does).',
    ['limit'],
  );
  const responses = bufferedCounter(
    'http_responses_total',
    'HTTP responses, by route and status (499: the client disconnected before the response).',
    ['route', 'status'],
  );
  const disconnects = counter(
    'client_disconnects_total',
    'Client connections closed by the gateway, by reason.',
    ['reason'],
  );
  for (const reason of ['unread', 'silent', 'evicted']) disconnects.inc({ reason }, 0);
  gauge('unsent_bytes', 'Bytes of responses that clients have not read yet.', unsentBytes);
  const unexpectedErrors = counter(
    'unexpected_errors_total',
    'Unexpected errors: bugs. The log has each with its stack.',
  );

  const upstreamMetrics = createUpstreamMetrics(factory, {
    upstreamState,
    onQueueFull: () => limitsExceeded.inc({ limit: 'REVOX_MAX_QUEUE' }),
  });

  const lookups = bufferedCounter(
    'upstream_lookups_total',
    'Upstream lookups of operations, by endpoint and by the source of the response.',
    ['endpoint', 'source'],
  );
  gauge('cache_bytes', 'Estimated size of the cache in memory.', () => cacheState().bytes);
  gauge('cache_entries', 'Cached responses in memory.', () => cacheState().entries);
  gauge(
    'upstream_coalescing_in_flight',
    'Upstream lookups in flight, which identical lookups can join.',
    () => cacheState().inFlight,
  );
  labelledGauge(
    'condition_active',
    'Conditions that have occurred, by their last cause: 1 while the condition is active, else 0.',
    ['condition', 'cause'],
    (conditions) => {
      conditions.reset();
      for (const { name, cause, isActive } of conditionStates())
        conditions.set({ condition: name, cause }, isActive ? 1 : 0);
    },
  );
  const drift = counter(
    'drift_total',
    'Values in upstream responses that differ from the documentation of the API, by kind, type and field.',
    ['kind', 'type', 'field'],
  );
  labelledGauge(
    'build_info',
    'Always 1; the labels are the versions of the gateway and of Node.js.',
    ['version', 'node'],
    (info) => info.set({ version: VERSION, node: process.version }, 1),
  );
  return {
    cacheEvents: { onLookup: lookups },
    liveEvents: createLiveMetrics(factory, { liveState, onUnexpectedError: onLiveError }),
    ...upstreamMetrics,
    onOperationStart() {
      operationsInProgress += 1;
      lagSampler?.onActivity();
    },
    onOperationEnd() {
      operationsInProgress -= 1;
    },
    onOperationExecuted({ name, pipeline, code, ms, overheadMs }) {
      operations(name, pipeline);
      operationSeconds(ms / 1000, name, code);
      if (overheadMs !== undefined) overheadSeconds(overheadMs / 1000);
    },
    onRejected(code) {
      lagSampler?.onActivity();
      rejections.inc({ code });
    },
    onLimitExceeded: (setting) => limitsExceeded.inc({ limit: setting ?? 'none' }),
    onResponse: (route, status) => responses(route, String(status)),
    onDrift: (kind, type, field, count = 1) => drift.inc({ kind, type, field }, count),
    onDisconnected: (reason) => disconnects.inc({ reason }),
    onUnexpectedError: () => unexpectedErrors.inc(),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
