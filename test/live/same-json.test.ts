import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSameJson } from '../../src/live/same-json.ts';

/** Few names and values, so that equal pairs are frequent. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, 1, '', 'a'),
    fc.array(tie('json'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '0'), tie('json'), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
  ),
}));

describe('Comparison of JSON values', () => {
  test('finds every difference of two values', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(isSameJson(one, other)).toBe(isDeepStrictEqual(one, other));
        expect(isSameJson(one, JSON.parse(JSON.stringify(one)))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['an inherited name', { a: 1 }, { toString: 1 }],
    ['an absent property', { a: 1, b: 2 }, { a: 1 }],
    ['a list and an object', [1], { 0: 1 }],
    ['null and an object', null, {}],
    ['a number and its text', 1, '1'],
  ])('distinguishes %s', (_, one, other) => {
    expect(isSameJson(one, other)).toBe(false);
    expect(isSameJson(other, one)).toBe(false);
  });

  test('ignores the order of properties', () => {
    expect(isSameJson({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
  });
});
