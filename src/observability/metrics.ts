import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CacheEvents, CacheState } from '#cache/cache-events.ts';
import { VERSION } from '#generated/version.ts';
import type { UpstreamEvents, UpstreamState } from '#rest/upstream-events.ts';
import { createBufferedCounter } from './buffered-counter.ts';
import { createBufferedHistogram } from './buffered-histogram.ts';

export interface MetricsOptions {
  /** Called on each read of the metrics. */
  readonly upstreamState: () => UpstreamState;
  readonly cacheState: () => CacheState;
  /**
   * Bytes of responses that clients have not read yet.
   * @default always 0
   */
  readonly unsentBytes?: () => number;
  /**
   * Whether to include the metrics of the process: its memory, its event loop. This starts
   * observers that cannot be stopped.
   */
  readonly includeProcess: boolean;
}

export interface Metrics {
  readonly cacheEvents: CacheEvents;
  /** All events except `onSend`: see `onUpstreamRequestEnd`. */
  readonly upstreamEvents: Pick<
    UpstreamEvents,
    'onRetry' | 'onQueueWait' | 'onRateLimited' | 'onQueueFull' | 'onCircuitChange'
  >;
  /** An upstream request has ended. */
  onUpstreamRequestEnd(request: UpstreamRequestMetric): void;
  /**
   * A request to the GraphQL endpoint has arrived.
   * @returns a function to call once, when the request has ended
   */
  onOperationStart(): () => void;
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
  /** A value in an upstream response is not what the API's documents promise. */
  onDrift(kind: string, type: string, field: string, count?: number): void;
  onUnexpectedError(): void;
  readonly contentType: string;
  /** Renders all metrics in the Prometheus text format. */
  render(): Promise<string>;
}

export interface UpstreamRequestMetric {
  readonly endpoint: string;
  readonly status: number | null;
  /** Undefined if the request succeeded. */
  readonly failure: string | undefined;
  readonly ms: number;
}

export interface OperationMetric {
  /** From a bounded set of names. */
  readonly name: string;
  readonly code: string;
  readonly ms: number;
  /**
   * Duration without the time of waiting for the upstream, in ms; undefined for an aborted
   * operation, where it is unknown.
   */
  readonly overheadMs: number | undefined;
}

const PREFIX = 'revox_gateway_';

/** Bucket bounds, in seconds. */
const OPERATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const OVERHEAD_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const QUEUE_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

const BREAKER_STATES = ['closed', 'partly-open', 'half-open', 'open'] as const;

/**
 * The gateway's metrics, in a registry of their own, so that two gateways in one process do not add
 * up. Every label has a bound that no caller can raise, and no label reveals a caller, an id or a
 * key. `docs/operations/monitoring.md` documents each metric.
 */
