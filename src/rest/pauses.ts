/** Which credentials the upstream has asked to be patient, each by itself. */
export interface Pauses {
  /**
   * The upstream asks for patience: nothing is to be sent with this credential for a while, and then one request at a time until it answers.
   * @param askedMs how long it asks for, ms; without a word of that it is a second or less, and twice as long each time. It is a quarter of that at
   *   least
   * @returns how much of the pause is left, ms
   */
  begin(credential: string, askedMs: number | undefined): number;
  /** It has answered a request, and asks for no patience. */
  end(credential: string): void;
  /** Until when nothing is sent, by the clock of `elapsed`, ms; undefined where there is no pause. */
  untilOf(credential: string): number | undefined;
  /** Ms; 0 where there is no pause. */
  leftMs(credential: string): number;
  /** Whether it has asked for patience, and has not answered since. */
  isOnTrial(credential: string): boolean;
  /** Credentials that are paused. */
  readonly count: number;
}

export interface PausesOptions {
  /** Whether the upstream has accepted a credential. */
  readonly isAccepted: (credential: string) => boolean;
  /** A pause has begun, has become longer, or is over. */
  readonly onChange: (credential: string) => void;
  /** A clock for durations, ms; it never goes back. */
  readonly elapsed: () => number;
  /** Calls back after a time, ms; returns what calls that off. */
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A pause that the upstream has not said the length of, at first; and the least of one that it has. */
const FIRST_MS = 1_000;
const LEAST_MS = 250;
/** Whatever it says: then it is asked again. */
const LONGEST_MS = 300_000;
/** So long after a pause it is known that there was one, while nothing is heard. */
const TRIAL_MS = 60_000;
/**
 * So many pauses of accepted credentials are kept, and as many of others: beyond that the oldest ends. Invented keys, which may all be paused,
 * must not end the pauses of accepted ones.
 */
const MOST = 10_000;

interface Patience {
  /** Undefined: the pause is over, and nothing has been heard since. */
  until: number | undefined;
  inARow: number;
  stopTimer: () => void;
}

export function createPauses({ isAccepted, onChange, elapsed, startTimer, random }: PausesOptions): Pauses {
  const asked = new Map<string, Patience>();
  /** Their credentials, the oldest pause first. */
  const [accepted, others] = [new Set<string>(), new Set<string>()];
  let count = 0;

  return {
    begin(credential, askedMs) {
      const known = asked.get(credential);
      // All that were under way are told so. Without a length that is no news.
      const isNews = known?.until === undefined || askedMs !== undefined;
      if (isNews) prolong(credential, Math.min(toPauseMs(askedMs, known?.inARow ?? 0, random), LONGEST_MS));
      return leftMs(credential);
    },
    end(credential) {
      if (asked.get(credential)?.until === undefined) forget(credential);
    },
    untilOf: (credential) => asked.get(credential)?.until,
    leftMs,
    isOnTrial: (credential) => asked.has(credential),
    get count() {
      return count;
    },
  };

  function leftMs(credential: string): number {
    const until = asked.get(credential)?.until;
    return until === undefined ? 0 : Math.max(0, until - elapsed());
  }

  function prolong(credential: string, ms: number): void {
    const known = asked.get(credential);
    const until = elapsed() + ms;
    if (known?.until !== undefined && known.until >= until) return;
    const isNew = known?.until === undefined;
    known?.stopTimer();
    accepted.delete(credential);
    others.delete(credential);
    asked.set(credential, {
      until,
      inARow: (known?.inARow ?? 0) + (isNew ? 1 : 0),
      stopTimer: startTimer(ms, () => tryAgain(credential)),
    });
    if (isNew) count += 1;
    const part = isAccepted(credential) ? accepted : others;
    part.add(credential);
    const [oldest] = part;
    if (part.size > MOST && oldest !== undefined) forget(oldest);
    onChange(credential);
  }

  /** The pause is over. */
  function tryAgain(credential: string): void {
    const patience = asked.get(credential);
    if (!patience) return;
    patience.until = undefined;
    patience.stopTimer = startTimer(TRIAL_MS, () => forget(credential));
    count -= 1;
    onChange(credential);
  }

  function forget(credential: string): void {
    const patience = asked.get(credential);
    if (!patience) return;
    patience.stopTimer();
    asked.delete(credential);
    accepted.delete(credential);
    others.delete(credential);
    if (patience.until !== undefined) count -= 1;
    onChange(credential);
  }
}

/**
 * What grows with each pause is half for sure, the rest by chance: those who were told together do not come back together. An upstream that asks
 * for next to nothing, again and again, gets more.
 */
function toPauseMs(askedMs: number | undefined, inARow: number, random: () => number): number {
  const grownMs = (askedMs === undefined ? FIRST_MS : LEAST_MS) * 2 ** inARow * (0.5 + random() / 2);
  return Math.max(askedMs ?? 0, grownMs);
}
