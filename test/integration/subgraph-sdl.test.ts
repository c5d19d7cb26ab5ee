import { parse, type SchemaDefinitionNode } from 'graphql';
import { expect, test } from 'vitest';
import { subgraphSdl } from '#generated/type-definitions.ts';
import { createTestGateway } from '../support/test-gateway.ts';

test('The subgraph SDL has no description on its schema block, which Hive’s Rust router cannot parse', () => {
  const [schema] = parse(subgraphSdl).definitions;
  expect(schema).toMatchObject({
    kind: 'SchemaDefinition',
    directives: [{ name: { value: 'link' } }],
  });
  expect((schema as SchemaDefinitionNode).description).toBeUndefined();
});

test('The schema that the gateway serves keeps its description', async () => {
  const gateway = createTestGateway();
  const { data } = await gateway.execute('{ __schema { description } }');
  expect(data.__schema.description).toMatch(/^The Revox API of AI voice calls\./);
  expect(gateway.traffic()).toEqual([]);
});
