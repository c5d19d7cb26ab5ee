/** Spreads the parsing of large bodies over turns of the event loop. */
export interface ParseScheduler {
  /** Parses now, if there is time left in this turn and no other waits; else in a later turn. */
  run<T>(credential: string, parse: () => T): T | Promise<T>;
}

/** Of one turn, ms. One parse may take longer. */
const TIME_SLICE_MS = 5;
/**
 * After a slice that was used up so many turns pass without a parse. A request that is answered from the cache takes a few turns from its first byte to
 * its last: without the free ones it would wait for a parse in each of them. A turn in which nothing happens takes microseconds.
 */
const IDLE_ITERATIONS = 3;

type Job = () => void;

/**
 * Each parse blocks the event loop for milliseconds, and what is done with the parsed value at once as long again. A hundred that are due at once
 * would keep all other tenants waiting for their sum; so they are run a few milliseconds at a time, and of the credentials each one in turn.
 * @param monotonicNow a monotonic clock for durations, in ms with fractions
 * @param runNextIteration calls back in the next turn of the event loop
 */
export function createParseScheduler(monotonicNow: () => number, runNextIteration: (run: () => void) => void): ParseScheduler {
  /** By credential; the first is next. */
  const queues = new Map<string, Job[]>();
  /** Undefined: no parse has run lately. */
  let timeSliceEndsAt: number | undefined;

  return {
    run(credential, parse) {
      if (timeSliceEndsAt === undefined) startTimeSlice();
      if (queues.size === 0 && hasTimeLeft()) return parse();
      return new Promise((resolve, reject) => {
        const queue = queues.get(credential) ?? [];
        queues.set(credential, queue);
        queue.push(() => {
          try {
            resolve(parse());
          } catch (error) {
            reject(error);
          }
        });
      });
    },
  };

  function hasTimeLeft(): boolean {
    return timeSliceEndsAt !== undefined && monotonicNow() < timeSliceEndsAt;
  }

  function startTimeSlice(): void {
    timeSliceEndsAt = monotonicNow() + TIME_SLICE_MS;
    runNextIteration(endTimeSlice);
  }

  function endTimeSlice(): void {
    skipIterations(hasTimeLeft() ? 0 : IDLE_ITERATIONS);
  }

  function skipIterations(remaining: number): void {
    if (remaining === 0) runQueued();
    else runNextIteration(() => skipIterations(remaining - 1));
  }

  function runQueued(): void {
    timeSliceEndsAt = undefined;
    if (queues.size === 0) return;
    startTimeSlice();
    while (queues.size > 0 && hasTimeLeft()) runNext();
  }

  function runNext(): void {
    for (const [credential, queue] of queues) {
      queues.delete(credential);
      queue.shift()?.();
      // Behind the other credentials.
      if (queue.length > 0) queues.set(credential, queue);
      return;
    }
  }
}
