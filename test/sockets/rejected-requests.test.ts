import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { serveTestGateway } from '../support/served-gateway.ts';
import { createTestGateway, KEY_A, KEY_B, NO_RETRIES } from '../support/test-gateway.ts';
import { connectTo } from './raw-client.ts';

test.each(['[', 'a b', '%', 'x:99999'])(
  'the invalid Host header "%s" is rejected without internal details in the response',
  async (host) => {
    await using gateway = await serveTestGateway();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.end(
      `GET /graphql?query={__typename} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    let response = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      response += text;
    });
    await once(socket, 'close');
    expect(response).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(response).not.toMatch(/file:|at .*\.ts|TypeError/);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  },
);

test.each([
  ['', 403],
  [' ', 403],
  ['user@localhost', 403],
  ['user:secret@127.0.0.1', 403],
  ['@localhost', 403],
  [':@[::1]', 403],
  ['localhost@evil.test', 403],
  ['localhost', 200],
  ['127.0.0.1:80', 200],
  ['[::1]', 200],
])('a loopback-only gateway responds to the Host header "%s" with %i', async (host, status) => {
  await using gateway = await serveTestGateway();
  const { socket, received } = connectTo(gateway.url);
  const body = '{"query":"{ __typename }"}';
  const head = `Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.end(`POST /graphql HTTP/1.1\r\nHost: ${host}\r\n${head}\r\n\r\n${body}`);
  expect(await received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(await received).toMatch(status === 200 ? /"__typename":"Query"/ : /"code":"FORBIDDEN"/);
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
});

test.each([
  [404, {}, { call: null }, undefined],
  [429, { 'retry-after': '7' }, { call: null }, { code: 'RATE_LIMITED', retryAfter: 7 }],
  [503, {}, { call: null }, { code: 'UPSTREAM_UNAVAILABLE' }],
] as const)(
  'an upstream status of %i is handled at once even if its body never ends',
  async (status, headers, data, extensions) => {
    const gateway = createTestGateway({
      settings: { ...NO_RETRIES, REVOX_TIMEOUT_MS: '600000', REQUEST_DEADLINE_MS: '600000' },
      // A body that never ends.
      upstream: async () =>
        new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) }), {
          status,
          headers,
        }),
    });
    const result = await gateway.execute('{ call(id: "x") { id } }');
    expect(result.data).toEqual(data);
    expect(result.errors?.[0]?.extensions).toEqual(extensions);
    expect(gateway.traffic()).toEqual(['GET /call/x']);
  },
);

test.each(['with its length', 'in parts'])(
  'a body over the limit that is sent %s is rejected with 413',
  async (mode) => {
    await using gateway = await serveTestGateway({ settings: { MAX_BODY_BYTES: '100000' } });
    const text = `{"query":"{ __typename }"}`.padEnd(100_001);
    const send = (body: string) =>
      fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: mode === 'in parts' ? new Blob([body]).stream() : body,
        duplex: 'half',
      } as RequestInit);
    const response = await send(text);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      errors: [
        { extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 100_000, measured: 100_001 } },
      ],
    });
    expect(await (await send(text.slice(0, 100_000))).json()).toEqual({
      data: { __typename: 'Query' },
    });
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  },
);

test('a client that disconnects within its body causes no unexpected error and counts as no rejection', async () => {
  await using gateway = await serveTestGateway();
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  const left = once(socket, 'close');
  const head = `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`;
  socket.write(`${head}{"query":`, () => socket.destroy());
  await left;
  const next = await fetch(`${gateway.url}?query={__typename}`);
  expect(await next.json()).toEqual({ data: { __typename: 'Query' } });
  const metrics = await (await fetch(new URL('/metrics', gateway.url))).text();
  expect(metrics).not.toContain('INTERNAL_SERVER_ERROR');
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
});

test.each([
  [
    'two API keys',
    [`Authorization: Bearer ${KEY_A}`, `Authorization: Bearer ${KEY_B}`],
    401,
    'UNAUTHENTICATED',
  ],
  [
    'an API key and another Authorization header',
    [`Authorization: Bearer ${KEY_A}`, 'authorization: x'],
    401,
    'UNAUTHENTICATED',
  ],
  [
    'two Host headers',
    ['Host: other.test', `Authorization: Bearer ${KEY_A}`],
    400,
    'BAD_USER_INPUT',
  ],
] as const)(
  'a request with %s is rejected because a proxy may have used the other header',
  async (_, lines, status, code) => {
    await using gateway = await serveTestGateway({ settings: { REVOX_API_KEY: '' } });
    const { socket, received } = connectTo(gateway.url);
    const body = JSON.stringify({ query: '{ assistants { nodes { id } } }' });
    const head = [
      'POST /graphql HTTP/1.1',
      `Host: ${new URL(gateway.url).host}`,
      'Content-Type: application/json',
      ...lines,
    ];
    socket.write(
      [...head, 'Connection: close', `Content-Length: ${body.length}`, '', body].join('\r\n'),
    );
    const response = await received;
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(response).toContain(`"code":"${code}"`);
    expect(gateway.traffic()).toEqual([]);
  },
);
