import { createFairQueue } from './fair-queue.ts';
import { type Caller, UNACCEPTED_OWNER } from './message.ts';

/** Decides when an operation may start. */
export interface OperationScheduler {
  /**
   * Resolves when an operation of this caller may start. Undefined: at once.
   * @param isExclusive whether this operation must not start before the synchronous part of the
   * previous operation has ended
   */
  waitForTurn(caller: Caller, isExclusive?: boolean): Promise<void> | undefined;
  /**
   * Records the activity of an accepted caller whose operation was served without a turn. The
   * scheduler throttles a caller only while another caller is active.
   */
  recordActivity(callerKey: string): void;
  /**
   * Charges a caller with event-loop time of its operation that the scheduler does not measure, in
   * ms.
   */
  charge(caller: Caller, ms: number): void;
  /** Operations that wait to start. */
  readonly queued: number;
}

export interface OperationSchedulerOptions {
  /** Monotonic clock, in ms and fractions of it. */
  readonly monotonicNow: () => number;
  /** Calls back in the next iteration of the event loop. */
  readonly runNextIteration: (run: () => void) => void;
  /**
   * Calls back in this iteration, after all microtasks. The scheduler calls this function only in a
   * microtask.
   */
  readonly afterMicrotasks: (run: () => void) => void;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * Time for starting operations in one iteration of the event loop. The next iteration reads what
 * other clients have sent meanwhile.
 */
const TIME_SLICE_MS = 2;

/** An operation that blocks the event loop for less is not charged: usual operations take less. */
const MIN_CHARGED_MS = 5;

/** A longer measurement is ignored: the process was suspended. */
const MAX_CHARGED_MS = 5_000;

/**
 * A long operation throttles its caller for: the operation's time × this factor × the number of
 * throttled callers. Throttled callers together use less than half of the event loop's time, unless
 * `MAX_THROTTLE_MS` shortens a throttle.
 */
const THROTTLE_FACTOR = 2;
const MAX_THROTTLE_MS = 1_000;

/**
 * A caller is throttled only while another caller was active within this time. A caller that is
 * alone is never throttled.
 */
const ACTIVITY_WINDOW_MS = 1_000;

/**
 * Fair scheduling of operation starts.
 *
 * Parsing, validation and execution are synchronous: two hundred operations that arrive at once
 * would block the event loop at each of these steps, and a later request would wait for all of
 * them. Instead, operations start for `TIME_SLICE_MS` in each iteration, and the callers that wait
 * take turns. Only the start is scheduled: an operation that waits for the upstream delays no other
 * operation.
 *
 * A client can send any key. So all callers whose credential the upstream has not accepted share
 * one turn, and take turns within it.
 *
 * An operation cannot be interrupted: eight clients that request 10 MB each would delay other
 * clients, however fair the turns are. So a caller whose operation has taken long is throttled
 * before its next one, while other accepted callers are active.
 *
 * The queue is unbounded on purpose: every entry is a request on an open connection, and
 * `MAX_CONNECTIONS` bounds those.
 */
export function createOperationScheduler({
  monotonicNow,
  runNextIteration,
  afterMicrotasks,
  startTimer,
}: OperationSchedulerOptions): OperationScheduler {
  const queues = createFairQueue<() => void>();
  const unacceptedQueues = createFairQueue<() => void>();
  /** When the throttling of each owner ends, by `monotonicNow`: at most `MAX_THROTTLE_MS` ahead. */
  const throttledUntil = new Map<string, number>();
  const activity = createActivityTracker();
  /** The operation that started last, until its synchronous part ends. */
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
      if (
        canStart &&
        monotonicNow() < (timeSliceEndsAt ?? 0) &&
        !isThrottled(owner, caller.callerKey)
      ) {
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
        // A placeholder in the main queue: its turn starts the next operation of these callers.
        queues.enqueue(owner, () => unacceptedQueues.dequeue(canStartUnaccepted)?.());
      });
    },
    recordActivity: (callerKey) => activity.record(callerKey, monotonicNow()),
    charge: (caller, ms) =>
      charge(caller.isCredentialAccepted() ? caller.callerKey : UNACCEPTED_OWNER, ms),
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
        // The timer has fired, so these throttles end even if the clock is a little behind it.
        for (const [owner, until] of throttledUntil)
          if (until <= nextStartAt) throttledUntil.delete(owner);
        if (timeSliceEndsAt === undefined) endTimeSlice();
      });
    }
  }

  /** Starts operations one by one: the synchronous part of one ends before the next one starts. */
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

  function charge(owner: string, ms: number): void {
    if (ms < MIN_CHARGED_MS || ms > MAX_CHARGED_MS) return;
    const now = monotonicNow();
    for (const [other, until] of throttledUntil) if (until <= now) throttledUntil.delete(other);
    const throttledOwners = throttledUntil.size + (throttledUntil.has(owner) ? 0 : 1);
    const from = Math.max(now, throttledUntil.get(owner) ?? 0);
    throttledUntil.set(
      owner,
      Math.min(from + ms * THROTTLE_FACTOR * throttledOwners, now + MAX_THROTTLE_MS),
    );
  }

  function canStartOwner(owner: string): boolean {
    return owner === UNACCEPTED_OWNER
      ? [...unacceptedQueues.owners()].some(canStartUnaccepted)
      : !isThrottled(owner, owner);
  }

  function canStartUnaccepted(callerKey: string): boolean {
    return !isThrottled(UNACCEPTED_OWNER, callerKey);
  }

  /** Whether the caller must wait: its owner is throttled, and another caller is active. */
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
  /** When a caller other than this one was active last. */
  lastByOthers(callerKey: string): number;
}

/**
 * Tracks the two callers that were active last. That is enough to know when a caller other than a
 * given one was active.
 */
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
 * Calls back after all microtasks and before the iteration of the event loop ends, if it is called
 * in a microtask: Node runs `nextTick` callbacks when the microtask queue is empty.
 */
export function afterMicrotasks(callback: () => void): void {
  process.nextTick(callback);
}
