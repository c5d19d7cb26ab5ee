import { Trace } from '@apollo/usage-reporting-protobuf';
import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, KEY_A, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';

const SECRET = 'a-secret-of-the-router';
const ROUTER = { 'router-authorization': SECRET };
const TRACED = { ...ROUTER, 'apollo-federation-include-trace': 'ftv1' };

function createRouterSecretGateway() {
  const gateway = createTestGateway({
    settings: { ...NO_CACHE, ...NO_RETRIES, ROUTER_SECRETS: `${SECRET},the-one-before-it` },
  });
  return { ...gateway, ...sampleIds(gateway.sandbox) };
}

function readTrace(ftv1: string) {
  const trace = Trace.decode(Buffer.from(ftv1, 'base64'));
  const paths = new Map<string, Trace.INode>();
  walk(trace.root ?? {}, '');
  return { trace, paths };

  function walk(node: Trace.INode, path: string): void {
    paths.set(path, node);
    for (const child of node.child ?? []) {
      const key = child.responseName || child.index;
      walk(child, path === '' ? String(key) : `${path}.${key}`);
    }
  }
}

describe('Federated trace for a router with the secret', () => {
  test('a federated trace contains the duration of each field and no values', async () => {
    const { execute, traffic, richCallId } = createRouterSecretGateway();
    const QUERY = '{ one: call(id: $id) { id toPhoneNumber assistant { name } } }';
    const { data, extensions } = await execute(
      `query ($id: ID!) ${QUERY}`,
      { id: richCallId },
      TRACED,
    );
    const { trace, paths } = readTrace(extensions.ftv1);
    expect([...paths.keys()].sort()).toEqual([
      '',
      'one',
      'one.assistant',
      'one.assistant.name',
      'one.id',
      'one.toPhoneNumber',
    ]);
    expect(paths.get('one')).toMatchObject({
      originalFieldName: 'call',
      type: 'Call',
      parentType: 'Query',
    });
    const { startTime, endTime } = paths.get('one') as { startTime: number; endTime: number };
    expect(Number(endTime)).toBeGreaterThan(Number(startTime));
    expect(Number(trace.durationNs)).toBeGreaterThanOrEqual(Number(endTime) - Number(startTime));
    const text = Buffer.from(extensions.ftv1, 'base64').toString('latin1');
    for (const value of [data.one.id, data.one.toPhoneNumber, data.one.assistant.name, SECRET])
      expect(text).not.toContain(value);
    expect(traffic()).toEqual([`GET /call/${richCallId}`]);
  });

  test('an operation that is warm and whose response is cached is traced, too', async () => {
    const gateway = createTestGateway({ settings: { ROUTER_SECRETS: SECRET } });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const QUERY = 'query ($id: ID!) { call(id: $id) { id } }';
    for (let time = 1; time <= 3; time += 1)
      expect(await gateway.execute(QUERY, { id }, ROUTER)).toEqual({ data: { call: { id } } });
    const { data, extensions } = await gateway.execute(QUERY, { id }, TRACED);
    expect(data).toEqual({ call: { id } });
    expect([...readTrace(extensions.ftv1).paths.keys()]).toContain('call.id');
    expect(await gateway.execute(QUERY, { id }, ROUTER)).toEqual({ data: { call: { id } } });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
  });

  test('a federated trace contains errors with their masked messages', async () => {
    const { execute, traffic, unexpectedErrors, sandbox, richCallId } = createRouterSecretGateway();
    sandbox.control.fail(/call/, { status: 500, body: { message: 'the inside of the upstream' } });
    const { data, extensions } = await execute(
      'query ($id: ID!) { call(id: $id) { id } }',
      { id: richCallId },
      TRACED,
    );
    expect(data).toEqual({ call: null });
    const { paths } = readTrace(extensions.ftv1);
    const [error] = paths.get('call')?.error ?? [];
    expect(error?.message).toBe('The Revox API cannot be reached or failed. Try again later.');
    expect(JSON.parse(error?.json ?? '')).toMatchObject({
      extensions: { code: 'UPSTREAM_UNAVAILABLE' },
    });
    expect(JSON.stringify(error)).not.toMatch(/the inside|stack|node_modules/);
    expect(traffic()).toHaveLength(1);
    expect(unexpectedErrors).toEqual([]);
  });

  test('an error without a place in the trace does not affect the response', async () => {
    const { execute, traffic, unexpectedErrors } = createRouterSecretGateway();
    const { data, errors, extensions } = await execute(
      'query ($id: ID = "x") { call(id: $id) { id } }',
      { id: null },
      TRACED,
    );
    expect(data).toEqual({ call: null });
    expect(errors).toMatchObject([{ path: ['call'], extensions: { code: 'BAD_USER_INPUT' } }]);
    expect([...readTrace(extensions.ftv1).paths.keys()]).toEqual(['']);
    expect(traffic()).toEqual([]);
    expect(unexpectedErrors).toEqual([]);
  });

  test.each([
    ['that does not parse', '{ call(', 'GRAPHQL_PARSE_FAILED'],
    ['that is not valid against the schema', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('a traced document %s has the same errors as without a trace', async (_, query, code) => {
    const { execute, traffic, unexpectedErrors } = createRouterSecretGateway();
    const traced = await execute(query, {}, TRACED);
    expect(traced.errors?.[0]).toMatchObject({ extensions: { code } });
    expect(traced.errors).toEqual((await execute(query, {}, ROUTER)).errors);
    expect(traffic()).toEqual([]);
    expect(unexpectedErrors).toEqual([]);
  });

  test('an operation with a thousand entities has a complete federated trace', async () => {
    const { execute, sandbox, traffic } = createRouterSecretGateway();
    const [assistant, other] = sandbox.control.data(KEY_A).assistants;
    const representations = Array.from({ length: 1_000 }, (_, n) => ({
      __typename: 'Assistant',
      id: [assistant!.id, other!.id][n % 2],
    }));
    const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Assistant { id name createdAt updatedAt prompt firstSentence voice { provider speed } } } }`;
    const { data, errors, extensions } = await execute(query, { representations }, TRACED);
    expect(errors).toBeUndefined();
    expect(data._entities).toHaveLength(1_000);
    expect(readTrace(extensions.ftv1).paths.size).toBeGreaterThan(9_000);
    expect(traffic()).toEqual(['GET /assistants']);
  });

  test('an operation with more than 30,000 fields and items has a complete response and no federated trace', async () => {
    const { execute, sandbox, traffic, unexpectedErrors } = createRouterSecretGateway();
    const [assistant, other] = sandbox.control.data(KEY_A).assistants;
    const representations = Array.from({ length: 1_000 }, (_, n) => ({
      __typename: 'Assistant',
      id: [assistant!.id, other!.id][n % 2],
    }));
    const query = (
      fields: number,
    ) => `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Assistant { ${Array.from({ length: fields }, (_, n) => `a${n}: id`).join(' ')} } } }`;
    const long = await execute(query(30), { representations }, TRACED);
    expect([long.errors, long.extensions]).toEqual([undefined, undefined]);
    expect(Object.keys(long.data._entities[999])).toHaveLength(30);
    const shorter = await execute(query(20), { representations }, TRACED);
    expect(readTrace(shorter.extensions.ftv1).paths.size).toBeGreaterThan(20_000);
    expect([traffic(), unexpectedErrors]).toEqual([['GET /assistants', 'GET /assistants'], []]);
  });

  test('a federated trace attributes the time of entities to _entities and an error to its field', async () => {
    const { execute, traffic, richCallId } = createRouterSecretGateway();
    const representations = [{ __typename: 'Call', id: richCallId }];
    const query =
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Call { status } } }';
    const { paths } = readTrace(
      (await execute(query, { representations }, TRACED)).extensions.ftv1,
    );
    const [entitiesNode, found] = [paths.get('_entities'), paths.get('_entities.0.status')];
    expect(Number(entitiesNode?.endTime)).toBeLessThanOrEqual(Number(found?.startTime));
    expect(Number(entitiesNode?.endTime)).toBeGreaterThan(Number(entitiesNode?.startTime));
    expect(traffic()).toEqual([`GET /call/${richCallId}`]);

    const wrong = await execute('{ assistants(first: 0) { totalCount } }', {}, TRACED);
    expect(readTrace(wrong.extensions.ftv1).paths.get('assistants')?.error).toHaveLength(1);
    expect(traffic()).toEqual([]);
  });

  test('a federated trace is made only on request, and a traced response is no-store', async () => {
    const { fetch, traffic, richCallId } = createRouterSecretGateway();
    const query = encodeURIComponent(`{ call(id: "${richCallId}") { id } }`);
    const plain = await fetch(`/graphql?query=${query}`, { headers: ROUTER });
    expect((await plain.json()).extensions).toBeUndefined();
    const traced = await fetch(`/graphql?query=${query}`, { headers: TRACED });
    expect(traced.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys((await traced.json()).extensions)).toEqual(['ftv1']);
    expect(traffic()).toHaveLength(2);
  });
});

describe('Federated trace without authorization', () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['when no router secret is configured', {}, TRACED],
    [
      'when the caller has an API key but no router secret is configured',
      { REVOX_API_KEY: '' },
      { ...TRACED, authorization: 'Bearer sk_demo_a' },
    ],
    [
      'when another trace format is requested',
      { ROUTER_SECRETS: SECRET },
      { ...ROUTER, 'apollo-federation-include-trace': 'ftv2' },
    ],
  ])('a response has no federated trace %s', async (_, settings, headers) => {
    const gateway = createTestGateway({ settings });
    const { data, extensions } = await gateway.execute(
      '{ assistants(first: 1) { nodes { id } } }',
      {},
      headers,
    );
    expect(data.assistants.nodes).toHaveLength(1);
    expect(extensions).toBeUndefined();
    expect(gateway.traffic()).toEqual(['GET /assistants']);
  });

  test('a trace request with a wrong router secret is rejected', async () => {
    const { execute, traffic } = createRouterSecretGateway();
    const result = await execute(
      '{ __typename }',
      {},
      { ...TRACED, 'router-authorization': 'a-guess' },
    );
    expect(result).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    expect(result.extensions).toBeUndefined();
    expect(traffic()).toEqual([]);
  });
});
