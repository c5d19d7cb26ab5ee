import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { print } from 'graphql';
import { readPublicSchema } from './public-schema.ts';
import { toSubgraphSdl } from './subgraph-sdl.ts';

/** What we promise, as text, so that the running gateway needs no file: what it serves, and what it tells a router. */
export const plugin: PluginFunction = () => {
  const files = readPublicSchema();
  const domains = files.map(({ document }) => print(document));
  return [
    '/** One domain after the other, as people wrote it. */',
    `export const typeDefinitions = ${JSON.stringify(domains, null, 2)} as const;`,
    '',
    '/** What a supergraph is composed from. */',
    `export const subgraphSdl = ${JSON.stringify(toSubgraphSdl(files))};`,
    '',
  ].join('\n');
};
