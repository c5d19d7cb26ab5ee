import { getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { measureDocument } from '#http/limits/document-size.ts';

const measureText = (text: string) => measureDocument(parse(text));

/** Fragments of which each spreads the next one twice; the last one holds this. */
function doubling(levels: number, last: string): string {
  const fragments = Array.from({ length: levels }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
  return `{ ...F0 } ${fragments.join(' ')} fragment F${levels} on Query { ${last} }`;
}

describe('A document is measured', () => {
  test.each([
    ['one field', '{ a }', { depth: 1, aliases: 0, directives: 0, selections: 1 }],
    ['levels of fields', '{ a { b } c { d { e } } f }', { depth: 3, selections: 6 }],
    ['inline fragments, which add no level', '{ ... { ... on Query { a { ... { b } } } } }', { depth: 2, selections: 5 }],
    [
      'fragments, which add no level',
      '{ ...F } fragment F on Query { a { ...G } } fragment G on A { b }',
      { depth: 2, selections: 4 },
    ],
    [
      'a fragment at several levels by the deepest',
      '{ ...F a { a { ...F } } } fragment F on A { b { c } }',
      { depth: 4, selections: 8 },
    ],
    ['aliases', '{ a: x b: x { c: y } }', { aliases: 3 }],
    ['the longest alias', '{ a: x b: x { long: y ...F } } fragment F on Query { longest: y }', { aliasLength: 7 }],
    ['no alias', '{ longest }', { aliasLength: 0 }],
    ['what asks for the schema', '{ a ...F } fragment F on Query { b: __type(name: "A") { name } }', { usesIntrospection: true }],
    ['what does not ask for the schema', '{ __typename }', { usesIntrospection: false }],
    ['an alias, each time', '{ a: x a: x a: x }', { aliases: 3 }],
    ['a field that is repeated, from the second time on', '{ x x x y { x x } }', { aliases: 3 }],
    [
      'the same field at several places, which repeats nothing',
      '{ x y { x } ... { x } ...F } fragment F on Query { x }',
      { aliases: 0 },
    ],
    ['a field whose name is an alias besides', '{ x: y x }', { aliases: 1 }],
    ['a field that is asked for by an alias besides', '{ x: y y }', { aliases: 1 }],
    [
      'aliases as often as they are spread',
      '{ ...F b { ...F } ...F } fragment F on Query { a: x ...G } fragment G on Query { c: y }',
      { aliases: 6 },
    ],
    [
      'directives wherever they stand',
      `query ($v: Int @v) @o { a @f @f ... @i { a } ...F @s } fragment F on Query @d { a @f }`,
      { directives: 8 },
    ],
    ['directives as often as they are spread', '{ ...F ...F @s } fragment F on Query @d { a @f }', { directives: 5 }],
    [
      'several operations by the largest',
      'query A { a: x } query B { a { b { c } } } query C { a: x b: y @d }',
      { depth: 3, aliases: 2, directives: 1, selections: 3 },
    ],
    ['a fragment that nobody spreads, too', '{ a } fragment F on Query { a: x b: x { c { d } } }', { depth: 3, aliases: 2 }],
    ['a fragment that is not there', '{ a ...Gone }', { depth: 1, selections: 2 }],
    ['what is no operation', 'type Query { a: Int @d }', { depth: 0, aliases: 0, directives: 0, selections: 0 }],
  ])('%s', (_, text, expected) => {
    expect(measureText(text)).toMatchObject(expected);
  });

  test('though its fragments go in circles', () => {
    const { depth } = measureText('{ ...A } fragment A on Query { a { ...B } } fragment B on Query { b { ...A ...B } }');
    expect(depth).toBeGreaterThanOrEqual(2);
  });

  test('by what is spread 2²⁸ times, without going there so often', () => {
    expect(measureText(doubling(28, 'a: x { y @d }'))).toMatchObject({
      depth: 2,
      aliases: 2 ** 28,
      directives: 2 ** 28,
      selections: 2 ** 29 - 1 + 2 ** 29,
    });
  });

  test('by a number, however often that is', () => {
    expect(measureText(doubling(2_000, 'a: x'))).toMatchObject({
      aliases: Number.MAX_SAFE_INTEGER,
      selections: Number.MAX_SAFE_INTEGER,
    });
  });

  test('once', () => {
    const document = parse('{ a }');
    expect(measureDocument(document)).toBe(measureDocument(document));
  });

  test('and the whole introspection is fifteen levels deep', () => {
    expect(measureText(getIntrospectionQuery()).depth).toBe(15);
  });
});
