import { readdirSync, readFileSync } from 'node:fs';
import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { parse, print } from 'graphql';

const SCHEMA_FOLDER = new URL('../schema/', import.meta.url);

/** What we promise, as text, so that the running gateway needs no file: one domain after the other, as people wrote it. */
export const plugin: PluginFunction = () => {
  const domains = readdirSync(SCHEMA_FOLDER)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => print(parse(readFileSync(new URL(name, SCHEMA_FOLDER), 'utf8'))));
  return `export const typeDefinitions = ${JSON.stringify(domains, null, 2)} as const;\n`;
};
