import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { bind } from '#binding/bind.ts';
import { enumResolvers } from '#binding/enums.ts';
import { scalars } from '#binding/scalars.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { typeDefinitions } from '#generated/type-definitions.ts';
import { resolvers } from './resolvers.ts';

/**
 * The executable schema: the public SDL, with a resolver where one is written, and bound to REST
 * everywhere else.
 * @param extraResolvers resolvers of other layers
 */
export function createSchema(extraResolvers: readonly Resolvers[] = []): GraphQLSchema {
  return bind(
    makeExecutableSchema({
      typeDefs: [...typeDefinitions],
      // Validation takes a quarter of the build time. The SDL is the same at each start: the tests
      // validate it.
      assumeValidSDL: true,
      resolvers: [enumResolvers, scalars, ...resolvers, ...extraResolvers],
      // A resolver without a type or field in the schema is an error. `Node.__resolveType` resolves
      // the types of `Node`, so they need no `__isTypeOf`.
      resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
    }),
  );
}
