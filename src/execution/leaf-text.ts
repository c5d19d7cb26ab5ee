import {
  GraphQLBoolean,
  type GraphQLEnumType,
  GraphQLID,
  type GraphQLLeafType,
  GraphQLString,
  isEnumType,
} from 'graphql';
import { toJsonNumber, toJsonString } from './json-text.ts';
import { MAX_INLINE_LENGTH, type ResponseData } from './response-data.ts';

/**
 * Serializes a value of a scalar or an enum to JSON text.
 * @throws GraphQLError for a value that the type cannot represent
 */
export type WriteLeaf = (value: NonNullable<unknown>, data: ResponseData) => string;

/** Types whose `serialize` returns these values unchanged. */
const UNCHANGED: ReadonlyMap<GraphQLLeafType, 'string' | 'boolean'> = new Map<
  GraphQLLeafType,
  'string' | 'boolean'
>([
  [GraphQLString, 'string'],
  [GraphQLID, 'string'],
  [GraphQLBoolean, 'boolean'],
]);

export function createLeafWriter(type: GraphQLLeafType): WriteLeaf {
  if (isEnumType(type)) return createEnumWriter(type);
  const unchanged = UNCHANGED.get(type);
  return (value, data) =>
    writeScalar(typeof value === unchanged ? value : type.serialize(value), data, type);
}

function createEnumWriter(type: GraphQLEnumType): WriteLeaf {
  const texts = new Map(type.getValues().map(({ name, value }) => [value, `"${name}"`]));
  // `serialize` throws for any other value.
  return (value) => texts.get(value) ?? `"${type.serialize(value)}"`;
}

function writeScalar(value: unknown, data: ResponseData, type: GraphQLLeafType): string {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_INLINE_LENGTH ? data.defer(value) : toJsonString(value);
    case 'number':
      return toJsonNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null || value === undefined)
        throw new Error(`${type.name} cannot represent the value of a resolver.`);
      return writeJson(value, data);
  }
}

function writeJson(value: unknown, data: ResponseData): string {
  const text = JSON.stringify(value);
  return text.length > MAX_INLINE_LENGTH ? data.defer(value) : text;
}
