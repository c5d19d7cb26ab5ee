/** Which credentials the upstream has asked to be patient, each by itself. */
export interface Cooldowns {
  /**
   * The upstream asks for patience: nothing is to be sent with this credential for a while, and then one request at a time until it answers.
   * @param requestedMs how long it asks for, ms; without a word of that it is a second or less, and twice as long each time. It is a quarter of that at
   *   least
   * @returns how much of the pause is left, ms
   */
  start(credential: string, requestedMs: number | undefined): number;
  /** It has answered a request, and asks for no patience. */
  clear(credential: string): void;
  /** Until when nothing is sent, by the clock of `elapsed`, ms; undefined where there is no pause. */
  until(credential: string): number | undefined;
  /** Ms; 0 where there is no pause. */
  remainingMs(credential: string): number;
  /** Whether it has asked for patience, and has not answered since. */
  isProbing(credential: string): boolean;
  /** Credentials that are paused. */
  readonly count: number;
}

export interface CooldownsOptions {
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
  /** A pause has begun, has become longer, or is over. */
  readonly onChange: (credential: string) => void;
  /** A clock for durations, ms; it never goes back. */
  readonly monotonicNow: () => number;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A pause that the upstream has not said the length of, at first; and the least of one that it has. */
const INITIAL_COOLDOWN_MS = 1_000;
const MIN_COOLDOWN_MS = 250;
/** Whatever it says: then it is asked again. */
const MAX_COOLDOWN_MS = 300_000;
/** So long after a pause it is known that there was one, while nothing is heard. */
const PROBE_WINDOW_MS = 60_000;
/**
 * So many pauses of accepted credentials are kept, and as many of others: beyond that the oldest ends. Invented keys, which may all be paused,
 * must not end the pauses of accepted ones.
 */
const MAX_CREDENTIALS = 10_000;

interface CooldownState {
  /** Undefined: the pause is over, and nothing has been heard since. */
  until: number | undefined;
  consecutive: number;
  stopTimer: () => void;
}

export function createCooldowns({ isAccepted, onChange, monotonicNow, startTimer, random }: CooldownsOptions): Cooldowns {
  const states = new Map<string, CooldownState>();
  /** Their credentials, the oldest pause first. */
  const [acceptedCredentials, otherCredentials] = [new Set<string>(), new Set<string>()];
  let count = 0;

  return {
    start(credential, requestedMs) {
      const current = states.get(credential);
      // All that were under way are told so. Without a length that is no news.
      const changesCooldown = current?.until === undefined || requestedMs !== undefined;
      if (changesCooldown)
        extend(credential, Math.min(toCooldownMs(requestedMs, current?.consecutive ?? 0, random), MAX_COOLDOWN_MS));
      return remainingMs(credential);
    },
    clear(credential) {
      if (states.get(credential)?.until === undefined) remove(credential);
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

  function extend(credential: string, ms: number): void {
    const current = states.get(credential);
    const until = monotonicNow() + ms;
    if (current?.until !== undefined && current.until >= until) return;
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
  }

  /** The pause is over. */
  function startProbing(credential: string): void {
    const state = states.get(credential);
    if (!state) return;
    state.until = undefined;
    state.stopTimer = startTimer(PROBE_WINDOW_MS, () => remove(credential));
    count -= 1;
    onChange(credential);
  }

  function remove(credential: string): void {
    const state = states.get(credential);
    if (!state) return;
    state.stopTimer();
    states.delete(credential);
    acceptedCredentials.delete(credential);
    otherCredentials.delete(credential);
    if (state.until !== undefined) count -= 1;
    onChange(credential);
  }
}

/**
 * What grows with each pause is half for sure, the rest by chance: those who were told together do not come back together. An upstream that asks
 * for next to nothing, again and again, gets more.
 */
function toCooldownMs(requestedMs: number | undefined, consecutive: number, random: () => number): number {
  const backoffMs = (requestedMs === undefined ? INITIAL_COOLDOWN_MS : MIN_COOLDOWN_MS) * 2 ** consecutive * (0.5 + random() / 2);
  return Math.max(requestedMs ?? 0, backoffMs);
}
