import { createPartitionedMap } from './expiring-map.ts';

/** How many retries there may be, so that they never double the load of an upstream that struggles. */
export interface RetryBudget {
  /** A question is sent for the first time. */
  deposit(credential: string): void;
  /** Whether one more retry may be sent; if so it is spent. */
  tryWithdraw(credential: string): boolean;
}

/** What a first request earns: one retry for five of them. */
const RETRY_RATIO = 0.2;
/** What may be spent before anything was earned, and saved up: a few failures in a quiet time are retried all the same. */
const MAX_CREDENTIAL_TOKENS = 10;
const MAX_TOTAL_TOKENS = 20;
/** Of a credential that has been quiet for so long nothing is known: it may spend as at first. */
const IDLE_TTL_MS = 60_000;
const MAX_CREDENTIALS = 10_000;

interface TokenBucket {
  tokens: number;
}

/**
 * Counts what is retried against what is sent, for each credential and for all together: of N questions that all fail there are at most
 * N + N / 5 + 10 requests of one credential, and N + N / 5 + 20 of all.
 * @param isAccepted whether the upstream has accepted a credential
 */
export function createRetryBudget(monotonicNow: () => number, isAccepted: (credential: string) => boolean): RetryBudget {
  const totalBucket: TokenBucket = { tokens: MAX_TOTAL_TOKENS };
  /** Of those who have spent something; who is not among them has all that one can have. */
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
