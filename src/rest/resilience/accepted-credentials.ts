import { createExpiringMap } from './expiring-map.ts';

/**
 * The credentials that the upstream has accepted, by fingerprint. API keys cost nothing to invent, so a credential gets a queue, a concurrency
 * limit and a share of a cache of its own only once the upstream has accepted it; all the others share one.
 */
export interface AcceptedCredentials {
  /** Whether the upstream has answered a request with this credential by 2xx, and has not refused it since. */
  has(fingerprint: string): boolean;
  add(fingerprint: string): void;
  delete(fingerprint: string): void;
}

export interface AcceptedCredentialsOptions {
  /** Whose key goes upstream. `gateway`: there is one credential, and the gateway trusts its own. */
  readonly keyHolder: 'gateway' | 'caller';
  /** A clock for durations, ms; it never goes back. */
  readonly monotonicNow: () => number;
}

/** An acceptance is forgotten when the credential has not been used for so long, ms: the next request is then its first one again. */
const IDLE_TTL_MS = 3_600_000;
/** Invented keys never get in, so they cannot push out accepted ones. */
const MAX_CREDENTIALS = 10_000;

export function createAcceptedCredentials({ keyHolder, monotonicNow }: AcceptedCredentialsOptions): AcceptedCredentials {
  if (keyHolder === 'gateway') return { has: () => true, add: () => {}, delete: () => {} };
  const accepted = createExpiringMap<true>({ idleMs: IDLE_TTL_MS, maxEntries: MAX_CREDENTIALS, monotonicNow });
  return {
    has: (fingerprint) => accepted.get(fingerprint) === true,
    add: (fingerprint) => accepted.set(fingerprint, true),
    delete: accepted.delete,
  };
}
