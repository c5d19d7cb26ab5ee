import type { Endpoint } from '#rest/question.ts';

/** What is told of answers, for metrics. Called at once, and has to come back at once: none of it may throw. */
export interface CacheEvents {
  /** A question of an operation was answered, or failed. */
  onAnswered(endpoint: Endpoint, from: AnswerSource): void;
}

/** `memory`, `redis`: fresh, from what is kept there. `coalesced`: by joining another's question. `failed`: not at all. */
export type AnswerSource = 'network' | 'memory' | 'redis' | 'stale' | 'coalesced' | 'failed';

/** What is kept in this process at the moment: for gauges. */
export interface CacheState {
  /** Estimated. */
  readonly bytes: number;
  readonly entries: number;
  /** Questions in the air. */
  readonly flights: number;
}
