import {
  type GraphQLEnumType,
  type GraphQLObjectType,
  type GraphQLOutputType,
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
export function createReader(type: GraphQLOutputType, typeName: string, fieldName: string): Reader {
  if (isNonNullType(type)) {
    const read = createReader(type.ofType, typeName, fieldName);
    return isListType(type.ofType) ? (raw, report) => read(raw, report) ?? [] : read;
  }
  if (isListType(type)) {
    const readItem = createReader(type.ofType, typeName, fieldName);
    return (raw, report) => {
      if (!Array.isArray(raw)) return readNothing(raw, report);
      const items = raw.map((item) => readItem(item, report));
      const readable = items.filter((item) => item !== null);
      for (let dropped = readable.length; dropped < items.length; dropped += 1) report.unreadable(typeName, fieldName);
      return readable;
    };
  }
  if (isEnumType(type)) return createEnumReader(type);
  if (isScalarType(type)) {
    const read = scalarReaders[type.name];
    if (!read) throw new Error(`The scalar ${type.name} has no reader.`);
    return (raw, report) => (raw == null ? null : (read(raw) ?? readNothing(raw, report)));
  }
  const mustHaveId = isObjectType(type) && hasNonNullId(type);
  return (raw, report) => {
    const isReadable = isWireObject(raw) && (!mustHaveId || hasId(raw));
    return isReadable ? raw : readNothing(raw, report);
  };

  function readNothing(raw: unknown, report: OddityReport): null {
    if (raw != null) report.unreadable(typeName, fieldName);
    return null;
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

function hasNonNullId(type: GraphQLObjectType): boolean {
  const id = type.getFields().id;
  return id !== undefined && isNonNullType(id.type);
}
