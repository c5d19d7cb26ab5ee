import { expect, test } from 'vitest';
import { createLatencyEstimate } from '#rest/resilience/latency-estimate.ts';

test('an endpoint without a response is expected to respond within a second', () => {
  const estimate = createLatencyEstimate();
  expect([0, 999, 1_000, 5_000].map((ms) => estimate.remainingMs('/call', ms))).toEqual([
    1_000, 1, 0, 0,
  ]);
});

test('the estimate of an endpoint follows its responses by a fifth of the difference', () => {
  const estimate = createLatencyEstimate();
  const expected = [400, 900, 0].map((ms) => {
    estimate.record('/call', ms);
    return estimate.remainingMs('/call', 100);
  });
  expect(expected).toEqual([300, 400, 300]);
  expect(estimate.remainingMs('/assistants', 100)).toBe(900);
});

test('the estimate is a second at most', () => {
  const estimate = createLatencyEstimate();
  estimate.record('/call', 30_000);
  expect(estimate.remainingMs('/call', 100)).toBe(900);
});
