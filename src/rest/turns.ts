/** Who wants to send a request. */
export interface Asker {
  /** The fingerprint of the credential: what the upstream counts requests by. */
  readonly credential: string;
  /** Which of those who share the credential; undefined where nobody tells them apart. */
  readonly caller: string | undefined;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** The last moment for which it is worth waiting, by the clock of `elapsed`, ms. Asked again whenever it matters: it may be put off. */
  latest(): number;
}

/** Lets so many requests go at a time, and everyone have his turn. */
export interface Turns {
  /** Takes a turn if nobody has to be waited for: what ends it, or undefined. */
  takeAtOnce(credential: string, caller: string | undefined): (() => void) | undefined;
  /**
   * Waits for a turn.
   * @returns what ends it: to be called when the request is over
   * @throws PausedError, QueueOverflowError when none will come in time; the signal's reason when the asker leaves first
   */
  take(asker: Asker): Promise<() => void>;
  /** How much may be sent with this credential has changed: see `isAccepted`, `isOnTrial` and `pausedUntil`. */
  reconsider(credential: string): void;
  /** Every request that waits with this credential is given up for this reason. */
  rejectWaiting(credential: string, reason: Error): void;
  readonly state: { readonly waiting: number; readonly inFlight: number };
}

/** The upstream asks for patience, for longer than is worth waiting. */
export class PausedError extends Error {
  override name = 'PausedError';
  readonly leftMs: number;

  constructor(leftMs: number) {
    super(`paused for ${leftMs} ms more`);
    this.leftMs = leftMs;
  }
}

/** Too many wait already. */
export class QueueOverflowError extends Error {
  override name = 'QueueOverflowError';
}

export interface TurnsOptions {
  /** Requests in flight for one credential. */
  readonly perCredential: number;
  /** Whether the upstream has accepted a credential. One that it has not has one request in flight, and shares a queue with all the others. */
  readonly isAccepted: (credential: string) => boolean;
  /** Whether only one request may be in flight for a credential, to see. */
  readonly isOnTrial: (credential: string) => boolean;
  /** Until when nothing is sent with a credential, by the clock of `elapsed`, ms; undefined: it may be sent. */
  readonly pausedUntil: (credential: string) => number | undefined;
  /** Requests in flight in all. */
  readonly inAll: number;
  /** Requests of one caller that wait; ten times as many of all together. */
  readonly maxQueued: number;
  /** A clock for durations, ms; it never goes back. */
  readonly elapsed: () => number;
}

/** Of the places of a credential that several callers share, one of them may hold so many: who comes next finds one free. */
const SHARE = 0.75;
const ALL_QUEUED = 10;
/** So many may wait for a caller, however many wait for others. */
const MODEST = 10;
/** Credentials that were never accepted fill no more than this part of all places: an accepted one finds a place however slow the others are. */
const NEWCOMERS_SHARE = 0.5;

interface Waiter {
  readonly latest: () => number;
  go(end: () => void): void;
  giveUp(reason: unknown): void;
}

/** One of those who share a credential. */
interface Caller {
  readonly name: string;
  readonly mostActive: number;
  active: number;
  readonly waiting: Set<Waiter>;
}

/** What goes upstream with one credential. */
interface Lane {
  readonly credential: string;
  isAccepted: boolean;
  active: number;
  waiting: number;
  /** In the order in which they are next. */
  readonly callers: Map<string, Caller>;
}

/** The lanes of all credentials that were never accepted. Keys cost nothing to invent: together they have the turns of one accepted credential. */
interface Newcomers {
  active: number;
  waiting: number;
  /** As `ready` of the accepted ones. */
  readonly ready: Set<Lane>;
}

/**
 * Bounds how many requests are under way, for each credential and in all. Where more want to go, credentials take turns, and within a
 * credential its callers do: a caller with many requests delays only itself. All credentials that were never accepted count as one. A credential of which nothing is under way is
 * forgotten.
 */
