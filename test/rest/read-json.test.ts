import { describe, expect, onTestFinished, test, vi } from 'vitest';
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

  test('a body of a million values is parsed, and one of a value more is rejected', () => {
    const text = `[${'1,'.repeat(999_999)}1]`;
    expect(read(text)).toHaveLength(1_000_000);
    expect(() => read(text.replace('1', '1,1'))).toThrow(
      new TooManyValuesError('more than 1000000 values'),
    );
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('two hundred levels of %s are parsed, and one more is rejected', (_name, open, close) => {
    const nest = (levels: number) => `${open.repeat(levels - 1)}{}${close.repeat(levels - 1)}`;
    expect(JSON.stringify(read(nest(200)))).toBe(nest(200));
    expect(() => read(nest(201))).toThrow(new TooDeepError('more than 200 levels'));
    expect(() => read(nest(100_000))).toThrow(TooDeepError);
  });

  test('in production a value is not frozen, and its depth and its numbers are checked all the same', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('NODE_ENV', 'production');
    const file = '../../src/rest/transport/parse-json.ts?production';
    const production = (await import(file)) as typeof import('#rest/transport/parse-json.ts');
    const readInProduction = (text: string) => production.parseJson([Buffer.from(text)]);
    const text = '{"list":[{"large":12345678901234567890,"zero":-0}]}';
    const [value, frozen] = [readInProduction(text), read(text)];
    expect([value, frozen].map(Object.isFrozen)).toEqual([false, true]);
    expect([value, frozen].map((one) => JSON.stringify(one))).toEqual([text, text]);
    expect(() => readInProduction('['.repeat(201) + ']'.repeat(201))).toThrow(
      production.TooDeepError,
    );
  });
});
