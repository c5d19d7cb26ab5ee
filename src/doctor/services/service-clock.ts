/** The clocks of the checks: those of the doctor. */
export interface ServiceClock {
  /** Current time, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** Maximum time for the connection and the responses of one service, in ms. */
export const CHECK_TIMEOUT_MS = 5_000;

/** `CHECK_TIMEOUT_MS`, for a sentence. */
export const CHECK_TIMEOUT = `${CHECK_TIMEOUT_MS / 1_000} s`;

/** A service has not responded within `CHECK_TIMEOUT_MS`. */
export class CheckTimeoutError extends Error {
  override name = 'TimeoutError';
}

/** A duration for a sentence. */
export function toMilliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** A difference between two clocks for a sentence. */
export function toSeconds(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s`;
}
