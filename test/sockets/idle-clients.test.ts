import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Handler, PlainHeaders } from '#http/message.ts';
import { createHttpServer } from '#server/http-server.ts';
import { type ServerLimits, toServerLimits } from '#server/server-limits.ts';
import { listenOnFreePort, serveTestGateway } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

const LARGE = 'x'.repeat(50_000_000);
const POST = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function serve(
  respond: () => Response | Promise<Response>,
  given: Partial<ServerLimits> = {},
  reserveUnsent?: Handler['reserveUnsent'],
) {
  const bugs: unknown[] = [];
  const disconnects: string[] = [];
  const limits = {
    headersMs: 60_000,
    requestMs: 60_000,
    idleMs: 200,
    sendTimeoutMs: 60_000,
    keepAliveMs: 65_000,
    maxConnections: 100,
    ...given,
  };
  const gateway = {
    fetch: async () => respond(),
    canHandlePlain: ({ method }: { method: string }) => method === 'POST',
    handlePlain: async () => ({
      status: 200,
      headers: new PlainHeaders({}),
      body: await (await respond()).text(),
    }),
    ...(reserveUnsent && { reserveUnsent }),
  };
  const server = createHttpServer(gateway, limits, {
    onUnexpectedError: (error) => bugs.push(error),
    onRejected: () => {},
    onDisconnected: (reason) => disconnects.push(reason),
  });
  await listenOnFreePort(async (port) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  });
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const connection = once(server, 'connection').then(([socket]) => socket as Socket);
  return {
    server,
    connection,
    bugs,
    disconnects,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
}

test.each([
  ['streamed', GET],
  ['text', POST],
])('a client that does not read its %s response is disconnected', async (_, request) => {
  const { url, connection } = await serve(() => new Response(LARGE));
  const { socket } = connectTo(url);
  socket.pause();
  socket.write(request);
  await once(await connection, 'close');
  socket.destroy();
});

test('a client that pipelines requests and reads no response is disconnected', async () => {
  const { url, connection } = await serve(() => new Response('x'.repeat(100_000)));
  const { socket } = connectTo(url);
  socket.pause();
  socket.write(GET.repeat(100));
  await once(await connection, 'close');
  socket.destroy();
});

test.each([
  ['large text', POST, 100_000],
  ['large response', GET, 100_000],
  ['small text', POST, 100],
  ['pipelined large text', POST.repeat(2), 100_000],
])(
  'a %s that is ready after its client has disconnected is not counted as unsent bytes',
  async (_, request, bytes) => {
    const started = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    let unsent = 0;
    const { url, connection, bugs } = await serve(
      async () => {
        started.resolve();
        await ready.promise;
        return Response.json('x'.repeat(bytes), { headers: { 'content-length': `${bytes + 2}` } });
      },
      { idleMs: 60_000 },
      (_, held) => {
        unsent += held;
        return () => {
          unsent -= held;
        };
      },
    );
    const { socket } = connectTo(url);
    const server = await connection;
    socket.write(request);
    await started.promise;
    socket.destroy();
    // Not `once`: the server finds out by a write that fails, which is an `error` event as well.
    await new Promise((resolve) => server.once('close', resolve));
    ready.resolve();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(unsent).toBe(0);
    expect(bugs).toEqual([]);
  },
);

test('a client with small unread responses is disconnected when its caller has no allowance for unsent bytes left', async () => {
  const { url, connection, disconnects } = await serve(
    () => Response.json('x'.repeat(60_000)),
    { idleMs: 60_000 },
    () => 'MAX_UNSENT_BYTES_PER_CALLER',
  );
  const { socket } = connectTo(url);
  socket.pause();
  const server = await connection;
  const closed = once(server, 'close');
  const pending = (async () => {
    while (!server.destroyed) {
      socket.write(POST);
      await new Promise(setImmediate);
    }
  })();
  await closed;
  await pending;
  socket.destroy();
  expect(disconnects).toEqual(['unread']);
});

test('a connection without a request is closed after the keep-alive timeout, without a response', async () => {
  const { url, disconnects } = await serve(() => new Response('a response'), {
    headersMs: 40,
    keepAliveMs: 300,
    idleMs: 60_000,
  });
  const connectedAt = performance.now();
  const { received } = connectTo(url);
  expect(await received).toBe('');
  expect(performance.now() - connectedAt).toBeGreaterThan(290);
  expect(disconnects).toEqual(['silent']);
});

test('a first request after the headers timeout and before the keep-alive timeout receives a response', async () => {
  const { url, server, disconnects } = await serve(() => new Response('a response'), {
    headersMs: 40,
    idleMs: 60_000,
  });
  const { socket, received } = connectTo(url);
  await once(server, 'clientError');
  socket.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  expect(await received).toContain('a response');
  expect(disconnects).toEqual([]);
});

