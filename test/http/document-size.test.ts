import { getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { measureDocument } from '#http/limits/document-size.ts';

const measureText = (text: string) => measureDocument(parse(text));

/** A chain of fragments, each of which spreads the next one twice. The last one contains `last`. */
function doubling(levels: number, last: string): string {
  const fragments = Array.from(
    { length: levels },
    (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`,
  );
  return `{ ...F0 } ${fragments.join(' ')} fragment F${levels} on Query { ${last} }`;
}

describe('Document size', () => {
  test.each([
    ['one field', '{ a }', { depth: 1, aliases: 0, directives: 0, selections: 1 }],
    ['levels of fields', '{ a { b } c { d { e } } f }', { depth: 3, selections: 6 }],
    [
      'inline fragments, which add no level',
      '{ ... { ... on Query { a { ... { b } } } } }',
      { depth: 2, selections: 5 },
    ],
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
    [
      'the longest alias',
      '{ a: x b: x { long: y ...F } } fragment F on Query { longest: y }',
      { aliasLength: 7 },
    ],
    ['no alias', '{ longest }', { aliasLength: 0 }],
    [
      'introspection of a type',
      '{ a ...F } fragment F on Query { b: __type(name: "A") { name } }',
      { usesIntrospection: true },
    ],
    [
      'introspection of the schema',
      '{ a { b: __schema { types { name } } } }',
      { usesIntrospection: true },
    ],
    [
      'introspection that another field follows',
      '{ __schema { types { name } } a }',
      { usesIntrospection: true },
    ],
    ['no introspection', '{ __typename }', { usesIntrospection: false }],
    [
      'no introspection: other fields',
      '{ _schema type __types: a _service { sdl } }',
      { usesIntrospection: false },
    ],
    ['each occurrence of an alias', '{ a: x a: x a: x }', { aliases: 3 }],
    ['each repetition of a field', '{ x x x y { x x } }', { aliases: 3 }],
    [
      'the same field in several selection sets as no repetition',
      '{ x y { x } ... { x } ...F } fragment F on Query { x }',
      { aliases: 0 },
    ],
    ['a field whose name is also an alias', '{ x: y x }', { aliases: 1 }],
    ['a field that is also selected by an alias', '{ x: y y }', { aliases: 1 }],
    [
      'aliases in a fragment once per spread',
      '{ ...F b { ...F } ...F } fragment F on Query { a: x ...G } fragment G on Query { c: y }',
      { aliases: 6 },
    ],
    [
      'directives in every position',
      `query ($v: Int @v) @o { a @f @f ... @i { a } ...F @s } fragment F on Query @d { a @f }`,
      { directives: 8 },
    ],
    [
      'directives in a fragment once per spread',
      '{ ...F ...F @s } fragment F on Query @d { a @f }',
      { directives: 5 },
    ],
    [
      'several operations by the largest',
      'query A { a: x } query B { a { b { c } } } query C { a: x b: y @d }',
      { depth: 3, aliases: 2, directives: 1, selections: 3 },
    ],
    [
      'a fragment that is never spread',
      '{ a } fragment F on Query { a: x b: x { c { d } } }',
      { depth: 3, aliases: 2 },
    ],
    ['a spread of a missing fragment', '{ a ...Gone }', { depth: 1, selections: 2 }],
    [
      'a type definition as no operation',
      'type Query { a: Int @d }',
      { depth: 0, aliases: 0, directives: 0, selections: 0 },
    ],
  ])('the document size counts %s', (_, text, expected) => {
    expect(measureText(text)).toMatchObject(expected);
  });

  test('the document size of circular fragments is finite', () => {
    const { depth } = measureText(
      '{ ...A } fragment A on Query { a { ...B } } fragment B on Query { b { ...A ...B } }',
    );
    expect(depth).toBeGreaterThanOrEqual(2);
  });

  test('a fragment that is spread 2²⁸ times is walked once', () => {
    expect(measureText(doubling(28, 'a: x { y @d }'))).toMatchObject({
      depth: 2,
      aliases: 2 ** 28,
      directives: 2 ** 28,
      selections: 2 ** 29 - 1 + 2 ** 29,
    });
  });

  test('the document size never exceeds the largest safe integer', () => {
    expect(measureText(doubling(2_000, 'a: x'))).toMatchObject({
      aliases: Number.MAX_SAFE_INTEGER,
      selections: Number.MAX_SAFE_INTEGER,
    });
  });

  test('a document is measured once', () => {
    const document = parse('{ a }');
    expect(measureDocument(document)).toBe(measureDocument(document));
  });

  test('the full introspection query is fifteen levels deep', () => {
    expect(measureText(getIntrospectionQuery()).depth).toBe(15);
  });
});
