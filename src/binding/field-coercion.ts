import type { GraphQLOutputType } from 'graphql';
import { wirePromises } from '#generated/revox-api.ts';
import { createCoercer } from './coercion.ts';
import type { DriftReporter } from './drift.ts';
import { keyOf } from './names.ts';
import { fallbackFor } from './version-fallbacks.ts';
import type { WireObject } from './wire-object.ts';

/** Reads a field's key of the object that has, or should have it. Never throws. */
export type CoerceField = (object: WireObject, drift: DriftReporter) => unknown;

/**
 * Makes the reader of a field: of its value, and of what it means that there is none. What is there costs no look at the promises.
 *
 * Keys that nobody documented are neither read nor counted. They come with every version and harm no one; to see them, every key of
 * every object would have to be looked at, and their names would be no names of ours to count under.
 */
export function createFieldCoercer(type: GraphQLOutputType, typeName: string, fieldName: string): CoerceField {
  const key = keyOf(typeName, fieldName);
  const coerce = createCoercer(type, typeName, fieldName);
  const contract = wirePromises[typeName];
  const isRequired = contract?.required.includes(key) ?? false;
  const canBeNull = !contract?.notNull.includes(key);
  const fallback = fallbackFor(typeName, key);

  return (object, report) => {
    const raw = object[key];
    const matchesContract = raw === undefined ? !isRequired : raw !== null || canBeNull;
    return matchesContract ? coerce(raw, report) : coerceFallback(object, raw, report);
  };

  function coerceFallback(object: WireObject, raw: unknown, drift: DriftReporter): unknown {
    const derived = fallback?.(object);
    const absenceKind = raw === null ? 'null' : 'missing';
    drift.report(derived === undefined ? absenceKind : 'derived', typeName, fieldName);
    return coerce(derived, drift);
  }
}
