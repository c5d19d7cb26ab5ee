import type { Endpoint } from '#rest/upstream-request.ts';

/** How long the upstream usually takes for an answer, endpoint by endpoint. */
export interface LatencyEstimate {
  /** A whole answer came after so long, ms. */
  record(endpoint: Endpoint, ms: number): void;
  /** How much longer a request is usually under way that was sent so long ago, ms; 0: it should be over. */
  remainingMs(endpoint: Endpoint, ms: number): number;
}

/** As long as nothing is known; and never more. */
const MAX_ESTIMATE_MS = 1_000;
/** What the latest answer counts. */
const EWMA_ALPHA = 0.2;

export function createLatencyEstimate(): LatencyEstimate {
  const estimates = new Map<Endpoint, number>();
  return {
    record(endpoint, ms) {
      const previous = estimates.get(endpoint) ?? ms;
      estimates.set(endpoint, previous + EWMA_ALPHA * (ms - previous));
    },
    remainingMs: (endpoint, ms) => Math.max(0, Math.min(estimates.get(endpoint) ?? MAX_ESTIMATE_MS, MAX_ESTIMATE_MS) - ms),
  };
}
