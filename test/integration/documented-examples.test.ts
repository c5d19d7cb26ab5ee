import { readFileSync } from 'node:fs';
import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isUnionType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { createSchema } from '#resolvers/schema.ts';
import { createTestGateway, NO_CACHE } from '../support/test-gateway.ts';

/** The example responses of the upstream documentation, byte for byte. */
const callText = readFileSync(new URL('../fixtures/call.json', import.meta.url), 'utf8');
const callsText = readFileSync(new URL('../fixtures/calls.json', import.meta.url), 'utf8');

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const { call } = JSON.parse(callText) as { call: JsonObject };
const { calls } = JSON.parse(callsText) as { calls: JsonObject[] };

const schema = createSchema();

/** The campaign fields of these examples. Another document describes the other fields. */
const EXAMPLE_CAMPAIGN = ['id', 'name'];

describe('Documented example of GET /call/{id}', () => {
  const query = `query ($id: ID!) { call(id: $id) ${selectionOf('Call')} }`;

  test('a query for every field of the documented call succeeds with one upstream request', async () => {
    const gateway = createTestGateway({ upstream: async () => json(callText) });

    const result = await gateway.execute(query, { id: 'id' });

    expect(result).toEqual({ data: { call: translate(call, 'Call') } });
    expect(gateway.traffic()).toEqual(['GET /call/id']);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('the schema covers every key of the documented call', () => {
    const readKeys = new Set<string>();
    translate(call, 'Call', readKeys);
    expect([...readKeys].sort()).toEqual(keysIn(call).sort());
    expect(readKeys.size).toBe(111);
  });

  test('a `{}` timestamp of the documented call becomes null, and the smallest safe integer arrives unchanged', async () => {
    const gateway = createTestGateway({ upstream: async () => json(callText) });

    const { data, errors } = await gateway.execute(`{
      call(id: "id") {
        createdAt scheduledAt firstSentenceDelayMs
        assistant { createdAt updatedAt firstSentenceDelayMs }
        lastCallAttempt { answeredAt startedAt endedAt }
      }
    }`);

    expect(errors).toBeUndefined();
    expect(data.call).toEqual({
      createdAt: null,
      scheduledAt: null,
      firstSentenceDelayMs: -9007199254740991,
      assistant: { createdAt: null, updatedAt: null, firstSentenceDelayMs: -9007199254740991 },
      lastCallAttempt: { answeredAt: null, startedAt: null, endedAt: null },
    });
    expect(gateway.traffic()).toEqual(['GET /call/id']);
  });

  test('the smallest safe integer of the documented call is serialized with all digits', async () => {
    const gateway = createTestGateway({ upstream: async () => json(callText) });
    const response = await gateway.fetch('/graphql?query={call(id:"id"){firstSentenceDelayMs}}', {
      headers: { accept: 'application/json' },
    });
    expect(await response.text()).toContain('"firstSentenceDelayMs":-9007199254740991');
  });

  test('each field of the documented call has the same value when it is requested alone', async () => {
    const gateway = createTestGateway({ settings: NO_CACHE, upstream: async () => json(callText) });
    const expected = translate(call, 'Call') as JsonObject;

    for (const field of Object.keys(objectType('Call').getFields())) {
      const { data, errors } = await gateway.execute(
        `{ call(id: "id") { ${selectionOfField('Call', field)} } }`,
      );
      expect(errors, field).toBeUndefined();
      expect(data.call, field).toEqual({ [field]: expected[field] });
      expect(gateway.traffic(), field).toEqual(['GET /call/id']);
    }
  });
});

describe('Documented example of GET /call', () => {
  const query = `{ callAttempts { edges { cursor node ${selectionOf('CallAttempt')} } nodes ${selectionOf('CallAttempt')} pageInfo { startCursor endCursor } } }`;
  const expected = calls.map((attempt) => translate(attempt, 'CallAttempt'));

  test('a query for every field of the documented attempts succeeds with one request and one that proves the end of the list', async () => {
    const gateway = createTestGateway({ upstream: async () => json(callsText) });

    const { data, ...rest } = await gateway.execute(query);

    expect(rest).toEqual({});
    const cursor = data.callAttempts.edges[0].cursor;
    expect(data.callAttempts).toEqual({
      edges: expected.map((node) => ({ cursor, node })),
      nodes: expected,
      pageInfo: { startCursor: cursor, endCursor: cursor },
    });
    expect(gateway.traffic()).toEqual([
      'GET /call?page=1&page_size=50',
      'GET /call?page=2&page_size=50',
    ]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('the schema covers every key of the documented attempt', () => {
    const readKeys = new Set<string>();
    translate(calls[0]!, 'CallAttempt', readKeys);
    expect([...readKeys].sort()).toEqual(keysIn(calls[0]!).sort());
    expect(readKeys.size).toBe(18);
  });

  test.each([
    { name: 'on every page', isThere: () => true, traffic: ['0', '1', '2'] },
    { name: 'on page 0 only', isThere: (page: string) => page === '0', traffic: ['0', '1'] },
    {
      name: 'on page 1 only',
      isThere: (page: string) => page === '1',
      traffic: ['0', '1', '0', '2'],
    },
  ])(
    'the documented attempt counts once when the upstream serves it $name and its page numbering is unknown',
    async ({ isThere, traffic }) => {
      const gateway = createTestGateway({
        settings: { REVOX_FIRST_PAGE: 'auto' },
        upstream: async (request) =>
          json(
            isThere(new URL(request.url).searchParams.get('page') ?? '')
              ? callsText
              : '{"calls":[]}',
          ),
      });

      const { data, errors } = await gateway.execute(
        '{ callAttempts { nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage } } }',
      );

      expect(errors).toBeUndefined();
      expect(data.callAttempts).toEqual({
        nodes: [{ id: 'id' }],
        totalCount: 1,
        pageInfo: { hasNextPage: false, hasPreviousPage: false },
      });
      expect(gateway.traffic()).toEqual(
        traffic.map((page) => `GET /call?page=${page}&page_size=50`),
      );
    },
  );
});

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } });
}

function objectType(name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is not an object type`);
  return type;
}

/**
 * Selects every field of a type and of the types below it. Fields of union members get aliases:
 * they may clash.
 */
function selectionOf(typeName: string): string {
  return `{ __typename ${fieldsOf(typeName)
    .map((field) => selectionOfField(typeName, field))
    .join(' ')} }`;
}

function fieldsOf(typeName: string): string[] {
  return typeName === 'Campaign' ? EXAMPLE_CAMPAIGN : Object.keys(objectType(typeName).getFields());
}

function selectionOfField(typeName: string, field: string): string {
  const type = getNamedType(objectType(typeName).getFields()[field]!.type);
  if (isObjectType(type)) return `${field} ${selectionOf(type.name)}`;
  if (!isUnionType(type)) return field;
  const members = type.getTypes().map((member) => {
    const fields = fieldsOf(member.name).map((name) => `${member.name}_${name}: ${name}`);
    return `... on ${member.name} { ${fields.join(' ')} }`;
  });
  return `${field} { __typename ${members.join(' ')} }`;
}

/** The expected GraphQL value of an upstream object. Adds each key that it reads to `readKeys`. */
function translate(
  object: JsonObject,
  typeName: string,
  readKeys = new Set<string>(),
  path = '',
): Json {
  const translated: JsonObject = { __typename: typeName };
  for (const field of fieldsOf(typeName)) {
    const key =
      `${typeName}.${field}` === 'Voice.voiceId'
        ? 'id'
        : field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (key in object) readKeys.add(`${path}/${key}`);
    translated[field] = translateValue(
      object[key] ?? null,
      objectType(typeName).getFields()[field]!.type,
      readKeys,
      `${path}/${key}`,
    );
  }
  return translated;
}

function translateValue(
  value: Json,
  type: GraphQLOutputType,
  readKeys: Set<string>,
  path: string,
): Json {
  if (isNonNullType(type)) return translateValue(value, type.ofType, readKeys, path);
  if (value === null) return null;
  if (isListType(type))
    return (value as Json[]).map((item) => translateValue(item, type.ofType, readKeys, path));
  if (isEnumType(type)) return (value as string).toUpperCase().replaceAll('-', '_');
  if (isScalarType(type)) return type.name === 'DateTime' && isEmptyObject(value) ? null : value;
  if (isObjectType(type)) return translate(value as JsonObject, type.name, readKeys, path);
  const { type: kind, ...others } = value as JsonObject;
  const member = {
    'dedicated-instance': 'DedicatedInstanceLlmModel',
    openrouter: 'OpenrouterLlmModel',
  }[kind as string]!;
  const fields = translate({ type: kind!, ...others }, member, readKeys, path) as JsonObject;
  return Object.fromEntries(
    Object.entries(fields).map(([field, inner]) => [
      field === '__typename' ? field : `${member}_${field}`,
      inner,
    ]),
  );
}

function isEmptyObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** All nested keys of an upstream object. A free-form value counts as one key. */
function keysIn(object: JsonObject, path = ''): string[] {
  const FREE = ['metadata', 'structured_output', 'tool_arguments'];
  return Object.entries(object).flatMap(([key, value]) => {
    const here = `${path}/${key}`;
    const inner = FREE.includes(key)
      ? []
      : [value].flat().filter((item) => typeof item === 'object' && item !== null);
    return [here, ...inner.flatMap((item) => keysIn(item as JsonObject, here))];
  });
}
