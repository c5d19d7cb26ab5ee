import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { bind } from '#binding/bind.ts';
import { enumResolvers } from '#binding/enums.ts';
import { scalars } from '#binding/scalars.ts';
import type { Resolvers } from '#generated/resolvers.ts';
import { typeDefinitions } from '#generated/type-definitions.ts';
import { resolvers } from './resolvers.ts';

/**
 * The schema that runs: what we promise, resolved where a resolver is written and bound to REST everywhere else.
 * @param extraResolvers resolvers of other rooms
 */
export function createSchema(extraResolvers: readonly Resolvers[] = []): GraphQLSchema {
  return bind(
    makeExecutableSchema({
      typeDefs: [...typeDefinitions],
      // A quarter of the time that making it takes. It is no different at each start: the tests have it checked.
      assumeValidSDL: true,
      resolvers: [enumResolvers, scalars, ...resolvers, ...extraResolvers],
      // `Node` is resolved by `node`, not by each of its types.
      resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
    }),
  );
}
