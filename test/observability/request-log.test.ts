import { describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createTestGateway, NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;

function createLoggedGateway(options: TestGatewayOptions = {}) {
  const kept = captureLog();
  return {
    ...createTestGateway({ ...options, gateway: { log: kept.log, ...options.gateway } }),
    ...kept,
  };
}

describe('Request log', () => {
  test('an operation is logged with its name, type, code, status, times, upstream requests and cache figures', async () => {
    const world = createLoggedGateway();
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    await world.execute(
      'query Voices { assistants(first: 1) { nodes { id } } again: assistants(first: 2) { nodes { name } } }',
    );
    const expected = {
      level: 'info',
      time: expect.any(String),
      msg: 'request',
      method: 'POST',
      route: '/graphql',
      status: 200,
      code: 'OK',
      operation: 'Voices',
      operationType: 'query',
      durationMs: expect.any(Number),
      overheadMs: expect.any(Number),
      coalesced: 0,
      stale: 0,
      requestId: expect.stringMatching(UUID),
    };
    expect(world.read()).toEqual([
      { ...expected, upstreamRequests: 1, cacheHits: 0 },
      { ...expected, upstreamRequests: 0, cacheHits: 1 },
    ]);
    expect(world.traffic()).toEqual(['GET /assistants']);
  });

  test('an operation is logged with the code of its first error', async () => {
    const world = createLoggedGateway({ settings: NO_RETRIES });
    world.sandbox.control.fail(() => true, { status: 500 });
    await world.execute('{ call(id: "x") { id } }');
    expect(world.read('/graphql')).toMatchObject([
      { status: 200, code: 'UPSTREAM_UNAVAILABLE', operation: null, upstreamRequests: 1 },
    ]);
  });

  test.each([
    ['{ nope }', { code: 'GRAPHQL_VALIDATION_FAILED', operation: null, operationType: 'query' }],
    [
      'query Name { nope }',
      { code: 'GRAPHQL_VALIDATION_FAILED', operation: 'Name', operationType: 'query' },
    ],
    ['{ nope', { code: 'GRAPHQL_PARSE_FAILED' }],
    [`{ ${'__typename '.repeat(6000)} }`, { code: 'OPERATION_TOO_COMPLEX' }],
    ['query A { __typename } query B { __typename }', { code: 'BAD_USER_INPUT' }],
  ])('a rejected operation is logged with its code: %.40s', async (query, expected) => {
    const world = createLoggedGateway();
    await world.execute(query);
    expect(world.read()).toMatchObject([expected]);
    expect(world.read()[0]).not.toHaveProperty('upstreamRequests');
  });

  test('an operation whose client has disconnected is logged as CLIENT_CLOSED_REQUEST', async () => {
    const asked = Promise.withResolvers<void>();
    const kept = captureLog();
    const world = createTestGateway({
      gateway: { log: kept.log },
      upstream: ({ signal }) => {
        asked.resolve();
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    const client = new AbortController();
    const response = world.fetch('/graphql?query=query Left {call(id:"c"){id}}', {
      signal: client.signal,
    });
    const rejection = expect(response).rejects.toThrow();
    await asked.promise;
    client.abort();
    await rejection;
    expect(kept.read()).toMatchObject([
      { status: 499, code: 'CLIENT_CLOSED_REQUEST', operation: 'Left', operationType: 'query' },
    ]);
  });
});

describe('Request log beside operations', () => {
  test.each<[string, RequestInit, object]>([
    ['/nothing/at/all?secret=1', {}, { route: 'other', status: 404, code: 'BAD_USER_INPUT' }],
    ['/', { headers: { accept: 'text/html' } }, { route: 'other', status: 302, code: 'OK' }],
    [
      '/graphql',
      { headers: { accept: 'text/html' } },
      { route: '/graphql', status: 200, code: 'OK' },
    ],
    [
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
      { status: 415, code: 'BAD_USER_INPUT' },
    ],
    [
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
      { status: 400, code: 'BAD_USER_INPUT' },
    ],
    [
      '/graphql?query={__typename}',
      { headers: { accept: 'image/png' } },
      { status: 406, code: 'BAD_USER_INPUT' },
    ],
    [
      'http://evil.test/graphql?query={__typename}',
      {},
      { route: '/graphql', status: 403, code: 'FORBIDDEN' },
    ],
    ['/metrics', { method: 'POST' }, { route: '/metrics', status: 405, code: 'BAD_USER_INPUT' }],
  ])('the request %s %j is logged with its status and code', async (url, init, expected) => {
    const world = createLoggedGateway();
    const response = await world.fetch(url, init);
    expect(world.read()).toMatchObject([expected]);
    expect(response.headers.get('x-request-id')).toBe(world.read()[0]!.requestId);
    expect(world.lines.join()).not.toContain('secret');
  });

  test.each(['/health', '/ready', '/metrics'])(
    'the request %s is logged at the debug level only',
    async (route) => {
      const world = createLoggedGateway();
      await world.fetch(route);
      expect(world.read()).toMatchObject([{ level: 'debug', route, status: 200, code: 'OK' }]);
    },
  );

  test('a request without a key is logged', async () => {
    const world = createLoggedGateway({ settings: { REVOX_API_KEY: '' } });
    const response = await world.fetch('/graphql?query={__typename}');
    expect(world.read()).toMatchObject([{ status: 401, code: 'UNAUTHENTICATED' }]);
    expect(response.headers.get('x-request-id')).toBe(world.read()[0]!.requestId);
  });
});

describe('Request id', () => {
  test.each(['abc', 'A-1_b.c:d/e+f=@', '0af7651916cd43dd8448eb211c80319c', 'x'.repeat(128)])(
    'the request id of the caller is used: %s',
    async (id) => {
      const world = createLoggedGateway();
      const { headers } = await world.fetch('/graphql?query={__typename}', {
        headers: { 'x-request-id': id },
      });
      expect([headers.get('x-request-id'), world.read()[0]!.requestId]).toEqual([id, id]);
    },
  );

  test.each(['', 'x'.repeat(129), 'two words', 'a, b', 'x"y', 'é', '<b>', 'a\tb', "'; drop"])(
    'the gateway creates a new request id for %j',
    async (id) => {
      const world = createLoggedGateway();
      const { headers } = await world.fetch('/graphql?query={__typename}', {
        headers: { 'x-request-id': id },
      });
      expect(headers.get('x-request-id')).toMatch(UUID);
      expect(world.read()[0]!.requestId).toBe(headers.get('x-request-id'));
    },
  );
});

describe('LOG_PERSONAL_DATA', () => {
  const QUERY = 'query One($id: ID!) { call(id: $id) { id } }';

  test('without LOG_PERSONAL_DATA no document and no variable is logged', async () => {
    const world = createLoggedGateway();
    await world.execute(QUERY, { id: 'call-of-a-client' });
    expect(world.lines.join()).not.toMatch(/call-of-a-client|\$id/);
  });

  test('at most 128 characters of a name, and 16,384 of a document and of its variables are logged', async () => {
    const world = createLoggedGateway({ settings: { LOG_PERSONAL_DATA: 'on' } });
    const [name, document] = ['N'.repeat(129), ` #${'x'.repeat(16_384)}`];
    await world.execute(`query ${name} { __typename }${document}`, { id: 'y'.repeat(16_384) });
    const [line] = world.read();
    expect(line?.operation).toBe('N'.repeat(128));
    expect([line?.document.length, line?.variables.length]).toEqual([16_384, 16_384]);
  });

  test('with LOG_PERSONAL_DATA=on the document and the variables are logged', async () => {
    const world = createLoggedGateway({ settings: { LOG_PERSONAL_DATA: 'on' } });
    await world.execute(QUERY, { id: 'call-of-a-client' });
    expect(world.read()).toMatchObject([
      { document: QUERY, variables: '{"id":"call-of-a-client"}' },
    ]);
  });
});
