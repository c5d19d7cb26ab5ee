import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

export interface UpstreamObserver {
  readonly events: UpstreamEvents;
  /**
   * When the upstream last sent any response, by the gateway's clock, in ms; undefined before the
   * first.
   */
  readonly lastResponseAt: number | undefined;
}

/** Counts and traces upstream requests. */
export function createUpstreamObserver(
  metrics: Metrics,
  tracing: Tracing,
  now: () => number,
): UpstreamObserver {
  let lastResponseAt: number | undefined;
  return {
    get lastResponseAt() {
      return lastResponseAt;
    },
    events: {
      ...metrics.upstreamEvents,
      onSend(request) {
        const span = tracing.onSend(request);
        return {
          headers: span.headers,
          onEnd(outcome) {
            if (outcome.status !== null) lastResponseAt = now();
            metrics.onUpstreamRequestEnd({ endpoint: request.endpoint, ...outcome });
            span.onEnd(outcome);
          },
        };
      },
    },
  };
}
