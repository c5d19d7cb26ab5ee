import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { parse } from 'yaml';
import { OPENAPI_PATH } from './openapi-document.ts';

/** Names what we rely on, so that releases which read another shape do not read each other's answers where they share a memory. */
export const plugin: PluginFunction = () => {
  const { paths, components } = parse(readFileSync(OPENAPI_PATH, 'utf8')) as Record<string, unknown>;
  const version = createHash('sha256')
    .update(JSON.stringify(toShape({ paths, components })))
    .digest('hex')
    .slice(0, 12);
  return `/** Of the shapes that the upstream's contract describes; its words do not count. */\nexport const contractVersion = '${version}';\n`;
};

/**
 * Without the order of keys and without comments and descriptions: a word put better would leave every instance with nothing remembered. A
 * description is text; a property may be called the same.
 */
function toShape(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toShape);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(
    ([key, value]) => !(/^(description|summary)$/.test(key) && typeof value === 'string'),
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, toShape(value)]));
}
