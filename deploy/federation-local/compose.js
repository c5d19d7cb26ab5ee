// Composes the subgraphs of supergraph.yaml into supergraph.graphql, as a schema registry does.
import { readFileSync, writeFileSync } from 'node:fs';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { parse as parseYaml } from 'yaml';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

const { subgraphs } = parseYaml(read('supergraph.yaml'));
const services = Object.entries(subgraphs).map(([name, { routing_url: url, schema }]) => ({
  name,
  url,
  typeDefs: parse(read(schema.file)),
}));
const { supergraphSdl, errors = [] } = composeServices(services);

for (const error of errors) console.error(error.message);
if (supergraphSdl) {
  writeFileSync(new URL('supergraph.graphql', import.meta.url), supergraphSdl);
  console.log(`Composed ${services.map(({ name }) => name).join(' and ')}: supergraph.graphql`);
} else {
  process.exitCode = 1;
}
