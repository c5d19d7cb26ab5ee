import { type HeapItem, MinHeap } from '#live/min-heap.ts';

/** The clock and the timers of a simulation. They have whole milliseconds. */
export interface VirtualTime {
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Moves the clock, and calls back each timer at its own time. */
  pass(ms: number): Promise<void>;
}

interface Timer extends HeapItem {
  readonly onTime: () => void;
}

export function createVirtualTime(start: number): VirtualTime {
  const timers = new MinHeap<Timer>();
  let now = start;

  const time: VirtualTime = {
    now: () => now,
    startTimer(ms, onTime) {
      const timer: Timer = { onTime, heapKey: 0, heapOrder: 0, heapIndex: -1 };
      timers.set(timer, now + Math.max(1, Math.ceil(ms)));
      return () => {
        if (timer.heapIndex >= 0) timers.delete(timer);
      };
    },
    sleep: (ms) => new Promise((resolve) => time.startTimer(ms, resolve)),
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        const at = timers.first?.heapKey ?? Number.POSITIVE_INFINITY;
        if (at > end) break;
        now = at;
        for (let { first } = timers; first?.heapKey === at; { first } = timers) {
          timers.delete(first);
          first.onTime();
        }
        // Everything that the callbacks have resolved runs before.
        await new Promise(setImmediate);
      }
      now = end;
    },
  };
  return time;
}

/** Random numbers from 0 to 1 that are the same in each run (mulberry32). */
export function createSeededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
