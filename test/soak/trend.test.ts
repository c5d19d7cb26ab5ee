import { describe, expect, test } from 'vitest';
import { toTrend } from './trend.ts';

/** Deterministic noise. */
const noise = (at: number) => Math.sin(at * 12.9898) * 5;
const samples = (toY: (at: number) => number) =>
  Array.from({ length: 60 }, (_, at) => ({ x: at * 10, y: toY(at) }));

describe('Trend', () => {
  test('the trend of growing values is their growth, despite noise', () => {
    expect(toTrend(samples((at) => 100 + at)).rise).toBeCloseTo(59);
    expect(Math.abs(toTrend(samples((at) => 100 + at + noise(at))).rise - 59)).toBeLessThan(5);
  });

  test('the trend of constant values has no rise, despite noise', () => {
    expect(toTrend(samples(() => 100))).toEqual({ mean: 100, rise: 0 });
    expect(Math.abs(toTrend(samples((at) => 100 + noise(at))).rise)).toBeLessThan(5);
  });

  test('a trend requires points at two moments', () => {
    expect(() => toTrend([{ x: 1, y: 1 }])).toThrow('two moments');
  });
});
