import type { GraphQLOutputType } from 'graphql';
import { wirePromises } from '#generated/revox-api.ts';
import { keyOf } from './names.ts';
import type { OddityReport } from './oddities.ts';
import { substituteFor } from './other-versions.ts';
import { createReader } from './readers.ts';
import type { WireObject } from './wire-object.ts';

/** Reads a field's key of the object that has, or should have it. Never throws. */
export type KeyReader = (object: WireObject, report: OddityReport) => unknown;

/**
 * Makes the reader of a field: of its value, and of what it means that there is none. What is there costs no look at the promises.
 *
 * Keys that nobody documented are neither read nor counted. They come with every version and harm no one; to see them, every key of
 * every object would have to be looked at, and their names would be no names of ours to count under.
 */
export function createKeyReader(type: GraphQLOutputType, typeName: string, fieldName: string): KeyReader {
  const key = keyOf(typeName, fieldName);
  const read = createReader(type, typeName, fieldName);
  const promised = wirePromises[typeName];
  const isRequired = promised?.required.includes(key) ?? false;
  const mayBeNull = !promised?.notNull.includes(key);
  const substitute = substituteFor(typeName, key);

  return (object, report) => {
    const raw = object[key];
    const isAsPromised = raw === undefined ? !isRequired : raw !== null || mayBeNull;
    return isAsPromised ? read(raw, report) : readSubstitute(object, raw, report);
  };

  function readSubstitute(object: WireObject, raw: unknown, report: OddityReport): unknown {
    const derived = substitute?.(object);
    const absence = raw === null ? 'null' : 'missing';
    report.drifted(derived === undefined ? absence : 'derived', typeName, fieldName);
    return read(derived, report);
  }
}
