/** Lets operations begin. */
export interface Beginnings {
  /** Waits until an operation of this caller may begin; undefined: at once. */
  wait(caller: string): Promise<void> | undefined;
  /** Operations that are yet to begin. */
  readonly waiting: number;
}

/** So long operations may keep on beginning in one turn of the event loop, ms: what others have sent meanwhile is read in the next one. */
const TURN_MS = 2;

/**
 * Two hundred operations that arrive at once would all be parsed and executed before anything else is looked at, and so at each step of the
 * way: whoever comes between waits for all of them. So they begin a few at a time, and of the callers who wait each one in turn. An operation
 * that has begun holds nobody up, however long it waits for the upstream.
 *
 * Nothing here is bounded: who waits is a request that is held open in any case, and `MAX_CONNECTIONS` bounds those.
 * @param elapsed a clock for durations, ms and parts of it
 * @param onNextTurn calls back in the next turn of the event loop
 * @param whenDone calls back in this turn, when all that can go on has gone on
 */
export function createBeginnings(
  elapsed: () => number,
  onNextTurn: (run: () => void) => void,
  whenDone: (run: () => void) => void,
): Beginnings {
  /** Who waits, by caller; the first of them is the next. */
  const lanes = new Map<string, (() => void)[]>();
  let turnEndsAt: number | undefined;
  let waiting = 0;

  return {
    get waiting() {
      return waiting;
    },
    wait(caller) {
      if (turnEndsAt === undefined) {
        turnEndsAt = elapsed() + TURN_MS;
        onNextTurn(endTurn);
      }
      if (waiting === 0 && elapsed() < turnEndsAt) return undefined;
      waiting += 1;
      const lane = lanes.get(caller) ?? [];
      lanes.set(caller, lane);
      return new Promise((resolve) => lane.push(resolve));
    },
  };

  function endTurn(): void {
    turnEndsAt = undefined;
    if (waiting === 0) return;
    turnEndsAt = elapsed() + TURN_MS;
    onNextTurn(endTurn);
    letNextBegin();
  }

  /** One by one: what an operation does at once is done before the next one is let go. */
  function letNextBegin(): void {
    const [next] = lanes;
    if (!next || turnEndsAt === undefined || elapsed() >= turnEndsAt) return;
    const [caller, lane] = next;
    const begin = lane.shift();
    // Behind all others.
    lanes.delete(caller);
    if (lane.length > 0) lanes.set(caller, lane);
    waiting -= 1;
    begin?.();
    if (waiting > 0) whenDone(letNextBegin);
  }
}

/** Calls back when no promise has anything left to do, and before the turn ends: then Node takes the ticks that promises have planned. */
export function whenDone(run: () => void): void {
  queueMicrotask(() => process.nextTick(run));
}
