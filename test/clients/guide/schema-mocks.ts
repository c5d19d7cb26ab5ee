import { ApolloClient } from '@apollo/client';
import { SchemaLink } from '@apollo/client/link/schema';
import { addMocksToSchema, type IMocks } from '@graphql-tools/mock';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createCache } from './apollo-cache.ts';

/**
 * A client for unit tests of components.
 * @param sdl the text of sdl/client.graphql
 * @param mocks the values that a test shows; every other value is random
 */
export function createMockedClient(sdl: string, mocks: IMocks) {
  const schema = addMocksToSchema({
    schema: makeExecutableSchema({ typeDefs: sdl }),
    mocks: {
      DateTime: () => '2026-01-31T12:00:00Z',
      SafeInt: () => 1,
      JSON: () => ({}),
      ...mocks,
    },
  });
  return new ApolloClient({ cache: createCache(), link: new SchemaLink({ schema }) });
}
