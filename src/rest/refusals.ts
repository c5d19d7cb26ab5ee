import { createForgetfulMap } from './forgetful-map.ts';

/**
 * The credentials that the upstream has refused by 401, by fingerprint, for some seconds: requests with one of them are answered by the same
 * error and not sent, so that an invented key costs the upstream next to nothing.
 */
export interface Refusals {
  /** The upstream has refused the credential. */
  add(fingerprint: string): void;
  /** The upstream has accepted the credential. */
  delete(fingerprint: string): void;
  /** Whether requests with the credential are answered by its refusal. */
  has(fingerprint: string): boolean;
  /** As `has`; but once a second it lets a request pass, as a probe: the upstream may accept the credential by now. */
  rejects(fingerprint: string): boolean;
}

export interface RefusalsOptions {
  /** Whose key goes upstream. `gateway`: it serves all callers. */
  readonly keyHolder: 'gateway' | 'caller';
  /** A clock for durations, ms; it never goes back. */
  readonly elapsed: () => number;
}

/** A refusal is forgotten when the credential has not been used for so long, ms. */
const IDLE_MS = 5_000;
const PROBE_INTERVAL_MS = 1_000;
const MAX_CREDENTIALS = 10_000;
/**
 * So many 401s in a row, without a success between them, are a refusal. A single one may be about one object, and the gateway's own key serves all
 * callers: one that asks for such an object must not lock out the others.
 */
const MIN_IN_A_ROW = { gateway: 10, caller: 1 };

interface Refusal {
  inARow: number;
  nextProbeAt: number;
}

export function createRefusals({ keyHolder, elapsed }: RefusalsOptions): Refusals {
  const refusals = createForgetfulMap<Refusal>({ idleMs: IDLE_MS, most: MAX_CREDENTIALS, elapsed });
  const isInForce = ({ inARow }: Refusal) => inARow >= MIN_IN_A_ROW[keyHolder];

  return {
    add(fingerprint) {
      const inARow = (refusals.get(fingerprint)?.inARow ?? 0) + 1;
      refusals.set(fingerprint, { inARow, nextProbeAt: elapsed() + PROBE_INTERVAL_MS });
    },
    delete: refusals.delete,
    has(fingerprint) {
      const refusal = refusals.get(fingerprint);
      return refusal !== undefined && isInForce(refusal);
    },
    rejects(fingerprint) {
      const refusal = refusals.get(fingerprint);
      if (!refusal || !isInForce(refusal)) return false;
      if (elapsed() < refusal.nextProbeAt) return true;
      refusal.nextProbeAt = elapsed() + PROBE_INTERVAL_MS;
      return false;
    },
  };
}

/** The upstream has refused the credential of a request that was not sent yet. */
export class CredentialRefusal extends Error {
  override name = 'CredentialRefusal';
}
