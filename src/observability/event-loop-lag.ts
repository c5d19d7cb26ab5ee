import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Time between two samples. A sample is the time since the previous one, so this is its minimum. */
export const SAMPLE_INTERVAL_MS = 10;

/**
 * Sampling stops after so many samples without activity: a tenth of a second. Samples are most of
 * the processor time of a process with few requests.
 */
const MAX_IDLE_SAMPLES = 10;

const NS_PER_MS = 1e6;

export interface EventLoopLagOptions {
  /** Whether a request is in progress. Sampling goes on until it has ended. */
  readonly isBusy: () => boolean;
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** In seconds. */
export interface EventLoopLag {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What the event loop of an idle process would show: each timer fires on time. */
const IDLE_LAG: EventLoopLag = {
  min: SAMPLE_INTERVAL_MS / 1000,
  max: SAMPLE_INTERVAL_MS / 1000,
  mean: SAMPLE_INTERVAL_MS / 1000,
  stddev: 0,
  p50: SAMPLE_INTERVAL_MS / 1000,
  p90: SAMPLE_INTERVAL_MS / 1000,
  p99: SAMPLE_INTERVAL_MS / 1000,
};

/**
 * Samples how late timers fire, while the process handles requests. `monitorEventLoopDelay` of
 * Node.js would sample an idle process, too: its timer took half of the processor time of an
 * idle gateway. Stopping and restarting that monitor is no alternative: its first sample after a
 * restart is the time since it was stopped.
 */
export class EventLoopLagSampler {
  readonly #options: EventLoopLagOptions;
  readonly #samplesNs: RecordableHistogram = createHistogram();
  #hasActivity = false;
  #isSampling = false;
  #idleSamples = 0;
  #sampledAt = 0;

  constructor(options: EventLoopLagOptions) {
    this.#options = options;
  }

  /** The process does something for a client. */
  onActivity(): void {
    this.#hasActivity = true;
    if (this.#isSampling) return;
    this.#isSampling = true;
    this.#idleSamples = 0;
    this.#sampledAt = this.#options.monotonicNow();
    this.#startTimer();
  }

  /** The lag since the last call. */
  take(): EventLoopLag {
    const samples = this.#samplesNs;
    if (samples.count === 0) return IDLE_LAG;
    const lag = {
      min: toSeconds(samples.min),
      max: toSeconds(samples.max),
      mean: toSeconds(samples.mean),
      stddev: toSeconds(samples.stddev),
      p50: toSeconds(samples.percentile(50)),
      p90: toSeconds(samples.percentile(90)),
      p99: toSeconds(samples.percentile(99)),
    };
    samples.reset();
    return lag;
  }

  #startTimer(): void {
    this.#options.startTimer(SAMPLE_INTERVAL_MS, () => this.#sample());
  }

  #sample(): void {
    const now = this.#options.monotonicNow();
    // The histogram accepts integers of at least 1.
    this.#samplesNs.record(Math.max(1, Math.round((now - this.#sampledAt) * NS_PER_MS)));
    this.#sampledAt = now;
    const isIdle = !this.#hasActivity && !this.#options.isBusy();
    this.#hasActivity = false;
    this.#idleSamples = isIdle ? this.#idleSamples + 1 : 0;
    this.#isSampling = this.#idleSamples < MAX_IDLE_SAMPLES;
    if (this.#isSampling) this.#startTimer();
  }
}

function toSeconds(ns: number): number {
  return ns / 1e9;
}
