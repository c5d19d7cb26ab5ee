interface Timer {
  readonly ms: number;
  /** The time by the clock of `elapsed`. */
  readonly dueAt: number;
  readonly onTime: () => void;
  timeout: NodeJS.Timeout;
}

/** Real time that a test can skip forward. */
export function createSkippableTime() {
  const timers = new Set<Timer>();
  let skippedMs = 0;
  const monotonicNow = () => performance.now() + skippedMs;

  const run = (timer: Timer) => {
    if (timers.delete(timer)) timer.onTime();
  };
  const start = (timer: Timer) => {
    timer.timeout = setTimeout(run, Math.max(0, timer.dueAt - monotonicNow()), timer).unref();
  };
  return {
    elapsed: monotonicNow,
    startTimer(ms: number, onTime: () => void): () => void {
      const timer: Timer = {
        ms,
        dueAt: monotonicNow() + ms,
        onTime,
        timeout: setTimeout(() => {}, 0),
      };
      clearTimeout(timer.timeout);
      timers.add(timer);
      start(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer.timeout);
      };
    },
    /** The delays of running timers, in ms. */
    get running(): number[] {
      return [...timers].map(({ ms }) => ms);
    },
    /** Skips this time, in ms. */
    skip(ms: number): void {
      skippedMs += ms;
      for (const timer of timers) {
        clearTimeout(timer.timeout);
        start(timer);
      }
    },
  };
}
