import type { Endpoint } from '#rest/upstream-request.ts';

/** What is told of answers, for metrics. Called at once, and has to come back at once: none of it may throw. */
export interface CacheEvents {
  /** A question of an operation was answered, or failed. */
  onLookup(endpoint: Endpoint, source: ResponseSource): void;
}

/** `memory`, `redis`: fresh, from what is kept there. `coalesced`: by joining another's question. `failed`: not at all. */
export type ResponseSource = 'network' | 'memory' | 'redis' | 'stale' | 'coalesced' | 'failed';

/** What is kept in this process at the moment: for gauges. */
export interface CacheState {
  /** Estimated. */
  readonly bytes: number;
  readonly entries: number;
  /** Questions in the air. */
  readonly inFlight: number;
}
