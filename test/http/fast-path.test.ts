import { describe, expect, test } from 'vitest';
import type { GatewayOptions } from '#gateway.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { operationCosts } from '../support/operation-costs.ts';
import {
  createTestGateway,
  NO_CACHE,
  NO_RETRIES,
  type TestGateway,
} from '../support/test-gateway.ts';

/**
 * The complete response and the upstream traffic, without request ids and durations: both always
 * differ.
 */
async function observe(gateway: TestGateway, init: RequestInit): Promise<unknown> {
  const response = await gateway.fetch('/graphql', init);
  const { 'x-request-id': _, ...headers } = Object.fromEntries(
    [...response.headers].map(([name, value]) => [name.toLowerCase(), value]),
  );
  const text = (await response.text()).replaceAll(/"ms":[\d.]+/g, '"ms":0');
  return { status: response.status, headers, text, traffic: gateway.traffic() };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ID = '11111111-1111-4111-8111-111111111111';
const CALL =
  'query Call($id: ID!, $withStatus: Boolean = true) { call(id: $id) { id status @include(if: $withStatus) } }';

/** What the gateways of a test have switched on. The first has Yoga alone. */
const COMBINATIONS = [
  { fastPath: false, responseCache: false },
  { fastPath: true, responseCache: true },
  { fastPath: true, responseCache: false },
  { fastPath: false, responseCache: true },
];

/** Identical gateways, one for each combination. */
function createGatewayPair(settings = {}, gateway: GatewayOptions = {}) {
  const testGateways = COMBINATIONS.map((combination) =>
    createTestGateway({
      settings: { ...NO_CACHE, ...NO_RETRIES, ...settings },
      gateway: { ...gateway, ...combination, now: () => 1.7e12 },
    }),
  );
  return {
    sandbox: testGateways[0]!.sandbox,
    /** Sends the request twice to each gateway: at the second time the document is warm. */
    async both(
      init: RequestInit,
      before: (gateway: TestGateway) => void = () => {},
    ): Promise<void> {
      for (const time of ['the first time', 'the second time']) {
        for (const testGateway of testGateways) before(testGateway);
        const [yoga, ...others] = await Promise.all(
          testGateways.map((testGateway) => observe(testGateway, init)),
        );
        for (const [index, other] of others.entries())
          expect(other, `${time}, ${JSON.stringify(COMBINATIONS[index + 1])}`).toEqual(yoga);
      }
      expect(testGateways.flatMap(({ unexpectedErrors }) => unexpectedErrors)).toEqual([]);
    },
  };
}

const post = (params: unknown, headers = {}): RequestInit => ({
  method: 'POST',
  headers: { ...JSON_TYPE, ...headers },
  body: typeof params === 'string' ? params : JSON.stringify(params),
});

describe('Fast path', () => {
  test.each(operationCosts.map((operation) => [operation.query.slice(0, 60), operation] as const))(
    'the fast path and Yoga respond alike to %s',
    async (_, operation) => {
      const { both, sandbox } = createGatewayPair();
      const { query } = operation;
      await both(post({ query, variables: operation.variables?.(sampleIds(sandbox)) }));
    },
  );

  test.each([
    undefined,
    '',
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json, application/json;q=0.9',
    'application/json, text/plain, */*',
    'application/*',
    'application/json; charset=utf-8',
    'application/json; charset=latin1',
    'text/html',
    'text/event-stream',
    'multipart/mixed, application/json',
    'text/event-stream, application/json',
    'APPLICATION/JSON',
    'x',
  ])('the fast path and Yoga respond alike to Accept: %s', async (accept) => {
    const { both } = createGatewayPair();
    const headers = accept === undefined ? {} : { accept };
    await both(post({ query: CALL, variables: { id: ID } }, headers));
    // A variable of the wrong type, and a field that fails.
    await both(post({ query: CALL, variables: { id: [] } }, headers));
    await both(post({ query: CALL, variables: { id: ID } }, headers), ({ sandbox }) =>
      sandbox.control.fail(() => true, { status: 503, times: 1 }),
    );
  });

  test.each([
    { query: CALL, variables: { id: ID }, operationName: 'Call' },
    { query: CALL, variables: { id: ID }, operationName: 'Other' },
    { query: CALL, variables: { id: ID }, operationName: '' },
    { query: CALL, variables: { id: ID }, operationName: null, extensions: null },
    { query: CALL, variables: { id: ID }, operationName: 5 },
    { query: CALL, variables: { id: ID }, extensions: {} },
    { query: CALL, variables: { id: ID }, extensions: [] },
    { query: CALL, variables: { id: ID }, extensions: 'x' },
    { query: CALL, variables: { id: ID, more: 1 } },
    { query: CALL, variables: { id: ID, withStatus: 'no' } },
    { query: CALL, variables: { id: ID, withStatus: null } },
    { query: CALL, variables: {} },
    { query: CALL, variables: null },
    { query: CALL },
    { query: CALL, variables: [] },
    { query: CALL, variables: 'id' },
    { query: CALL, variables: { id: '' } },
    { query: CALL, variables: { id: ID }, unknown: 1 },
    { query: CALL, variables: { id: ID }, unknown: null },
    { query: CALL, variables: { id: ID }, documentId: 'x' },
    { query: null },
    { query: '' },
    { query: 5 },
    {},
    [],
    [{ query: '{ __typename }' }],
    null,
    5,
    'no JSON',
    '',
    '\uFEFF{"query":"{ __typename }"}',
    { query: '{' },
    { query: '{ nothing }' },
    { query: 'query A { __typename } query B { call(id: "x") { id } }' },
    { query: 'query A { __typename } query B { call(id: "x") { id } }', operationName: 'B' },
    { query: '{ __schema { queryType { name } } }' },
    { query: 'subscription { x }' },
    {
      query: 'query ($n: Int) { callAttempts(first: $n) { nodes { id callId } } }',
      variables: { n: 1000 },
    },
    {
      query: 'query ($n: Int) { callAttempts(first: $n) { nodes { id } } }',
      variables: { n: 1.5 },
    },
    { documentId: 'x' },
    { documentId: '' },
    { documentId: null, query: '{ __typename }' },
    { extensions: { persistedQuery: { version: 1, sha256Hash: 'f'.repeat(64) } } },
    { extensions: { persistedQuery: null }, query: '{ __typename }' },
    { extensions: { persistedQuery: { version: 2, sha256Hash: 'f'.repeat(64) } } },
  ])('the fast path and Yoga respond alike to the parameters %j', async (params) => {
    await createGatewayPair().both(post(params));
  });

  test.each([
    ['application/json; charset=utf-8'],
    ['application/json;charset=latin1'],
    ['Application/JSON'],
    ['application/json ;charset=utf-8'],
    ['application/json; Charset=UTF-8'],
    ['application/graphql+json'],
    ['application/json, text/plain'],
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
  ])('the fast path and Yoga respond alike to Content-Type: %s', async (type) => {
    await createGatewayPair().both(
      post({ query: CALL, variables: { id: ID } }, { 'content-type': type }),
    );
  });

  test('the fast path and Yoga report the same upstream trace', async () => {
    // Durations would have different numbers of digits.
    const gateway = { monotonicNow: () => 0 };
    await createGatewayPair({ UPSTREAM_TRACE: 'on' }, gateway).both(
      post({ query: CALL, variables: { id: ID } }, { 'x-revox-trace': '1' }),
    );
  });

  test('the fast path and Yoga compress responses alike and send the same headers to other origins', async () => {
    const query =
      '{ callAttempts(first: 20) { nodes { id status result transcript { content } } } }';
    const { both } = createGatewayPair({ CORS_ORIGINS: 'https://app.example' });
    await both(post({ query }, { 'accept-encoding': 'br', origin: 'https://app.example' }));
    await both(
      post({ query }, { 'accept-encoding': 'identity;q=0', origin: 'https://other.example' }),
    );
  });

  test.each([
    { MAX_COST: '3' },
    { MAX_ANSWER_BYTES: '1024' },
    { MAX_ERRORS: '1' },
    { MAX_BODY_BYTES: '1024' },
    { MAX_TOKENS: '10' },
    { INTROSPECTION: 'off' },
    { ROUTER_SECRETS: 'a-secret-of-the-router' },
    { REVOX_API_KEY: '' },
  ])('the fast path and Yoga respond alike under the settings %j', async (settings) => {
    const { both } = createGatewayPair(settings);
    const query = 'query ($n: Int) { callAttempts(first: $n) { nodes { id status } } }';
    await both(post({ query, variables: { n: 2 } }));
    await both(post({ query, variables: { n: 90 } }));
    await both(post({ query, variables: { m: 2, n: 'x' } }));
    await both(post({ query, variables: { m: 'long'.repeat(1000), n: 2 } }));
    await both(
      post({ query: '{ a: callAttempts(first: 0) { totalCount } b: call(id: "") { id } }' }),
    );
    const failing =
      'query ($s: CallStatus = COMPLETED) { a: callAttempts(statuses: [$s]) { totalCount } b: callAttempts(statuses: [$s]) { totalCount } }';
    await both(post({ query: failing, variables: { s: null } }));
    await both(
      post(`{"query":"${query}","variables":{"n":2,"m":${'['.repeat(70)}${']'.repeat(70)}}}`),
    );
    await both(
      post(
        `{"query":"${query}","variables":{"n":2},"extensions":{"m":${'['.repeat(70)}${']'.repeat(70)}}}`,
      ),
    );
  });
});
