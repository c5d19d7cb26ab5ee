import {
  type GraphQLEnumType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql';
import type { DriftReporter } from './drift.ts';
import { UNRECOGNIZED } from './names.ts';
import type { LinkedPath } from './response-path.ts';
import { scalarCoercers } from './scalars.ts';
import { hasId, isWireObject } from './wire-object.ts';

/**
 * Converts the value of a REST key to the field's GraphQL type; null if that is impossible. Never
 * throws.
 * @param path the path of the field, for its unrecognized values
 */
export type Coerce = (raw: unknown, drift: DriftReporter, path: LinkedPath) => unknown;

/**
 * Creates the coercer of a field from its type. Null becomes an empty list if the list is non-null;
 * unreadable items are dropped; an object without its required id is unreadable.
 */
export function createCoercer(
  type: GraphQLOutputType,
  typeName: string,
  fieldName: string,
  isItem = false,
): Coerce {
  if (isNonNullType(type)) {
    const coerce = createCoercer(type.ofType, typeName, fieldName, isItem);
    return isListType(type.ofType) ? (raw, drift, path) => coerce(raw, drift, path) ?? [] : coerce;
  }
  if (isListType(type)) {
    const coerceItem = createCoercer(type.ofType, typeName, fieldName, true);
    return (raw, drift, path) => {
      if (!Array.isArray(raw)) return coerceToNull(raw, drift);
      return raw.map((item) => coerceItem(item, drift, path)).filter((item) => item !== null);
    };
  }
  if (isEnumType(type)) return createEnumCoercer(type);
  if (isScalarType(type)) return createScalarCoercer(type);
  const requiresId = isObjectType(type) && hasNonNullId(type);
  return (raw, drift) => {
    const isReadable = isWireObject(raw) && (!requiresId || hasId(raw));
    return isReadable ? raw : coerceToNull(raw, drift);
  };

  /**
   * Null is reported here only for a list item. `createFieldCoercer` reports it for a key whose
   * documentation does not allow null.
   */
  function coerceToNull(raw: unknown, drift: DriftReporter): null {
    if (isItem) drift.report('dropped', typeName, fieldName);
    else if (raw != null) drift.report('unreadable', typeName, fieldName);
    return null;
  }

  function createScalarCoercer({ name }: GraphQLScalarType): Coerce {
    const coerceScalar = scalarCoercers[name];
    if (!coerceScalar) throw new Error(`The scalar ${name} has no coercer.`);
    // The API documentation does not type timestamps: its own example of one is `{}`.
    const isUntyped = name === 'DateTime';
    return (raw, drift) => {
      const value = raw == null ? null : coerceScalar(raw);
      if (value === null) return isUntyped && isEmptyObject(raw) ? null : coerceToNull(raw, drift);
      if (value !== raw && !isUntyped) drift.report('coerced', typeName, fieldName);
      return value;
    };
  }

  function createEnumCoercer(enumType: GraphQLEnumType): Coerce {
    const known = new Set(enumType.getValues().map(({ value }) => value as string));
    // The gateway's own value: an upstream value of the same name would be unrecognized, too.
    known.delete(UNRECOGNIZED);
    return (raw, drift, path) => {
      if (typeof raw !== 'string') return coerceToNull(raw, drift);
      if (known.has(raw)) return raw;
      drift.reportUnrecognized(typeName, fieldName, raw, path);
      return UNRECOGNIZED;
    };
  }
}

function isEmptyObject(raw: unknown): boolean {
  return isWireObject(raw) && Object.keys(raw).length === 0;
}

function hasNonNullId(type: GraphQLObjectType): boolean {
  const id = type.getFields().id;
  return id !== undefined && isNonNullType(id.type);
}
