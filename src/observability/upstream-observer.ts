import type { OutgoingRequest, RequestOutcome, UpstreamEvents } from '#rest/upstream-events.ts';
import type { Log, LogFields } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';
import type { UpstreamConditions } from './upstream-conditions.ts';

export interface UpstreamObserver {
  readonly events: UpstreamEvents;
  /**
   * When the upstream last sent any response, by the gateway's clock, in ms; undefined before the
   * first.
   */
  readonly lastResponseAt: number | undefined;
}

export interface UpstreamObserverOptions {
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly conditions: UpstreamConditions;
  readonly log: Log;
  /** Current time, in ms. */
  readonly now: () => number;
}

/** Counts, traces and logs upstream requests. */
export function createUpstreamObserver({
  metrics,
  tracing,
  conditions,
  log,
  now,
}: UpstreamObserverOptions): UpstreamObserver {
  let lastResponseAt: number | undefined;
  return {
    get lastResponseAt() {
      return lastResponseAt;
    },
    events: {
      ...metrics.upstreamEvents,
      onRateLimited(ms) {
        metrics.upstreamEvents.onRateLimited(ms);
        conditions.onRateLimited(ms);
      },
      onCircuitChange(change, scope) {
        metrics.upstreamEvents.onCircuitChange(change, scope);
        conditions.onCircuitChange(change, scope);
      },
      onSend(request) {
        const span = tracing.onSend(request);
        return {
          headers: span.headers,
          onEnd(outcome) {
            if (outcome.status !== null) lastResponseAt = now();
            metrics.onUpstreamRequestEnd({ endpoint: request.endpoint, ...outcome });
            span.onEnd(outcome);
            if (isFailure(outcome))
              log.debug?.('upstream request failed', toLogFields(request, outcome));
            conditions.onOutcome(outcome);
          },
        };
      },
    },
  };
}

/**
 * Whether the upstream has failed. An object that does not exist is a result: its field is null. A
 * request that no operation needs any more is aborted by the gateway.
 */
function isFailure({ failure, cause }: RequestOutcome): boolean {
  if (failure === undefined || failure === 'aborted') return false;
  return failure !== 'missing' || cause !== undefined;
}

function toLogFields(
  { endpoint, retryCount }: OutgoingRequest,
  { status, failure, cause, ms }: RequestOutcome,
): LogFields {
  return {
    method: 'GET',
    path: endpoint,
    // Of a proxy that refuses there is a status without a response of the upstream.
    status: status ?? cause?.status,
    outcome: failure,
    cause: cause?.kind,
    code: cause?.code,
    durationMs: Math.round(ms * 10) / 10,
    attempt: retryCount + 1,
  };
}
