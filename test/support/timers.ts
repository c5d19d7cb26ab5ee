import type { Clock } from './clock.ts';
import { untilIdle } from './timed-gateway.ts';

/** Timers of a clock that the test owns. */
export interface Timers {
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Moves the clock, and calls back each timer at its own time. */
  pass(ms: number): Promise<void>;
  /** Timers that are started and not called back. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly onTime: () => void;
}

export function createTimers(clock: Clock): Timers {
  const timers = new Set<Timer>();
  const next = () =>
    [...timers].reduce<Timer | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    );

  return {
    startTimer(ms, onTime) {
      const timer = { at: clock.now() + ms, onTime };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(ms) {
      await untilIdle();
      const end = clock.now() + ms;
      for (let timer = next(); timer && timer.at <= end; timer = next()) {
        clock.pass(Math.max(0, timer.at - clock.now()));
        timers.delete(timer);
        timer.onTime();
        await untilIdle();
      }
      clock.pass(end - clock.now());
      await untilIdle();
    },
    get pending() {
      return timers.size;
    },
  };
}
