import { createFairQueue } from './fair-queue.ts';
import { type Caller as AdmittedCaller, UNACCEPTED_OWNER } from './message.ts';

/** For whom an operation is. */
export type Caller = AdmittedCaller;

/** Lets operations begin. */
export interface OperationScheduler {
  /**
   * Waits until an operation of this caller may begin; undefined: at once.
   * @param isExclusive whether it must not go on beside another one that has just been let go, though both have room in this turn
   */
  waitForTurn(caller: Caller, isExclusive?: boolean): Promise<void> | undefined;
  /** An operation of a caller that the upstream has accepted was answered without waiting: it counts among those that others rest for. */
  recordActivity(callerKey: string): void;
  /** An operation of this caller has taken so much time of the event loop that the scheduler does not see, ms. */
  charge(caller: Caller, ms: number): void;
  /** Operations that are yet to begin. */
  readonly queued: number;
}

export interface OperationSchedulerOptions {
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly runNextIteration: (run: () => void) => void;
  /** Calls back in this turn, when all that can go on has gone on. It is called in a microtask. */
  readonly afterMicrotasks: (run: () => void) => void;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** So long operations may keep on beginning in one turn of the event loop, ms: what others have sent meanwhile is read in the next one. */
const TIME_SLICE_MS = 2;

/** An operation that takes less at once is for free: so is what tenants usually ask for, ms. */
const MIN_CHARGED_MS = 5;

/** No operation takes as long: the clock has been moved, or the process has been suspended, ms. */
const MAX_CHARGED_MS = 5_000;

/** After an operation, its caller rests for so many times as long as it took, for each caller that rests. Then at least half of the time is left to others. */
const THROTTLE_FACTOR = 2;
const MAX_THROTTLE_MS = 1_000;

/** A caller rests while another one has asked for something in this time, ms. A caller that is alone never rests. */
const ACTIVITY_WINDOW_MS = 1_000;

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
export function createOperationScheduler({
  monotonicNow,
  runNextIteration,
  afterMicrotasks,
  startTimer,
}: OperationSchedulerOptions): OperationScheduler {
  const queues = createFairQueue<() => void>();
  const unacceptedQueues = createFairQueue<() => void>();
  /** By lane; none for longer than `MAX_THROTTLE_MS`. */
  const throttledUntil = new Map<string, number>();
  const activity = createActivityTracker();
  /** The operation that has begun last, if it is still in its first stretch. */
  let currentRun: { readonly owner: string; readonly startedAt: number } | undefined;
  let timeSliceEndsAt: number | undefined;
  let isWakeUpScheduled = false;
  let queued = 0;

  return {
    get queued() {
      return queued;
    },
    waitForTurn(caller, isExclusive = false) {
      const isAccepted = caller.isCredentialAccepted();
      const owner = isAccepted ? caller.callerKey : UNACCEPTED_OWNER;
      if (isAccepted) activity.record(owner, monotonicNow());
      if (timeSliceEndsAt === undefined) startTimeSlice();
      const canStart = queued === 0 && !(isExclusive && currentRun);
      if (canStart && monotonicNow() < (timeSliceEndsAt ?? 0) && !isThrottled(owner, caller.callerKey)) {
        stopMeasuring();
        currentRun = { owner, startedAt: monotonicNow() };
        afterMicrotasks(stopMeasuring);
        return undefined;
      }
      queued += 1;
      return new Promise((resolve) => {
        const start = () => {
          queued -= 1;
          stopMeasuring();
          currentRun = { owner, startedAt: monotonicNow() };
          resolve();
          queueMicrotask(() => afterMicrotasks(stopMeasuring));
        };
        if (isAccepted) return queues.enqueue(owner, start);
        unacceptedQueues.enqueue(caller.callerKey, start);
        // A ticket for whichever of them is next.
        queues.enqueue(owner, () => unacceptedQueues.dequeue(canStartUnaccepted)?.());
      });
    },
    recordActivity: (callerKey) => activity.record(callerKey, monotonicNow()),
    charge: (caller, ms) => charge(caller.isCredentialAccepted() ? caller.callerKey : UNACCEPTED_OWNER, ms),
  };

  function startTimeSlice(): void {
    timeSliceEndsAt = monotonicNow() + TIME_SLICE_MS;
    runNextIteration(endTimeSlice);
  }

  function endTimeSlice(): void {
    timeSliceEndsAt = undefined;
    if (queued === 0) return;
    const nextStartAt = earliestStartAt();
    if (nextStartAt <= monotonicNow()) {
      startTimeSlice();
      startNext();
    } else if (!isWakeUpScheduled) {
      isWakeUpScheduled = true;
      startTimer(nextStartAt - monotonicNow(), () => {
        isWakeUpScheduled = false;
        // Regardless of the clock: callers must not wait longer because it stands still.
        for (const [owner, until] of throttledUntil) if (until <= nextStartAt) throttledUntil.delete(owner);
        if (timeSliceEndsAt === undefined) endTimeSlice();
      });
    }
  }

  /** One by one: what an operation does at once is done before the next one is let go. */
  function startNext(): void {
    stopMeasuring();
    if (timeSliceEndsAt === undefined || monotonicNow() >= timeSliceEndsAt) return;
    const start = queues.dequeue(canStartOwner);
    start?.();
    if (start && queued > 0) queueMicrotask(() => afterMicrotasks(startNext));
  }

  function stopMeasuring(): void {
    if (!currentRun) return;
    const { owner, startedAt } = currentRun;
    currentRun = undefined;
    charge(owner, monotonicNow() - startedAt);
  }

  function charge(lane: string, ms: number): void {
    if (ms < MIN_CHARGED_MS || ms > MAX_CHARGED_MS) return;
    const now = monotonicNow();
    for (const [other, until] of throttledUntil) if (until <= now) throttledUntil.delete(other);
    const throttledOwners = throttledUntil.size + (throttledUntil.has(lane) ? 0 : 1);
    const from = Math.max(now, throttledUntil.get(lane) ?? 0);
    throttledUntil.set(lane, Math.min(from + ms * THROTTLE_FACTOR * throttledOwners, now + MAX_THROTTLE_MS));
  }

  function canStartOwner(owner: string): boolean {
    return owner === UNACCEPTED_OWNER ? [...unacceptedQueues.owners()].some(canStartUnaccepted) : !isThrottled(owner, owner);
  }

  function canStartUnaccepted(callerKey: string): boolean {
    return !isThrottled(UNACCEPTED_OWNER, callerKey);
  }

  /** A request that waits in a lane does not rest for the activity of its own caller. */
  function isThrottled(owner: string, callerKey: string): boolean {
    const until = throttledUntil.get(owner);
    if (until === undefined) return false;
    const now = monotonicNow();
    return until > now && activity.lastByOthers(callerKey) > now - ACTIVITY_WINDOW_MS;
  }

  function earliestStartAt(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const owner of queues.owners()) {
      if (canStartOwner(owner)) return 0;
      earliest = Math.min(earliest, throttledUntil.get(owner) ?? 0);
    }
    return earliest;
  }
}

interface Activity {
  record(callerKey: string, at: number): void;
  /** When another one than this was active last. */
  lastByOthers(callerKey: string): number;
}

/** Whether a caller is alone needs no more than the last caller, and the last one before it that was another. */
function createActivityTracker(): Activity {
  let latest = { caller: '', at: Number.NEGATIVE_INFINITY };
  let previous = latest;
  return {
    record(callerKey, at) {
      if (callerKey === latest.caller) {
        latest.at = at;
        return;
      }
      previous = latest;
      latest = { caller: callerKey, at };
    },
    lastByOthers: (callerKey) => (latest.caller === callerKey ? previous.at : latest.at),
  };
}

/**
 * Calls back when no promise has anything left to do, and before the turn ends: Node takes the ticks that microtasks have planned when there are no
 * more microtasks.
 */
export function afterMicrotasks(callback: () => void): void {
  process.nextTick(callback);
}
