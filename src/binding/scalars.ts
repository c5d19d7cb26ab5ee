import { GraphQLError, type ValueNode, valueFromASTUntyped } from 'graphql';
import { toDateTime } from '#rest/date-time.ts';
import { isExactNumber, withoutExactNumber } from '#rest/transport/exact-number.ts';

/** Coerces a REST value; null if the value is not readable as this scalar. Never throws. */
export type CoerceScalar = (raw: unknown) => unknown;

const INT_LIMIT = 2 ** 31;

/**
 * The coercer of each scalar. A string that holds a number or a boolean is converted, and so is a
 * number or a boolean in place of a string; `toDateTime` also converts numbers and other formats.
 * Any other value of the wrong type becomes null.
 */
export const scalarCoercers: { readonly [name: string]: CoerceScalar } = {
  Boolean: (raw) => {
    if (typeof raw === 'boolean') return raw;
    return raw === 'true' ? true : raw === 'false' ? false : null;
  },
  DateTime: toDateTime,
  Float: toNumber,
  ID: toText,
  Int: (raw) => {
    const number = toNumber(raw);
    return Number.isInteger(number) && number !== null && number >= -INT_LIMIT && number < INT_LIMIT
      ? number
      : null;
  },
  JSON: (raw) => raw,
  SafeInt: (raw) => {
    const number = toNumber(raw);
    return Number.isSafeInteger(number) ? number : null;
  },
  String: toText,
};

function toNumber(raw: unknown): number | null {
  const number =
    typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : withoutExactNumber(raw);
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function toText(raw: unknown): string | null {
  if (typeof raw === 'string') return raw;
  if (isExactNumber(raw)) return raw.rawJSON;
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : null;
}

/**
 * The input parsers of the schema's own scalars; `JSON` accepts any value. `scalarCoercers` has
 * already coerced the values of fields, so serialization has nothing left to do. No argument uses
 * these scalars at present, but directives and tools may parse them.
 *
 * Plain objects for `makeExecutableSchema`, not `GraphQLScalarType`s: those would overwrite the
 * description and the `@specifiedBy` of the SDL.
 */
export const scalars = {
  DateTime: createInputParser(
    'DateTime',
    (value) => (typeof value === 'string' ? toDateTime(value) : null),
    'RFC 3339 text',
  ),
  SafeInt: createInputParser(
    'SafeInt',
    (value) => (Number.isSafeInteger(value) ? value : null),
    'an integer between -(2^53-1) and 2^53-1',
  ),
};

function createInputParser(name: string, parse: CoerceScalar, expected: string) {
  const parseValue = (value: unknown) => {
    const parsed = parse(value);
    if (parsed === null) throw new GraphQLError(`${name} must be ${expected}.`);
    return parsed;
  };
  return {
    parseValue,
    parseLiteral: (node: ValueNode, variables?: { readonly [name: string]: unknown } | null) =>
      parseValue(valueFromASTUntyped(node, variables)),
  };
}
