import type { Endpoint } from '#rest/upstream-request.ts';

/**
 * Reports cache lookups to the metrics. Handlers are called synchronously and must neither block
 * nor throw.
 */
export interface CacheEvents {
  /** An operation has received an upstream response from this source, or its lookup has failed. */
  onLookup(endpoint: Endpoint, source: ResponseSource): void;
}

/**
 * `memory`, `redis`: a fresh cached response. `coalesced`: joined an in-flight request. `failed`:
 * no response.
 */
export type ResponseSource = 'network' | 'memory' | 'redis' | 'stale' | 'coalesced' | 'failed';

/** The current state of the memory cache, for gauges. */
export interface CacheState {
  /** Estimated size of the entries. */
  readonly bytes: number;
  readonly entries: number;
  /** Lookups in flight, at most one for each key: reading Redis, queued, or sent. */
  readonly inFlight: number;
}
