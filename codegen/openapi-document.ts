import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const OPENAPI_PATH = new URL('../schema/revox.openapi.yaml', import.meta.url);

interface WireSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: string;
  readonly enum?: string[];
  readonly anyOf?: readonly WireSchema[];
  readonly oneOf?: readonly WireSchema[];
  readonly items?: WireSchema;
  readonly properties?: Record<string, WireSchema>;
  readonly required?: readonly string[];
  readonly discriminator?: {
    readonly propertyName: string;
    readonly mapping: Readonly<Record<string, string>>;
  };
}

interface OpenApiDocument {
  paths: Record<
    string,
    { get: { responses: { '200': { content: { 'application/json': { schema: WireSchema } } } } } }
  >;
  components: { schemas: Record<string, WireSchema> };
}

/** The documented enums of the upstream: their values by name. */
export function readWireEnums(): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(readSchemas()).flatMap(([name, schema]) =>
      schema.enum ? [[name, schema.enum]] : [],
    ),
  );
}

/** The documented guarantees about the keys of an object. */
export interface WireContract {
  /** Keys that are always present. */
  readonly required: readonly string[];
  /** Keys that are never null if present. */
  readonly notNull: readonly string[];
}

/** The contracts by the name of the object's schema. */
export function readWireContract(): Record<string, WireContract> {
  const schemas = readSchemas();
  const canBeNull = ({ $ref, ...schema }: WireSchema): boolean => {
    if ($ref) return canBeNull(schemas[toName($ref)] ?? {});
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (alternatives) return alternatives.some(canBeNull);
    // A schema without a type allows any value.
    return (
      schema.const === undefined &&
      (schema.type === undefined || [schema.type].flat().includes('null'))
    );
  };
  return Object.fromEntries(
    Object.entries(schemas).flatMap(([name, { properties, required = [] }]) =>
      properties
        ? [
            [
              name,
              {
                required,
                notNull: Object.keys(properties).filter((key) => !canBeNull(properties[key] ?? {})),
              },
            ],
          ]
        : [],
    ),
  );
}

/** The documented shape of an object, in a compact notation for a check at run time. */
export interface WireShape {
  /** Keys that are always present. */
  readonly required: readonly string[];
  /**
   * Key → its types, joined with `|`: `string`, `CallStatus`, `CallAttempt[]`, `any`; `object` is an
   * object with any keys.
   */
  readonly types: Readonly<Record<string, string>>;
}

/** The documented kinds of an object: the value of one key selects the shape. */
export interface WireUnion {
  readonly discriminator: string;
  readonly kinds: Readonly<Record<string, string>>;
}

/** The shapes of objects and envelopes by the name of the schema. */
export function readWireShapes(): Record<string, WireShape | WireUnion> {
  const schemas = readSchemas();
  const toTypes = ({ $ref, ...schema }: WireSchema): string[] => {
    if ($ref) return isUntyped(schemas[toName($ref)]) ? ['any'] : [toName($ref)];
    if (schema.anyOf) return schema.anyOf.flatMap(toTypes);
    if (schema.const !== undefined) return ['string'];
    if (schema.type === undefined) return ['any'];
    return [schema.type]
      .flat()
      .map((type) => (type === 'array' ? `${toTypes(schema.items ?? {}).join('|')}[]` : type));
  };
  const shapes: Record<string, WireShape | WireUnion> = {};
  for (const [name, { properties, required = [], discriminator }] of Object.entries(schemas)) {
    if (discriminator)
      shapes[name] = {
        discriminator: discriminator.propertyName,
        kinds: mapValues(discriminator.mapping, toName),
      };
    else if (properties)
      shapes[name] = {
        required,
        types: mapValues(properties, (schema) => toTypes(schema).join('|')),
      };
  }
  return shapes;
}

/** The schema of the successful response of each endpoint, by the path. */
export function readWireResponses(): Record<string, string> {
  return mapValues(readDocument().paths, ({ get }) =>
    toName(get.responses['200'].content['application/json'].schema.$ref ?? ''),
  );
}

function isUntyped(schema: WireSchema | undefined): boolean {
  return schema?.type === undefined && !schema?.oneOf;
}

function toName($ref: string): string {
  return $ref.replace('#/components/schemas/', '');
}

function mapValues<T, R>(
  values: Readonly<Record<string, T>>,
  toValue: (value: T) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, toValue(value)]));
}

function readSchemas(): OpenApiDocument['components']['schemas'] {
  return readDocument().components.schemas;
}

function readDocument(): OpenApiDocument {
  return parse(readFileSync(OPENAPI_PATH, 'utf8')) as OpenApiDocument;
}
