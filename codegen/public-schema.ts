import { readdirSync, readFileSync } from 'node:fs';
import { type DocumentNode, parse } from 'graphql';

const SCHEMA_FOLDER = new URL('../schema/', import.meta.url);

/** The federation types: part of the served schema, but not of the published SDL. */
export const FEDERATION_FILE = 'federation.graphql';

export interface SchemaFile {
  readonly name: string;
  readonly document: DocumentNode;
}

/**
 * The order of the files, which is the order of the root fields: calls first, as the API's subject;
 * fields for clients and routers last. Other files are between them, by name.
 */
const FIRST_FILES = ['query.graphql', 'call.graphql', 'call-attempt.graphql'];
const LAST_FILES = ['node.graphql', FEDERATION_FILE];

/** The public schema, one file per domain. */
export function readPublicSchema(): SchemaFile[] {
  const names = readdirSync(SCHEMA_FOLDER).filter((name) => name.endsWith('.graphql'));
  const isFixed = (name: string) => FIRST_FILES.includes(name) || LAST_FILES.includes(name);
  const others = names.filter((name) => !isFixed(name)).sort();
  return [...FIRST_FILES, ...others, ...LAST_FILES].map((name) => ({
    name,
    document: parse(readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8')),
  }));
}
