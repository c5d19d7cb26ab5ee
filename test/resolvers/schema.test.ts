import { validateSchema } from 'graphql';
import { createSchema } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { createSubgraphSchema } from '#federation/schema.ts';
import { typeDefinitions } from '#generated/type-definitions.ts';

test('the schema is valid, which the gateway does not check at startup', () => {
  const make = (...more: string[]) => createSchema({ typeDefs: [...typeDefinitions, ...more] });
  expect(() => make()).not.toThrow();
  expect(() => make('extend type Query @nothing { nothing: ID }')).toThrow(
    'Unknown directive "@nothing".',
  );
  expect(validateSchema(createSubgraphSchema())).toEqual([]);
});
