import { setImmediate } from 'node:timers/promises';
import { makeExecutableSchema } from '@graphql-tools/schema';
import {
  execute,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getOperationAST,
  parse,
} from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { createPlannedExecutor } from '#execution/executor.ts';

const TYPE_DEFS = `
  type Query { item: Item, items: [Item!], named: Named, fail: String!, later: Later }
  type Mutation { item: Item }
  extend type Query { search(first: Int = 3, after: String, ids: [ID!]! = ["x"], kind: Kind): [Item] }
  enum Kind { ONE, OTHER }
  type Item implements Named { id: ID!, name: String }
  type Later { value: String!, other: String! }
  interface Named { name: String }
`;

function createSchema(
  resolvers: { [type: string]: { [field: string]: (...args: never[]) => unknown } } = {},
): GraphQLSchema {
  return makeExecutableSchema({
    typeDefs: TYPE_DEFS,
    resolvers: [{ Named: { __resolveType: () => 'Item' } }, resolvers],
  });
}

/** The results of a plan and of graphql-js, as JSON. Undefined: the operation is not planned. */
function createComparison(schema: GraphQLSchema) {
  const executePlanned = createPlannedExecutor(schema, { maxCoercionErrors: 5 });
  return async (query: string | ReturnType<typeof parse>, variables = {}) => {
    const document = typeof query === 'string' ? parse(query) : query;
    const operation = getOperationAST(document)!;
    const planned = await executePlanned({ document, operation, variables, context: {} });
    const { data, errors } = await execute({ schema, document, variableValues: variables });
    return {
      planned: planned && {
        data: planned.data && JSON.parse(planned.data.toJson()),
        errors: planned.errors?.map((error) => error.toJSON()),
      },
      graphqlJs: { data: data && { ...data }, errors: errors?.map((error) => error.toJSON()) },
    };
  };
}

describe('Planned executor', () => {
  test.each([
    ['introspection', '{ item { id } __schema { queryType { name } } }', {}],
    [
      'introspection in a fragment',
      '{ ...F } fragment F on Query { item { id } __type(name: "Item") { name } }',
      {},
    ],
    ['a mutation', 'mutation { item { id } }', {}],
    [
      'a condition that is null',
      'query ($on: Boolean = true) { item { id } named @include(if: $on) { name } }',
      { on: null },
    ],
  ])(
    'an operation with %s is passed on before a resolver is called',
    async (_, query, variables) => {
      const item = vi.fn(() => ({ id: '1' }));
      const schema = createSchema({ Query: { item } });
      const document = parse(query);
      const operation = getOperationAST(document)!;
      const executePlanned = createPlannedExecutor(schema, { maxCoercionErrors: 5 });
      expect(executePlanned({ document, operation, variables, context: {} })).toBeUndefined();
      expect(item).not.toHaveBeenCalled();
    },
  );

  test('a schema with isTypeOf, or with an interface without resolveType, is not planned', async () => {
    const withIsTypeOf = createSchema({ Item: { __isTypeOf: () => true } });
    const withoutResolveType = makeExecutableSchema({ typeDefs: TYPE_DEFS });
    for (const schema of [withIsTypeOf, withoutResolveType])
      expect((await createComparison(schema)('{ __typename }')).planned).toBeUndefined();
  });

  test('a plan applies only to its own conditions, also when more sets of them are used than plans are kept', async () => {
    const schema = createSchema({ Query: { item: () => ({ id: '1', name: 'one' }) } });
    const compare = createComparison(schema);
    const document = parse(`query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) {
      __typename @skip(if: $a)
      item { id @include(if: $b) ...F @skip(if: $c) x: __typename @include(if: $d) }
    } fragment F on Named { name @skip(if: $a) ... @include(if: $b) { y: name } }`);
    for (let time = 0; time < 2; time += 1) {
      for (let set = 0; set < 16; set += 1) {
        const [a, b, c, d] = [1, 2, 4, 8].map((bit) => (set & bit) > 0);
        const { planned, graphqlJs } = await compare(document, { a, b, c, d });
        expect(planned, `set ${set}`).toEqual(graphqlJs);
      }
    }
  });

  test('resolvers get the same arguments and info as from graphql-js', async () => {
    const calls: unknown[] = [];
    const schema = createSchema({
      Query: {
        search: (...[, args, , info]: [unknown, object, unknown, GraphQLResolveInfo]) => {
          calls.push({
            args: { ...args },
            names: [info.fieldName, info.parentType.name, String(info.returnType)],
            path: [info.path.prev, info.path.key, info.path.typename],
            nodes: info.fieldNodes.map(({ loc }) => loc?.start),
            operation: info.operation.name?.value,
            fragments: Object.keys(info.fragments),
            variables: { ...info.variableValues },
            isSame: [info.schema === schema, info.rootValue],
          });
          throw new Error('Failed');
        },
      },
    });
    const query = `query Q($n: Int, $after: String, $id: ID = "d", $ids: [ID!] = ["e"], $kind: Kind) {
      a: search  b: search(first: null, after: "c")  c: search(first: $n, after: $after, ids: $ids, kind: $kind)
      d: search(ids: [$id, "f"], kind: ONE) ...F ...F d: search(ids: [$id, "f"], kind: ONE) { name }
      ... on Query { ...F }
    } fragment F on Query { a: search { id } }`;
    const compare = createComparison(schema);
    for (const variables of [
      {},
      { n: null, after: null, id: null, ids: ['1', 2], kind: 'OTHER' },
      { n: 4, after: 'text', id: 5, ids: 'one', kind: null },
      { n: 'no', ids: [null], kind: 'NONE', constructor: 1 },
      { ids: null },
    ]) {
      const { planned, graphqlJs } = await compare(query, variables);
      expect(planned).toEqual(graphqlJs);
      const half = calls.length / 2;
      expect(calls.slice(0, half)).toEqual(calls.splice(0).slice(half));
    }
  });

  test('a root field that must not be null makes the data null, with one error', async () => {
    const schema = createSchema({
      Query: {
        item: async () => Promise.reject(new Error('Item')),
        fail: async () => {
          await setImmediate();
          throw new Error('Failed');
        },
      },
    });
    const { planned, graphqlJs } = await createComparison(schema)('{ item { id } fail }');
    expect(planned).toEqual({ ...graphqlJs, data: null });
    expect(planned?.errors).toMatchObject([{ message: 'Item' }, { message: 'Failed' }]);
  });

  test('no promise of a list item or a field remains unhandled when another one fails at once', async () => {
    const unhandled: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    const onUnhandled = (error: unknown) => unhandled.push(error);
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', onUnhandled);
    try {
      const schema = createSchema({
        Query: {
          items: () => [Promise.reject(new Error('Later')), null],
          later: () => ({}),
        },
        Later: {
          value: () => Promise.reject(new Error('Later')),
          other: () => null,
        },
      });
      const executePlanned = createPlannedExecutor(schema, { maxCoercionErrors: 5 });
      const document = parse('{ items { id } later { value other } }');
      const operation = getOperationAST(document)!;
      const result = await executePlanned({ document, operation, variables: {}, context: {} });
      await setImmediate();
      expect(result?.data?.toJson()).toBe('{"items":null,"later":null}');
      expect(result?.errors?.map(({ path }) => path)).toEqual([
        ['items', 1],
        ['later', 'other'],
      ]);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', onUnhandled);
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
  });
});
