/** The clocks of the system. Every other file receives them as options, so tests own the time. */

/** Monotonic clock, in ms and fractions of it; it never goes back. */
export function monotonicNow(): number {
  return performance.now();
}

/**
 * Calls back after a time in ms; returns the function that cancels that. The timer does not keep
 * the process alive.
 */
export function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => clearTimeout(timer);
}
