import { type AdmittedCaller, UNACCEPTED } from './exchange.ts';
import { createRoundRobin } from './round-robin.ts';

/** For whom an operation is. */
export type Caller = AdmittedCaller;

/** Lets operations begin. */
export interface Beginnings {
  /**
   * Waits until an operation of this caller may begin; undefined: at once.
   * @param isAlone whether it must not go on beside another one that has just been let go, though both have room in this turn
   */
  wait(caller: Caller, isAlone?: boolean): Promise<void> | undefined;
  /** An operation of a caller that the upstream has accepted was answered without waiting: it counts among those that others rest for. */
  note(caller: string): void;
  /** An operation of this caller has taken so much time of the event loop that the scheduler does not see, ms. */
  charge(caller: Caller, ms: number): void;
  /** Operations that are yet to begin. */
  readonly waiting: number;
}

export interface BeginningsOptions {
  /** A clock for durations, ms and parts of it. */
  readonly elapsed: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly onNextTurn: (run: () => void) => void;
  /** Calls back in this turn, when all that can go on has gone on. It is called in a microtask. */
  readonly whenDone: (run: () => void) => void;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** So long operations may keep on beginning in one turn of the event loop, ms: what others have sent meanwhile is read in the next one. */
const TURN_MS = 2;

/** An operation that takes less at once is for free: so is what tenants usually ask for, ms. */
const MIN_CHARGED_MS = 5;

/** No operation takes as long: the clock has been moved, or the process has been suspended, ms. */
const MAX_CHARGED_MS = 5_000;

/** After an operation, its caller rests for so many times as long as it took, for each caller that rests. Then at least half of the time is left to others. */
const REST_FACTOR = 2;
const MAX_REST_MS = 1_000;

/** A caller rests while another one has asked for something in this time, ms. A caller that is alone never rests. */
const ACTIVE_MS = 1_000;

/**
 * Two hundred operations that arrive at once would all be parsed and executed before anything else is looked at, and so at each step of the
 * way: whoever comes between waits for all of them. So they begin a few at a time, and of the callers who wait each one in turn. An operation
 * that has begun holds nobody up, however long it waits for the upstream.
 *
 * Keys are free to invent. So all callers whose credential the upstream has not accepted share one turn, and take turns within it.
 *
 * An operation cannot be interrupted: eight clients that ask for 10 MB each leave the others waiting however fair the turns are. So a caller whose
 * operation has taken long rests before its next one, while other accepted callers are active.
 *
 * Nothing here is bounded: who waits is a request that is held open in any case, and `MAX_CONNECTIONS` bounds those.
 */
export function createBeginnings({ elapsed, onNextTurn, whenDone, startTimer }: BeginningsOptions): Beginnings {
  const lanes = createRoundRobin<() => void>();
  const unaccepted = createRoundRobin<() => void>();
  /** By lane; none for longer than `MAX_REST_MS`. */
  const restsUntil = new Map<string, number>();
  const activity = createActivity();
  /** The operation that has begun last, if it is still in its first stretch. */
  let running: { readonly lane: string; readonly since: number } | undefined;
  let turnEndsAt: number | undefined;
  let isTimerSet = false;
  let waiting = 0;

  return {
    get waiting() {
      return waiting;
    },
    wait(caller, isAlone = false) {
      const isAccepted = caller.isAccepted();
      const lane = isAccepted ? caller.caller : UNACCEPTED;
      if (isAccepted) activity.note(lane, elapsed());
      if (turnEndsAt === undefined) beginTurn();
      const mayGo = waiting === 0 && !(isAlone && running);
      if (mayGo && elapsed() < (turnEndsAt ?? 0) && !isResting(lane, caller.caller)) {
        endMeasure();
        running = { lane, since: elapsed() };
        whenDone(endMeasure);
        return undefined;
      }
      waiting += 1;
      return new Promise((resolve) => {
        const begin = () => {
          waiting -= 1;
          endMeasure();
          running = { lane, since: elapsed() };
          resolve();
          queueMicrotask(() => whenDone(endMeasure));
        };
        if (isAccepted) return lanes.push(lane, begin);
        unaccepted.push(caller.caller, begin);
        // A ticket for whichever of them is next.
        lanes.push(lane, () => unaccepted.take(mayUnacceptedBegin)?.());
      });
    },
    note: (caller) => activity.note(caller, elapsed()),
    charge: (caller, ms) => charge(caller.isAccepted() ? caller.caller : UNACCEPTED, ms),
  };

  function beginTurn(): void {
    turnEndsAt = elapsed() + TURN_MS;
    onNextTurn(endTurn);
  }

  function endTurn(): void {
    turnEndsAt = undefined;
    if (waiting === 0) return;
    const wakesAt = whenFirstMayBegin();
    if (wakesAt <= elapsed()) {
      beginTurn();
      letNextBegin();
    } else if (!isTimerSet) {
      isTimerSet = true;
      startTimer(wakesAt - elapsed(), () => {
        isTimerSet = false;
        // Regardless of the clock: callers must not wait longer because it stands still.
        for (const [lane, until] of restsUntil) if (until <= wakesAt) restsUntil.delete(lane);
        if (turnEndsAt === undefined) endTurn();
      });
    }
  }

  /** One by one: what an operation does at once is done before the next one is let go. */
  function letNextBegin(): void {
    endMeasure();
    if (turnEndsAt === undefined || elapsed() >= turnEndsAt) return;
    const begin = lanes.take(mayBegin);
    begin?.();
    if (begin && waiting > 0) queueMicrotask(() => whenDone(letNextBegin));
  }

  function endMeasure(): void {
    if (!running) return;
    const { lane, since } = running;
    running = undefined;
    charge(lane, elapsed() - since);
  }

  function charge(lane: string, ms: number): void {
    if (ms < MIN_CHARGED_MS || ms > MAX_CHARGED_MS) return;
    const now = elapsed();
    for (const [other, until] of restsUntil) if (until <= now) restsUntil.delete(other);
    const resting = restsUntil.size + (restsUntil.has(lane) ? 0 : 1);
    const from = Math.max(now, restsUntil.get(lane) ?? 0);
    restsUntil.set(lane, Math.min(from + ms * REST_FACTOR * resting, now + MAX_REST_MS));
  }

  function mayBegin(lane: string): boolean {
    return lane === UNACCEPTED ? [...unaccepted.owners()].some(mayUnacceptedBegin) : !isResting(lane, lane);
  }

  function mayUnacceptedBegin(caller: string): boolean {
    return !isResting(UNACCEPTED, caller);
  }

  /** A request that waits in a lane does not rest for the activity of its own caller. */
  function isResting(lane: string, caller: string): boolean {
    const until = restsUntil.get(lane);
    if (until === undefined) return false;
    const now = elapsed();
    return until > now && activity.lastOfOthers(caller) > now - ACTIVE_MS;
  }

  function whenFirstMayBegin(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const lane of lanes.owners()) {
      if (mayBegin(lane)) return 0;
      first = Math.min(first, restsUntil.get(lane) ?? 0);
    }
    return first;
  }
}

interface Activity {
  note(caller: string, at: number): void;
  /** When another one than this was active last. */
  lastOfOthers(caller: string): number;
}

/** Whether a caller is alone needs no more than the last caller, and the last one before it that was another. */
function createActivity(): Activity {
  let last = { caller: '', at: Number.NEGATIVE_INFINITY };
  let before = last;
  return {
    note(caller, at) {
      if (caller === last.caller) {
        last.at = at;
        return;
      }
      before = last;
      last = { caller, at };
    },
    lastOfOthers: (caller) => (last.caller === caller ? before.at : last.at),
  };
}

/**
 * Calls back when no promise has anything left to do, and before the turn ends: Node takes the ticks that microtasks have planned when there are no
 * more microtasks.
 */
export function whenDone(run: () => void): void {
  process.nextTick(run);
}
