/** The clocks of the system. Every other file receives them as options, so tests own the time. */

/** Monotonic clock, in ms and fractions of it; it never goes back. */
export function monotonicNow(): number {
  return performance.now();
}

/**
 * Calls back after a time in ms; returns the function that cancels that. The timer does not keep
 * the process alive: it serves housekeeping, or an operation with a timer of its own.
 */
export function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => clearTimeout(timer);
}

/**
 * As `startTimer`, for the time that an operation takes: the timer keeps the process alive. The
 * operation may wait for nothing else that does, for a retry for example.
 */
export function startOperationTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms);
  return () => clearTimeout(timer);
}
