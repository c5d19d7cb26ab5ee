/** The size of the measurements. */
export interface Scale {
  readonly warmUp: WarmUpScale;
  readonly rounds: number;
  readonly roundMs: number;
  /** The round of the reference beside each round. */
  readonly referenceMs: number;
  /** Time without requests, before the first burst. */
  readonly idleMs: number;
  /** The last part of `idleMs`, of which the processor time is a figure of its own. */
  readonly quietMs: number;
  /** Operations of each target over a slow upstream. */
  readonly latencies: number;
  /** Starts of each target. */
  readonly starts: number;
}

export interface WarmUpScale {
  /** Q1 is sent at least so many times. */
  readonly operations: number;
  readonly maxMs: number;
  /** The other kinds are sent for as long as Q1, but no longer than this while their cost is stable. */
  readonly maxShareMs: number;
  /** The other kinds are sent for at most so long while their cost still falls. */
  readonly maxOtherMs: number;
  /** The length of a part: the cost is compared between parts. */
  readonly partMs: number;
}

export const FULL: Scale = {
  warmUp: {
    operations: 50_000,
    maxMs: 60_000,
    maxShareMs: 10_000,
    maxOtherMs: 20_000,
    partMs: 1_000,
  },
  rounds: 6,
  roundMs: 600,
  referenceMs: 400,
  idleMs: 80_000,
  quietMs: 30_000,
  latencies: 150,
  starts: 7,
};

/** Verifies that the benchmark works. */
export const SHORT: Scale = {
  warmUp: { operations: 500, maxMs: 2_000, maxShareMs: 500, maxOtherMs: 1_000, partMs: 250 },
  rounds: 3,
  roundMs: 200,
  referenceMs: 150,
  idleMs: 3_000,
  quietMs: 2_000,
  latencies: 10,
  starts: 1,
};
