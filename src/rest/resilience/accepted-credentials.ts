import { createExpiringMap } from './expiring-map.ts';

/**
 * The credentials that the upstream has accepted, by fingerprint. A client can make up any number
 * of API keys, so a credential gets its own queue, concurrency limit and share of a cache only once
 * the upstream has accepted it; all unaccepted credentials share one.
 */
export interface AcceptedCredentials {
  /**
   * Whether the upstream has responded to a request with this credential with a 2xx, and has not
   * rejected it since. An acceptance expires an hour after the last use of the credential. Always
   * true for the gateway's own key.
   */
  has(fingerprint: string): boolean;
  add(fingerprint: string): void;
  delete(fingerprint: string): void;
}

export interface AcceptedCredentialsOptions {
  /** Who owns the API key. `gateway`: there is one credential, and the gateway trusts its own. */
  readonly keyHolder: 'gateway' | 'caller';
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
}

/**
 * How long an acceptance is kept after the last use of the credential, in ms: the next request then
 * counts as its first again.
 */
const IDLE_TTL_MS = 3_600_000;
/** Keys that the upstream has not accepted are never added, so they cannot evict accepted ones. */
const MAX_CREDENTIALS = 10_000;

export function createAcceptedCredentials({
  keyHolder,
  monotonicNow,
}: AcceptedCredentialsOptions): AcceptedCredentials {
  if (keyHolder === 'gateway') return { has: () => true, add: () => {}, delete: () => {} };
  const accepted = createExpiringMap<true>({
    idleMs: IDLE_TTL_MS,
    maxEntries: MAX_CREDENTIALS,
    monotonicNow,
  });
  return {
    has: (fingerprint) => accepted.get(fingerprint) === true,
    add: (fingerprint) => accepted.set(fingerprint, true),
    delete: accepted.delete,
  };
}
