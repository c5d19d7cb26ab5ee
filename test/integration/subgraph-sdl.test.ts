import { buildSchema, parse, printType, type SchemaDefinitionNode } from 'graphql';
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

test('Without subscriptions, neither the SDL nor the schema has the types that only these use', async () => {
  const gateway = createTestGateway({ settings: { SUBSCRIPTIONS: 'off' } });
  const { data } = await gateway.execute(
    '{ _service { sdl } __schema { subscriptionType { name } types { name } } }',
  );
  const names = data.__schema.types.map(({ name }: { name: string }) => name);
  const isRemoved = (name: string) =>
    ['Subscription', 'CallMilestone', 'CallUpdate'].includes(name);
  expect([data.__schema.subscriptionType, names.filter(isRemoved)]).toEqual([null, []]);
  const [off, on] = [data._service.sdl, subgraphSdl].map((sdl) =>
    Object.values(buildSchema(sdl, { assumeValidSDL: true }).getTypeMap()),
  );
  expect(off?.map(printType)).toEqual(on?.filter(({ name }) => !isRemoved(name)).map(printType));
  expect(data._service.sdl).not.toContain('subscription:');
  expect(gateway.traffic()).toEqual([]);
});
