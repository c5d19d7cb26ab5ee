import { readFileSync } from 'node:fs';
import { type GraphQLField, isNonNullType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { isFromRest } from '#binding/bind.ts';
import { keyOf } from '#binding/names.ts';
import { ERROR_CODES } from '#errors/gateway-error.ts';
import { createSubgraphSchema } from '#federation/schema.ts';
import { wireContracts } from '#generated/revox-api.ts';
import { serveTestGateway } from '../support/served-gateway.ts';

const schema = createSubgraphSchema();
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const mentionsNull = (field: GraphQLField<unknown, unknown>) =>
  /\bnull\b/i.test(field.description ?? '');

async function introspect(selection: string) {
  await using gateway = await serveTestGateway();
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `{ __schema { ${selection} } }` }),
  });
  const { data } = (await response.json()) as {
    // biome-ignore lint/suspicious/noExplicitAny: a GraphQL result
    data: { __schema: any };
  };
  expect(gateway.traffic()).toEqual([]);
  return data.__schema;
}

test('The served root fields are calls first, then assistants and campaigns, then node, then federation', async () => {
  const { queryType } = await introspect('queryType { fields { name } }');
  expect(queryType.fields.map(({ name }: { name: string }) => name)).toEqual([
    'call',
    'calls',
    'callAttempts',
    'assistant',
    'assistants',
    'campaign',
    'campaigns',
    'node',
    'nodes',
    '_entities',
    '_service',
  ]);
});

test.each(['sdl/client.graphql', 'sdl/subgraph.graphql'])(
  'The root fields in %s have the served order',
  (path) => {
    const query = /^type Query \{\n(.*?)^\}/ms.exec(read(path))?.[1] ?? '';
    const names = Array.from(query.matchAll(/^ {2}(\w+)\(/gm), ([, name]) => name);
    const served = Object.keys(schema.getQueryType()!.getFields());
    expect(names).toEqual(served.filter((name) => names.includes(name)));
    expect(names.length).toBeGreaterThanOrEqual(7);
  },
);

describe('Error codes', () => {
  const namedIn = (text: string) => new Set(text.match(/`[A-Z]+(?:_[A-Z]+)*`/g));

  test('The served schema description lists exactly the error codes, and says how to read an unknown one', async () => {
    const { description } = await introspect('description');
    const errors = description.slice(description.indexOf('**Errors.**'));
    expect(namedIn(errors)).toEqual(new Set(ERROR_CODES.map((code) => `\`${code}\``)));
    expect(errors).toMatch(/treat an unknown code as `INTERNAL_SERVER_ERROR`/);
  });

  test('The reference page of errors lists exactly the error codes', () => {
    const rows = read('docs/reference/errors.md').split('## Causes of')[0]!;
    const firstColumn = Array.from(rows.matchAll(/^\| (`[^|]*`) \|/gm), ([, cell]) => cell);
    expect(namedIn(firstColumn.join())).toEqual(new Set(ERROR_CODES.map((code) => `\`${code}\``)));
  });
});

describe('Null convention', () => {
  /** Documented as always present, but without a type: the documentation's own example is `{}`. */
  const UNTYPED = ['createdAt', 'updatedAt'];

  test('The served schema description states the convention', async () => {
    const { description } = await introspect('description');
    expect(description.replaceAll('\n', ' ')).toMatch(
      /does not mention null, the API promises a value\. .* missing or unreadable\./,
    );
  });

  test('A description mentions null exactly where the API does not promise a value', () => {
    const wrong = Object.values(schema.getTypeMap()).flatMap((type) => {
      if (!isObjectType(type) || !isFromRest(type, schema)) return [];
      const contract = wireContracts[type.name];
      if (!contract) return [];
      return Object.values(type.getFields())
        .filter(({ type: fieldType, args }) => !isNonNullType(fieldType) && args.length === 0)
        .filter((field) => {
          const key = keyOf(type.name, field.name);
          const isPromised =
            contract.required.includes(key) &&
            (contract.notNull.includes(key) || UNTYPED.includes(field.name));
          return isPromised === mentionsNull(field);
        })
        .map(({ name }) => `${type.name}.${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('The description of a non-null field or of a connection promises no null', () => {
    const wrong = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) && !type.name.startsWith('__')
        ? Object.values(type.getFields())
            .filter(
              ({ type: fieldType, args }) =>
                (isNonNullType(fieldType) && args.length === 0) ||
                String(fieldType).endsWith('Connection'),
            )
            .filter(mentionsNull)
            .map(({ name }) => `${type.name}.${name}`)
        : [],
    );
    expect(wrong).toEqual([]);
  });

  test('A root field of one object says when it is null', () => {
    const query = schema.getQueryType()!.getFields();
    for (const name of ['call', 'assistant', 'campaign', 'node', 'calls', 'nodes', '_entities'])
      expect(query[name]!.description, name).toMatch(/null/);
  });
});
