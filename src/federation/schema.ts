import type { GraphQLSchema } from 'graphql';
import { createSchema } from '#resolvers/schema.ts';
import { entityResolvers } from './entities.ts';

/** The schema that runs, with what makes it a subgraph. */
export function createSubgraphSchema(): GraphQLSchema {
  return createSchema([entityResolvers]);
}
