import fc from 'fast-check';
import { GraphQLError, isScalarType, Kind, parseValue } from 'graphql';
import { describe, expect, test } from 'vitest';
import { scalarCoercers, scalars } from '#binding/scalars.ts';
import { createSchema } from '#resolvers/schema.ts';

const MAX = Number.MAX_SAFE_INTEGER;

describe('Scalar coercion of upstream values', () => {
  test.each([
    ['String', 'text', 'text'],
    ['String', '', ''],
    ['String', 12.5, '12.5'],
    ['String', false, 'false'],
    ['String', {}, null],
    ['String', ['text'], null],
    ['ID', 'a-b', 'a-b'],
    ['ID', 42, '42'],
    ['ID', {}, null],
    ['Boolean', true, true],
    ['Boolean', false, false],
    ['Boolean', 'true', true],
    ['Boolean', 'false', false],
    ['Boolean', 1, null],
    ['Boolean', 'yes', null],
    ['Int', 0, 0],
    ['Int', 2 ** 31 - 1, 2 ** 31 - 1],
    ['Int', -(2 ** 31), -(2 ** 31)],
    ['Int', 2 ** 31, null],
    ['Int', -(2 ** 31) - 1, null],
    ['Int', 1.5, null],
    ['Int', '7', 7],
    ['Int', '', null],
    ['Int', ' ', null],
    ['Int', 'seven', null],
    ['Int', true, null],
    ['Int', [], null],
    ['SafeInt', MAX, MAX],
    ['SafeInt', -MAX, -MAX],
    ['SafeInt', MAX + 1, null],
    ['SafeInt', '-9007199254740991', -MAX],
    ['SafeInt', 0.5, null],
    ['SafeInt', {}, null],
    ['Float', 0.6, 0.6],
    ['Float', -0.5, -0.5],
    ['Float', '1.5', 1.5],
    ['Float', 'Infinity', null],
    ['Float', Number.NaN, null],
    ['Float', {}, null],
    ['JSON', { any: ['thing'] }, { any: ['thing'] }],
    ['JSON', '', ''],
    ['JSON', 0, 0],
    ['JSON', false, false],
  ])('the scalar %s coerces the upstream value %j to %j', (scalar, raw, expected) => {
    expect(scalarCoercers[scalar]!(raw)).toEqual(expected);
  });

  test('no scalar coercion throws, and each returns null or a valid value', () => {
    const isFine: Record<string, (read: unknown) => boolean> = {
      Boolean: (read) => typeof read === 'boolean',
      DateTime: (read) => typeof read === 'string',
      Float: Number.isFinite,
      ID: (read) => typeof read === 'string',
      Int: (read) => Number.isInteger(read) && (read as number) === ((read as number) | 0),
      JSON: () => true,
      SafeInt: Number.isSafeInteger,
      String: (read) => typeof read === 'string',
    };
    expect(Object.keys(scalarCoercers)).toEqual(Object.keys(isFine));
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(isFine)), (raw, scalar) => {
        const read = scalarCoercers[scalar]!(raw);
        if (read !== null) expect(read).toSatisfy(isFine[scalar]!);
      }),
      { numRuns: 2000 },
    );
  });

  test('every scalar of the schema except those of federation has a coercion', () => {
    const names = Object.values(createSchema().getTypeMap())
      .filter(isScalarType)
      .map(({ name }) => name)
      .filter((name) => !['_Any', 'federation__FieldSet', 'link__Import'].includes(name));
    expect(names.sort()).toEqual(Object.keys(scalarCoercers).sort());
  });
});

describe('Input of custom scalars', () => {
  test.each([
    ['DateTime', '2024-06-01T12:00:00Z', '2024-06-01T12:00:00Z'],
    ['DateTime', '2024-06-01', '2024-06-01T00:00:00.000Z'],
    ['SafeInt', 7, 7],
    ['SafeInt', -MAX, -MAX],
  ] as const)('the scalar %s accepts the input %j', (name, given, expected) => {
    expect(scalars[name].parseValue(given)).toBe(expected);
    expect(scalars[name].parseLiteral(parseValue(JSON.stringify(given)))).toBe(expected);
  });

  test.each([
    ['DateTime', 'soon', 'DateTime must be RFC 3339 text.'],
    ['DateTime', 1_717_243_200, 'DateTime must be RFC 3339 text.'],
    ['SafeInt', '7', 'SafeInt must be an integer between -(2^53-1) and 2^53-1.'],
    ['SafeInt', 1.5, 'SafeInt must be an integer between -(2^53-1) and 2^53-1.'],
  ] as const)('the scalar %s rejects the input %j', (name, given, message) => {
    expect(() => scalars[name].parseValue(given)).toThrow(new GraphQLError(message));
    expect(() => scalars[name].parseLiteral(parseValue(JSON.stringify(given)))).toThrow(
      new GraphQLError(message),
    );
  });

  test('a literal of a custom scalar may contain a variable', () => {
    const node = { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: 'delay' } } as const;
    expect(scalars.SafeInt.parseLiteral(node, { delay: 7 })).toBe(7);
  });

  test('the schema parses input with the custom scalars', () => {
    const type = createSchema().getType('SafeInt');
    if (!isScalarType(type)) throw new Error('SafeInt is no scalar');
    expect(type.parseValue(7)).toBe(7);
    expect(() => type.parseValue('7')).toThrow(GraphQLError);
    expect(() => type.parseLiteral(parseValue('7.5'))).toThrow(GraphQLError);
  });
});
