import { createPartitionedMap } from './forgetful-map.ts';

/** How many retries there may be, so that they never double the load of an upstream that struggles. */
export interface RetryBudget {
  /** A question is sent for the first time. */
  earn(credential: string): void;
  /** Whether one more retry may be sent; if so it is spent. */
  spend(credential: string): boolean;
}

/** What a first request earns: one retry for five of them. */
const EARNED = 0.2;
/** What may be spent before anything was earned, and saved up: a few failures in a quiet time are retried all the same. */
const MOST_OF_ONE = 10;
const MOST_OF_ALL = 20;
/** Of a credential that has been quiet for so long nothing is known: it may spend as at first. */
const IDLE_MS = 60_000;
const MOST_CREDENTIALS = 10_000;

interface Purse {
  left: number;
}

/**
 * Counts what is retried against what is sent, for each credential and for all together: of N questions that all fail there are at most
 * N + N / 5 + 10 requests of one credential, and N + N / 5 + 20 of all.
 * @param isAccepted whether the upstream has accepted a credential
 */
export function createRetryBudget(elapsed: () => number, isAccepted: (credential: string) => boolean): RetryBudget {
  const ofAll: Purse = { left: MOST_OF_ALL };
  /** Of those who have spent something; who is not among them has all that one can have. */
  const ofOne = createPartitionedMap<Purse>({ idleMs: IDLE_MS, most: MOST_CREDENTIALS, elapsed }, isAccepted);

  return {
    earn(credential) {
      ofAll.left = Math.min(MOST_OF_ALL, ofAll.left + EARNED);
      const purse = ofOne.get(credential);
      if (!purse) return;
      purse.left += EARNED;
      if (purse.left >= MOST_OF_ONE) ofOne.delete(credential);
    },
    spend(credential) {
      const purse = ofOne.get(credential) ?? { left: MOST_OF_ONE };
      if (ofAll.left < 1 || purse.left < 1) return false;
      ofAll.left -= 1;
      purse.left -= 1;
      ofOne.set(credential, purse);
      return true;
    },
  };
}
