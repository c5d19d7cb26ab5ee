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
import { scalarCoercers } from './scalars.ts';
import { hasId, isWireObject } from './wire-object.ts';

/** Turns what REST has at a key into what GraphQL promises for the field; null where that cannot be. Never throws. */
export type Coerce = (raw: unknown, drift: DriftReporter) => unknown;

/**
 * Makes the reader of a field from its type. Null where a list must not be null is an empty list; an item that cannot be read
 * is dropped; an object without the id it must have is no object.
 */
export function createCoercer(type: GraphQLOutputType, typeName: string, fieldName: string, isItem = false): Coerce {
  if (isNonNullType(type)) {
    const coerce = createCoercer(type.ofType, typeName, fieldName, isItem);
    return isListType(type.ofType) ? (raw, report) => coerce(raw, report) ?? [] : coerce;
  }
  if (isListType(type)) {
    const coerceItem = createCoercer(type.ofType, typeName, fieldName, true);
    return (raw, report) => {
      if (!Array.isArray(raw)) return coerceToNull(raw, report);
      return raw.map((item) => coerceItem(item, report)).filter((item) => item !== null);
    };
  }
  if (isEnumType(type)) return createEnumCoercer(type);
  if (isScalarType(type)) return createScalarCoercer(type);
  const requiresId = isObjectType(type) && hasNonNullId(type);
  return (raw, report) => {
    const isReadable = isWireObject(raw) && (!requiresId || hasId(raw));
    return isReadable ? raw : coerceToNull(raw, report);
  };

  /** That there is nothing is odd of an item only: of a key the documents may allow it. */
  function coerceToNull(raw: unknown, drift: DriftReporter): null {
    if (isItem) drift.report('dropped', typeName, fieldName);
    else if (raw != null) drift.report('unreadable', typeName, fieldName);
    return null;
  }

  function createScalarCoercer({ name }: GraphQLScalarType): Coerce {
    const coerceScalar = scalarCoercers[name];
    if (!coerceScalar) throw new Error(`The scalar ${name} has no reader.`);
    // Moments may be anything by the documents, whose own example of one is `{}`.
    const isUntyped = name === 'DateTime';
    return (raw, report) => {
      const value = raw == null ? null : coerceScalar(raw);
      if (value === null) return isUntyped && isEmptyObject(raw) ? null : coerceToNull(raw, report);
      if (value !== raw && !isUntyped) report.report('coerced', typeName, fieldName);
      return value;
    };
  }

  function createEnumCoercer(enumType: GraphQLEnumType): Coerce {
    const known = new Set(enumType.getValues().map(({ value }) => value as string));
    // Ours alone: the upstream's own word would be one that we do not know.
    known.delete(UNRECOGNIZED);
    return (raw, report) => {
      if (typeof raw !== 'string') return coerceToNull(raw, report);
      if (known.has(raw)) return raw;
      report.reportUnrecognized(typeName, fieldName, raw);
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
