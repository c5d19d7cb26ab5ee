import { readFileSync } from 'node:fs';
import type { PluginFunction } from '@graphql-codegen/plugin-helpers';

/**
 * Generates the version as a module: in an installed package, the running code has a different
 * `package.json` next to it.
 */
export const plugin: PluginFunction = () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  return `/** The version of this package, from \`package.json\`. */\nexport const VERSION = '${version}';\n`;
};
