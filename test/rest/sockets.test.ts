import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SWEEP_INTERVAL_MS } from '#cache/memory-store.ts';
import { readSettings } from '#config/settings.ts';
import { createGateway, type GatewayOptions } from '#gateway.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import type { GraphQLResult } from '../support/test-gateway.ts';
import { NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { createManualTimers, listen, listenTcp, PATIENT, type RealServer, sendJson } from './real-server.ts';

const KEY = 'sk_test_over_real_sockets';

/** The whole gateway over undici and real sockets, in service mode. */
function createConnectedGateway(origin: string, settings: Record<string, string> = {}, options: GatewayOptions = {}) {
  const unexpectedErrors: unknown[] = [];
  const gateway = createGateway(
    readSettings({
      REVOX_BASE_URL: `${origin}/api`,
      REVOX_API_KEY: KEY,
      REVOX_FIRST_PAGE: '1',
      ...NO_CACHE,
      ...NO_RETRIES,
      ...settings,
    }),
    { log: { info: () => {}, error: () => {}, unexpected: (error) => unexpectedErrors.push(error) }, ...options },
  );
  onTestFinished(async () => {
    await gateway.dispose();
    expect(unexpectedErrors).toEqual([]);
  });
  return async (query: string, { variables = {}, headers = {}, signal = null }: ExecuteOptions = {}): Promise<GraphQLResult> => {
    const response = await gateway.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        signal,
      }),
    );
    return (await response.json()) as GraphQLResult;
  };
}

interface ExecuteOptions {
  readonly variables?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | null;
}

const CALL = '{ call(id: "c") { id } }';

/** What is told about a `call` that failed. */
function failure(code: string) {
  return { data: { call: null }, errors: [expect.objectContaining({ path: ['call'], extensions: { code } })] };
}

describe('A request to the upstream', () => {
  test('carries the credential, and nothing of what the caller sent', async () => {
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
    const ask = createConnectedGateway(server.origin);

    const answer = await ask(CALL, {
      headers: {
        authorization: 'Bearer of-the-caller',
        cookie: 'session=1',
        'x-forwarded-for': '10.0.0.1',
        'x-revox-trace': '1',
        traceparent: '00-1',
        'accept-language': 'fr',
        'user-agent': 'somebody',
      },
    });

    expect(answer.data).toEqual({ call: { id: 'c' } });
    expect(server.requests).toEqual([
      {
        method: 'GET',
        url: '/api/call/c',
        headers: {
          host: `127.0.0.1:${server.port}`,
          connection: 'keep-alive',
          accept: 'application/json',
          authorization: `Bearer ${KEY}`,
        },
        rawHeaders: expect.anything(),
      },
    ]);
  });

  test('carries the caller’s own key in pass-through mode, and a key of one never in a request of the other', async () => {
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
    const ask = createConnectedGateway(server.origin, { REVOX_API_KEY: '' });

    await Promise.all(['sk_one', 'sk_two'].map((key) => ask(CALL, { headers: { authorization: `bearer ${key}` } })));

    expect(server.requests.map(({ headers }) => headers.authorization).sort()).toEqual(['Bearer sk_one', 'Bearer sk_two']);
  });

  test('goes over the socket of the one before, after refusals too', async () => {
    const statuses = [200, 404, 500, 200];
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }, statuses.shift()));
    const ask = createConnectedGateway(server.origin);

    for (let asked = 0; asked < 4; asked += 1) {
      await ask(CALL);
      // undici gives a socket free one turn of the event loop after its answer.
      await new Promise(setImmediate);
    }

    expect(server.requests).toHaveLength(4);
    expect(server.connections).toBe(1);
  });

  test.each(['', '/'])('goes to the base URL with its path, ended by %j', async (end) => {
    await using server = await listen((response) => sendJson(response, { call: { id: 'c' } }));
    await createConnectedGateway(server.origin, { REVOX_BASE_URL: `${server.origin}/some/where${end}` })(CALL);
    expect(server.requests.map(({ url }) => url)).toEqual(['/some/where/call/c']);
  });
});

