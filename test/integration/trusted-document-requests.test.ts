import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { SettingsError } from '#config/settings.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { writeDocuments } from '../support/document-files.ts';
import {
  createTestGateway,
  type GraphQLResult,
  KEY_A,
  KEY_B,
  NO_CACHE,
  type TestGateway,
} from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const SECRET = 'a-router-secret-of-length';

const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';
const TWO = 'query Names { assistants(first: 1) { nodes { id } } } query Kind { __typename }';
const DOCUMENTS = writeDocuments(
  {
    'apollo.json': {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'two', name: 'Names', type: 'query', body: TWO }],
    },
    'relay.json': {
      card: CARD,
      outdated: '{ nothing }',
      broken: '{ call(',
      schema: '{ __schema { __typename } }',
    },
  },
  afterAll,
);
const TRUSTED_SETTINGS = { TRUSTED_DOCUMENTS: DOCUMENTS };
const TRUSTED_ONLY_SETTINGS = { ...TRUSTED_SETTINGS, TRUSTED_DOCUMENTS_ONLY: 'on' };

/**
 * Gateways without trusted documents, with trusted documents, with trusted documents only, and the
 * last one behind a router.
 */
const plainGateway = createTestGateway({ settings: NO_CACHE });
const trustedGateway = createTestGateway({ settings: { ...NO_CACHE, ...TRUSTED_SETTINGS } });
const trustedOnlyGateway = createTestGateway({
  settings: { ...NO_CACHE, ...TRUSTED_ONLY_SETTINGS },
});
const routerSecretGateway = createTestGateway({
  settings: { ...NO_CACHE, ...TRUSTED_ONLY_SETTINGS, ROUTER_SECRETS: SECRET },
});

afterEach(() => {
  for (const gateway of [plainGateway, trustedGateway, trustedOnlyGateway, routerSecretGateway]) {
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  }
});

interface Params {
  readonly [name: string]: unknown;
}

const METHODS = ['POST', 'GET'] as const;

/** Every parameter that can carry a document id. */
const ID_PARAMETERS: { readonly parameter: string; readonly name: (id: string) => Params }[] = [
  { parameter: 'documentId', name: (id) => ({ documentId: id }) },
  { parameter: 'documentId with sha256:', name: (id) => ({ documentId: `sha256:${id}` }) },
  { parameter: 'doc_id', name: (id) => ({ doc_id: id }) },
  { parameter: 'id', name: (id) => ({ id }) },
  { parameter: 'persistedQuery', name: toApqParams },
];
const METHODS_AND_PARAMETERS = METHODS.flatMap((method) =>
  ID_PARAMETERS.map((parameter) => ({ method, ...parameter })),
);

