import { describe, expect, test } from 'vitest';
import { parseJson, TooDeepError, TooManyValuesError } from '#rest/transport/parse-json.ts';

const read = (text: string) => parseJson([Buffer.from(text)]);

describe('JSON parser', () => {
  test('a body of more than a million values is rejected before it is parsed, however few bytes each value has', () => {
    expect(() => read(`[${'{},'.repeat(1_000_000)}{}]`)).toThrow(TooManyValuesError);
    expect(() => read('['.repeat(1_000_001))).toThrow(TooManyValuesError);
  });

  test('a body of fewer than a million values is parsed, however many bytes it has', () => {
    const long = ['x'.repeat(2_000_000), ...Array(400_000).fill(1)];
    expect(read(JSON.stringify(long))).toHaveLength(400_001);
  });

  test('a body that is nested too deep is rejected', () => {
    expect(() => read(`${'['.repeat(300)}${']'.repeat(300)}`)).toThrow(TooDeepError);
  });
});
