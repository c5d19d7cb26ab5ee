import type { FailureCauseKind } from '#errors/failure-cause.ts';
import type {
  CircuitScope,
  CircuitState,
  UpstreamEvents,
  UpstreamState,
} from '#rest/upstream-events.ts';
import type { MetricFactory } from './metric-factory.ts';

export interface UpstreamMetricsOptions {
  /** Called on each read of the metrics. */
  readonly upstreamState: () => UpstreamState;
  readonly onQueueFull: () => void;
}

export interface UpstreamMetrics {
  /** All events except `onSend`: see `onUpstreamRequestEnd`. */
  readonly upstreamEvents: Pick<
    UpstreamEvents,
    | 'onRetry'
    | 'onQueueWait'
    | 'onRateLimited'
    | 'onCooldownReceived'
    | 'onQueueFull'
    | 'onCircuitChange'
  >;
  /** An upstream request has ended. */
  onUpstreamRequestEnd(request: UpstreamRequestMetric): void;
}

export interface UpstreamRequestMetric {
  readonly endpoint: string;
  readonly status: number | null;
  /** Undefined if the request succeeded. */
  readonly failure: string | undefined;
  /** Why the upstream fails; undefined if the failure concerns a single key, object or request. */
  readonly cause?: { readonly kind: FailureCauseKind } | undefined;
  readonly ms: number;
}

/** Bucket bounds, in seconds. */
export const DURATION_BUCKETS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const QUEUE_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

const CIRCUIT_SCOPES: readonly CircuitScope[] = ['connection', 'endpoint'];
const CIRCUIT_STATES: readonly CircuitState[] = ['closed', 'half-open', 'open'];

/** Metrics of the upstream client. */
export function createUpstreamMetrics(
  { counter, histogram, gauge, labelledGauge }: MetricFactory,
  { upstreamState, onQueueFull }: UpstreamMetricsOptions,
): UpstreamMetrics {
  const upstreamSeconds = histogram(
    'upstream_request_duration_seconds',
    'Duration of upstream requests, from sending to the last byte, by endpoint, status (none: no response) and outcome.',
    DURATION_BUCKETS,
    ['endpoint', 'status', 'outcome'],
  );
  const retries = counter(
    'upstream_retries_total',
    'Retries of failed upstream requests, by endpoint and reason of the failure.',
    ['endpoint', 'reason'],
  );
  const failures = counter(
    'upstream_failures_total',
    'Failed upstream requests that are failures of the upstream, by cause.',
    ['cause'],
  );
  const queueSeconds = histogram(
    'upstream_queue_wait_seconds',
    'Time that upstream requests wait for a slot of the concurrency limiter.',
    QUEUE_BUCKETS,
    [],
  );
  const rateLimits = counter(
    'upstream_rate_limited_total',
    'Rate-limit cooldowns started for a credential.',
  );
  const receivedCooldowns = counter(
    'upstream_cooldowns_received_total',
    'Rate-limit cooldowns that began in this instance because another one was rate-limited.',
  );
  const circuitsOpened = counter('upstream_circuit_opened_total', 'Circuits opened, by scope.', [
    'scope',
  ]);
  for (const scope of CIRCUIT_SCOPES) circuitsOpened.inc({ scope }, 0);
  gauge(
    'upstream_queued',
    'Upstream requests waiting for a slot of the concurrency limiter.',
    () => upstreamState().queued,
  );
  gauge('upstream_in_flight', 'Upstream requests in flight.', () => upstreamState().inFlight);
  gauge(
    'upstream_cooling_down_credentials',
    'Credentials in a rate-limit cooldown.',
    () => upstreamState().coolingDown,
  );
  gauge(
    'upstream_reduced_credentials',
    'Credentials of which other instances use a part of REVOX_MAX_CONCURRENCY.',
    () => upstreamState().reducedShares,
  );
  labelledGauge(
    'upstream_breaker_state',
    'State of the circuit breaker of each scope: 1 for the current state, 0 for the others.',
    ['scope', 'state'],
    (gauge) => {
      const { circuits } = upstreamState();
      for (const scope of CIRCUIT_SCOPES)
        for (const state of CIRCUIT_STATES)
          gauge.set({ scope, state }, state === circuits[scope].state ? 1 : 0);
    },
  );
  labelledGauge(
    'upstream_circuits_open',
    'Circuits that are open or half-open, by scope.',
    ['scope'],
    (gauge) => {
      const { circuits } = upstreamState();
      for (const scope of CIRCUIT_SCOPES) gauge.set({ scope }, circuits[scope].openCount);
    },
  );

  return {
    upstreamEvents: {
      onRetry: (endpoint, reason) => retries.inc({ endpoint, reason }),
      onQueueWait: (waitedMs) => queueSeconds(waitedMs / 1000),
      onRateLimited: () => rateLimits.inc(),
      onCooldownReceived: () => receivedCooldowns.inc(),
      onQueueFull,
      onCircuitChange(change, scope) {
        if (change === 'opened') circuitsOpened.inc({ scope });
      },
    },
    onUpstreamRequestEnd({ endpoint, status, failure, cause, ms }) {
      if (cause) failures.inc({ cause: cause.kind });
      upstreamSeconds(ms / 1000, endpoint, toStatusLabel(status), failure ?? 'ok');
    },
  };
}

/** The upstream may send any three digits as a status: invalid ones share one label. */
function toStatusLabel(status: number | null): string {
  if (status === null) return 'none';
  return status >= 100 && status < 600 ? String(status) : 'invalid';
}
