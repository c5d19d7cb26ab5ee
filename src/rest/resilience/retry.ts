import type { FailedRequest } from '#rest/failed-request.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { Cooldowns } from './rate-limit-cooldown.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Decides whether and when a failed request is sent again. */
export interface RetryPolicy {
  /** Returns the delay before the retry, in ms; undefined if the request must not be retried. */
  toWaitMs(failed: FailedRequest, context: UpstreamContext, retryCount: number): number | undefined;
}

export interface RetryPolicyOptions {
  /** Maximum retries of a failed request. */
  readonly retries: number;
  readonly cooldowns: Pick<Cooldowns, 'remainingMs'>;
  readonly retryBudget: Pick<RetryBudget, 'tryWithdraw'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

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

export function createRetryPolicy(options: RetryPolicyOptions): RetryPolicy {
  const { retries, cooldowns, retryBudget, monotonicNow, random } = options;
  return {
    toWaitMs(failed, { credential, budget, deadlineAt }, retryCount) {
      if (retryCount >= retries || budget.exceededError || !isRetryable(failed)) return undefined;
      const isRateLimited = failed.kind === 'rate-limited';
      const waitMs = isRateLimited
        ? cooldowns.remainingMs(credential.fingerprint)
        : toBackoffMs(failed, retryCount, random);
      if (monotonicNow() + waitMs >= deadlineAt()) return undefined;
      // The retry waits in the queue during the cooldown. After the cooldown, requests are sent one
      // at a time. So the retry adds no load, and the retry budget does not apply.
      if (isRateLimited) return 0;
      return retryBudget.tryWithdraw(credential.fingerprint) ? waitMs : undefined;
    },
  };
}

/**
 * Whether a retry of the same request can succeed: failed connections, 408, 409, 429, 5xx and
 * web pages, unless the upstream says otherwise (`x-should-retry`). A 401 is never retried, even if
 * the upstream requests it: a key that the upstream does not accept would cause more than one
 * request. A response that is not complete in time (`timeout`) is not retried: a second request
 * makes a slow upstream slower, and the client has usually timed out by then. A connect timeout is
 * retried.
 */
function isRetryable({ kind, status, shouldRetry }: FailedRequest): boolean {
  if (kind === 'aborted' || (kind === 'credential' && status === 401)) return false;
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
function toBackoffMs(
  { retryAfterMs }: FailedRequest,
  retryCount: number,
  random: () => number,
): number {
  return retryAfterMs === undefined
    ? random() * Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** retryCount)
    : retryAfterMs + random() * BASE_DELAY_MS;
}
