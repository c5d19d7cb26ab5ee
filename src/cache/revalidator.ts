import { Cancellation } from '#cancellation.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamRequest } from '#rest/upstream-request.ts';
import type { RequestCoalescer } from './request-coalescer.ts';

/** Revalidates stale responses in the background (stale-while-revalidate). */
export interface Revalidator {
  /** The request counts toward the budget of the operation that found the response stale. */
  revalidate<T>(context: UpstreamContext, request: UpstreamRequest<T>, key: string): void;
}

export interface RevalidatorOptions {
  readonly coalescer: RequestCoalescer;
  /**
   * Maximum concurrent background revalidations per credential: they must not delay the requests
   * that operations wait for.
   * @default 10
   */
  readonly maxRevalidations?: number | undefined;
  /** A monotonic clock for durations, in ms with fractions. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export function createRevalidator({
  coalescer,
  maxRevalidations = 10,
  monotonicNow,
  startTimer,
}: RevalidatorOptions): Revalidator {
  /** Number of background revalidations in flight, by fingerprint. */
  const revalidations = new Map<string, number>();

  return {
    revalidate(context, request, key) {
      const { budget, credential } = context;
      const { fingerprint } = credential;
      const inFlightCount = revalidations.get(fingerprint) ?? 0;
      if (
        coalescer.isInFlight(fingerprint, key) ||
        inFlightCount >= maxRevalidations ||
        budget.exceededError
      )
        return;
      revalidations.set(fingerprint, inFlightCount + 1);
      void fetchInBackground(context, request, key).finally(() => {
        const remaining = (revalidations.get(fingerprint) ?? 1) - 1;
        if (remaining > 0) revalidations.set(fingerprint, remaining);
        else revalidations.delete(fingerprint);
      });
    },
  };

  /**
   * Sends a request that no operation waits for. Its time limit is the deadline of the operation
   * that starts it. The operation may end earlier.
   */
  async function fetchInBackground<T>(
    context: UpstreamContext,
    request: UpstreamRequest<T>,
    key: string,
  ): Promise<void> {
    const background = new Cancellation();
    const budget = context.budget.openBackground(background);
    const stopTimer = startTimer(Math.max(0, context.deadlineAt() - monotonicNow()), () =>
      background.abort(),
    );
    const inFlight = coalescer.start({ ...context, budget }, request, key);
    await inFlight.join(background).catch(() => {});
    stopTimer();
    // Abort the budget's signal: it releases the bytes of this request.
    background.abort();
  }
}
