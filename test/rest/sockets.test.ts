import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import { VERSION } from '#generated/version.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { CALL, createConnectedGateway, failure, KEY } from './connected-gateway.ts';
import {
  createManualTimers,
  listen,
  listenTcp,
  NO_TIMEOUTS,
  type RealServer,
  sendJson,
} from './real-server.ts';

describe('Upstream request over sockets', () => {
  test('an upstream request carries the credential and nothing that the caller sent', async () => {
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
    const execute = createConnectedGateway(server.origin);

    const result = await execute(CALL, {
      headers: {
        authorization: 'Bearer of-the-caller',
        cookie: 'session=1',
        'x-forwarded-for': '10.0.0.1',
        'x-revox-trace': '1',
        traceparent: '00-1',
        'accept-language': 'fr',
        'user-agent': 'a-client',
      },
    });

    expect(result.data).toEqual({ call: { id: 'c' } });
    expect(server.requests).toEqual([
      {
        method: 'GET',
        url: '/api/call/c',
        headers: {
          host: `127.0.0.1:${server.port}`,
          connection: 'keep-alive',
          accept: 'application/json',
          authorization: `Bearer ${KEY}`,
          'user-agent': `revox-graphql-gateway/${VERSION}`,
        },
        rawHeaders: expect.anything(),
      },
    ]);
  });

  test.each(['ops@example.com', 'production; +https://example.com/bot', 'a "quoted", name'])(
    'an upstream request has the configured comment in User-Agent: %s',
    async (comment) => {
      await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
      const execute = createConnectedGateway(server.origin, { REVOX_USER_AGENT_COMMENT: comment });
      expect(await execute(CALL)).toEqual({ data: { call: { id: 'c' } } });
      expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual([
        `revox-graphql-gateway/${VERSION} (${comment})`,
      ]);
    },
  );

  test('a retry has the same User-Agent as the first request', async () => {
    const statuses = [500, 200];
    await using server = await listen((response) =>
      sendJson(response, { call: { id: 'c' } }, statuses.shift()),
    );
    const execute = createConnectedGateway(
      server.origin,
      { REVOX_RETRIES: '1' },
      { random: () => 0 },
    );
    expect(await execute(CALL)).toEqual({ data: { call: { id: 'c' } } });
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual(
      Array(2).fill(`revox-graphql-gateway/${VERSION}`),
    );
  });

  test('in pass-through mode each upstream request carries the key of its own caller', async () => {
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
    const execute = createConnectedGateway(server.origin, { REVOX_API_KEY: '' });

    await Promise.all(
      ['sk_one', 'sk_two'].map((key) =>
        execute(CALL, { headers: { authorization: `bearer ${key}` } }),
      ),
    );

    expect(server.requests.map(({ headers }) => headers.authorization).sort()).toEqual([
      'Bearer sk_one',
      'Bearer sk_two',
    ]);
  });

  test('an upstream request reuses the connection of the previous one, also after error responses', async () => {
    const statuses = [200, 404, 500, 200];
    await using server = await listen((response) =>
      sendJson(response, { call: { id: 'c' } }, statuses.shift()),
    );
    const execute = createConnectedGateway(server.origin);

    for (let round = 0; round < 4; round += 1) {
      await execute(CALL);
      // undici frees a socket one event-loop iteration after its response.
      await new Promise(setImmediate);
    }

    expect(server.requests).toHaveLength(4);
    expect(server.connections).toBe(1);
  });

  test.each(['', '/'])(
    'an upstream request keeps the path of a base URL that ends with %j',
    async (end) => {
      await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
      await createConnectedGateway(server.origin, {
        REVOX_BASE_URL: `${server.origin}/some/where${end}`,
      })(CALL);
      expect(server.requests.map(({ url }) => url)).toEqual(['/some/where/call/c']);
    },
  );
});

