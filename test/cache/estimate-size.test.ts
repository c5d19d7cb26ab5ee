import { describe, expect, test } from 'vitest';
import { estimateBytes } from '#cache/estimate-size.ts';

describe('Size estimate', () => {
  test('the size estimate of any JSON value is a whole number', () => {
    for (const value of [
      null,
      true,
      0,
      -0,
      1.5,
      1e300,
      '',
      'a',
      'ж',
      [],
      {},
      [1, [2]],
      { a: { b: 'c' } },
    ]) {
      expect(estimateBytes(value)).toBeGreaterThanOrEqual(0);
      expect(estimateBytes(value) % 1).toBe(0);
    }
  });

  test('the size estimate grows with everything that is added to a value', () => {
    const steps = [
      {},
      { a: null, b: null, c: null, d: null, e: null },
      { a: 0.5, b: null, c: null, d: null, e: null },
      { a: 0.5, b: 'some text', c: null, d: null, e: null },
      { a: 0.5, b: 'some text and more', c: null, d: null, e: null },
      { a: 0.5, b: 'some text and more', c: [], d: null, e: null },
      { a: 0.5, b: 'some text and more', c: [1], d: null, e: null },
      { a: 0.5, b: 'some text and more', c: [1, 2], d: null, e: null },
      { a: 0.5, b: 'some text and more', c: [1, 2], d: {}, e: null },
      { a: 0.5, b: 'some text and more', c: [1, 2], d: { a: 1, b: 2, c: 3, d: 4, e: 5 }, e: null },
      {
        a: 0.5,
        b: 'some text and more',
        c: [1, 2],
        d: { a: 1, b: 2, c: 3, d: 4, e: 5 },
        e: null,
        f: true,
      },
    ].map(estimateBytes);
    expect(steps).toEqual([...new Set(steps)].sort((one, other) => one - other));
  });

  test('the size estimate counts two bytes a character when any character of a text is beyond Latin-1', () => {
    const latin = estimateBytes('é'.repeat(8_000));
    for (const wide of [
      `ж${'e'.repeat(7_999)}`,
      `${'e'.repeat(7_999)}ж`,
      `${'e'.repeat(7_998)}👍`,
    ]) {
      expect(estimateBytes(wide)).toBe(latin + 8_000);
    }
  });
});
