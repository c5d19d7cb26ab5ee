import { createPartitionedMap } from './expiring-map.ts';

/**
 * Retry budget (token bucket): limits retries to one for five requests, after an initial ten for a
 * credential and twenty in total, so that they cannot overload a failing upstream.
 */
export interface RetryBudget {
  /** Records a first attempt. */
  deposit(credential: string): void;
  /** Withdraws one retry; returns false if the bucket is empty. */
  tryWithdraw(credential: string): boolean;
}

/** Tokens that a first attempt deposits: one retry for five requests. */
const RETRY_RATIO = 0.2;
/** Initial and maximum balance: a few failures at a quiet time are retried, too. */
const MAX_CREDENTIAL_TOKENS = 10;
const MAX_TOTAL_TOKENS = 20;
/** How long the bucket of an unused credential is kept, in ms. After that it starts full again. */
const IDLE_TTL_MS = 60_000;
const MAX_CREDENTIALS = 10_000;

interface TokenBucket {
  tokens: number;
}

/**
 * Counts retries against first attempts, per credential and in total: N requests that all fail
 * cause at most N + N / 5 + 10 upstream requests for one credential, and N + N / 5 + 20 over all
 * credentials.
 * @param isAccepted whether the upstream has accepted a credential
 */
export function createRetryBudget(
  monotonicNow: () => number,
  isAccepted: (credential: string) => boolean,
): RetryBudget {
  const totalBucket: TokenBucket = { tokens: MAX_TOTAL_TOKENS };
  /** Only the credentials that have withdrawn tokens; any other credential has a full bucket. */
  const credentialBuckets = createPartitionedMap<TokenBucket>(
    { idleMs: IDLE_TTL_MS, maxEntries: MAX_CREDENTIALS, monotonicNow },
    isAccepted,
  );

  return {
    deposit(credential) {
      totalBucket.tokens = Math.min(MAX_TOTAL_TOKENS, totalBucket.tokens + RETRY_RATIO);
      const bucket = credentialBuckets.get(credential);
      if (!bucket) return;
      bucket.tokens += RETRY_RATIO;
      if (bucket.tokens >= MAX_CREDENTIAL_TOKENS) credentialBuckets.delete(credential);
    },
    tryWithdraw(credential) {
      const bucket = credentialBuckets.get(credential) ?? { tokens: MAX_CREDENTIAL_TOKENS };
      if (totalBucket.tokens < 1 || bucket.tokens < 1) return false;
      totalBucket.tokens -= 1;
      bucket.tokens -= 1;
      credentialBuckets.set(credential, bucket);
      return true;
    },
  };
}