describe('An id in the path', () => {
  const ODD_IDS = [
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

  test.each(FIELDS)('never leads $field to another endpoint', async ({ field, path }) => {
    await using server = await listen((response) => sendJson(response, {}, 404));
    const ask = createConnectedGateway(server.origin);
    for (const id of ODD_IDS) {
      const answer = await ask(`query ($id: ID!) { ${field}(id: $id) { id } }`, { variables: { id } });
      expect(answer, id).toEqual({ data: { [field]: null } });
    }
    expect(server.requests.map(({ url }) => url)).toEqual(ODD_IDS.map((id) => `/api/${path}/${encodeURIComponent(id)}`));
  });

  test.each(FIELDS)('that $field cannot send is refused before any request', async ({ field }) => {
    await using server = await listen((response) => sendJson(response, {}, 404));
    const ask = createConnectedGateway(server.origin);
    for (const id of ['', '.', '..', '\ud800', 'x\udfff']) {
      const { data, errors } = await ask(`query ($id: ID!) { ${field}(id: $id) { id } }`, { variables: { id } });
      expect(data, id).toEqual({ [field]: null });
      expect(errors, id).toMatchObject([{ path: [field], extensions: { code: 'BAD_USER_INPUT' } }]);
    }
    expect(server.requests).toEqual([]);
  });

  test('is one segment between others as well: the rows of a campaign', async () => {
    await using server = await listen((response, { url }) => {
      const isRows = url?.includes('/rows');
      sendJson(response, isRows ? { rows: [], total: 0 } : { campaign: { id: 'a/../b?c#d' } });
    });
    const ask = createConnectedGateway(server.origin);
    await ask('{ campaign(id: "x") { rows(query: "a&page=9") { nodes { id } } } }');
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/api/campaigns/x',
      '/api/campaigns/a%2F..%2Fb%3Fc%23d/rows?page=1&page_size=50&query=a%26page%3D9',
    ]);
  });
});

describe('A list of statuses', () => {
  test.each([
    ['comma', 'statuses=completed%2Cerrored'],
    ['repeat', 'statuses=completed&statuses=errored'],
    ['brackets', 'statuses%5B%5D=completed&statuses%5B%5D=errored'],
  ])('is written with the format %s, and one comma-joined string for rows', async (format, written) => {
    await using server = await listen((response) => sendJson(response, { calls: [], rows: [], campaign: { id: 'c' } }));
    const ask = createConnectedGateway(server.origin, { REVOX_ARRAY_FORMAT: format });
    await ask('{ callAttempts(statuses: [ERRORED, COMPLETED, ERRORED]) { nodes { id } } }');
    await ask('{ campaign(id: "c") { rows(statuses: [ERRORED, COMPLETED]) { nodes { id } } } }');
    expect(server.requests.map(({ url }) => url)).toEqual([
      `/api/call?page=1&page_size=50&${written}`,
      '/api/campaigns/c',
      '/api/campaigns/c/rows?page=1&page_size=50&statuses=completed%2Cerrored',
    ]);
  });
});

describe('An answer in bad order', () => {
  const INVALID = [
    { name: 'JSON that ends early', body: '{"call":{"id":"c"' },
    { name: 'HTML', body: '<!doctype html><title>Login</title>', type: 'text/html' },
    { name: 'nothing', body: '' },
    { name: 'another envelope', body: '{"data":{"id":"c"}}' },
    { name: 'no envelope', body: '{"id":"c"}' },
    { name: 'a list', body: '[{"id":"c"}]' },
    { name: 'null', body: 'null' },
    { name: 'null within', body: '{"call":null}' },
    { name: 'a call without an id', body: '{"call":{}}' },
    { name: 'a call with an empty id', body: '{"call":{"id":""}}' },
    { name: 'a list of calls', body: '{"call":[{"id":"c"}]}' },
    { name: 'two documents', body: '{"call":{"id":"c"}}{}' },
    { name: 'another encoding', body: Buffer.from('{"call":{"id":"c"}}', 'utf16le') },
  ];

  test.each(INVALID)('is UPSTREAM_INVALID_RESPONSE: $name', async ({ body, type = 'application/json' }) => {
    await using server = await listen((response) => response.writeHead(200, { 'content-type': type }).end(body));
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
    expect(server.requests).toHaveLength(1);
  });

  test('that is no content at all is UPSTREAM_INVALID_RESPONSE', async () => {
    await using server = await listen((response) => response.writeHead(204).end());
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
  });

  test.each([
    { field: 'callAttempts { nodes { id } }', path: 'callAttempts' },
    { field: 'assistants { nodes { id } }', path: 'assistants' },
    { field: 'campaigns { nodes { id } }', path: 'campaigns' },
  ])('costs its own list: $path', async ({ field, path }) => {
    await using server = await listen((response, { url }) =>
      sendJson(response, url === '/api/call/c' ? { call: { id: 'c' } } : { calls: {}, assistants: null }),
    );
    const { data, errors } = await createConnectedGateway(server.origin)(`{ call(id: "c") { id } ${field} }`);
    expect(data).toEqual({ call: { id: 'c' }, [path]: null });
    expect(errors).toMatchObject([{ path: [path], extensions: { code: 'UPSTREAM_INVALID_RESPONSE' } }]);
  });

  test('with a byte order mark, or with another content type, is JSON all the same', async () => {
    await using server = await listen((response) =>
      response.writeHead(200, { 'content-type': 'text/plain' }).end('\ufeff{"call":{"id":"c"}}'),
    );
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual({ data: { call: { id: 'c' } } });
  });

  test.each([
    { name: 'bare', body: { id: 'a', name: 'Ana' } },
    { name: 'wrapped', body: { assistant: { id: 'a', name: 'Ana' } } },
  ])('an assistant may come $name', async ({ body }) => {
    await using server = await listen((response) => sendJson(response, body));
    expect(await createConnectedGateway(server.origin)('{ assistant(id: "a") { id name } }')).toEqual({
      data: { assistant: { id: 'a', name: 'Ana' } },
    });
  });
});