function toApqParams(id: string): Params {
  return { extensions: { persistedQuery: { version: 1, sha256Hash: id } } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface HttpResult {
  readonly status: number;
  readonly headers: Headers;
  readonly result: GraphQLResult;
}

async function send(
  gateway: TestGateway,
  method: (typeof METHODS)[number],
  params: Params,
  headers: Record<string, string> = {},
): Promise<HttpResult> {
  const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const search = new URLSearchParams(
    Object.entries(params).map(([name, value]) => [name, asText(value)]),
  );
  const response =
    method === 'GET'
      ? await gateway.fetch(`/graphql?${search}`, { headers: { accept: JSON_TYPE, ...headers } })
      : await gateway.fetch('/graphql', {
          method,
          headers: { 'content-type': JSON_TYPE, accept: JSON_TYPE, ...headers },
          body: JSON.stringify(params),
        });
  return {
    status: response.status,
    headers: response.headers,
    result: (await response.json()) as GraphQLResult,
  };
}

const codesOf = ({ errors = [] }: GraphQLResult) => errors.map(({ extensions }) => extensions.code);
const NOT_FOUND = {
  errors: [
    { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
  ],
};

describe('Trusted document', () => {
  test.each(METHODS_AND_PARAMETERS)(
    'a trusted document is selected by $parameter with $method',
    async ({ method, name }) => {
      const { richCallId } = sampleIds(trustedGateway.sandbox);
      for (const id of ['card', sha256(CARD)]) {
        const { status, result } = await send(trustedGateway, method, {
          ...name(id),
          variables: { id: richCallId },
        });
        expect({ status, result }).toEqual({
          status: 200,
          result: { data: { call: { id: richCallId } } },
        });
        expect(trustedGateway.traffic()).toEqual([`GET /call/${richCallId}`]);
      }
    },
  );

  test.each(METHODS)(
    'a trusted document may contain several operations, with %s',
    async (method) => {
      const gateway = trustedGateway;
      const kind = await send(gateway, method, { doc_id: 'two', operationName: 'Kind' });
      expect(kind.result).toEqual({ data: { __typename: 'Query' } });
      expect(gateway.traffic()).toEqual([]);
      const names = await send(gateway, method, { doc_id: 'two', operationName: 'Names' });
      expect(names.result.data.assistants.nodes).toHaveLength(1);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
      expect(codesOf((await send(gateway, method, { doc_id: 'two' })).result)).toEqual([
        'BAD_USER_INPUT',
      ]);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test.each([null, ''])(
    'a trusted document may be selected next to an empty query: %j',
    async (query) => {
      const gateway = trustedGateway;
      expect(
        (await send(gateway, 'POST', { id: 'card', doc_id: null, query, variables: { id: 'x' } }))
          .result,
      ).toEqual({
        data: { call: null },
      });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
    },
  );

  test.each(ID_PARAMETERS)(
    'a trusted document may be sent in full next to its id, by $parameter',
    async ({ name }) => {
      const gateway = trustedGateway;
      for (const id of ['card', sha256(CARD)]) {
        const { result } = await send(gateway, 'POST', {
          ...name(id),
          query: CARD,
          variables: { id: 'x' },
        });
        expect(result).toEqual({ data: { call: null } });
        expect(gateway.traffic()).toEqual(['GET /call/x']);
      }
    },
  );

  test('a trusted document may be selected by several parameters at once', async () => {
    const gateway = trustedGateway;
    const params = {
      documentId: `sha256:${sha256(CARD)}`,
      ...toApqParams(sha256(CARD)),
      variables: { id: 'x' },
    };
    for (const method of METHODS) {
      expect((await send(gateway, method, params)).result).toEqual({ data: { call: null } });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
    }
  });

  test.each(METHODS)(
    'a trusted document is parsed, validated and rejected like any other document, with %s',
    async (method) => {
      const gateway = createTestGateway({
        settings: { ...TRUSTED_SETTINGS, INTROSPECTION: 'off' },
      });
      const rejectionOf = async (id: string) => {
        const { result } = await send(gateway, method, { id });
        const { result: inFull } = await send(gateway, method, {
          query: {
            outdated: '{ nothing }',
            broken: '{ call(',
            schema: '{ __schema { __typename } }',
          }[id],
        });
        expect(result).toEqual(inFull);
        return codesOf(result);
      };
      expect(await rejectionOf('broken')).toEqual(['GRAPHQL_PARSE_FAILED']);
      expect(await rejectionOf('outdated')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
      expect(new Set(await rejectionOf('schema'))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
      // The required variable is missing.
      expect(codesOf((await send(gateway, method, { id: 'card' })).result)).toEqual([
        'BAD_USER_INPUT',
      ]);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a GET response for a trusted document has Cache-Control and Vary headers', async () => {
    const gateway = createTimedGateway({ settings: TRUSTED_SETTINGS });
    const { richCallId: id, liveCallId } = sampleIds(gateway.sandbox);
    const cacheHeaders = async (callId: string) => {
      const { headers } = await send(gateway, 'GET', {
        ...toApqParams(sha256(CARD)),
        variables: { id: callId },
      });
      return [headers.get('cache-control'), headers.get('vary')];
    };
    expect(await cacheHeaders(id)).toEqual([
      'private, max-age=600',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    gateway.clock.pass(100_000);
    expect(await cacheHeaders(id)).toEqual([
      'private, max-age=500',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    expect(await cacheHeaders(liveCallId)).toEqual([
      'no-store',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    expect(gateway.traffic()).toEqual([`GET /call/${liveCallId}`]);
  });
});

describe('Unknown document id', () => {
  test.each(METHODS_AND_PARAMETERS)(
    'an unknown document id by $parameter with $method is PersistedQueryNotFound, which clients rely on',
    async ({ parameter, method, name }) => {
      for (const gateway of [plainGateway, trustedGateway, trustedOnlyGateway]) {
        for (const id of [
          sha256('{ absent }'),
          'Card',
          '__proto__',
          'constructor',
          'toString',
          'x'.repeat(500),
        ]) {
          for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
            const { status, result, headers } = await send(gateway, method, name(id), { accept });
            expect(result).toEqual(NOT_FOUND);
            // Apollo's protocol continues from this response: for its clients it is not a failure.
            expect(status).toBe(
              accept === RESPONSE_TYPE && parameter !== 'persistedQuery' ? 400 : 200,
            );
            expect(headers.get('cache-control')).toBe('no-store');
          }
        }
      }
    },
  );

  test('an unknown hash in persistedQuery follows the Apollo protocol even next to another id parameter', async () => {
    const hash = sha256('{ absent }');
    const { status, result } = await send(
      plainGateway,
      'POST',
      { documentId: hash, ...toApqParams(hash) },
      { accept: RESPONSE_TYPE },
    );
    expect([status, result]).toEqual([200, NOT_FOUND]);
  });
});

describe('Invalid document id', () => {
  const HASH = 'extensions.persistedQuery.sha256Hash';
  const isNoId = (location: string) =>
    `\`${location}\` must be the id of a document: a non-empty string.`;
  const CASES: { name: string; params: Params; message: string }[] = [
    ...[5, true, {}, ['card'], ''].flatMap((id) => [
      ...['documentId', 'doc_id', 'id'].map((parameter) => ({
        name: `${parameter} of ${JSON.stringify(id)}`,
        params: { [parameter]: id },
        message: isNoId(parameter),
      })),
      {
        name: `a hash of ${JSON.stringify(id)}`,
        params: toApqParams(id as string),
        message: isNoId(HASH),
      },
    ]),
    {
      name: 'no hash',
      params: { extensions: { persistedQuery: { version: 1 } } },
      message: isNoId(HASH),
    },
    ...['card', 1, true].map((persistedQuery) => ({
      name: `a persistedQuery of ${JSON.stringify(persistedQuery)}`,
      params: { extensions: { persistedQuery } },
      message: '`extensions.persistedQuery` must be an object.',
    })),
    ...[2, '1', true].map((version) => ({
      name: `version ${JSON.stringify(version)}`,
      params: { extensions: { persistedQuery: { version, sha256Hash: 'card' } } },
      message: '`extensions.persistedQuery.version` must be 1.',
    })),
    {
      name: 'two ids of two documents',
      params: { documentId: 'card', id: 'two' },
      message: '`documentId` and `id` name two documents: send one of them.',
    },
    {
      name: 'an id and a hash of two documents',
      params: { doc_id: 'two', ...toApqParams('card') },
      message: `\`doc_id\` and \`${HASH}\` name two documents: send one of them.`,
    },
  ];

  test.each(CASES)(
    'a request with $name is BAD_USER_INPUT with 400 for every Accept header',
    async ({ params, message }) => {
      const gateway = trustedGateway;
      // Beside a document in full, only Apollo's hash counts.
      for (const query of Object.keys(params).every((name) => name === 'extensions')
        ? [undefined, CARD]
        : [undefined]) {
        for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
          const { status, result } = await send(
            gateway,
            'POST',
            { ...params, query, variables: { id: 'x' } },
            { accept },
          );
          expect({ status, result }).toEqual({
            status: 400,
            result: { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] },
          });
        }
      }
    },
  );

  test.each([
    ['?documentId=', isNoId('documentId')],
    ['?id=card&id=two', '`id` is given twice and names two documents: send it once.'],
    ['?id=card&doc_id=two', '`doc_id` and `id` name two documents: send one of them.'],
    ['?extensions={"persistedQuery":5}', '`extensions.persistedQuery` must be an object.'],
  ])('an invalid document id in a URL is BAD_USER_INPUT: %s', async (search, message) => {
    const gateway = trustedGateway;
    const response = await gateway.fetch(`/graphql${search}`, { headers: { accept: JSON_TYPE } });
    expect([response.status, await response.json()]).toEqual([
      400,
      { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each(['documentID', 'docId', 'queryId', 'hash'])(
    'the property %s is not a document id and is ignored',
    async (name) => {
      const gateway = trustedGateway;
      const inFull = { query: CARD, variables: { id: 'x' } };
      const { result } = await send(gateway, 'POST', { ...inFull, [name]: 'two' });
      expect(result).toEqual({ data: { call: null } });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
      const { status, result: alone } = await send(gateway, 'POST', { [name]: 'card' });
      expect([status, codesOf(alone)]).toEqual([400, ['BAD_USER_INPUT']]);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test.each([5, {}, [CARD]])(
    'a document id next to the invalid query %j is BAD_USER_INPUT',
    async (query) => {
      const gateway = trustedGateway;
      const { status, result } = await send(gateway, 'POST', { id: 'card', query });
      expect([status, codesOf(result)]).toEqual([400, ['BAD_USER_INPUT']]);
      expect(gateway.traffic()).toEqual([]);
    },
  );
});

describe('Document id next to another document', () => {
  const OTHER = '{ assistants(first: 1) { nodes { id } } }';

  test.each(
    METHODS.flatMap((method) => [
      { method, parameter: 'persistedQuery', name: toApqParams, ids: ['card', 'unknown'] },
      { method, parameter: 'documentId', name: (id: string) => ({ documentId: id }), ids: [] },
      { method, parameter: 'doc_id', name: (id: string) => ({ doc_id: id }), ids: [] },
      { method, parameter: 'id', name: (id: string) => ({ id }), ids: [] },
    ]),
  )(
    'a hash by $parameter with $method next to another document is BAD_USER_INPUT',
    async ({ method, name, ids }) => {
      const hashes = [sha256(CARD), sha256('{ absent }')].map((hash) => `sha256:${hash}`);
      for (const gateway of [trustedGateway, trustedOnlyGateway]) {
        for (const id of [...ids, ...hashes]) {
          const { status, result } = await send(gateway, method, { ...name(id), query: OTHER });
          expect([status, codesOf(result)]).toEqual([400, ['BAD_USER_INPUT']]);
          expect(result.errors?.[0]?.message).toMatch(
            /does not match the document in `query`: it must be the SHA-256/,
          );
        }
        expect(gateway.traffic()).toEqual([]);
      }
    },
  );

  test.each(
    METHODS.flatMap((method) =>
      ['documentId', 'doc_id', 'id'].map((parameter) => ({ method, parameter })),
    ),
  )(
    'an id by $parameter with $method next to a document is ignored, and the document is executed',
    async ({ method, parameter }) => {
      const gateway = trustedGateway;
      for (const id of ['card', 'unknown', '', '9a0364b9e99bb480dd25e1f0284c8555', sha256(CARD)]) {
        const { status, result } = await send(gateway, method, { [parameter]: id, query: OTHER });
        expect([status, result.data?.assistants?.nodes?.length]).toEqual([200, 1]);
        expect(gateway.traffic()).toEqual(['GET /assistants']);
      }
    },
  );

  test('a document that is not trusted is not executed because of the id of a trusted one', async () => {
    for (const id of ['card', sha256(CARD)]) {
      const { result } = await send(trustedOnlyGateway, 'POST', { id, query: OTHER });
      expect(codesOf(result)).toEqual(['FORBIDDEN']);
    }
    expect(trustedOnlyGateway.traffic()).toEqual([]);
  });
});

describe('Automatic persisted query', () => {
  const LIST = '{ assistants { nodes { id } } }';
  const APQ_REGISTRATION = { ...toApqParams(sha256(LIST)), query: LIST };

  test.each(METHODS)(
    'a document that was sent with its hash is found by the hash in later requests, with %s',
    async (method) => {
      const gateway = createTestGateway();
      expect((await send(gateway, method, toApqParams(sha256(LIST)))).result).toEqual(NOT_FOUND);
      expect(gateway.traffic()).toEqual([]);
      const { result } = await send(gateway, method, APQ_REGISTRATION);
      expect(result.data.assistants.nodes.length).toBeGreaterThan(0);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
      for (const { name } of ID_PARAMETERS)
        expect((await send(gateway, method, name(sha256(LIST)))).result).toEqual(result);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a registered document is shared by all API keys, and its responses are not', async () => {
    const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
    const as = (key: string) => ({ authorization: `Bearer ${key}` });
    const ofA = await send(gateway, 'POST', APQ_REGISTRATION, as(KEY_A));
    const ofB = await send(gateway, 'GET', toApqParams(sha256(LIST)), as(KEY_B));
    expect(gateway.traffic()).toEqual(['GET /assistants', 'GET /assistants']);
    const idsOf = (key: string) =>
      gateway.sandbox.control.data(key).assistants.map(({ id }) => ({ id }));
    expect(ofA.result.data.assistants.nodes).toEqual(idsOf(KEY_A).slice(0, 20));
    expect(ofB.result.data.assistants.nodes).toEqual(idsOf(KEY_B).slice(0, 20));
    expect(ofB.headers.get('vary')).toContain('Authorization');
    expect((await send(gateway, 'GET', toApqParams(sha256(LIST)))).status).toBe(401);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    ['does not parse', '{ call('],
    ['is not valid', '{ nothing }'],
    ['has no operation', 'fragment A on Query { __typename }'],
    ['is too long', `{ __typename } # ${'x'.repeat(2 ** 17)}`],
  ])('a document that %s is not registered', async (_why, query) => {
    const gateway = plainGateway;
    const first = await send(gateway, 'POST', { ...toApqParams(sha256(query)), query });
    const again = await send(gateway, 'POST', { ...toApqParams(sha256(query)), query });
    expect(again.result).toEqual(first.result);
    expect((await send(gateway, 'POST', toApqParams(sha256(query)))).result).toEqual(NOT_FOUND);
  });

  test('a different document with the hash of a registered one is BAD_USER_INPUT', async () => {
    const gateway = createTestGateway();
    await send(gateway, 'POST', APQ_REGISTRATION);
    expect(gateway.traffic()).toEqual(['GET /assistants']);
    const { result } = await send(gateway, 'POST', {
      ...toApqParams(sha256(LIST)),
      query: `${LIST} `,
    });
    expect(codesOf(result)).toEqual(['BAD_USER_INPUT']);
    expect((await send(gateway, 'POST', toApqParams(sha256(LIST)))).result).not.toHaveProperty(
      'errors',
    );
    expect(gateway.traffic()).toEqual([]);
  });

  test('registered documents are evicted when too many are registered, and trusted ones are not', async () => {
    const gateway = createTestGateway({ settings: TRUSTED_SETTINGS });
    const register = (number: number) => {
      const query = `{ __typename } # ${number} ${'x'.repeat(2 ** 16)}`;
      return { query, send: () => send(gateway, 'POST', { ...toApqParams(sha256(query)), query }) };
    };
    const isKnown = async (query: string) =>
      !('errors' in (await send(gateway, 'POST', toApqParams(sha256(query)))).result);
    const registered = Array.from({ length: 128 }, (_, number) => register(number));
    for (const each of registered.slice(0, 100)) await each.send();
    expect(await isKnown(registered[0]!.query)).toBe(true);
    for (const each of registered.slice(100)) await each.send();
    // A lookup refreshes a document; the least recently used one is evicted.
    expect(
      await Promise.all([0, 1, 127].map((number) => isKnown(registered[number]!.query))),
    ).toEqual([true, false, true]);
    expect((await send(gateway, 'POST', { id: 'card', variables: { id: 'x' } })).result).toEqual({
      data: { call: null },
    });
    expect(gateway.traffic()).toEqual(['GET /call/x']);
  });
});

describe('TRUSTED_DOCUMENTS_ONLY=on', () => {
  const UNTRUSTED = '{ assistants { nodes { id } } }';
  const asRouter = { 'router-authorization': SECRET };

  test.each(METHODS_AND_PARAMETERS)(
    'a trusted document is executed by $parameter with $method and when it is sent in full',
    async ({ method, name }) => {
      const gateway = trustedOnlyGateway;
      for (const params of [
        name('card'),
        name(sha256(CARD)),
        { query: CARD },
        { query: CARD, ...name(sha256(CARD)) },
      ]) {
        const { result } = await send(gateway, method, { ...params, variables: { id: 'x' } });
        expect(result).toEqual({ data: { call: null } });
        expect(gateway.traffic()).toEqual(['GET /call/x']);
      }
    },
  );

  test.each([
    ['another document', UNTRUSTED],
    ['a trusted one with an additional space', `${CARD} `],
    ['a trusted one with a comment', `${CARD}#`],
    ['a part of a trusted one', 'query Kind { __typename }'],
    ['one that does not parse', '{ call(id: '],
    ['one that is empty', ' '],
    ['introspection', '{ __schema { queryType { name } } }'],
    ['an operation of a router', '{ __typename }'],
  ])('a document that is not trusted is FORBIDDEN: %s', async (_what, query) => {
    const gateway = trustedOnlyGateway;
    for (const method of METHODS) {
      for (const params of [
        { query },
        { query, ...toApqParams(sha256(query)) },
        { query, documentId: sha256(query) },
      ]) {
        for (const [accept, expected] of [
          [JSON_TYPE, 200],
          [RESPONSE_TYPE, 403],
        ] as const) {
          const { status, result, headers } = await send(gateway, method, params, {
            accept,
            ...asRouter,
          });
          expect([status, codesOf(result)]).toEqual([expected, ['FORBIDDEN']]);
          expect(result.errors?.[0]?.message).toMatch(
            /executes only trusted documents.*`documentId`/,
          );
          expect(result).not.toHaveProperty('data');
          expect(headers.get('cache-control')).toBe('no-store');
        }
      }
      // The document is not registered either.
      expect((await send(gateway, method, toApqParams(sha256(query)))).result).toEqual(NOT_FOUND);
    }
  });

  test('a router with the secret may send operations of routers without a trusted document', async () => {
    const gateway = routerSecretGateway;
    for (const method of METHODS) {
      for (const params of [
        { query: '{ __typename }' },
        { query: '{ __typename }', ...toApqParams(sha256('{ __typename }')) },
      ]) {
        expect((await send(gateway, method, params, asRouter)).result).toEqual({
          data: { __typename: 'Query' },
        });
      }
    }
    const query = 'query Kind { __typename } query Mine { call(id: "x") { id } }';
    expect(
      (await send(gateway, 'POST', { query, operationName: 'Kind' }, asRouter)).result,
    ).toEqual({
      data: { __typename: 'Query' },
    });
    expect(
      (await send(gateway, 'POST', toApqParams(sha256('{ __typename }')), asRouter)).result,
    ).toEqual(NOT_FOUND);
    expect(
      (await send(gateway, 'POST', { query: '{ _service' }, asRouter)).result.errors?.[0]
        ?.extensions.code,
    ).toBe('GRAPHQL_PARSE_FAILED');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a router with the secret may select _service and _entities without a trusted document', async () => {
    const query =
      'query ($representations: [_Any!]!) { _service { sdl } _entities(representations: $representations) { __typename } }';
    const variables = { representations: [{ __typename: 'Call', id: 'x' }] };
    const { result } = await send(routerSecretGateway, 'POST', { query, variables }, asRouter);
    expect(result.data).toEqual({
      _service: { sdl: expect.stringContaining('@link') },
      _entities: [null],
    });
    expect(routerSecretGateway.traffic()).toEqual(['GET /call/x']);
    expect(
      codesOf((await send(trustedOnlyGateway, 'POST', { query, variables }, asRouter)).result),
    ).toEqual(['FORBIDDEN']);
    expect(trustedOnlyGateway.traffic()).toEqual([]);
  });

  test.each([
    ['{ call(id: "x") { id } }'],
    ['{ __typename call(id: "x") { id } }'],
    ['{ ...A } fragment A on Query { call(id: "x") { id } }'],
    ['{ __schema { queryType { name } } }'],
    ['query Kind { __typename } query Mine { call(id: "x") { id } }', 'Mine'],
  ])(
    'a router with the secret may not send any other document: %s',
    async (query, operationName?: string) => {
      const gateway = routerSecretGateway;
      for (const method of METHODS) {
        const params = { query, ...(operationName === undefined ? {} : { operationName }) };
        const { result } = await send(gateway, method, params, asRouter);
        expect(codesOf(result)).toEqual(['FORBIDDEN']);
        expect(result.errors?.[0]?.message).toMatch(
          /a document that is not trusted only for `_entities` and `_service`/,
        );
      }
    },
  );
});

describe('Trusted documents at startup', () => {
  const loggedWith = (settings: Record<string, string>) => {
    const lines: string[] = [];
    createTestGateway({
      settings,
      gateway: {
        log: { info: (line) => lines.push(line), error: expect.fail, unexpected: expect.fail },
      },
    });
    return lines;
  };

  test('invalid trusted documents are logged once each and do not prevent the start', () => {
    const file = join(DOCUMENTS, 'relay.json');
    expect(loggedWith(TRUSTED_ONLY_SETTINGS)).toEqual([
      `Trusted document "outdated" (${file}) is not valid against the schema: Cannot query field "nothing" on type "Query".`,
      `Trusted document "broken" (${file}) is not valid against the schema: Syntax Error: Expected Name, found <EOF>.`,
    ]);
    expect(loggedWith({})).toEqual([]);
  });

  test('the number of invalid trusted documents is logged when there are many', () => {
    const documents = Object.fromEntries(
      Array.from({ length: 50 }, (_, number) => [`${number}\n`, `{ nothing${number} }`]),
    );
    // GraphQL repeats unexpected text in its error message.
    const unexpected = '{ """over\ntwo lines""" }';
    const lines = loggedWith({
      TRUSTED_DOCUMENTS: writeDocuments({ 'm.json': { unexpected, ...documents } }),
    });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('31 more trusted documents are not valid against the schema.');
    expect(lines.join('')).not.toContain('\n');
  });

  test('trusted documents that cannot be read prevent the start', () => {
    expect(() => loggedWith({ TRUSTED_DOCUMENTS: join(DOCUMENTS, 'nowhere') })).toThrow(
      SettingsError,
    );
  });
});
