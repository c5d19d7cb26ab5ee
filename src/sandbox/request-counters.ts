/** The requests since the start, or since `clearLog()`. */
export interface RequestCounters {
  /** Empties the log and resets the counts. */
  clearLog(): void;
  /** Number of requests, by path and query. */
  requestCounts(): ReadonlyMap<string, number>;
  /** Number of requests in flight. */
  inFlight(): number;
  /** Maximum number of requests in flight at the same time. */
  maxInFlight(): number;
}