export function createMetrics({
  upstreamState,
  cacheState,
  unsentBytes = () => 0,
  includeProcess,
}: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (includeProcess) collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: PREFIX + name, help, labelNames, registers });
  const bufferedCounter = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly [L, L],
  ) => createBufferedCounter({ name: PREFIX + name, help, labelNames, registers });
  const histogram = <const N extends readonly string[]>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: N,
  ) => createBufferedHistogram({ name: PREFIX + name, help, buckets, labelNames, registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const operationSeconds = histogram(
    'operation_duration_seconds',
    'Operations that were executed, by name and by the code of their first error (OK: none), from the arrival of the request to its answer.',
    OPERATION_BUCKETS,
    ['operation', 'code'],
  );
  const overheadSeconds = histogram(
    'operation_overhead_seconds',
    'What the gateway itself took of an operation: its duration less the time during which it waited for the upstream.',
    OVERHEAD_BUCKETS,
    [],
  );
  let operationsInProgress = 0;
  gauge(
    'operations_in_progress',
    'Requests to /graphql that are being answered.',
    () => operationsInProgress,
  );
  const rejections = counter(
    'refusals_total',
    'Requests that were refused before anything was executed, by code.',
    ['code'],
  );
  const limitsExceeded = counter(
    'limit_refusals_total',
    'Requests over a limit, by the setting that raises it.',
    ['setting'],
  );
  const responses = bufferedCounter(
    'http_responses_total',
    'Answers, by place and HTTP status (499: the client had left).',
    ['place', 'status'],
  );
  const disconnects = counter(
    'client_disconnects_total',
    'Client connections that the gateway closed, by reason.',
    ['reason'],
  );
  for (const reason of ['unread', 'silent', 'evicted']) disconnects.inc({ reason }, 0);
  gauge('unsent_bytes', 'Bytes of answers that clients have yet to read.', unsentBytes);
  const unexpectedErrors = counter('bugs_total', 'Faults that nobody foresaw; the log has each.');

  const upstreamSeconds = histogram(
    'upstream_request_duration_seconds',
    'Requests to the upstream, from sending to the last byte, by endpoint, status (none: no answer) and outcome.',
    OPERATION_BUCKETS,
    ['endpoint', 'status', 'outcome'],
  );
  const retries = counter(
    'upstream_retries_total',
    'Tries that failed and were followed by another, by endpoint and reason.',
    ['endpoint', 'reason'],
  );
  const queueSeconds = histogram(
    'upstream_queue_wait_seconds',
    'How long requests waited for their turn.',
    QUEUE_BUCKETS,
    [],
  );
  const rateLimits = counter(
    'upstream_pauses_total',
    'How often the upstream asked a credential to be patient.',
  );
  const circuitOpenings = counter(
    'upstream_breaker_openings_total',
    'How often requests began to be kept from the upstream.',
  );
  gauge(
    'upstream_queue_waiting',
    'Requests that wait for their turn.',
    () => upstreamState().queued,
  );
  gauge(
    'upstream_in_flight',
    'Requests to the upstream that are under way.',
    () => upstreamState().inFlight,
  );
  gauge(
    'upstream_paused_credentials',
    'Credentials that the upstream has asked to be patient.',
    () => upstreamState().coolingDown,
  );
  new Gauge({
    name: `${PREFIX}upstream_breaker_state`,
    help: 'The state of the breaker: 1 for the one that it is in, 0 for the others.',
    labelNames: ['state'],
    registers,
    collect() {
      const { breaker } = upstreamState();
      for (const state of BREAKER_STATES) this.set({ state }, state === breaker ? 1 : 0);
    },
  });

  const lookups = bufferedCounter(
    'questions_total',
    'Questions of operations to the upstream, by endpoint and by where the answer came from.',
    ['endpoint', 'source'],
  );
  gauge('cache_bytes', 'What is kept in memory, estimated.', () => cacheState().bytes);
  gauge('cache_entries', 'Answers that are kept in memory.', () => cacheState().entries);
  gauge(
    'cache_flights',
    'Questions in the air, each of which others may join.',
    () => cacheState().inFlight,
  );
  const drift = counter(
    'drift_total',
    'Values in answers of the upstream that were not as promised, by kind, type and field.',
    ['kind', 'type', 'field'],
  );
  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: VERSION, node: process.version }, 1);

  return {
    cacheEvents: { onLookup: lookups },
    upstreamEvents: {
      onRetry: (endpoint, reason) => retries.inc({ endpoint, reason }),
      onQueueWait: (waitedMs) => queueSeconds(waitedMs / 1000),
      onRateLimited: () => rateLimits.inc(),
      onQueueFull: () => limitsExceeded.inc({ setting: 'REVOX_MAX_QUEUE' }),
      onCircuitChange: (change) => {
        if (change === 'opened') circuitOpenings.inc();
      },
    },
    onUpstreamRequestEnd({ endpoint, status, failure, ms }) {
      upstreamSeconds(ms / 1000, endpoint, toStatusLabel(status), failure ?? 'ok');
    },
    onOperationStart() {
      operationsInProgress += 1;
      return () => {
        operationsInProgress -= 1;
      };
    },
    onOperationExecuted({ name, code, ms, overheadMs }) {
      operationSeconds(ms / 1000, name, code);
      if (overheadMs !== undefined) overheadSeconds(overheadMs / 1000);
    },
    onRejected: (code) => rejections.inc({ code }),
    onLimitExceeded: (setting) => limitsExceeded.inc({ setting: setting ?? 'none' }),
    onResponse: (route, status) => responses(route, String(status)),
    onDrift: (kind, type, field, count = 1) => drift.inc({ kind, type, field }, count),
    onDisconnected: (reason) => disconnects.inc({ reason }),
    onUnexpectedError: () => unexpectedErrors.inc(),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

/** The upstream may send any three digits as a status: invalid ones share one label. */
function toStatusLabel(status: number | null): string {
  if (status === null) return 'none';
  return status >= 100 && status < 600 ? String(status) : 'odd';
}
