/** A stream that waits until it may write. */
export interface WaitingWriter {
  onTurn(): void;
}

/** Spreads the writes of many streams over iterations of the event loop. */
export interface WriteTurns {
  /**
   * Whether a stream may write at once. Otherwise its turn comes in a later iteration: a stream that
   * waits must not ask again.
   */
  take(writer: WaitingWriter): boolean;
}

/**
 * Writes in an iteration of the event loop that has little else to do. A write takes 20 to 40 µs,
 * most of them in the system, so other requests wait for about a millisecond.
 */
const MIN_WRITES = 32;

/**
 * Writes for each ms that the iteration before has taken: half of the time, at most. Under load an
 * iteration takes several ms, and 32 writes in each would be fewer than there are events.
 */
const WRITES_PER_MS = 16;
const MAX_WRITES = 128;
/** Streams that have written and are still in the list: to remove each one would move all others. */
const MAX_WRITTEN = 4_096;

/**
 * All subscribers of a call get its event at the same moment: without turns, ten thousand writes
 * would block the event loop for a third of a second. The streams write in the order of their
 * events, and between two iterations the gateway reads what other clients have sent.
 * @param monotonicNow in ms with fractions
 * @param runNextIteration calls back in the next iteration of the event loop
 */
export function createWriteTurns(
  monotonicNow: () => number,
  runNextIteration: (run: () => void) => void,
): WriteTurns {
  let waiting: WaitingWriter[] = [];
  /** Index of the first one that still waits. */
  let next = 0;
  let remaining = MIN_WRITES;
  let isScheduled = false;
  let iterationAt = 0;

  return {
    take(writer) {
      if (!isScheduled) schedule();
      if (remaining === 0) {
        waiting.push(writer);
        return false;
      }
      remaining -= 1;
      return true;
    },
  };

  function schedule(): void {
    isScheduled = true;
    iterationAt = monotonicNow();
    runNextIteration(startIteration);
  }

  function startIteration(): void {
    isScheduled = false;
    const permitted = WRITES_PER_MS * (monotonicNow() - iterationAt);
    const writes = Math.round(Math.min(MAX_WRITES, Math.max(MIN_WRITES, permitted)));
    const turns = Math.min(writes, waiting.length - next);
    remaining = writes - turns;
    if (turns === 0) return;
    schedule();
    for (const end = next + turns; next < end; ) {
      const writer = waiting[next];
      next += 1;
      writer?.onTurn();
    }
    // Under load streams may always wait: those that have written must not pile up.
    if (next < waiting.length && next < MAX_WRITTEN) return;
    waiting = waiting.slice(next);
    next = 0;
  }
}
