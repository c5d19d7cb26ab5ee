import type { SharedLimits } from './limit-sharing.ts';

/** Rate limit cooldowns, one per credential: after a 429, requests with the credential wait. */
export interface Cooldowns {
  /**
   * Starts a cooldown, during which no request is sent with this credential. After it, requests are
   * sent one at a time, as probes, until the upstream responds without a 429, but at most for a
   * minute.
   * @param requestedMs the `Retry-After` of the response, in ms. Without it, the first cooldown is
   *   0.5 to 1 s, and both bounds double with each further one. With it, the cooldown is
   *   `Retry-After`, but at least a backoff that starts at 125 to 250 ms and doubles.
   * @returns the remaining time of the cooldown, in ms
   */
  start(credential: string, requestedMs: number | undefined): number;
  /** Starts or extends a cooldown that another instance has reported; never shortens one. */
  apply(credential: string, ms: number): void;
  /** Records a response that is not a 429: ends probing, if the cooldown is over. */
  clear(credential: string): void;
  /** When the cooldown ends, by `monotonicNow`, in ms; undefined if there is none. */
  until(credential: string): number | undefined;
  /** The remaining time of the cooldown, in ms; 0 if there is none. */
  remainingMs(credential: string): number;
  /**
   * Whether the credential is cooling down or probing. Probing ends with a response other than a
   * 429, or a minute after the cooldown.
   */
  isProbing(credential: string): boolean;
  /** Number of credentials that are cooling down. */
  readonly count: number;
}

/** The rate-limit cooldown of the credential lasts longer than the request's deadline. */
export class CooldownError extends Error {
  override name = 'CooldownError';
  readonly remainingMs: number;

  constructor(remainingMs: number) {
    super(`cooling down for ${remainingMs} ms more`);
    this.remainingMs = remainingMs;
  }
}

export interface CooldownsOptions {
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
  /** A cooldown has started, was extended, or is over. */
  readonly onChange: (credential: string) => void;
  /** Publishes cooldowns, and the end of probing, to the other instances. */
  readonly sharedLimits: Pick<SharedLimits, 'onCooldown' | 'onProbingEnd'>;
  /** A monotonic clock for durations, in ms. */
  readonly monotonicNow: () => number;
  /** Calls `onTime` after a number of ms; returns a function that cancels the timer. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
}

/**
 * The backoff of the first cooldown before jitter, in ms: without a `Retry-After`, and with one.
 */
const INITIAL_BACKOFF_MS = 1_000;
const INITIAL_BACKOFF_WITH_RETRY_AFTER_MS = 250;
/** The maximum of a cooldown, even if `Retry-After` is longer: then the gateway probes. */
const MAX_COOLDOWN_MS = 300_000;
/** How long probing lasts after a cooldown if the upstream does not respond, in ms. */
const PROBE_WINDOW_MS = 60_000;
/**
 * Maximum cooldowns of accepted credentials, and as many of all others: beyond that the oldest is
 * dropped. Unaccepted credentials, which may all be rate-limited, must not end the cooldowns of
 * accepted credentials.
 */
const MAX_CREDENTIALS = 10_000;

interface CooldownState {
  /** Undefined while probing: the cooldown is over, and the upstream has not responded since. */
  until: number | undefined;
  consecutive: number;
  stopTimer: () => void;
}

export function createCooldowns({
  isAccepted,
  onChange,
  sharedLimits,
  monotonicNow,
  startTimer,
  random,
}: CooldownsOptions): Cooldowns {
  const states = new Map<string, CooldownState>();
  /** The credentials of `states`, the oldest cooldown first. */
  const [acceptedCredentials, otherCredentials] = [new Set<string>(), new Set<string>()];
  let count = 0;

  return {
    start(credential, requestedMs) {
      const current = states.get(credential);
      // Every request in flight receives a 429. Without a `Retry-After` a further one changes
      // nothing.
      const changesCooldown = current?.until === undefined || requestedMs !== undefined;
      const consecutive = current?.consecutive ?? 0;
      if (changesCooldown && extend(credential, toCooldownMs(requestedMs, consecutive, random)))
        sharedLimits.onCooldown(credential, remainingMs(credential));
      return remainingMs(credential);
    },
    apply: extend,
    clear(credential) {
      if (states.get(credential)?.until === undefined) remove(credential, true);
    },
    until: (credential) => states.get(credential)?.until,
    remainingMs,
    isProbing: (credential) => states.has(credential),
    get count() {
      return count;
    },
  };

  function remainingMs(credential: string): number {
    const until = states.get(credential)?.until;
    return until === undefined ? 0 : Math.max(0, until - monotonicNow());
  }

  /** @returns whether the cooldown ends later than before */
  function extend(credential: string, requestedMs: number): boolean {
    const current = states.get(credential);
    const ms = Math.min(requestedMs, MAX_COOLDOWN_MS);
    const until = monotonicNow() + ms;
    if (current?.until !== undefined && current.until >= until) return false;
    const isNew = current?.until === undefined;
    current?.stopTimer();
    acceptedCredentials.delete(credential);
    otherCredentials.delete(credential);
    states.set(credential, {
      until,
      consecutive: (current?.consecutive ?? 0) + (isNew ? 1 : 0),
      stopTimer: startTimer(ms, () => startProbing(credential)),
    });
    if (isNew) count += 1;
    const partition = isAccepted(credential) ? acceptedCredentials : otherCredentials;
    partition.add(credential);
    const [oldest] = partition;
    if (partition.size > MAX_CREDENTIALS && oldest !== undefined) remove(oldest);
    onChange(credential);
    return true;
  }

  /** Ends the cooldown; the next requests go out one at a time. */
  function startProbing(credential: string): void {
    const state = states.get(credential);
    if (!state) return;
    state.until = undefined;
    state.stopTimer = startTimer(PROBE_WINDOW_MS, () => remove(credential));
    count -= 1;
    onChange(credential);
  }

  function remove(credential: string, hasPassed = false): void {
    const state = states.get(credential);
    if (!state) return;
    state.stopTimer();
    states.delete(credential);
    acceptedCredentials.delete(credential);
    otherCredentials.delete(credential);
    if (state.until !== undefined) count -= 1;
    sharedLimits.onProbingEnd(credential, hasPassed);
    onChange(credential);
  }
}

/**
 * The cooldown is `Retry-After`, but at least an exponential backoff: an upstream that repeatedly
 * requests very short waits gets longer ones. Half of the backoff is random, so that clients that
 * were rate-limited together do not return together.
 */
function toCooldownMs(
  requestedMs: number | undefined,
  consecutive: number,
  random: () => number,
): number {
  const backoffMs =
    (requestedMs === undefined ? INITIAL_BACKOFF_MS : INITIAL_BACKOFF_WITH_RETRY_AFTER_MS) *
    2 ** consecutive *
    (0.5 + random() / 2);
  return Math.max(requestedMs ?? 0, backoffMs);
}
