import { afterEach, describe, expect, test } from 'vitest';
import type { SandboxControl } from '#sandbox/control.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import {
  createTestGateway,
  type GraphQLResult,
  KEY_A,
  NO_RETRIES,
  type TestGateway,
} from '../support/test-gateway.ts';
import { JWT_SETTINGS } from '../support/token-issuer.ts';

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const SECRET = 'a-router-secret-of-length';
const OTHER_SECRET = 'the-next-router-secret';

/**
 * Gateways in service mode on a loopback host, in pass-through mode, and in service mode behind a
 * router.
 */
const serviceGateway = createTestGateway({ settings: NO_RETRIES });
const passThroughGateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
const routerSecretGateway = createTestGateway({
  settings: { ROUTER_SECRETS: `${SECRET},${OTHER_SECRET}`, HOST: '0.0.0.0' },
});

afterEach(() => {
  for (const gateway of [serviceGateway, passThroughGateway, routerSecretGateway])
    expect(gateway.unexpectedErrors).toEqual([]);
});

interface HttpResult {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Headers;
  readonly result: GraphQLResult;
}

async function send(
  gateway: TestGateway,
  init: RequestInit,
  url = '/graphql',
): Promise<HttpResult> {
  const response = await gateway.fetch(url, init);
  const type = response.headers.get('content-type')?.split(';')[0];
  return {
    status: response.status,
    type,
    headers: response.headers,
    result: (await response.json()) as GraphQLResult,
  };
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    method: 'POST',
    body: text,
    headers: { 'content-type': JSON_TYPE, accept: JSON_TYPE, ...headers },
  };
}

const HELLO = { query: '{ __typename }' };
const ANY_CALL = { query: '{ call(id: "x") { id } }' };
const BY_ID = 'query ($id: ID!) { call(id: $id) { id } }';

