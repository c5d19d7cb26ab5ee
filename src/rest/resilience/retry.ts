import type { FailedRequest } from '#rest/exchange.ts';

/** The maximum of the first delay, in ms; it doubles with each retry. */
const BASE_DELAY_MS = 250;
const MAX_DELAY_MS = 8_000;

const TRANSIENT_FAILURES = new Set<FailedRequest['kind']>([
  'unreachable',
  'connect-timeout',
  'connection',
  'rate-limited',
  'server-error',
]);

/**
 * Whether a retry of the same request can succeed: failed connections, 408, 409, 429 and 5xx,
 * unless the upstream says otherwise (`x-should-retry`). A 401 is never retried, whatever the
 * upstream says: an invented key would cause more than one request. A timeout is not retried: a
 * second request makes a slow upstream slower, and the first client has timed out by then.
 */
export function isRetryable({ kind, status, shouldRetry }: FailedRequest): boolean {
  if (kind === 'aborted' || status === 401) return false;
  if (shouldRetry !== undefined) return shouldRetry;
  return TRANSIENT_FAILURES.has(kind) || status === 408 || status === 409;
}

/**
 * The delay before a retry, in ms: `Retry-After` plus a little, otherwise a random time up to a
 * bound that doubles with each retry (full jitter). In both cases requests that failed together are
 * not retried together.
 * @param retryCount how many times the request has been retried
 * @param random returns a number from 0 to 1
 */
export function toBackoffMs(
  { retryAfterMs }: FailedRequest,
  retryCount: number,
  random: () => number,
): number {
  return retryAfterMs === undefined
    ? random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** retryCount)
    : retryAfterMs + random() * BASE_DELAY_MS;
}
