import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { listenTcp, NO_TIMEOUTS, type RealServer } from './real-server.ts';

const CALL = '{"call":{"id":"c"}}';
const toResponse = (headers = '') =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${CALL.length}\r\n${headers}\r\n${CALL}`;

type Act = (socket: Socket) => void;

const respond: Act = (socket) => void socket.write(toResponse());
const closeConnection: Act = (socket) => void socket.end();
const resetConnection: Act = (socket) => void socket.resetAndDestroy();

interface ScriptedServer extends RealServer {
  /** For each request, in their order: the number of its connection. */
  readonly requestsByConnection: readonly number[];
}

/** An upstream that performs one act for each request, in their order, and then responds. */
async function listenScripted(acts: readonly Act[]): Promise<ScriptedServer> {
  const requestsByConnection: number[] = [];
  let connections = 0;
  const server = await listenTcp((socket) => {
    connections += 1;
    const connection = connections;
    socket.on('data', (data) => {
      for (const _ of data.toString('latin1').matchAll(/^GET /gm)) {
        const act = acts[requestsByConnection.length] ?? respond;
        requestsByConnection.push(connection);
        act(socket);
      }
    });
  });
  return Object.assign(server, { requestsByConnection });
}

/** The whole gateway in service mode, without retries: each failure surfaces. */
function createConnectedGateway(origin: string, settings: Record<string, string> = {}) {
  const gateway = createGateway(
    readSettings({
      REVOX_BASE_URL: origin,
      REVOX_API_KEY: 'sk_test',
      ...NO_CACHE,
      ...NO_RETRIES,
      ...settings,
    }),
    { log: { info: () => {}, error: () => {}, unexpected: () => {} } },
  );
  onTestFinished(() => gateway.dispose());
  return async (query = '{ call(id: "c") { id } }') => {
    const response = await gateway.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-revox-trace': '1' },
        body: JSON.stringify({ query }),
      }),
    );
    // undici frees a connection one iteration of the event loop after its response.
    await new Promise(setImmediate);
    return (await response.json()) as Record<string, unknown>;
  };
}

const FOUND = {
  data: { call: { id: 'c' } },
  extensions: { upstream: expect.objectContaining({ requests: 1 }) },
};

describe('Request on a kept connection that the upstream is closing', () => {
  test.each([
    ['ends', closeConnection],
    ['resets', resetConnection],
    ['destroys', (socket: Socket) => void socket.destroy()],
  ])(
    'a request on a kept connection that the upstream %s is sent again at once on another one',
    async (_name, act) => {
      await using server = await listenScripted([respond, act]);
      const execute = createConnectedGateway(server.origin);
      expect(await execute()).toEqual(FOUND);
      expect(await execute()).toEqual(FOUND);
      expect(server.requestsByConnection).toEqual([1, 1, 2]);
    },
  );

  test('a request that is sent again costs none of MAX_UPSTREAM_REQUESTS', async () => {
    await using server = await listenScripted([respond, resetConnection]);
    const execute = createConnectedGateway(server.origin, { MAX_UPSTREAM_REQUESTS: '1' });
    await execute();
    expect(await execute()).toEqual(FOUND);
    expect(server.requestsByConnection).toEqual([1, 1, 2]);
  });

  test('all requests whose kept connections close at once are sent again', async () => {
    const COUNT = 8;
    const first: Socket[] = [];
    const later: Socket[] = [];
    const together = (sockets: Socket[], act: Act) => (socket: Socket) => {
      if (sockets.push(socket) === COUNT) for (const each of sockets) act(each);
    };
    await using server = await listenScripted([
      ...Array<Act>(COUNT).fill(together(first, respond)),
      ...Array<Act>(COUNT).fill(together(later, resetConnection)),
    ]);
    const execute = createConnectedGateway(server.origin);
    const ids = Array.from({ length: COUNT }, (_, index) => `"c${index}"`);
    const query = `{ calls(ids: [${ids}]) { id } }`;
    const { data, errors } = await execute(query);
    expect({ data, errors }).toEqual({
      data: { calls: Array(COUNT).fill({ id: 'c' }) },
      errors: undefined,
    });
    const again = await execute(query);
    expect(again.errors).toBeUndefined();
    expect(server.requestsByConnection).toHaveLength(3 * COUNT);
  });

  test('a request is sent again on a new connection, not on another kept one', async () => {
    const first: Socket[] = [];
    const respondTogether: Act = (socket) => {
      if (first.push(socket) === 3) for (const each of first) respond(each);
    };
    await using server = await listenScripted([
      ...Array<Act>(3).fill(respondTogether),
      resetConnection,
    ]);
    const execute = createConnectedGateway(server.origin);
    await execute('{ calls(ids: ["a", "b", "c"]) { id } }');
    expect(await execute()).toEqual(FOUND);
    expect(server.requestsByConnection.slice(0, 3).sort()).toEqual([1, 2, 3]);
    expect(server.requestsByConnection.at(-1)).toBe(4);
  });

  test('a request is not sent again when a new connection closes', async () => {
    await using server = await listenScripted([resetConnection]);
    expect(await createConnectedGateway(server.origin)()).toMatchObject({
      data: { call: null },
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    expect(server.requestsByConnection).toEqual([1]);
  });

  test('a request is sent again once only', async () => {
    await using server = await listenScripted([respond, resetConnection, resetConnection]);
    const execute = createConnectedGateway(server.origin);
    await execute();
    expect(await execute()).toMatchObject({
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    expect(server.requestsByConnection).toEqual([1, 1, 2]);
  });

  test.each([
    ['the first byte of a response', 'H'],
    ['informational headers', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ['the headers of a response', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n'],
    ['a part of the body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"call"'],
  ])('a request is not sent again after %s', async (_name, begun) => {
    await using server = await listenScripted([
      respond,
      (socket) => socket.write(begun, () => socket.end()),
    ]);
    const execute = createConnectedGateway(server.origin);
    await execute();
    expect(await execute()).toMatchObject({
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    expect(server.requestsByConnection).toEqual([1, 1]);
  });

  test('an abort reaches a request that was sent again', async () => {
    const requested = Promise.withResolvers<Socket>();
    await using server = await listenScripted([respond, resetConnection, requested.resolve]);
    const { transport, close } = createUndiciTransport(NO_TIMEOUTS);
    onTestFinished(close);
    const request = { origin: server.origin, path: '/', headers: {}, maxBytes: 1_000 };
    await transport(request).response;
    await new Promise(setImmediate);
    const pending = transport(request);
    const socket = await requested.promise;
    pending.abort(new Error('no longer wanted'));
    await expect(pending.response).rejects.toThrow('no longer wanted');
    await once(socket, 'close');
    expect(server.requestsByConnection).toEqual([1, 1, 2]);
  });

  test.each(['http', 'https'] as const)(
    'a request through a proxy is sent again, too (variable for %s)',
    async (scheme) => {
      await using proxy = await listenScripted([respond, resetConnection]);
      const { transport, close } = createUndiciTransport({
        ...NO_TIMEOUTS,
        proxies: { http: proxy.origin, https: undefined, [scheme]: proxy.origin },
      });
      onTestFinished(close);
      const request = { origin: 'http://revox.test', path: '/', headers: {}, maxBytes: 1_000 };
      for (const _ of [1, 2]) {
        expect((await transport(request).response).status).toBe(200);
        await new Promise(setImmediate);
      }
      expect(proxy.requestsByConnection).toEqual([1, 1, 2]);
    },
  );
});

describe('Keep-Alive header of the upstream', () => {
  test.each([
    ['timeout=2', [1, 2]],
    ['timeout=1, max=100', [1, 2]],
    ['Timeout=0', [1, 2]],
    ['max=5, timeout=2', [1, 2]],
    ['timeout=60', [1, 1]],
    ['timeout=3', [1, 1]],
    ['max=100', [1, 1]],
  ])('after `Keep-Alive: %s` the connections of two requests are %j', async (hint, connections) => {
    const respondWithHint: Act = (socket) =>
      void socket.write(toResponse(`connection: keep-alive\r\nkeep-alive: ${hint}\r\n`));
    await using server = await listenScripted([respondWithHint, respondWithHint]);
    const execute = createConnectedGateway(server.origin);
    expect(await execute()).toEqual(FOUND);
    expect(await execute()).toEqual(FOUND);
    expect(server.requestsByConnection).toEqual(connections);
  });

  test('an idle connection is closed before the upstream would close it', async () => {
    const closed = Promise.withResolvers<number>();
    await using server = await listenScripted([
      (socket) => {
        const respondedAt = performance.now();
        socket.once('close', () => closed.resolve(performance.now() - respondedAt));
        socket.write(toResponse('connection: keep-alive\r\nkeep-alive: timeout=3\r\n'));
      },
    ]);
    expect(await createConnectedGateway(server.origin)()).toEqual(FOUND);
    expect(await closed.promise).toBeLessThan(3_000);
  });
});
