import { validateSchema } from 'graphql';
import { createSchema } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { createSubgraphSchema, shareSubgraphSchema } from '#federation/schema.ts';
import { typeDefinitions } from '#generated/type-definitions.ts';

test('the schema is valid, which the gateway does not check at startup', () => {
  const make = (...more: string[]) => createSchema({ typeDefs: [...typeDefinitions, ...more] });
  expect(() => make()).not.toThrow();
  expect(() => make('extend type Query @nothing { nothing: ID }')).toThrow(
    'Unknown directive "@nothing".',
  );
  expect(validateSchema(createSubgraphSchema())).toEqual([]);
});

test('the gateways of a process share one schema with subscriptions and one without', () => {
  expect(shareSubgraphSchema(true)).toBe(shareSubgraphSchema(true));
  expect(shareSubgraphSchema(true).getSubscriptionType()).toBeDefined();
  expect(shareSubgraphSchema(false)).toBe(shareSubgraphSchema(false));
  expect(shareSubgraphSchema(false).getSubscriptionType()).toBeFalsy();
  // Federated tracing changes the resolvers of its schema.
  expect(createSubgraphSchema(true)).not.toBe(shareSubgraphSchema(true));
});
