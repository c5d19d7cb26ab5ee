import { readdirSync, readFileSync } from 'node:fs';
import { type DocumentNode, parse } from 'graphql';

const SCHEMA_FOLDER = new URL('../schema/', import.meta.url);

/** The machinery of federation: served, and left out of what is handed out. */
export const FEDERATION_FILE = 'federation.graphql';

export interface SchemaFile {
  readonly name: string;
  readonly document: DocumentNode;
}

/** What we promise, one file a domain, in the order of their names. */
export function readPublicSchema(): SchemaFile[] {
  return readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => ({ name, document: parse(readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8')) }));
}