describe('A body', () => {
  test('is read as far as its bound and no farther, however long the upstream goes on', async () => {
    const gone = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.on('close', gone.resolve);
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const write = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', write);
      write();
    });
    const ask = createConnectedGateway(server.origin, { REVOX_MAX_RESPONSE_BYTES: '65536' });

    expect(await ask(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
    await gone.promise;
  });

  test('of exactly the bound is read; one byte more is too much', async () => {
    let bytes = 2048;
    await using server = await listen((response) => response.end(JSON.stringify({ call: { id: 'c' } }).padEnd(bytes)));
    const ask = createConnectedGateway(server.origin, { REVOX_MAX_RESPONSE_BYTES: '2048' });
    expect(await ask(CALL)).toEqual({ data: { call: { id: 'c' } } });
    bytes += 1;
    expect(await ask(CALL)).toEqual(failure('UPSTREAM_INVALID_RESPONSE'));
  });
});

describe('A connection', () => {
  test('that nobody takes is UPSTREAM_UNAVAILABLE', async () => {
    const server = await listen(() => {});
    await server[Symbol.asyncDispose]();
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(failure('UPSTREAM_UNAVAILABLE'));
  });

  test.each([
    { name: 'before the answer', act: (socket: { destroy(): void }) => socket.destroy() },
    {
      name: 'within the headers',
      act: (socket: { end(text: string): void }) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: app'),
    },
    {
      name: 'within the body',
      act: (socket: { end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{"call":{"id":"c"}'),
    },
    {
      name: 'within a chunk',
      act: (socket: { end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n99\r\n{"call":{"id":"c"}}'),
    },
    { name: 'speaking another protocol', act: (socket: { end(text: string): void }) => socket.end('220 ESMTP\r\n') },
  ])('that breaks $name is UPSTREAM_UNAVAILABLE', async ({ act }) => {
    await using server = await listenTcp((socket) => socket.once('data', () => act(socket)));
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(failure('UPSTREAM_UNAVAILABLE'));
  });

  test('that breaks costs what came over it, and nothing else', async () => {
    await using server = await listen((response, { url, socket }) => {
      if (url === '/api/call/broken') socket.destroy();
      else sendJson(response, { call: { id: 'c' } });
    });
    const { data, errors } = await createConnectedGateway(server.origin)(
      '{ broken: call(id: "broken") { id } fine: call(id: "c") { id } }',
    );
    expect(data).toEqual({ broken: null, fine: { id: 'c' } });
    expect(errors).toMatchObject([{ path: ['broken'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } }]);
  });
});

describe('A redirect', () => {
  test.each([301, 302, 303, 307, 308])('(%i) is not followed, and the credential goes nowhere else', async (status) => {
    await using elsewhere = await listen((response) => sendJson(response, { call: { id: 'stolen' } }));
    await using server = await listen((response) =>
      response.writeHead(status, { location: `${elsewhere.origin}/api/call/c` }).end(),
    );

    expect(await createConnectedGateway(server.origin)(CALL)).toEqual(failure('UPSTREAM_UNAVAILABLE'));

    expect(server.requests).toHaveLength(1);
    expect(elsewhere.connections).toBe(0);
  });
});

describe('Time runs out for one request', () => {
  const TIMEOUT_MS = 1234;
  const setting = { REVOX_TIMEOUT_MS: String(TIMEOUT_MS) };

  test('while it connects: nobody shakes hands', async () => {
    const timers = createManualTimers();
    const connected = Promise.withResolvers<void>();
    await using server = await listenTcp(() => connected.resolve());
    const ask = createConnectedGateway(server.origin.replace('http:', 'https:'), setting, timers);

    const answer = ask(CALL);
    await connected.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await answer).toEqual(failure('UPSTREAM_TIMEOUT'));
  });

  test('and whoever closes the transport does not wait for a connection that is being made', { timeout: 5_000 }, async () => {
    const connected = Promise.withResolvers<void>();
    await using server = await listenTcp(() => connected.resolve());
    const { transport, close } = createUndiciTransport(PATIENT);
    const origin = server.origin.replace('http:', 'https:');
    const { response } = transport({ origin, path: '/', headers: {}, maxBytes: 2 ** 20 });
    const refusal = expect(response).rejects.toThrow();
    await connected.promise;
    await close();
    await refusal;
  });

  test('while it waits for an answer, and the upstream is told', async () => {
    const timers = createManualTimers();
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', gone.resolve);
      asked.resolve();
    });
    const answer = createConnectedGateway(server.origin, setting, timers)(CALL);
    await asked.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await answer).toEqual(failure('UPSTREAM_TIMEOUT'));
    await gone.promise;
  });

  test('while it reads the body, and the upstream is told', async () => {
    const timers = createManualTimers();
    const gone = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', gone.resolve);
      response.writeHead(200, { 'content-length': '999' });
      response.write('{"call":', () => begun.resolve());
    });
    const answer = createConnectedGateway(server.origin, setting, timers)(CALL);
    await begun.promise;
    timers.elapse(TIMEOUT_MS);

    expect(await answer).toEqual(failure('UPSTREAM_TIMEOUT'));
    await gone.promise;
  });

  test('and no timer is left when it did not', async () => {
    const timers = createManualTimers();
    await using server = await listen((response) => sendJson(response, {}, 404));
    await createConnectedGateway(server.origin, setting, timers)(CALL);
    // The rest of that answer is taken, so that the connection can be used again.
    await expect.poll(() => timers.running).toEqual([SWEEP_INTERVAL_MS]);
  });
});

