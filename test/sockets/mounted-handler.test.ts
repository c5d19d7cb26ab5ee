import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { toNodeHandler } from '#node-handler.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, NO_CACHE } from '../support/test-gateway.ts';
import { connectTo } from './raw-client.ts';

/** What a server has done with a request before the gateway gets it. */
type BodyParser = (
  request: IncomingMessage & { body?: unknown; rawBody?: unknown },
) => Promise<unknown>;

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const bytes = Buffer.concat(await request.toArray());
  const coding = request.headers['content-encoding'];
  if (coding === 'gzip') return gunzipSync(bytes);
  return coding === 'br' ? brotliDecompressSync(bytes) : bytes;
}

/** A server with a body parser, as Express has it: no framework is a dependency of this project. */
async function serveMounted(
  parse: BodyParser,
  toRequest: (
    request: IncomingMessage & { body?: unknown },
  ) => Parameters<ReturnType<typeof toNodeHandler>>[0] = (request) => request,
  settings = {},
) {
  const gateway = createTestGateway({ settings: { ...NO_CACHE, ...settings } });
  const handle = toNodeHandler((request) => gateway.fetch(request.url, request));
  const failures: unknown[] = [];
  const server = createServer(async (request, response: ServerResponse) => {
    try {
      await parse(request);
      await handle(toRequest(request), response);
    } catch (error) {
      failures.push(error);
      response.destroy();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    gateway,
    failures,
    url: `${origin}/graphql`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';

async function post(url: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const asJson: BodyParser = async (request) => {
  request.body = parseJson(await readAll(request));
};

/** Body parsers leave no body where there is none. */
function parseJson(bytes: Buffer): unknown {
  return bytes.byteLength === 0 ? undefined : JSON.parse(bytes.toString());
}

const PARSERS: [name: string, parse: BodyParser][] = [
  ['none', async () => {}],
  ['express.json()', asJson],
  [
    'express.text()',
    async (request) => {
      request.body = (await readAll(request)).toString();
    },
  ],
  [
    'express.raw()',
    async (request) => {
      request.body = await readAll(request);
    },
  ],
  [
    'a parser of another type, which leaves an empty object and the body unread',
    async (request) => {
      request.body = {};
    },
  ],
  [
    'NestJS with rawBody',
    async (request) => {
      const bytes = await readAll(request);
      request.rawBody = bytes;
      request.body = parseJson(bytes);
    },
  ],
  [
    'Cloud Functions with rawBody only',
    async (request) => {
      request.rawBody = await readAll(request);
    },
  ],
];

describe('Gateway mounted after a body parser', () => {
  test.each(PARSERS)('an operation is executed after %s', async (_, parse) => {
    await using served = await serveMounted(parse);
    const { gateway, url } = served;
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const text = JSON.stringify({ query: CARD, variables: { id, padding: 'é'.repeat(50_000) } });
    const requests: [string | Uint8Array<ArrayBuffer>, object][] = [
      [text, {}],
      [new Uint8Array(gzipSync(text)), { 'content-encoding': 'gzip' }],
    ];
    for (const [body, headers] of requests) {
      for (let time = 1; time <= 2; time += 1) {
        expect(await post(url, body, headers)).toEqual({
          status: 200,
          text: JSON.stringify({ data: { call: { id } } }),
        });
        expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      }
    }
    expect([served.failures, gateway.unexpectedErrors]).toEqual([[], []]);
  });

  test.each(PARSERS)('a GET request is executed after %s', async (_, parse) => {
    await using served = await serveMounted(parse);
    const response = await fetch(`${served.url}?query={__typename}`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { data: { __typename: 'Query' } },
    ]);
    expect(served.gateway.traffic()).toEqual([]);
  });

  test.each(PARSERS)('a HEAD request gets its status after %s', async (_, parse) => {
    await using served = await serveMounted(parse);
    for (const [path, status] of [
      ['/health', 200],
      ['/nope', 404],
    ] as const) {
      const response = await fetch(new URL(path, served.url), { method: 'HEAD' });
      expect([path, response.status]).toEqual([path, status]);
    }
    expect([served.gateway.traffic(), served.failures]).toEqual([[], []]);
  });

  test.each(['GET', 'HEAD'])(
    'a %s request gets its response although a parser has read a body, which it must not have',
    async (method) => {
      await using served = await serveMounted(async (request) => void (await readAll(request)));
      const { socket, received } = connectTo(served.url);
      socket.write(
        `${method} /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
      );
      expect(await received).toMatch(/^HTTP\/1\.1 200 /);
      expect([served.gateway.traffic(), served.failures]).toEqual([[], []]);
    },
  );

  test.each([
    ['content-encoding', 'gzip'],
    ['transfer-encoding', 'chunked'],
    ['content-length', '7'],
  ])(
    'the header %s of the body that was read does not apply to the parsed body',
    async (name, value) => {
      const received: Record<string, string>[] = [];
      const handle = toNodeHandler(async (request) => {
        received.push({ ...Object.fromEntries(request.headers), text: await request.text() });
        return new Response();
      });
      const server = createServer(
        async (request: IncomingMessage & { body?: unknown }, response) => {
          await request.toArray();
          request.headers = { host: 'localhost', accept: 'x/y', [name]: value };
          request.body = { query: 'é' };
          await handle(request, response);
        },
      ).listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const { port } = server.address() as AddressInfo;
        await post(`http://127.0.0.1:${port}/graphql`, '{}');
        const text = '{"query":"é"}';
        expect(received).toEqual([
          { host: 'localhost', accept: 'x/y', 'content-length': '14', text },
        ]);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
  );

  test('an operation is executed for a request as Fastify wraps it', async () => {
    await using served = await serveMounted(asJson, (request) => ({
      raw: request,
      body: request.body,
    }));
    const { richCallId: id } = sampleIds(served.gateway.sandbox);
    const { status, text } = await post(
      served.url,
      JSON.stringify({ query: CARD, variables: { id } }),
    );
    expect([status, JSON.parse(text)]).toEqual([200, { data: { call: { id } } }]);
    expect(served.gateway.traffic()).toEqual([`GET /call/${id}`]);
  });

  test.each<[string, BodyParser]>([
    ['is read and discarded', async (request) => void (await readAll(request))],
    [
      'holds what JSON cannot write',
      async (request) => {
        await readAll(request);
        request.body = { query: CARD, variables: { id: 1n } };
      },
    ],
    ['is read in part', async (request) => void (await once(request, 'data'))],
  ])('the response says so when the body %s', async (_, parse) => {
    await using served = await serveMounted(parse);
    const { status, text } = await post(served.url, JSON.stringify({ query: CARD }));
    expect(status).toBe(500);
    expect(JSON.parse(text)).toEqual({
      errors: [
        {
          message:
            'The body of this request was read before the request reached the gateway: mount the gateway before any body parser, or after one that leaves the body in `request.body`.',
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
    expect(served.gateway.traffic()).toEqual([]);
    expect(served.failures).toEqual([]);
  });

  test.each([
    ['null', 400, 'BAD_USER_INPUT'],
    ['[]', 400, 'BAD_USER_INPUT'],
    ['{"query":"{ nope }"}', 200, 'GRAPHQL_VALIDATION_FAILED'],
    [`{"query":"{ __typename }","x":"${'x'.repeat(2_000)}"}`, 413, 'OPERATION_TOO_COMPLEX'],
  ])('the gateway rejects a parsed body of its own accord: %s', async (body, status, code) => {
    await using served = await serveMounted(asJson, undefined, { MAX_BODY_BYTES: '1024' });
    const response = await post(served.url, body, { accept: 'application/json' });
    expect([response.status, JSON.parse(response.text).errors[0].extensions.code]).toEqual([
      status,
      code,
    ]);
    expect(served.gateway.traffic()).toEqual([]);
  });

  test('a client that disconnects ends its operation, also after a body parser', async () => {
    await using served = await serveMounted(asJson);
    const { gateway, url } = served;
    gateway.sandbox.control.hang(/^\/call\//);
    const body = JSON.stringify({ query: CARD, variables: { id: 'slow' } });
    const client = connectTo(url);
    client.socket.write(
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    while (gateway.traffic().length === 0) await new Promise(setImmediate);
    client.socket.resetAndDestroy();
    const inFlight = async () =>
      (await (await gateway.fetch('/ready')).json()) as { upstream: { inFlight: number } };
    while ((await inFlight()).upstream.inFlight > 0) await new Promise(setImmediate);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});
