import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

export interface UpstreamWatch {
  readonly events: UpstreamEvents;
  /** When the upstream last answered anything at all, by our clock, ms; undefined: not yet. */
  readonly lastAnswerAt: number | undefined;
}

/** Counts and traces what goes to the upstream. */
export function createUpstreamWatch(metrics: Metrics, tracing: Tracing, now: () => number): UpstreamWatch {
  let lastAnswerAt: number | undefined;
  return {
    get lastAnswerAt() {
      return lastAnswerAt;
    },
    events: {
      ...metrics.upstreamEvents,
      onSend(request) {
        const span = tracing.onSend(request);
        return {
          headers: span.headers,
          onOver(outcome) {
            if (outcome.status !== null) lastAnswerAt = now();
            metrics.onSent({ endpoint: request.endpoint, ...outcome });
            span.onOver(outcome);
          },
        };
      },
    },
  };
}
