import { addMocksToSchema, type IMocks } from '@graphql-tools/mock';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { graphql } from 'graphql';

/**
 * A `fetch` for unit tests of components, with any client that sends its queries by POST.
 * @param sdl the text of sdl/client.graphql
 * @param mocks the values that a test shows; every other value is random
 */
export function createMockedFetch(sdl: string, mocks: IMocks): typeof fetch {
  const schema = addMocksToSchema({
    schema: makeExecutableSchema({ typeDefs: sdl }),
    mocks: {
      DateTime: () => '2026-01-31T12:00:00Z',
      SafeInt: () => 1,
      JSON: () => ({}),
      ...mocks,
    },
  });
  return async (_url, init) => {
    const { query: source, variables: variableValues } = JSON.parse(String(init?.body));
    return Response.json(await graphql({ schema, source, variableValues }));
  };
}
