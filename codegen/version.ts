import { readFileSync } from 'node:fs';
import type { PluginFunction } from '@graphql-codegen/plugin-helpers';

/** Tells the running gateway its version: where it is installed as a package, another `package.json` lies beside it. */
export const plugin: PluginFunction = () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return `/** Of this package, as \`package.json\` has it. */\nexport const VERSION = '${version}';\n`;
};
