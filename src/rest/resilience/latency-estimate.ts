import type { Endpoint } from '#rest/upstream-request.ts';

/** Estimates how long the upstream takes to respond, per endpoint. */
export interface LatencyEstimate {
  /** Records the time until a complete response, in ms. */
  record(endpoint: Endpoint, ms: number): void;
  /**
   * The expected remaining time of a request that was sent `ms` milliseconds ago, in ms; 0 if it
   * should be over.
   */
  remainingMs(endpoint: Endpoint, ms: number): number;
}

/** The estimate before the first response, and its maximum. */
const MAX_ESTIMATE_MS = 1_000;
/** The weight of the latest response in the moving average. */
const EWMA_ALPHA = 0.2;

export function createLatencyEstimate(): LatencyEstimate {
  const estimates = new Map<Endpoint, number>();
  return {
    record(endpoint, ms) {
      const previous = estimates.get(endpoint) ?? ms;
      estimates.set(endpoint, previous + EWMA_ALPHA * (ms - previous));
    },
    remainingMs: (endpoint, ms) =>
      Math.max(0, Math.min(estimates.get(endpoint) ?? MAX_ESTIMATE_MS, MAX_ESTIMATE_MS) - ms),
  };
}