describe('Ids in upstream paths', () => {
  const UNUSUAL_IDS = [
    '/',
    '//',
    'a/b',
    '../campaigns',
    '..\\campaigns',
    '%2e%2e',
    '%2E%2E%2Fcampaigns',
    '.%2e',
    '...',
    '?page=1',
    '#',
    ';x',
    ' ',
    '+',
    'é',
    '\u0000',
    '\r\n',
    '@evil.test',
    'http://evil.test/',
  ];
  const FIELDS = [
    { field: 'call', path: 'call' },
    { field: 'assistant', path: 'assistants' },
    { field: 'campaign', path: 'campaigns' },
  ];

  test.each(FIELDS)(
    'an id of the field $field never leads to another endpoint',
    async ({ field, path }) => {
      await using server = await listen((response) => sendJson(response, {}, 404));
      const execute = createConnectedGateway(server.origin);
      for (const id of UNUSUAL_IDS) {
        const result = await execute(`query ($id: ID!) { ${field}(id: $id) { id } }`, {
          variables: { id },
        });
        expect(result, id).toEqual({ data: { [field]: null } });
      }
      expect(server.requests.map(({ url }) => url)).toEqual(
        UNUSUAL_IDS.map((id) => `/api/${path}/${encodeURIComponent(id)}`),
      );
    },
  );

  test.each(FIELDS)(
    'an id that the path of $field cannot contain is rejected before any upstream request',
    async ({ field }) => {
      await using server = await listen((response) => sendJson(response, {}, 404));
      const execute = createConnectedGateway(server.origin);
      for (const id of ['', '.', '..', '\ud800', 'x\udfff']) {
        const { data, errors } = await execute(`query ($id: ID!) { ${field}(id: $id) { id } }`, {
          variables: { id },
        });
        expect(data, id).toEqual({ [field]: null });
        expect(errors, id).toMatchObject([
          { path: [field], extensions: { code: 'BAD_USER_INPUT' } },
        ]);
      }
      expect(server.requests).toEqual([]);
    },
  );

  test('an id between two segments of a path stays one segment, as in the rows of a campaign', async () => {
    await using server = await listen((response, { url }) => {
      const isRows = url?.includes('/rows');
      sendJson(response, isRows ? { rows: [], total: 0 } : { campaign: { id: 'a/../b?c#d' } });
    });
    const execute = createConnectedGateway(server.origin);
    await execute('{ campaign(id: "x") { rows(query: "a&page=9") { nodes { id } } } }');
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/api/campaigns/x',
      '/api/campaigns/a%2F..%2Fb%3Fc%23d/rows?page=1&page_size=50&query=a%26page%3D9',
    ]);
  });
});

describe('Array format of statuses', () => {
  test.each([
    ['comma', 'statuses=completed%2Cerrored'],
    ['repeat', 'statuses=completed&statuses=errored'],
    ['brackets', 'statuses%5B%5D=completed&statuses%5B%5D=errored'],
  ])(
    'the gateway writes statuses in the format %s, and one comma-joined string for rows',
    async (format, written) => {
      await using server = await listen((response) =>
        sendJson(response, { calls: [], rows: [], campaign: { id: 'c' } }),
      );
      const execute = createConnectedGateway(server.origin, { REVOX_ARRAY_FORMAT: format });
      await execute('{ callAttempts(statuses: [ERRORED, COMPLETED, ERRORED]) { nodes { id } } }');
      await execute(
        '{ campaign(id: "c") { rows(statuses: [ERRORED, COMPLETED]) { nodes { id } } } }',
      );
      expect(server.requests.map(({ url }) => url)).toEqual([
        `/api/call?page=1&page_size=50&${written}`,
        '/api/campaigns/c',
        '/api/campaigns/c/rows?page=1&page_size=50&statuses=completed%2Cerrored',
      ]);
    },
  );
});

