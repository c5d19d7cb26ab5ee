import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { print } from 'graphql';
import { readPublicSchema } from './public-schema.ts';
import { toSubgraphSdl } from './subgraph-sdl.ts';

/**
 * The schema as text in a module, so that the running gateway reads no file: the served SDL, and
 * the SDL for routers.
 */
export const plugin: PluginFunction = () => {
  const files = readPublicSchema();
  const domains = files.map(({ document }) => print(document));
  return [
    '/** The SDL of each domain, as written. */',
    `export const typeDefinitions = ${JSON.stringify(domains, null, 2)} as const;`,
    '',
    '/** The SDL that a supergraph is composed from. */',
    `export const subgraphSdl = ${JSON.stringify(toSubgraphSdl(files))};`,
    '',
  ].join('\n');
};
