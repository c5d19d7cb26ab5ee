import type { Endpoint } from './question.ts';

/** How long the upstream usually takes for an answer, endpoint by endpoint. */
export interface UsualLatency {
  /** A whole answer came after so long, ms. */
  note(endpoint: Endpoint, ms: number): void;
  /** How much longer a request is usually under way that was sent so long ago, ms; 0: it should be over. */
  leftMs(endpoint: Endpoint, ms: number): number;
}

/** As long as nothing is known; and never more. */
const MOST_MS = 1_000;
/** What the latest answer counts. */
const WEIGHT = 0.2;

export function createUsualLatency(): UsualLatency {
  const usual = new Map<Endpoint, number>();
  return {
    note(endpoint, ms) {
      const before = usual.get(endpoint) ?? ms;
      usual.set(endpoint, before + WEIGHT * (ms - before));
    },
    leftMs: (endpoint, ms) => Math.max(0, Math.min(usual.get(endpoint) ?? MOST_MS, MOST_MS) - ms),
  };
}
