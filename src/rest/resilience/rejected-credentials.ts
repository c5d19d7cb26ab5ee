import { createExpiringMap } from './expiring-map.ts';

/**
 * The credentials that the upstream has refused by 401, by fingerprint, for some seconds: requests with one of them are answered by the same
 * error and not sent, so that an invented key costs the upstream next to nothing.
 */
export interface RejectedCredentials {
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
  shouldReject(fingerprint: string, path: string): boolean;
}

export interface RejectedCredentialsOptions {
  /** Whose key goes upstream. `gateway`: it serves all callers. */
  readonly keyHolder: 'gateway' | 'caller';
  /** A clock for durations, ms; it never goes back. */
  readonly monotonicNow: () => number;
}

/** A refusal is forgotten when the credential has not been used for so long, ms. */
const IDLE_TTL_MS = 5_000;
const PROBE_INTERVAL_MS = 1_000;
const MAX_CREDENTIALS = 10_000;
/**
 * So many 401s in a row, without a success between them, are a refusal. A single one may be about one object, and the gateway's own key serves all
 * callers: one that asks for such an object must not lock out the others.
 */
const MIN_CONSECUTIVE_REJECTIONS = { gateway: 10, caller: 1 };

/** Of one credential: those that were refused last. */
const MAX_PATHS = 16;
/** All longer paths count as one. */
const MAX_PATH_LENGTH = 256;

interface RejectionState {
  consecutive: number;
  nextProbeAt: number;
  /** Those that were refused. */
  readonly paths: Set<string>;
  /** Whether a request for another path was rejected since the last refusal. */
  hasRejectedOtherPath: boolean;
}

export function createRejectedCredentials({ keyHolder, monotonicNow }: RejectedCredentialsOptions): RejectedCredentials {
  const rejections = createExpiringMap<RejectionState>({ idleMs: IDLE_TTL_MS, maxEntries: MAX_CREDENTIALS, monotonicNow });
  const isInForce = ({ consecutive }: RejectionState) => consecutive >= MIN_CONSECUTIVE_REJECTIONS[keyHolder];

  return {
    add(fingerprint, path) {
      const { consecutive = 0, paths = new Set<string>() } = rejections.get(fingerprint) ?? {};
      paths.add(toPathKey(path));
      const [oldest = ''] = paths;
      if (paths.size > MAX_PATHS) paths.delete(oldest);
      rejections.set(fingerprint, {
        consecutive: consecutive + 1,
        nextProbeAt: monotonicNow() + PROBE_INTERVAL_MS,
        paths,
        hasRejectedOtherPath: false,
      });
    },
    delete: rejections.delete,
    has(fingerprint) {
      const rejection = rejections.get(fingerprint);
      return rejection !== undefined && isInForce(rejection);
    },
    shouldReject(fingerprint, path) {
      const rejection = rejections.get(fingerprint);
      if (!rejection || !isInForce(rejection)) return false;
      const isOtherPath = !rejection.paths.has(toPathKey(path));
      const probeDelayMs = rejection.hasRejectedOtherPath && !isOtherPath ? PROBE_INTERVAL_MS : 0;
      if (monotonicNow() < rejection.nextProbeAt + probeDelayMs) {
        rejection.hasRejectedOtherPath ||= isOtherPath;
        return true;
      }
      rejection.nextProbeAt = monotonicNow() + PROBE_INTERVAL_MS;
      return false;
    },
  };
}

function toPathKey(path: string): string {
  return path.length > MAX_PATH_LENGTH ? '' : path;
}

/** The upstream has refused the credential of a request that was not sent yet. */
export class CredentialRejectedWhileQueuedError extends Error {
  override name = 'CredentialRejectedWhileQueuedError';
}
