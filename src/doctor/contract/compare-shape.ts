import { toFieldName } from '#binding/names.ts';
import { scalarCoercers } from '#binding/scalars.ts';
import { fallbackFor } from '#binding/version-fallbacks.ts';
import { isWireObject, type WireObject } from '#binding/wire-object.ts';
import type { DriftKind } from '#extensions.ts';
import { wireEnums } from '#generated/revox-api.ts';
import { wireResponses, wireShapes } from '#generated/wire-shapes.ts';
import { withoutExactNumber } from '#rest/transport/exact-number.ts';

/** How responses differ from the contract. It contains names and enum values, and no other data. */
export interface ShapeReport {
  /** `type.field kind`, as in the metric of the gateway, with the number of objects. */
  readonly drift: Map<string, number>;
  /** `type.key` of each key that the contract lacks. */
  readonly unknownKeys: Set<string>;
  /** `type.field=value` of each enum value that the schema does not know. */
  readonly unknownValues: Set<string>;
}

export function createShapeReport(): ShapeReport {
  return { drift: new Map(), unknownKeys: new Set(), unknownValues: new Set() };
}

/** Other names and values may be data in the place of a name: they are counted, and not shown. */
const PRINTABLE_NAME = /^[A-Za-z_][\w-]{0,63}$/;
const UNPRINTABLE = '(not printable)';

/** Scalar types of the contract, and the scalar of the schema that reads them. */
const READERS: { readonly [type: string]: string } = {
  string: 'String',
  number: 'Float',
  integer: 'SafeInt',
  boolean: 'Boolean',
};

/** Compares a response with the contract of its endpoint, and adds the differences to the report. */
export function compareResponse(endpoint: string, json: unknown, report: ShapeReport): void {
  const type = wireResponses[endpoint];
  if (type === undefined) return;
  if (isWireObject(json)) compareObject(type, json, report);
  else report.drift.set(`${type} unreadable`, 1);
}

function compareObject(type: string, object: WireObject, report: ShapeReport): void {
  const shape = wireShapes[type];
  if (!shape) return;
  if ('kinds' in shape) {
    const value = object[shape.discriminator];
    const kind = typeof value === 'string' ? shape.kinds[value] : undefined;
    if (kind === undefined) addUnrecognized(type, shape.discriminator, value, report);
    else compareObject(kind, object, report);
    return;
  }
  for (const [key, types] of Object.entries(shape.types))
    compareKey({ type, key, types, isRequired: shape.required.includes(key) }, object, report);
  for (const key of Object.keys(object)) {
    if (!Object.hasOwn(shape.types, key))
      report.unknownKeys.add(`${type}.${PRINTABLE_NAME.test(key) ? key : UNPRINTABLE}`);
  }
}

interface Key {
  readonly type: string;
  readonly key: string;
  readonly types: string;
  readonly isRequired: boolean;
}

function compareKey(
  { type, key, types, isRequired }: Key,
  object: WireObject,
  report: ShapeReport,
): void {
  const value = object[key];
  const alternatives = types.split('|');
  const canBeNull = alternatives.includes('null') || alternatives.includes('any');
  const isAbsent = value === undefined || value === null;
  if (!isAbsent) compareValue(type, key, alternatives, value, report);
  else if (value === undefined ? isRequired : !canBeNull) {
    const isDerived = fallbackFor(type, key)?.(object) !== undefined;
    addDrift(type, key, isDerived ? 'derived' : value === null ? 'null' : 'missing', report);
  }
}

function compareValue(
  type: string,
  key: string,
  alternatives: readonly string[],
  value: unknown,
  report: ShapeReport,
): void {
  const match = alternatives.find((alternative) => isOfType(alternative, value));
  if (match === undefined) addDrift(type, key, toMismatch(alternatives, value), report);
  else if (Array.isArray(value)) compareItems(type, key, match.slice(0, -2), value, report);
  else if (wireEnums[match]) {
    if (!wireEnums[match].includes(String(value))) addUnrecognized(type, key, value, report);
  } else if (isWireObject(value)) compareObject(match, value, report);
}

function compareItems(
  type: string,
  key: string,
  itemType: string,
  items: readonly unknown[],
  report: ShapeReport,
): void {
  for (const item of items) {
    if (!isOfType(itemType, item)) addDrift(type, key, 'dropped', report);
    else if (isWireObject(item)) compareObject(itemType, item, report);
  }
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'any') return true;
  if (type.endsWith('[]')) return Array.isArray(value);
  if (type === 'string' || wireEnums[type]) return typeof value === 'string';
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'number') return typeof withoutExactNumber(value) === 'number';
  if (type === 'integer') return Number.isInteger(withoutExactNumber(value));
  return type !== 'null' && isWireObject(value);
}

/** Whether the gateway reads a value of another type than the documented one. */
function toMismatch(alternatives: readonly string[], value: unknown): DriftKind {
  const isReadable = alternatives.some((type) => {
    const coerce = scalarCoercers[READERS[type] ?? ''];
    return coerce !== undefined && coerce(value) !== null;
  });
  return isReadable ? 'coerced' : 'unreadable';
}

function addUnrecognized(type: string, key: string, value: unknown, report: ShapeReport): void {
  addDrift(type, key, 'unrecognized', report);
  const isPrintable = typeof value === 'string' && PRINTABLE_NAME.test(value);
  report.unknownValues.add(`${type}.${toFieldName(key)}=${isPrintable ? value : UNPRINTABLE}`);
}

function addDrift(type: string, key: string, kind: DriftKind, { drift }: ShapeReport): void {
  const name = `${type}.${toFieldName(key)} ${kind}`;
  drift.set(name, (drift.get(name) ?? 0) + 1);
}
