import { buildSchema, execute, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createCompleteList } from '#pagination/complete-list.ts';
import { resolveConnection } from '#resolvers/connection.ts';

test('resolveConnection walks each fragment once although fragments spread one another exponentially', async () => {
  const levels = 28;
  const fragments = Array.from({ length: levels }, (_, n) => {
    const inner =
      n + 1 < levels ? `...F${n + 1} ...F${n + 1}` : 'nodes { id } pageInfo { hasNextPage }';
    return `fragment F${n} on ThingConnection { ${inner} }`;
  });
  const schema = buildSchema(`
    type Query { things(first: Int): ThingConnection }
    type ThingConnection { nodes: [Thing!]! pageInfo: PageInfo! }
    type PageInfo { hasNextPage: Boolean! }
    type Thing { id: ID! }
  `);
  let loads = 0;
  const list = createCompleteList(async () => {
    loads += 1;
    return [{ id: 'a' }, { id: 'b' }];
  });
  schema.getQueryType()!.getFields().things!.resolve = (_query, args, context, info) =>
    resolveConnection(list, args, [], context, info);
  // No query limit applies here: 2²⁸ steps would take half a minute.
  const start = performance.now();
  const result = await execute({
    schema,
    document: parse(`{ things(first: 1) { ...F0 } } ${fragments.join(' ')}`),
  });
  expect(result).toEqual({
    data: { things: { nodes: [{ id: 'a' }], pageInfo: { hasNextPage: true } } },
  });
  expect(loads).toBe(1);
  expect(performance.now() - start).toBeLessThan(5_000);
});
