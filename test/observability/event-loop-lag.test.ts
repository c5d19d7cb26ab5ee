import { describe, expect, test } from 'vitest';
import { EventLoopLagSampler, SAMPLE_INTERVAL_MS } from '#observability/event-loop-lag.ts';

const IDLE_SECONDS = SAMPLE_INTERVAL_MS / 1000;

/** A sampler whose timers fire on `tick`, with the lateness that the test chooses. */
function createSampler() {
  let now = 0;
  let inProgress = 0;
  const timers: (() => void)[] = [];
  const sampler = new EventLoopLagSampler({
    isBusy: () => inProgress > 0,
    monotonicNow: () => now,
    startTimer: (ms, onTime) => {
      expect(ms).toBe(SAMPLE_INTERVAL_MS);
      timers.push(onTime);
      return () => {};
    },
  });
  return {
    sampler,
    setInProgress(count: number) {
      inProgress = count;
    },
    wait(ms: number) {
      now += ms;
    },
    /** Fires the pending timer late; returns whether there is one. */
    tick(lateMs = 0): boolean {
      const onTime = timers.shift();
      now += SAMPLE_INTERVAL_MS + lateMs;
      onTime?.();
      return onTime !== undefined;
    },
    hasTimer: () => timers.length > 0,
  };
}

describe('Event loop lag', () => {
  test('a process without requests has no timer and reports the lag of an idle event loop', () => {
    const { sampler, hasTimer } = createSampler();
    expect(hasTimer()).toBe(false);
    expect(sampler.take()).toEqual({
      min: IDLE_SECONDS,
      max: IDLE_SECONDS,
      mean: IDLE_SECONDS,
      stddev: 0,
      p50: IDLE_SECONDS,
      p90: IDLE_SECONDS,
      p99: IDLE_SECONDS,
    });
  });

  test('sampling starts with a request and reports how late timers fired, once', () => {
    const { sampler, tick } = createSampler();
    sampler.onActivity();
    for (let sample = 0; sample < 9; sample += 1) tick();
    tick(490);
    const lag = sampler.take();
    expect(lag.min).toBeCloseTo(0.01, 3);
    expect(lag.p50).toBeCloseTo(0.01, 3);
    expect(lag.max).toBeCloseTo(0.5, 3);
    expect(lag.p99).toBeCloseTo(0.5, 3);
    expect(lag.mean).toBeCloseTo(0.059, 3);
    expect(sampler.take().max).toBe(IDLE_SECONDS);
  });

  test('sampling has one timer however many requests arrive, and stops a tenth of a second after the last', () => {
    const { sampler, tick, hasTimer } = createSampler();
    for (let request = 0; request < 5; request += 1) sampler.onActivity();
    tick();
    sampler.onActivity();
    let samples = 0;
    while (tick()) samples += 1;
    expect(samples).toBe(11);
    expect(hasTimer()).toBe(false);
  });

  test('sampling goes on while a request is in progress', () => {
    const { sampler, setInProgress, tick, hasTimer } = createSampler();
    setInProgress(1);
    sampler.onActivity();
    for (let sample = 0; sample < 1_000; sample += 1) tick();
    expect(hasTimer()).toBe(true);
    setInProgress(0);
    while (tick());
    expect(hasTimer()).toBe(false);
  });

  test('the time without sampling is not part of the lag', () => {
    const { sampler, wait, tick } = createSampler();
    sampler.onActivity();
    while (tick());
    sampler.take();
    wait(60_000);
    sampler.onActivity();
    tick();
    expect(sampler.take().max).toBeCloseTo(0.01, 3);
  });
});