export function createTurns(options: TurnsOptions): Turns {
  const { perCredential, isAccepted, isOnTrial, pausedUntil, inAll, maxQueued, elapsed } = options;
  const maxActiveNewcomers = Math.ceil(inAll * NEWCOMERS_SHARE);
  const lanes = new Map<string, Lane>();
  const newcomers: Newcomers = { active: 0, waiting: 0, ready: new Set() };
  /** The lanes of which somebody may go, in the order in which they are next. Of some it turns out that nobody may. */
  const ready = new Set<Lane | Newcomers>();
  let [inFlight, waiting] = [0, 0];

  return {
    takeAtOnce(credential, name) {
      const lane = laneOf(credential);
      const caller = callerOf(lane, name);
      if (mayGoAtOnce(lane, caller)) return begin(lane, caller);
      forgetIdle(lane, caller);
      return undefined;
    },
    async take({ credential, caller: name, signal, latest }) {
      signal.throwIfAborted();
      const lane = laneOf(credential);
      const caller = callerOf(lane, name);
      try {
        checkPause(credential, latest);
        if (!mayGoAtOnce(lane, caller) && !makePlace(lane, caller)) throw new QueueOverflowError(`${waiting} are waiting`);
        return await new Promise<() => void>((resolve, reject) => {
          const waiter: Waiter = {
            latest,
            go(end) {
              leave();
              resolve(end);
            },
            giveUp(reason) {
              leave();
              reject(reason);
            },
          };
          const onAbort = () => waiter.giveUp(signal.reason);
          const leave = () => {
            signal.removeEventListener('abort', onAbort);
            caller.waiting.delete(waiter);
            countWaiting(lane, -1);
          };
          caller.waiting.add(waiter);
          countWaiting(lane, 1);
          wake(lane);
          if (caller.waiting.has(waiter)) signal.addEventListener('abort', onAbort, { once: true });
        });
      } catch (error) {
        forgetIdle(lane, caller);
        throw error;
      }
    },
    reconsider(credential) {
      const lane = lanes.get(credential);
      if (!lane) return;
      for (const waiter of waitersOf(lane)) {
        try {
          checkPause(credential, waiter.latest);
        } catch (error) {
          waiter.giveUp(error);
        }
      }
      if (lane.isAccepted !== isAccepted(credential)) move(lane);
      wake(lane);
    },
    rejectWaiting(credential, reason) {
      const lane = lanes.get(credential);
      if (lane) for (const waiter of waitersOf(lane)) waiter.giveUp(reason);
    },
    get state() {
      return { waiting, inFlight };
    },
  };

  function mayGoAtOnce(lane: Lane, caller: Caller): boolean {
    return inFlight < inAll && hasRoom(lane) && caller.waiting.size === 0 && caller.active < caller.mostActive;
  }

  /** Where all queues together are too long, those are refused who have made them so. */
  function makePlace(lane: Lane, { waiting: { size } }: Caller): boolean {
    if (size >= maxQueued || (size >= MODEST && waiting >= ALL_QUEUED * maxQueued)) return false;
    if (lane.isAccepted || newcomers.waiting < maxQueued) return true;
    return size < MODEST && rejectOfLongest(lane.waiting + 1);
  }

  /**
   * The queue of the credentials that were never accepted is full: the one with most waiting requests gives up its last one, if it has more than
   * `atLeast`. So their number stays bounded, and a credential with few of them has its place whatever others do.
   */
  function rejectOfLongest(atLeast: number): boolean {
    let longest: Lane | undefined;
    for (const lane of lanes.values()) {
      if (!lane.isAccepted && lane.waiting > (longest?.waiting ?? atLeast)) longest = lane;
    }
    const last = longest && waitersOf(longest).at(-1);
    last?.giveUp(new QueueOverflowError(`${waiting} are waiting`));
    return last !== undefined;
  }

  function hasRoom(lane: Lane): boolean {
    const { credential, active } = lane;
    if (pausedUntil(credential) !== undefined) return false;
    if (!lane.isAccepted) return active < 1 && newcomers.active < maxActiveNewcomers;
    return active < (isOnTrial(credential) ? 1 : perCredential);
  }

  /** @throws PausedError when a pause outlasts whoever waits */
  function checkPause(credential: string, latest: () => number): void {
    const until = pausedUntil(credential);
    if (until !== undefined && latest() < until) throw new PausedError(until - elapsed());
  }

  function laneOf(credential: string): Lane {
    let lane = lanes.get(credential);
    if (!lane) {
      lane = { credential, isAccepted: isAccepted(credential), active: 0, waiting: 0, callers: new Map() };
      lanes.set(credential, lane);
    }
    return lane;
  }

  function callerOf(lane: Lane, name = ''): Caller {
    let caller = lane.callers.get(name);
    if (!caller) {
      const mostActive = name === '' ? perCredential : Math.ceil(perCredential * SHARE);
      caller = { name, mostActive, active: 0, waiting: new Set() };
      lane.callers.set(name, caller);
    }
    return caller;
  }

  /** Something has changed for a lane: lets everyone go who may by now. */
  function wake(lane: Lane): void {
    if (lane.isAccepted) ready.add(lane);
    else {
      newcomers.ready.add(lane);
      ready.add(newcomers);
    }
    for (const next of ready) {
      if (inFlight >= inAll) return;
      ready.delete(next);
      // Behind those who wait for their first.
      if ('credential' in next ? letOneGo(next) : letNewcomerGo()) ready.add(next);
    }
  }

  function letNewcomerGo(): boolean {
    for (const lane of newcomers.ready) {
      if (newcomers.active >= maxActiveNewcomers) return false;
      newcomers.ready.delete(lane);
      if (!letOneGo(lane)) continue;
      newcomers.ready.add(lane);
      return true;
    }
    return false;
  }

  /** The upstream has accepted the credential for the first time, or does not accept it any more. */
  function move(lane: Lane): void {
    const sign = lane.isAccepted ? 1 : -1;
    lane.isAccepted = !lane.isAccepted;
    newcomers.active += sign * lane.active;
    newcomers.waiting += sign * lane.waiting;
    ready.delete(lane);
    newcomers.ready.delete(lane);
    if (newcomers.ready.size > 0) ready.add(newcomers);
  }

  function countWaiting(lane: Lane, more: 1 | -1): void {
    waiting += more;
    lane.waiting += more;
    if (!lane.isAccepted) newcomers.waiting += more;
  }

  function waitersOf(lane: Lane): readonly Waiter[] {
    return [...lane.callers.values()].flatMap(({ waiting: queue }) => [...queue]);
  }

  function letOneGo(lane: Lane): boolean {
    if (!hasRoom(lane)) return false;
    for (const caller of lane.callers.values()) {
      const [waiter] = caller.waiting;
      if (!waiter || caller.active >= caller.mostActive) continue;
      waiter.go(begin(lane, caller));
      return true;
    }
    return false;
  }

  /** @returns what ends it */
  function begin(lane: Lane, caller: Caller): () => void {
    // Behind the others of its lane.
    if (lane.callers.size > 1) {
      lane.callers.delete(caller.name);
      lane.callers.set(caller.name, caller);
    }
    inFlight += 1;
    lane.active += 1;
    if (!lane.isAccepted) newcomers.active += 1;
    caller.active += 1;
    return createEnd(lane, caller);
  }

  function createEnd(lane: Lane, caller: Caller): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      inFlight -= 1;
      lane.active -= 1;
      if (!lane.isAccepted) newcomers.active -= 1;
      caller.active -= 1;
      wake(lane);
      forgetIdle(lane, caller);
    };
  }

  function forgetIdle(lane: Lane, caller?: Caller): void {
    const isNobodys = caller?.active === 0 && caller.waiting.size === 0;
    // By now there may be another of the same name, with requests under way.
    if (isNobodys && lane.callers.get(caller.name) === caller) lane.callers.delete(caller.name);
    if (lane.callers.size > 0 || lanes.get(lane.credential) !== lane) return;
    lanes.delete(lane.credential);
    if (!lane.isAccepted) newcomers.ready.delete(lane);
  }
}
