import fc from 'fast-check';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { nestingOf } from '#http/limits/nesting.ts';

test.each([
  ['', 0],
  ['{ a }', 1],
  ['{ a(b: [{ c: [1] }]) { d } e { f } }', 5],
  ['query ($a: [[Int]]) { b }', 3],
  // Each kind of bracket opens a level, and its end closes the level.
  ['{{{', 3],
  ['[[[', 3],
  ['(((', 3],
  ['<<<', 0],
  ['{}{}{', 1],
  ['[][][', 1],
  ['()()(', 1],
  ['{ a(b: 1) c(d: 2) e(f: [3]) }', 3],
  // Brackets in strings and comments do not count.
  ['{ a(b: "{{{{") }', 2],
  ['{ a(b: "\\"{{{{") }', 2],
  ['{ a(b: """{{ \\""" {{ """) }', 2],
  ['{ a # {{{{\n }', 1],
  ['{ a # {{{{\r {{', 3],
  // An unterminated string ends with its line: brackets on the next line count.
  ['{ a(b: "{{\n{', 3],
  ['{ a(b: """{{{', 2],
  ['}}}{', 1],
])('the document %j is nested %i brackets deep', (text, depth) => {
  expect(nestingOf(text)).toBe(depth);
});

test('the nesting of a valid document is measured exactly', () => {
  const value = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
      fc.array(tie('value'), { minLength: 1, maxLength: 2 }).map((items) => `[${items.join()}]`),
      tie('value').map((inner) => `{ a: ${inner} }`),
    ),
  })).value;
  fc.assert(
    fc.property(value, (text) => {
      parse(`{ a(b: ${text}) }`);
      const brackets = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
      let depth = 2;
      let deepest = 2;
      for (const character of brackets) {
        if ('[{'.includes(character)) deepest = Math.max(deepest, ++depth);
        else if (']}'.includes(character)) depth -= 1;
      }
      expect(nestingOf(`{ a(b: ${text}) }`)).toBe(deepest);
    }),
  );
});
