import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { buildASTSchema, concatAST, type GraphQLSchema, printSchema, visit } from 'graphql';
import { FEDERATION_FILE, readPublicSchema } from './public-schema.ts';

const FEDERATION_DIRECTIVES = ['key', 'link', 'shareable', 'tag'];

/** The SDL for code generators of clients: the public schema without federation. */
export const plugin: PluginFunction = () => `${printSchema(readClientSchema())}\n`;

/** The schema as clients see it. */
export function readClientSchema(): GraphQLSchema {
  const domains = readPublicSchema().filter(({ name }) => name !== FEDERATION_FILE);
  const document = visit(concatAST(domains.map((domain) => domain.document)), {
    Directive: ({ name }) => (FEDERATION_DIRECTIVES.includes(name.value) ? null : undefined),
  });
  return buildASTSchema(document);
}