describe('Upstream connection', () => {
  test('a refused connection is UPSTREAM_UNAVAILABLE', async () => {
    const server = await listen(() => {});
    await server[Symbol.asyncDispose]();
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(
      failure('UPSTREAM_UNAVAILABLE'),
    );
  });

  test.each([
    { name: 'before the response', act: (socket: { destroy(): void }) => socket.destroy() },
    {
      name: 'within the headers',
      act: (socket: { end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-type: app'),
    },
    {
      name: 'within the body',
      act: (socket: { end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{"call":{"id":"c"}'),
    },
    {
      name: 'within a chunk',
      act: (socket: { end(text: string): void }) =>
        socket.end(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n99\r\n{"call":{"id":"c"}}',
        ),
    },
    {
      name: 'after a greeting of another protocol',
      act: (socket: { end(text: string): void }) => socket.end('220 ESMTP\r\n'),
    },
  ])('a connection that breaks $name is UPSTREAM_UNAVAILABLE', async ({ act }) => {
    await using server = await listenTcp((socket) => socket.once('data', () => act(socket)));
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(
      failure('UPSTREAM_UNAVAILABLE'),
    );
  });

  test('a broken connection costs its own field only', async () => {
    await using server = await listen((response, { url, socket }) => {
      if (url === '/api/call/broken') socket.destroy();
      else sendJson(response, { call: { id: 'c' } });
    });
    const { data, errors } = await createConnectedGateway(server.origin)(
      '{ broken: call(id: "broken") { id } fine: call(id: "c") { id } }',
    );
    expect(data).toEqual({ broken: null, fine: { id: 'c' } });
    expect(errors).toMatchObject([
      { path: ['broken'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });
});

describe('Upstream redirect', () => {
  test.each([301, 302, 303, 307, 308])(
    'a %i redirect is not followed, and the credential reaches no other host',
    async (status) => {
      await using elsewhere = await listen((response) =>
        sendJson(response, { call: { id: 'stolen' } }),
      );
      await using server = await listen((response) =>
        response.writeHead(status, { location: `${elsewhere.origin}/api/call/c` }).end(),
      );

      expect(await createConnectedGateway(server.origin)(CALL)).toEqual(
        failure('UPSTREAM_UNAVAILABLE'),
      );

      expect(server.requests).toHaveLength(1);
      expect(elsewhere.connections).toBe(0);
    },
  );
});

describe('Timeout of an upstream request', () => {
  const TIMEOUT_MS = 1234;
  const setting = { REVOX_TIMEOUT_MS: String(TIMEOUT_MS) };

  test('an upstream request times out while the TLS handshake is pending', async () => {
    const timers = createManualTimers();
    const connected = Promise.withResolvers<void>();
    await using server = await listenTcp(() => connected.resolve());
    const execute = createConnectedGateway(
      server.origin.replace('http:', 'https:'),
      setting,
      timers,
    );

    const pending = execute(CALL);
    await connected.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await pending).toEqual(failure('UPSTREAM_TIMEOUT'));
  });

  test('closing the transport does not wait for a connection that is still being opened', {
    timeout: 5_000,
  }, async () => {
    const connected = Promise.withResolvers<void>();
    await using server = await listenTcp(() => connected.resolve());
    const { transport, close } = createUndiciTransport(NO_TIMEOUTS);
    const origin = server.origin.replace('http:', 'https:');
    const { response } = transport({ origin, path: '/', headers: {}, maxBytes: 2 ** 20 });
    const rejection = expect(response).rejects.toThrow();
    await connected.promise;
    await close();
    await rejection;
  });

  test('an upstream request times out while it waits for the response, and its connection is closed', async () => {
    const timers = createManualTimers();
    const requested = Promise.withResolvers<void>();
    const disconnected = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', disconnected.resolve);
      requested.resolve();
    });
    const pending = createConnectedGateway(server.origin, setting, timers)(CALL);
    await requested.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await pending).toEqual(failure('UPSTREAM_TIMEOUT'));
    await disconnected.promise;
  });

  test('an upstream request times out while it reads the body, and its connection is closed', async () => {
    const timers = createManualTimers();
    const disconnected = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', disconnected.resolve);
      response.writeHead(200, { 'content-length': '999' });
      response.write('{"call":', () => started.resolve());
    });
    const pending = createConnectedGateway(server.origin, setting, timers)(CALL);
    await started.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await pending).toEqual(failure('UPSTREAM_TIMEOUT'));
    await disconnected.promise;
  });

  test('a response in time leaves no timeout timer behind', async () => {
    const timers = createManualTimers();
    await using server = await listen((response) => sendJson(response, {}, 404));
    await createConnectedGateway(server.origin, setting, timers)(CALL);
    // The rest of that body is read, so that the connection can be reused.
    await expect.poll(() => timers.running).toEqual([SWEEP_INTERVAL_MS]);
  });
});

describe('Status of an upstream response', () => {
  test('a 404 is null without an error, even if its body is cut off', async () => {
    await using server = await listenTcp((socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 999\r\n\r\n{"message":'),
      ),
    );
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual({ data: { call: null } });
  });
});

describe('Client disconnect', () => {
  test('a disconnect aborts the upstream requests of its operation, including the queued ones', async () => {
    const requested = Promise.withResolvers<void>();
    const disconnected = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', disconnected.resolve);
      requested.resolve();
    });
    const timers = createManualTimers();
    const client = new AbortController();
    const execute = createConnectedGateway(
      server.origin,
      { REVOX_MAX_CONCURRENCY: '1' },
      { ...timers, monotonicNow: () => 0 },
    );

    const pending = execute('{ a: call(id: "a") { id } b: call(id: "b") { id } }', {
      signal: client.signal,
    }).catch(() => {});
    await requested.promise;
    client.abort();
    await disconnected.promise;
    await pending;

    expect(server.requests.map(({ url }) => url)).toEqual(['/api/call/a']);
    // The upstream may not have noticed the abort yet: for a while the slot stays taken.
    await expect.poll(() => timers.running).toEqual([1_000]);
    timers.elapse(1_000);
    expect(timers.running).toEqual([]);
  });

  test('a disconnect does not abort the upstream requests of another client', async () => {
    const responses: Parameters<Parameters<typeof listen>[0]>[0][] = [];
    const bothRequested = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      if (responses.push(response) === 2) bothRequested.resolve();
    });
    const execute = createConnectedGateway(server.origin);
    const client = new AbortController();
    const leaving = execute('{ call(id: "leaving") { id } }', { signal: client.signal }).catch(
      () => {},
    );
    const staying = execute(CALL);
    await bothRequested.promise;

    const closed = Promise.any(responses.map((response) => once(response, 'close')));
    client.abort();
    await closed;
    await leaving;
    for (const response of responses)
      if (!response.destroyed) sendJson(response, { call: { id: 'c' } });

    expect(await staying).toEqual({ data: { call: { id: 'c' } } });
  });
});

test('two operations of one credential share its concurrency slots', async () => {
  let inFlight = 0;
  let maxConcurrent = 0;
  const waiting: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  await using server: RealServer = await listen((response, { url }) => {
    inFlight += 1;
    maxConcurrent = Math.max(maxConcurrent, inFlight);
    waiting.push(() => {
      inFlight -= 1;
      sendJson(response, { call: { id: url?.split('/').at(-1) } });
    });
    if (waiting.length === 3) arrived.resolve();
    if (server.requests.length > 3) waiting.pop()?.();
  });
  const execute = createConnectedGateway(server.origin, { REVOX_MAX_CONCURRENCY: '3' });
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);

  const pending = Promise.all(
    [ids.slice(0, 10), ids.slice(10)].map((part) =>
      execute('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', { variables: { ids: part } }),
    ),
  );
  await arrived.promise;
  for (const respond of waiting.splice(0)) respond();

  expect((await pending).flatMap(({ data }) => data.calls)).toEqual(ids.map((id) => ({ id })));
  expect(maxConcurrent).toBe(3);
  // undici frees a socket one event-loop iteration after its response: until then the next request
  // may open another.
  expect(server.connections).toBeLessThanOrEqual(6);
});