describe('A status', () => {
  test('404 is null without an error, even if the body breaks off', async () => {
    await using server = await listenTcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 999\r\n\r\n{"message":')),
    );
    expect(await createConnectedGateway(server.origin)(CALL)).toEqual({ data: { call: null } });
  });
});

describe('When the client leaves', () => {
  test('the requests for it are given up, those that wait for their turn too', async () => {
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      response.on('close', gone.resolve);
      asked.resolve();
    });
    const timers = createManualTimers();
    const client = new AbortController();
    const ask = createConnectedGateway(server.origin, { REVOX_MAX_CONCURRENCY: '1' }, { ...timers, monotonicNow: () => 0 });

    const answer = ask('{ a: call(id: "a") { id } b: call(id: "b") { id } }', { signal: client.signal }).catch(() => {});
    await asked.promise;
    client.abort();
    await gone.promise;
    await answer;

    expect(server.requests.map(({ url }) => url)).toEqual(['/api/call/a']);
    // The upstream has been told, and may not have heard: for a while the place counts as taken.
    await expect.poll(() => timers.running).toEqual([1_000]);
    timers.elapse(1_000);
    expect(timers.running).toEqual([]);
  });

  test('those of another client go on', async () => {
    const responses: Parameters<Parameters<typeof listen>[0]>[0][] = [];
    const bothAsked = Promise.withResolvers<void>();
    await using server = await listen((response) => {
      if (responses.push(response) === 2) bothAsked.resolve();
    });
    const ask = createConnectedGateway(server.origin);
    const client = new AbortController();
    const leaving = ask('{ call(id: "leaving") { id } }', { signal: client.signal }).catch(() => {});
    const staying = ask(CALL);
    await bothAsked.promise;

    const closed = Promise.any(responses.map((response) => once(response, 'close')));
    client.abort();
    await closed;
    await leaving;
    for (const response of responses) if (!response.destroyed) sendJson(response, { call: { id: 'c' } });

    expect(await staying).toEqual({ data: { call: { id: 'c' } } });
  });
});

test('Two operations of one credential share its places', async () => {
  let inFlight = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const arrived = Promise.withResolvers<void>();
  await using server: RealServer = await listen((response, { url }) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    waiting.push(() => {
      inFlight -= 1;
      sendJson(response, { call: { id: url?.split('/').at(-1) } });
    });
    if (waiting.length === 3) arrived.resolve();
    if (server.requests.length > 3) waiting.pop()?.();
  });
  const ask = createConnectedGateway(server.origin, { REVOX_MAX_CONCURRENCY: '3' });
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`);

  const answers = Promise.all(
    [ids.slice(0, 10), ids.slice(10)].map((part) =>
      ask('query ($ids: [ID!]!) { calls(ids: $ids) { id } }', { variables: { ids: part } }),
    ),
  );
  await arrived.promise;
  for (const answer of waiting.splice(0)) answer();

  expect((await answers).flatMap(({ data }) => data.calls)).toEqual(ids.map((id) => ({ id })));
  expect(most).toBe(3);
  // undici gives a socket free one turn of the event loop after its answer: the next request may have opened another by then.
  expect(server.connections).toBeLessThanOrEqual(6);
});
