import { createExpiringMap } from './expiring-map.ts';

/**
 * The credentials that the upstream rejected with a 401, by fingerprint, for some seconds. The
 * gateway fails requests with such a credential with the same error, without sending them, so a key
 * that the upstream does not accept causes about one upstream request a second.
 */
export interface RejectedCredentials {
  /** Records a 401 for this credential and path. */
  add(fingerprint: string, path: string): void;
  /** Records that the upstream accepted the credential. */
  delete(fingerprint: string): void;
  /** Whether requests with the credential are rejected. */
  has(fingerprint: string): boolean;
  /**
   * Like `has`, but lets one request a second pass as a probe, because the upstream may accept the
   * credential by now. A 401 may concern one object, so a path without a 401 is the better probe.
   * If the gateway has rejected a request for a path without a 401 since the last 401, a request
   * for a path with a 401 passes only after two seconds instead of one.
   */
  shouldReject(fingerprint: string, path: string): boolean;
}

export interface RejectedCredentialsOptions {
  /** Who owns the API key. `gateway`: the key serves all callers. */
  readonly keyHolder: 'gateway' | 'caller';
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
}

/** How long a rejection is kept after the last use of the credential, in ms. */
const IDLE_TTL_MS = 5_000;
const PROBE_INTERVAL_MS = 1_000;
const MAX_CREDENTIALS = 10_000;
/**
 * The number of consecutive 401s, without a success between them, that counts as a rejection. A
 * single 401 may concern one object, and the gateway's own key serves all callers: a caller that
 * requests such an object must not lock out the others.
 */
const MIN_CONSECUTIVE_REJECTIONS = { gateway: 10, caller: 1 };

/** Maximum rejected paths kept per credential: the latest. */
const MAX_PATHS = 16;
const MAX_PATH_LENGTH = 256;

interface RejectionState {
  consecutive: number;
  nextProbeAt: number;
  /** The rejected paths. */
  readonly paths: Set<string>;
  /** Whether a request for another path was rejected since the last 401. */
  hasRejectedOtherPath: boolean;
}

export function createRejectedCredentials({
  keyHolder,
  monotonicNow,
}: RejectedCredentialsOptions): RejectedCredentials {
  const rejections = createExpiringMap<RejectionState>({
    idleMs: IDLE_TTL_MS,
    maxEntries: MAX_CREDENTIALS,
    monotonicNow,
  });
  const isInForce = ({ consecutive }: RejectionState) =>
    consecutive >= MIN_CONSECUTIVE_REJECTIONS[keyHolder];

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

/** The upstream rejected the credential of this request while it was queued. */
export class CredentialRejectedWhileQueuedError extends Error {
  override name = 'CredentialRejectedWhileQueuedError';
}
