import { createForgetfulMap } from './forgetful-map.ts';

/**
 * The credentials that the upstream has refused by 401, by fingerprint, for some seconds: requests with one of them are answered by the same
 * error and not sent, so that an invented key costs the upstream next to nothing.
 */
export interface Refusals {
  /** The upstream has refused the credential, of a request for this path. */
  add(fingerprint: string, path: string): void;
  /** The upstream has accepted the credential. */
  delete(fingerprint: string): void;
  /** Whether requests with the credential are answered by its refusal. */
  has(fingerprint: string): boolean;
  /**
   * As `has`; but once a second it lets a request pass, as a probe: the upstream may accept the credential by now. A request for a path that was
   * refused gives way to those for other paths, for a second: the refusal may be about that one object.
   */
  rejects(fingerprint: string, path: string): boolean;
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

/** Of one credential: those that were refused last. */
const MAX_PATHS = 16;
/** All longer paths count as one. */
const MAX_PATH_LENGTH = 256;

interface Refusal {
  inARow: number;
  nextProbeAt: number;
  /** Those that were refused. */
  readonly paths: Set<string>;
  /** Whether a request for another path was rejected since the last refusal. */
  hasOthers: boolean;
}

export function createRefusals({ keyHolder, elapsed }: RefusalsOptions): Refusals {
  const refusals = createForgetfulMap<Refusal>({ idleMs: IDLE_MS, most: MAX_CREDENTIALS, elapsed });
  const isInForce = ({ inARow }: Refusal) => inARow >= MIN_IN_A_ROW[keyHolder];

  return {
    add(fingerprint, path) {
      const { inARow = 0, paths = new Set<string>() } = refusals.get(fingerprint) ?? {};
      paths.add(toShort(path));
      const [oldest = ''] = paths;
      if (paths.size > MAX_PATHS) paths.delete(oldest);
      refusals.set(fingerprint, { inARow: inARow + 1, nextProbeAt: elapsed() + PROBE_INTERVAL_MS, paths, hasOthers: false });
    },
    delete: refusals.delete,
    has(fingerprint) {
      const refusal = refusals.get(fingerprint);
      return refusal !== undefined && isInForce(refusal);
    },
    rejects(fingerprint, path) {
      const refusal = refusals.get(fingerprint);
      if (!refusal || !isInForce(refusal)) return false;
      const isOther = !refusal.paths.has(toShort(path));
      const givesWayMs = refusal.hasOthers && !isOther ? PROBE_INTERVAL_MS : 0;
      if (elapsed() < refusal.nextProbeAt + givesWayMs) {
        refusal.hasOthers ||= isOther;
        return true;
      }
      refusal.nextProbeAt = elapsed() + PROBE_INTERVAL_MS;
      return false;
    },
  };
}

function toShort(path: string): string {
  return path.length > MAX_PATH_LENGTH ? '' : path;
}

/** The upstream has refused the credential of a request that was not sent yet. */
export class CredentialRefusal extends Error {
  override name = 'CredentialRefusal';
}
