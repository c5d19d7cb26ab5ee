import type { FailedRequest } from '#rest/exchange.ts';

/** The first wait is as long at most, and each further one twice as long, ms. */
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
 * Whether the same request, sent again, may fare better: connections that failed, 408, 409, 429 and 5xx, unless the upstream says otherwise
 * (`x-should-retry`). Not a 401, whatever it says: an invented key would send more than one request. Not what took too long: a
 * slow upstream gets slower with a second request, and the first client has timed out by then.
 */
export function isRetryable({ kind, status, shouldRetry }: FailedRequest): boolean {
  if (kind === 'aborted' || status === 401) return false;
  if (shouldRetry !== undefined) return shouldRetry;
  return TRANSIENT_FAILURES.has(kind) || status === 408 || status === 409;
}

/**
 * How long to wait before a request is sent again, ms: as long as the upstream asks and a little, else any time up to a bound that doubles with
 * each try (full jitter). Either way those who failed together do not come back together.
 * @param retryCount how often it has been sent again
 * @param random 0 to 1
 */
export function toBackoffMs({ retryAfterMs }: FailedRequest, retryCount: number, random: () => number): number {
  return retryAfterMs === undefined
    ? random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** retryCount)
    : retryAfterMs + random() * BASE_DELAY_MS;
}
