// Composes subgraphs with a composer's library, in its own process: all packages of the composers
// must share one copy of graphql.
// Argument: the composer. Standard input: `{ subgraphs: [{ name, url, sdl }], exclude: [tag] }`.
// Standard output: `{ supergraphSdl, publicSdl, errors }`.
import { text } from 'node:stream/consumers';
import { parse, print, printSchema } from 'graphql';

const COMPOSERS = {
  async apollo({ subgraphs }) {
    const { composeServices } = await import('@apollo/composition');
    const { Supergraph } = await import('@apollo/federation-internals');
    const { supergraphSdl, errors = [], hints = [] } = composeServices(subgraphs.map(toService));
    const publicSdl =
      supergraphSdl && printSchema(Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema());
    return { supergraphSdl, publicSdl, errors: [...errors, ...hints].map(String) };
  },
  async hive({ subgraphs, exclude }) {
    const { composeServices, composeSchemaContract } = await import(
      '@theguild/federation-composition'
    );
    const services = subgraphs.map(toService);
    const filter = { include: new Set(), exclude: new Set(exclude) };
    const result =
      exclude.length > 0
        ? composeSchemaContract(services, filter, false)
        : composeServices(services);
    const { supergraphSdl, publicSdl, errors = [] } = result;
    return { supergraphSdl, publicSdl, errors: errors.map(String) };
  },
  async cosmo({ subgraphs, exclude }) {
    const { federateSubgraphs, federateSubgraphsContract } = await import(
      '@wundergraph/composition'
    );
    const given = {
      subgraphs: subgraphs.map(({ name, url, sdl }) => ({ name, url, definitions: parse(sdl) })),
      version: '1',
    };
    const contractTagOptions = {
      tagNamesToExclude: new Set(exclude),
      tagNamesToInclude: new Set(),
    };
    const result =
      exclude.length > 0
        ? federateSubgraphsContract({ ...given, contractTagOptions })
        : federateSubgraphs(given);
    const errors = [...(result.errors ?? []), ...result.warnings].map(String);
    if (!result.success) return { errors };
    return {
      supergraphSdl: print(result.federatedGraphAST),
      publicSdl: printSchema(result.federatedGraphClientSchema),
      errors,
    };
  },
};

function toService({ name, url, sdl }) {
  return { name, url, typeDefs: parse(sdl) };
}

console.log(
  JSON.stringify(await COMPOSERS[process.argv[2]](JSON.parse(await text(process.stdin)))),
);
