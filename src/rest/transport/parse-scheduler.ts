/** Spreads the parsing of large bodies over iterations of the event loop. */
export interface ParseScheduler {
  /**
   * Parses now if time is left in this iteration and no other body waits; otherwise in a later
   * iteration.
   */
  run<T>(credential: string, parse: () => T): T | Promise<T>;
}

/** Time for parsing in one event-loop iteration, in ms. A single parse may exceed it. */
const TIME_SLICE_MS = 5;
/**
 * Number of iterations without parsing after a used-up time slice. A cached response takes a few
 * iterations from the request's first byte to the response's last: without idle iterations it would
 * wait for a parse in each of them. An iteration without work takes microseconds.
 */
const IDLE_ITERATIONS = 3;

type Job = () => void;

/**
 * Fair scheduling of JSON parsing. Each parse blocks the event loop for milliseconds, and the
 * synchronous work on the parsed value takes as long again. A hundred parses that are due at once
 * would delay all other callers by their sum, so the scheduler runs them in time slices of a few
 * milliseconds, round-robin by credential.
 * @param monotonicNow a monotonic clock for durations, in ms with fractions
 * @param runNextIteration calls back in the next iteration of the event loop
 */
export function createParseScheduler(
  monotonicNow: () => number,
  runNextIteration: (run: () => void) => void,
): ParseScheduler {
  /** By credential, in round-robin order: the first is next. */
  const queues = new Map<string, Job[]>();
  /** Undefined if no time slice is active. */
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
      // Re-queue the credential behind the others.
      if (queue.length > 0) queues.set(credential, queue);
      return;
    }
  }
}
