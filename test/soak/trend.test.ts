import { describe, expect, test } from 'vitest';
import { toTrend } from './trend.ts';

/** Noise that is the same each time. */
const noise = (at: number) => Math.sin(at * 12.9898) * 5;
const samples = (toY: (at: number) => number) =>
  Array.from({ length: 60 }, (_, at) => ({ x: at * 10, y: toY(at) }));

describe('A trend', () => {
  test('of what grows is how much it grew, whatever the noise', () => {
    expect(toTrend(samples((at) => 100 + at)).rise).toBeCloseTo(59);
    expect(Math.abs(toTrend(samples((at) => 100 + at + noise(at))).rise - 59)).toBeLessThan(5);
  });

  test('of what stays the same is none', () => {
    expect(toTrend(samples(() => 100))).toEqual({ mean: 100, rise: 0 });
    expect(Math.abs(toTrend(samples((at) => 100 + noise(at))).rise)).toBeLessThan(5);
  });

  test('takes more than one moment', () => {
    expect(() => toTrend([{ x: 1, y: 1 }])).toThrow('two moments');
  });
});
