import fc from 'fast-check';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { nestingOf } from '#http/limits/nesting.ts';

test.each([
  ['', 0],
  ['{ a }', 1],
  ['{ a(b: [{ c: [1] }]) { d } e { f } }', 5],
  ['query ($a: [[Int]]) { b }', 3],
  // What stands in texts and comments is none.
  ['{ a(b: "{{{{") }', 2],
  ['{ a(b: "\\"{{{{") }', 2],
  ['{ a(b: """{{ \\""" {{ """) }', 2],
  ['{ a # {{{{\n }', 1],
  ['{ a # {{{{\r {{', 3],
  // A text ends with its line: what comes after is none of it, whatever the parser says.
  ['{ a(b: "{{\n{', 3],
  ['{ a(b: """{{{', 2],
  ['}}}{', 1],
])('%j is nested %i deep', (text, depth) => {
  expect(nestingOf(text)).toBe(depth);
});

test('no document that parses is nested deeper than it is found to be', () => {
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
