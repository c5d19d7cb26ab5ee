import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const OPENAPI_PATH = new URL('../schema/revox.openapi.yaml', import.meta.url);

interface OpenApiDocument {
  components: { schemas: Record<string, { enum?: string[] }> };
}

/** The enums that the upstream documents: their values by name. */
export function readWireEnums(): Record<string, string[]> {
  const document = parse(readFileSync(OPENAPI_PATH, 'utf8')) as OpenApiDocument;
  return Object.fromEntries(
    Object.entries(document.components.schemas).flatMap(([name, schema]) => (schema.enum ? [[name, schema.enum]] : [])),
  );
}
