import type { GraphQLOutputType } from 'graphql';
import { wireContracts } from '#generated/revox-api.ts';
import { createCoercer } from './coercion.ts';
import type { DriftReporter } from './drift.ts';
import { keyOf } from './names.ts';
import type { LinkedPath } from './response-path.ts';
import { fallbackFor } from './version-fallbacks.ts';
import type { WireObject } from './wire-object.ts';

/** Reads a field's REST key from an object, whether or not the object has it. Never throws. */
export type CoerceField = (object: WireObject, drift: DriftReporter, path: LinkedPath) => unknown;

/**
 * Creates the coercer of a field: it coerces a value, and reports a missing or null one. A value
 * that is present needs no lookup in the API contract.
 *
 * Undocumented keys are neither read nor counted. Every version of the API adds some, and they are
 * harmless. To detect them, the gateway would have to inspect every key of every object, and their
 * names, chosen by the upstream, would become metric labels.
 */
export function createFieldCoercer(
  type: GraphQLOutputType,
  typeName: string,
  fieldName: string,
): CoerceField {
  const key = keyOf(typeName, fieldName);
  const coerce = createCoercer(type, typeName, fieldName);
  const contract = wireContracts[typeName];
  const isRequired = contract?.required.includes(key) ?? false;
  const canBeNull = !contract?.notNull.includes(key);
  const fallback = fallbackFor(typeName, key);

  return (object, drift, path) => {
    const raw = object[key];
    const matchesContract = raw === undefined ? !isRequired : raw !== null || canBeNull;
    return matchesContract ? coerce(raw, drift, path) : coerceFallback(object, raw, drift, path);
  };

  function coerceFallback(
    object: WireObject,
    raw: unknown,
    drift: DriftReporter,
    path: LinkedPath,
  ): unknown {
    const derived = fallback?.(object);
    const absenceKind = raw === null ? 'null' : 'missing';
    drift.report(derived === undefined ? absenceKind : 'derived', typeName, fieldName);
    return coerce(derived, drift, path);
  }
}
