import { describe, expect, test } from 'vitest';
import { isExactNumber } from '#rest/transport/exact-number.ts';
import { parseJson, parseOwnJson, TooDeepError } from '#rest/transport/parse-json.ts';

const parse = (text: string) => parseJson([Buffer.from(text)]);

/** Numbers that a JavaScript number would change. */
const CHANGED = [
  '750727362669608961',
  '-750727362669608961',
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551615',
  `${'9'.repeat(400)}1`,
  '9.007199254740993e15',
  '1234567890123456789e3',
  '0.1000000000000000055511151231257827',
  '0.10000000000000001',
  '1.000000000000000000001',
  '3.14159265358979323846',
  '1e400',
  '-1E+400',
  '12345678901234567e-3',
  '-12345678901234567E-3',
  '1.23456789012345678901e+2',
  '1.23456789012345678901E+2',
  '1.23456789012345678901e2',
  '1.23456789012345678901E2',
  '-0',
  '-0.0',
];

/** Numbers that keep their value as JavaScript numbers, whatever their text is. */
const KEPT = [
  '0',
  '1e2',
  '1.50',
  '0.0',
  '9007199254740991',
  '9007199254740992',
  '1000000000000000000000',
  '1e22',
  '1.0000000000000000000',
  '0.30000000000000004',
  '4.9e-324',
  '1.7976931348623157e308',
  '123456789012345.6',
];

describe('Exact numbers', () => {
  test.each(CHANGED)('%s keeps its digits', (number) => {
    for (const text of [
      `{"a":${number}}`,
      `[ ${number} ]`,
      `{"a":[1,${number}\n,2],"b":"x"}`,
      `{"a":"${number}, \\"${number}\\\\","b":${number}}`,
    ]) {
      const value = parse(text);
      expect(JSON.stringify(value).replaceAll(' ', '')).toBe(
        text.replace(/[ \n](?=[-\d,\]])|[\n]| (?=\])/g, '').replaceAll(' ', ''),
      );
    }
    const { a } = parse(`{"a":${number}}`) as { a: unknown };
    expect([isExactNumber(a), Object.isFrozen(a)]).toEqual([true, true]);
  });

  test.each([
    ['colon', '{"a":', '}'],
    ['comma', '[1,', ']'],
    ['opening bracket', '[', ']'],
    ['closing brace', '{"a":1,"b":', '}'],
    ['blank', '[ ', ' ]'],
    ['tab', '[\t', '\t]'],
    ['carriage return', '[\r', '\r]'],
    ['line feed', '[\n', '\n]'],
    ['comma after it', '[', ',1]'],
    ['beginning and end of the text', '', ''],
  ])('a number keeps its digits beside a %s', (_name, before, after) => {
    // Only the text shows that a small number changes.
    for (const number of ['9007199254740993', '0.12345678901234567891', '-12345678901234567e-3'])
      expect(JSON.stringify(parse(before + number + after))).toBe(
        `${before}${number}${after}`.replace(/\s/g, ''),
      );
  });

  test.each(KEPT)('%s is an ordinary number', (number) => {
    const { a } = parse(`{"a":${number}}`) as { a: unknown };
    expect(a).toBe(Number(number));
  });

  test.each([
    ['a text of digits', '{"a":"750727362669608961","b":1}'],
    ['a text with digits between commas', '{"a":"x, 750727362669608961, y"}'],
    ['a text that ends with a backslash', '{"a":"\\\\","b":"750727362669608961"}'],
    ['a name of digits', '{"750727362669608961":1}'],
    ['a lone surrogate', '{"a":"\\ud800","b":"\\udc00x"}'],
    ['the beginning of a mark', '{"a":"\\u0000AAAA"}'],
  ])('%s stays as it is, beside an exact number too', (_name, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
    const both = `{"n":750727362669608961,"o":${text}}`;
    expect(JSON.stringify(parse(both))).toBe(
      `{"n":750727362669608961,"o":${JSON.stringify(JSON.parse(text))}}`,
    );
  });

  test('of duplicate names the last value counts, whichever of them is exact', () => {
    expect(JSON.stringify(parse('{"a":1,"a":750727362669608961}'))).toBe(
      '{"a":750727362669608961}',
    );
    expect(JSON.stringify(parse('{"a":750727362669608961,"a":1}'))).toBe('{"a":1}');
  });

  test('a property named `__proto__` is data', () => {
    const value = parse('{"__proto__":{"a":750727362669608961},"b":750727362669608961}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe(
      '{"__proto__":{"a":750727362669608961},"b":750727362669608961}',
    );
  });

  test('invalid JSON and deep nesting are rejected beside an exact number', () => {
    expect(() => parse('{"a":750727362669608961,}')).toThrow(SyntaxError);
    expect(() => parse('{750727362669608961:1}')).toThrow(SyntaxError);
    expect(() => parse('[0750727362669608961]')).toThrow(SyntaxError);
    expect(() => parse(`${'['.repeat(300)}750727362669608961${']'.repeat(300)}`)).toThrow(
      TooDeepError,
    );
  });

  test('the scan takes linear time for a text of digits', () => {
    // With quadratic time this test would take minutes.
    const text = `{"a":"${'1'.repeat(4_000_000)}","b":0.${'0'.repeat(400_000)}1}`;
    expect(JSON.stringify(parse(text)).length).toBeLessThanOrEqual(text.length);
  });

  test('a number at any place of the body is found, and survives a second round', () => {
    for (let offset = 0; offset < 40; offset += 1) {
      const text = `{"${'p'.repeat(offset)}":9007199254740993}`;
      const value = parse(text);
      expect(JSON.stringify(value)).toBe(text);
      expect(JSON.stringify(parseOwnJson(Buffer.from(JSON.stringify(value))))).toBe(text);
    }
  });
});
