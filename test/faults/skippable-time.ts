interface Timer {
  readonly ms: number;
  /** By the clock of `elapsed`. */
  readonly dueAt: number;
  readonly onTime: () => void;
  timeout: NodeJS.Timeout;
}

/** Time as it goes by, of which a test may leave out some. */
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
    /** Times that are being waited for, ms. */
    get running(): number[] {
      return [...timers].map(({ ms }) => ms);
    },
    /** So much time has gone by at once, ms. */
    skip(ms: number): void {
      skippedMs += ms;
      for (const timer of timers) {
        clearTimeout(timer.timeout);
        start(timer);
      }
    },
  };
}
