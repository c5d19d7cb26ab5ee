import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { parse } from 'yaml';
import { OPENAPI_PATH } from './openapi-document.ts';

/**
 * Generates a version of the upstream contract: releases with different contracts then do not read
 * each other's entries in a shared cache.
 */
export const plugin: PluginFunction = () => {
  const { paths, components } = parse(readFileSync(OPENAPI_PATH, 'utf8')) as Record<
    string,
    unknown
  >;
  const version = createHash('sha256')
    .update(JSON.stringify(toShape({ paths, components })))
    .digest('hex')
    .slice(0, 12);
  return `/** The hash of the shapes in the upstream's contract; descriptions do not affect it. */\nexport const contractVersion = '${version}';\n`;
};

/**
 * Ignores the order of keys, comments and descriptions: otherwise an improved description would
 * empty the cache of every instance. Only a `description` or `summary` that is text counts as one:
 * a property may have the same name.
 */
function toShape(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toShape);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(
    ([key, value]) => !(/^(description|summary)$/.test(key) && typeof value === 'string'),
  );
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, toShape(value)]),
  );
}
