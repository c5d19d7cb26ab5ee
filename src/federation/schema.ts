import type { GraphQLSchema } from 'graphql';
import { createSchema } from '#resolvers/schema.ts';
import { entityResolvers } from './entities.ts';

/** The executable schema, with the fields and types of a subgraph. */
export function createSubgraphSchema(): GraphQLSchema {
  return createSchema([entityResolvers]);
}
