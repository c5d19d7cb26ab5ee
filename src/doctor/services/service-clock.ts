import { withTimeout } from '#redis/with-timeout.ts';

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

/**
 * Settles like the promise.
 * @throws CheckTimeoutError if the promise does not settle within `CHECK_TIMEOUT_MS`
 */
export async function limitTime<T extends object>(
  promise: Promise<T>,
  { startTimer }: Pick<ServiceClock, 'startTimer'>,
): Promise<T> {
  const inTime = await withTimeout(promise, CHECK_TIMEOUT_MS, startTimer);
  if (inTime === undefined) throw new CheckTimeoutError();
  return inTime;
}

/** A duration for a sentence. */
export function toMilliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

/** `90 s ahead of the clock of this machine` */
export function toClockOffset(differenceMs: number): string {
  const direction = differenceMs > 0 ? 'ahead of' : 'behind';
  return `${Math.round(Math.abs(differenceMs) / 1000)} s ${direction} the clock of this machine`;
}
