/** A clock that advances only when the test says so. */
export interface Clock {
  readonly now: () => number;
  pass(ms: number): void;
}

export function createClock(start = Date.UTC(2026, 5, 1, 12)): Clock {
  let now = start;
  return {
    now: () => now,
    pass(ms) {
      now += ms;
    },
  };
}