test('a client disconnect aborts the request of that client', async () => {
  const ended = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const server = createHttpServer(
    {
      fetch: (request) =>
        new Promise((_, reject) => {
          started.resolve();
          request.signal.addEventListener('abort', () => {
            ended.resolve();
            reject(request.signal.reason);
          });
        }),
    },
    {
      headersMs: 60_000,
      requestMs: 60_000,
      idleMs: 60_000,
      sendTimeoutMs: 60_000,
      keepAliveMs: 65_000,
      maxConnections: 100,
    },
    { onUnexpectedError: (error) => expect.unreachable(`${error}`), onRejected: () => {} },
  );
  const port = await listenOnFreePort(async (free) => {
    server.listen(free, '127.0.0.1');
    await once(server, 'listening');
    return free;
  });
  const { socket } = connectTo(`http://127.0.0.1:${port}`);
  socket.write(GET);
  await started.promise;
  socket.destroy();
  await ended.promise;
  server.close();
  await once(server, 'close');
});

test('a response stream that fails closes the connection without an end marker or the error message', async () => {
  const { url } = await serve(
    () =>
      new Response(
        new ReadableStream({
          start(body) {
            body.enqueue(new TextEncoder().encode('begun'));
          },
          pull: () => Promise.reject(new Error('at db.internal')),
        }),
      ),
  );
  for (const _ of [1, 2]) {
    const { socket, received } = connectTo(url);
    socket.write(GET);
    expect(await received).not.toMatch(/0\r\n\r\n$|db\.internal/);
  }
});

test.each(['MAX_UNSENT_BYTES', 'MAX_UNSENT_BYTES_PER_CALLER'] as const)(
  'a large response that exceeds %s is replaced by an error response that names this setting',
  async (setting) => {
    const { url, bugs } = await serve(
      () => Response.json('x'.repeat(70_000)),
      {},
      () => setting,
    );
    const response = await fetch(url, { method: 'POST', body: '' });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          message: expect.stringContaining(`(${setting})`),
          extensions: { code: 'RATE_LIMITED', retryAfter: 1 },
        },
      ],
    });
    expect(bugs).toEqual([]);
  },
);

test('an error outside the request handler is reported as INTERNAL_SERVER_ERROR without its message', async () => {
  const { url } = await serve(() => Promise.reject(new Error('at db.internal')));
  const { socket, received } = connectTo(url);
  socket.end(GET);
  expect(await received).toMatch(/^HTTP\/1\.1 500 .*"code":"INTERNAL_SERVER_ERROR"/s);
  expect(await received).not.toContain('db.internal');
});

test('the idle timeout covers the request deadline plus one minute, and the send timeout is one minute', () => {
  const clientTimeouts = { headersMs: 1, requestMs: 2, keepAliveMs: 3 };
  const limits = toServerLimits({ clientTimeouts, requestDeadlineMs: 30_000, maxConnections: 7 });
  expect(limits).toMatchObject({
    headersMs: 1,
    requestMs: 2,
    keepAliveMs: 3,
    idleMs: 90_000,
    sendTimeoutMs: 60_000,
    maxConnections: 7,
    healthPath: '/health',
  });
});

test('a connection may wait for its first request for longer than the idle timeout of a response', async () => {
  const { url, disconnects } = await serve(() => new Response('a response'), {
    headersMs: 40,
    idleMs: 50,
    keepAliveMs: 400,
  });
  const connectedAt = performance.now();
  const { received } = connectTo(url);
  expect(await received).toBe('');
  expect(performance.now() - connectedAt).toBeGreaterThan(390);
  expect(disconnects).toEqual(['silent']);
});

test.each([
  ['GET', GET],
  ['POST', POST],
])(
  'a connection may wait for its next request for the keep-alive timeout after %s',
  async (_, request) => {
    const { url } = await serve(() => new Response('a response'), { idleMs: 50, keepAliveMs: 400 });
    const { socket, received } = connectTo(url);
    // The timeout begins with the response, which the client may get to know later.
    const requestedAt = performance.now();
    socket.write(request);
    await received;
    expect(performance.now() - requestedAt).toBeGreaterThan(390);
  },
);

test.each([
  [{}, 620],
  [{ KEEP_ALIVE_TIMEOUT_MS: '3620000' }, 3_620],
  [{ KEEP_ALIVE_TIMEOUT_MS: '5000' }, 5],
])(
  'with the settings %j a response announces that its connection is kept for %i seconds',
  async (settings, seconds) => {
    await using gateway = await serveTestGateway({ settings });
    const { socket } = connectTo(gateway.url);
    socket.write('GET /graphql?query={assistants{totalCount}} HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [response] = await once(socket, 'data');
    socket.destroy();
    expect(response).toMatch(
      new RegExp(`^HTTP/1\\.1 200 .*\r\nKeep-Alive: timeout=${seconds}\r\n`, 's'),
    );
    expect(gateway.traffic()).toHaveLength(1);
  },
);

test('the headers timeout is never longer than the request timeout', async () => {
  const { server } = await serve(() => new Response(''), { headersMs: 5_000, requestMs: 1_000 });
  expect([server.headersTimeout, server.requestTimeout, server.timeout]).toEqual([
    1_000, 1_000, 200,
  ]);
});

test('a failure that the client did not cause is reported as an unexpected error', async () => {
  const bug = new TypeError('Of ours.');
  const { url, bugs } = await serve(() => Promise.reject(bug));
  const response = await fetch(url);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
  expect(bugs).toEqual([bug]);
});
