import { readdirSync, readFileSync } from 'node:fs';
import { type DocumentNode, parse } from 'graphql';

const SCHEMA_FOLDER = new URL('../schema/', import.meta.url);

/** The federation types: part of the served schema, but not of the published SDL. */
export const FEDERATION_FILE = 'federation.graphql';

export interface SchemaFile {
  readonly name: string;
  readonly document: DocumentNode;
}

/** The public schema, one file per domain, sorted by name. */
export function readPublicSchema(): SchemaFile[] {
  return readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => ({ name, document: parse(readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8')) }));
}
