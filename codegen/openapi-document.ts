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
  readonly properties?: Record<string, WireSchema>;
  readonly required?: readonly string[];
}

interface OpenApiDocument {
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
    if ($ref) return canBeNull(schemas[$ref.replace('#/components/schemas/', '')] ?? {});
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

function readSchemas(): OpenApiDocument['components']['schemas'] {
  return (parse(readFileSync(OPENAPI_PATH, 'utf8')) as OpenApiDocument).components.schemas;
}
