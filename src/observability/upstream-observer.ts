import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

export interface UpstreamObserver {
  readonly events: UpstreamEvents;
  /** When the upstream last answered anything at all, by our clock, ms; undefined: not yet. */
  readonly lastResponseAt: number | undefined;
}

/** Counts and traces what goes to the upstream. */
export function createUpstreamObserver(metrics: Metrics, tracing: Tracing, now: () => number): UpstreamObserver {
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
