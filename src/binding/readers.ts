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
import { UNRECOGNIZED } from './names.ts';
import type { OddityReport } from './oddities.ts';
import { scalarReaders } from './scalars.ts';
import { hasId, isWireObject } from './wire-object.ts';

/** Turns what REST has at a key into what GraphQL promises for the field; null where that cannot be. Never throws. */
export type Reader = (raw: unknown, report: OddityReport) => unknown;

/**
 * Makes the reader of a field from its type. Null where a list must not be null is an empty list; an item that cannot be read
 * is dropped; an object without the id it must have is no object.
 */
export function createReader(type: GraphQLOutputType, typeName: string, fieldName: string, isItem = false): Reader {
  if (isNonNullType(type)) {
    const read = createReader(type.ofType, typeName, fieldName, isItem);
    return isListType(type.ofType) ? (raw, report) => read(raw, report) ?? [] : read;
  }
  if (isListType(type)) {
    const readItem = createReader(type.ofType, typeName, fieldName, true);
    return (raw, report) => {
      if (!Array.isArray(raw)) return readNothing(raw, report);
      return raw.map((item) => readItem(item, report)).filter((item) => item !== null);
    };
  }
  if (isEnumType(type)) return createEnumReader(type);
  if (isScalarType(type)) return createScalarReader(type);
  const mustHaveId = isObjectType(type) && hasNonNullId(type);
  return (raw, report) => {
    const isReadable = isWireObject(raw) && (!mustHaveId || hasId(raw));
    return isReadable ? raw : readNothing(raw, report);
  };

  /** That there is nothing is odd of an item only: of a key the documents may allow it. */
  function readNothing(raw: unknown, report: OddityReport): null {
    if (isItem) report.drifted('dropped', typeName, fieldName);
    else if (raw != null) report.drifted('unreadable', typeName, fieldName);
    return null;
  }

  function createScalarReader({ name }: GraphQLScalarType): Reader {
    const read = scalarReaders[name];
    if (!read) throw new Error(`The scalar ${name} has no reader.`);
    // Moments may be anything by the documents, whose own example of one is `{}`.
    const isUntyped = name === 'DateTime';
    return (raw, report) => {
      const value = raw == null ? null : read(raw);
      if (value === null) return isUntyped && isEmptyObject(raw) ? null : readNothing(raw, report);
      if (value !== raw && !isUntyped) report.drifted('coerced', typeName, fieldName);
      return value;
    };
  }

  function createEnumReader(enumType: GraphQLEnumType): Reader {
    const known = new Set(enumType.getValues().map(({ value }) => value as string));
    // Ours alone: the upstream's own word would be one that we do not know.
    known.delete(UNRECOGNIZED);
    return (raw, report) => {
      if (typeof raw !== 'string') return readNothing(raw, report);
      if (known.has(raw)) return raw;
      report.unrecognized(typeName, fieldName, raw);
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