describe('Invalid GraphQL request', () => {
  test.each([
    { name: 'invalid JSON', body: '{"query":' },
    { name: 'no body', body: '' },
    { name: 'a list', body: '[]' },
    { name: 'a batch', body: [HELLO, HELLO] },
    { name: 'null', body: 'null' },
    { name: 'text', body: '"{ __typename }"' },
    { name: 'no query', body: {} },
    { name: 'a query that is null', body: { query: null } },
    { name: 'a query that is a number', body: { query: 5 } },
    { name: 'variables that are text', body: { ...HELLO, variables: '{}' } },
    { name: 'variables that are a list', body: { ...HELLO, variables: [1] } },
    { name: 'an unknown operation', body: { query: 'query A { __typename }', operationName: 'B' } },
    {
      name: 'several operations and no name',
      body: { query: 'query A { __typename } query B { __typename }' },
    },
    {
      name: 'a document without an operation',
      body: { query: 'fragment A on Query { __typename }' },
    },
  ])(
    'a request with $name is BAD_USER_INPUT with 400 for every Accept header',
    async ({ body }) => {
      for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
        const { status, type, result } = await send(serviceGateway, post(body, { accept }));
        expect({ status, type, codes: codesOf(result), data: result.data }).toEqual({
          status: 400,
          type: accept,
          codes: ['BAD_USER_INPUT'],
          data: undefined,
        });
      }
      expect(serviceGateway.traffic()).toEqual([]);
    },
  );

  test('a GET request without a query in its URL is BAD_USER_INPUT', async () => {
    const { status, result } = await send(serviceGateway, { headers: { accept: JSON_TYPE } });
    expect([status, codesOf(result)]).toEqual([400, ['BAD_USER_INPUT']]);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'application/jsonp',
    'application/json; charset=latin1',
    'application/xml',
  ])('a request of content type %s is rejected with 415', async (type) => {
    const { status, result } = await send(serviceGateway, post(HELLO, { 'content-type': type }));
    expect([status, codesOf(result)]).toEqual([415, ['BAD_USER_INPUT']]);
  });

  test('a request body over the limit is OPERATION_TOO_COMPLEX with 413', async () => {
    const gateway = createTestGateway({ settings: { MAX_BODY_BYTES: '1024' } });
    const fits = post({ query: '{ __typename }'.padEnd(1024 - '{"query":""}'.length) });
    expect((await send(gateway, fits)).result).toEqual({ data: { __typename: 'Query' } });
    for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
      const { status, result } = await send(
        gateway,
        post({ query: '{ __typename }'.padEnd(1025) }, { accept }),
      );
      expect([status, codesOf(result)]).toEqual([413, ['OPERATION_TOO_COMPLEX']]);
    }
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

describe('Document that cannot be executed', () => {
  const CASES = [
    { name: 'does not parse', body: { query: '{ call(' }, code: 'GRAPHQL_PARSE_FAILED' },
    { name: 'is empty', body: { query: '' }, code: 'GRAPHQL_PARSE_FAILED' },
    {
      name: 'holds an unknown field',
      body: { query: '{ nope }' },
      code: 'GRAPHQL_VALIDATION_FAILED',
    },
    {
      name: 'holds an unknown enum value',
      body: { query: '{ callAttempts(statuses: [DONE]) { nodes { id } } }' },
      code: 'GRAPHQL_VALIDATION_FAILED',
    },
    {
      name: 'lacks an argument',
      body: { query: '{ call { id } }' },
      code: 'GRAPHQL_VALIDATION_FAILED',
    },
    { name: 'lacks a variable', body: { query: BY_ID }, code: 'BAD_USER_INPUT' },
    {
      name: 'has a variable of another type',
      body: { query: BY_ID, variables: { id: { no: 'id' } } },
      code: 'BAD_USER_INPUT',
    },
    {
      name: 'has a null variable',
      body: { query: BY_ID, variables: { id: null } },
      code: 'BAD_USER_INPUT',
    },
    {
      name: 'has an unknown enum value in a variable',
      body: {
        query: 'query ($s: [CallStatus!]) { callAttempts(statuses: $s) { nodes { id } } }',
        variables: { s: ['DONE'] },
      },
      code: 'BAD_USER_INPUT',
    },
  ];

  test.each(CASES)(
    'an operation that $name is $code with 200 as JSON and 400 as a GraphQL response',
    async ({ body, code }) => {
      const results = await Promise.all(
        [JSON_TYPE, RESPONSE_TYPE].map((accept) => send(serviceGateway, post(body, { accept }))),
      );
      expect(results.map(({ status, type }) => [status, type])).toEqual([
        [200, JSON_TYPE],
        [400, RESPONSE_TYPE],
      ]);
      for (const { result } of results) {
        expect(new Set(codesOf(result))).toEqual(new Set([code]));
        expect(result).not.toHaveProperty('data');
      }
      expect(serviceGateway.traffic()).toEqual([]);
    },
  );

  test('a validation error has the line and column of the field', async () => {
    const { result } = await send(serviceGateway, post({ query: '{ call(id: "x") {\n  nope } }' }));
    expect(result.errors).toMatchObject([
      { locations: [{ line: 2, column: 3 }], message: expect.stringContaining('"nope"') },
    ]);
  });
});

describe('INTROSPECTION setting', () => {
  const INTROSPECTION_QUERY = { query: '{ __schema { queryType { name } } }' };

  test('introspection is allowed with INTROSPECTION=on and rejected with INTROSPECTION=off', async () => {
    const open = createTestGateway({ settings: { INTROSPECTION: 'on', NODE_ENV: 'production' } });
    const closed = createTestGateway({ settings: { INTROSPECTION: 'off' } });
    expect((await send(open, post(INTROSPECTION_QUERY))).result).toEqual({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
    const { result } = await send(closed, post(INTROSPECTION_QUERY));
    expect(new Set(codesOf(result))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
    expect(result).not.toHaveProperty('data');
    expect((await send(closed, post(HELLO))).result).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('Pass-through mode', () => {
  test.each([
    { name: 'no Authorization header', headers: {} },
    { name: 'another authentication scheme', headers: { authorization: 'Basic c2s6' } },
    { name: 'no token', headers: { authorization: 'Bearer ' } },
    { name: 'two tokens', headers: { authorization: 'Bearer one two' } },
    { name: 'a token without a scheme', headers: { authorization: KEY_A } },
  ])(
    'a request with $name is rejected with 401 without an upstream request',
    async ({ headers }) => {
      for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
        const response = await send(passThroughGateway, post(ANY_CALL, { ...headers, accept }));
        expect([response.status, response.type, codesOf(response.result)]).toEqual([
          401,
          accept,
          ['UNAUTHENTICATED'],
        ]);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
      }
      expect(passThroughGateway.traffic()).toEqual([]);
    },
  );

  test('a request without an API key is rejected with 401 before the request itself is checked', async () => {
    for (const init of [
      post('{"query":'),
      post({ query: '{ nope }' }),
      post('x'.repeat(2 ** 21)),
      post(HELLO, { 'content-type': 'text/plain' }),
    ]) {
      expect((await send(passThroughGateway, init)).status).toBe(401);
    }
  });

  test('the Bearer scheme is accepted in any letter case', async () => {
    const { result } = await send(
      passThroughGateway,
      post(HELLO, { authorization: `bEARER ${KEY_A}` }),
    );
    expect(result).toEqual({ data: { __typename: 'Query' } });
  });

  test('GraphiQL, /health and /ready are served without an API key', async () => {
    const page = await passThroughGateway.fetch('/graphql', { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
    for (const path of ['/health', '/ready'])
      expect((await passThroughGateway.fetch(path)).status).toBe(200);
  });
});

describe('Router secret', () => {
  test.each([
    undefined,
    '',
    'wrong',
    `Bearer ${SECRET}`,
    `${SECRET},${OTHER_SECRET}`,
    SECRET.toUpperCase(),
    SECRET.slice(0, -1),
  ])('a request with Router-Authorization: %s is rejected with 401', async (secret) => {
    const response = await send(
      routerSecretGateway,
      post(ANY_CALL, secret === undefined ? {} : { 'router-authorization': secret }),
    );
    expect([response.status, codesOf(response.result)]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(JSON.stringify(response.result)).not.toContain('secret');
    expect(routerSecretGateway.traffic()).toEqual([]);
  });

  test.each([SECRET, OTHER_SECRET])(
    'a request with the configured router secret %s is accepted',
    async (secret) => {
      expect(
        (await send(routerSecretGateway, post(HELLO, { 'router-authorization': secret }))).result,
      ).toEqual({
        data: { __typename: 'Query' },
      });
    },
  );

  test('a router secret does not replace the API key of the caller', async () => {
    const both = createTestGateway({ settings: { REVOX_API_KEY: '', ROUTER_SECRETS: SECRET } });
    const withSecret = { 'router-authorization': SECRET };
    expect((await send(both, post(HELLO, { authorization: `Bearer ${KEY_A}` }))).status).toBe(401);
    expect((await send(both, post(HELLO, withSecret))).status).toBe(401);
    expect(
      (await send(both, post(HELLO, { ...withSecret, authorization: `Bearer ${KEY_A}` }))).status,
    ).toBe(200);
  });

  test('/health, /ready and GraphiQL need no router secret', async () => {
    for (const path of ['/health', '/ready'])
      expect((await routerSecretGateway.fetch(path)).status).toBe(200);
    expect(
      (await routerSecretGateway.fetch('/graphql', { headers: { accept: 'text/html' } })).status,
    ).toBe(200);
  });

  test('a gateway with a router secret or token check accepts any Host header', async () => {
    const response = await send(
      routerSecretGateway,
      post(HELLO, { 'router-authorization': SECRET }),
      'http://gateway.internal/graphql',
    );
    expect(response.status).toBe(200);
    // The same applies to a gateway that requires a token: the missing token causes the 401, not
    // the host.
    const byToken = createTestGateway({ settings: JWT_SETTINGS });
    expect((await send(byToken, post(HELLO), 'http://gateway.internal/graphql')).status).toBe(401);
  });
});

describe('Host check in service mode', () => {
  test.each([
    'evil.test',
    'localhost.evil.test',
    '127.0.0.1.evil.test',
    '127.0.0.2',
    '0.0.0.0',
    '[::]',
    '192.168.1.5',
  ])(
    'a request for the host %s is FORBIDDEN because it may be a DNS rebinding attack',
    async (host) => {
      for (const [url, init] of [
        ['/graphql', post(ANY_CALL)],
        ['/graphql?query={__typename}', {}],
        ['/graphql', { headers: { accept: 'text/html' } }],
        ['/health', {}],
        ['/', {}],
      ] as const) {
        const response = await send(serviceGateway, init, `http://${host}${url}`);
        expect([response.status, codesOf(response.result)]).toEqual([403, ['FORBIDDEN']]);
      }
      expect(serviceGateway.traffic()).toEqual([]);
    },
  );

  test.each(['localhost', '127.0.0.1:4000', '[::1]:4000', 'LOCALHOST:80'])(
    'a request for the loopback host %s is accepted',
    async (host) => {
      expect((await send(serviceGateway, post(HELLO), `http://${host}/graphql`)).result).toEqual({
        data: { __typename: 'Query' },
      });
    },
  );

  test('a request with its own API key is accepted with any Host header', async () => {
    const response = await send(
      passThroughGateway,
      post(HELLO, { authorization: `Bearer ${KEY_A}` }),
      'http://gateway.internal/graphql',
    );
    expect(response.status).toBe(200);
  });
});

describe('Unknown route', () => {
  test.each([
    '/',
    '/nope',
    '/graphql/x',
    '/graphqlx',
    '/GraphQL',
    '/graph%71l',
    '/api/call',
    '/health/x',
    '/.env',
  ])('a request for %s is 404 with an error code', async (path) => {
    const { status, result } = await send(serviceGateway, post(HELLO), path);
    expect([status, codesOf(result)]).toEqual([404, ['BAD_USER_INPUT']]);
  });

  test.each(['/graphql/', '//graphql', '/x/graphql', '/nope?to=/graphql', '/health/x?to=/graphql'])(
    'a request for %s is 404 or requires the same authentication as /graphql',
    async (path) => {
      const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
      const { status } = await send(gateway, post(ANY_CALL), `http://localhost${path}`);
      expect([401, 404]).toContain(status);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );
});

describe('Unsupported HTTP method', () => {
  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'a %s request is rejected with 405',
    async (method) => {
      const { status, headers, result } = await send(serviceGateway, {
        method,
        headers: { accept: JSON_TYPE },
      });
      expect([status, codesOf(result)]).toEqual([405, ['BAD_USER_INPUT']]);
      expect(headers.get('allow')).toBe('GET, POST');
    },
  );
});

describe('Field error', () => {
  test('a failed field is null with an error that has its path and location, and the status is 200 for both response types', async () => {
    serviceGateway.sandbox.control.fail('/call/x', {
      status: 502,
      body: { message: `at http://revox.test/api with ${KEY_A}` },
      times: 2,
    });
    for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
      const { status, result } = await send(
        serviceGateway,
        post({ query: '{ here: call(id: "x") { id } }' }, { accept }),
      );
      expect(status).toBe(200);
      expect(result).toEqual({
        data: { here: null },
        errors: [
          {
            message: 'The Revox API cannot be reached or failed. Try again later.',
            path: ['here'],
            locations: [{ line: 1, column: 3 }],
            extensions: { code: 'UPSTREAM_UNAVAILABLE' },
          },
        ],
      });
    }
    serviceGateway.traffic();
  });

  test('a field error never contains the address, the messages or the API key of the upstream', async () => {
    const words = `PG::Error at http://revox.test/api/call with ${KEY_A}`;
    const faults: ((control: SandboxControl) => void)[] = [
      ...[301, 400, 401, 403, 404, 409, 422, 429, 500, 503].map(
        (status) => (control: SandboxControl) => {
          control.fail('/', { status, body: words, headers: { location: 'http://db.test' } });
        },
      ),
      (control) => control.reset('/'),
      (control) => control.truncate('/'),
      (control) => control.corrupt('/', words),
      (control) => control.corrupt('/', JSON.stringify({ error: words })),
    ];
    for (const happen of faults) {
      const { sandbox, execute, pass, traffic } = createLiveGateway({ settings: NO_RETRIES });
      happen(sandbox.control);
      const pending = execute(
        '{ call(id: "x") { id } campaign(id: "y") { id } assistants { nodes { id } } callAttempts { nodes { id } } }',
      );
      // After a 429 the further requests wait.
      await pass(5_000);
      const result = await pending;
      expect(result.errors?.length).toBeGreaterThan(0);
      expect(JSON.stringify(result.errors)).not.toMatch(
        /revox\.test|PG::|db\.test|sk_demo|\/api|\/call|Bearer|undici|fetch|JSON\.parse|Unexpected token/,
      );
      expect(traffic()).toHaveLength(4);
    }
  });
});

describe('Unexpected error', () => {
  const oops = new Error('a secret of the process at /srv/gateway/src');

  test('an unexpected error in one field fails that field with a generic message and is logged', async () => {
    const gateway = createTestGateway({
      gateway: {
        startTimer: (ms) => {
          // The timer of one upstream request, not that of the operation.
          if (ms === 10_000) throw oops;
          return () => {};
        },
      },
    });
    const result = await gateway.execute('{ __typename call(id: "x") { id } }');
    expect(result).toEqual({
      data: { __typename: 'Query', call: null },
      errors: [
        {
          message: 'Something went wrong in the gateway.',
          path: ['call'],
          locations: expect.anything(),
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
    expect(gateway.unexpectedErrors).toEqual([oops]);
  });

  test('an unexpected error before execution fails the operation with a generic message and is logged', async () => {
    const gateway = createTestGateway({
      gateway: {
        startTimer: () => {
          throw oops;
        },
      },
    });
    const { result } = await send(gateway, post(HELLO));
    expect(result).toEqual({
      errors: [
        {
          message: 'Something went wrong in the gateway.',
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
    expect(gateway.unexpectedErrors).toEqual([oops]);
  });
});

function codesOf({ errors = [] }: GraphQLResult): string[] {
  return errors.map(({ extensions }) => extensions.code);
}
