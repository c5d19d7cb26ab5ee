import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { refusedUpgrade } from '../support/socket-client.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { QUERY, useWebSocketGateway } from '../support/web-socket-gateway.ts';

const SECRET = 'a-router-secret-of-32-characters';
const sockets = useWebSocketGateway();

/** Sends a request as text, and returns everything until the connection closes. */
async function exchange(head: string): Promise<string> {
  const { port, host } = new URL(sockets.current.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`${head.replaceAll('\n', '\r\n').replace('HOST', host)}\r\n\r\n`);
  let text = '';
  for await (const part of socket) text += part;
  return text;
}

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'graphql-transport-ws',
};

/** A handshake with other headers. An empty value removes a header. */
const toHead = (headers: Record<string, string>, line = 'GET /graphql HTTP/1.1') =>
  [
    line,
    'Host: HOST',
    ...Object.entries({ ...HANDSHAKE, ...headers })
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name}: ${value}`),
  ].join('\n');

describe('Handshake of a WebSocket', () => {
  test.each<[string, string, number, string]>([
    [
      'the older protocol',
      toHead({ 'Sec-WebSocket-Protocol': 'graphql-ws' }),
      400,
      'must name `graphql-transport-ws`',
    ],
    [
      'no protocol',
      toHead({ 'Sec-WebSocket-Protocol': '' }),
      400,
      'must name `graphql-transport-ws`',
    ],
    ['version 8', toHead({ 'Sec-WebSocket-Version': '8' }), 426, 'must be 13'],
    ['no version', toHead({ 'Sec-WebSocket-Version': '' }), 426, 'must be 13'],
    ['a short key', toHead({ 'Sec-WebSocket-Key': 'AAAA' }), 400, '16 bytes in base64'],
    ['POST', toHead({}, 'POST /graphql HTTP/1.1'), 405, 'opened by GET'],
    ['another path', toHead({}, 'GET /ready HTTP/1.1'), 404, '/graphql'],
    ['a path that does not exist', toHead({}, 'GET /x HTTP/1.1'), 404, '/graphql'],
    ['another host', toHead({}).replace('HOST', 'evil.test'), 403, 'only requests to localhost'],
  ])('with %s gets an error response', async (_, head, status, message) => {
    const text = await exchange(head);
    const [statusLine = '', ...rest] = text.split('\r\n');
    expect(statusLine).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(rest.join('\n')).toContain('connection: close');
    expect(text).toContain(message);
    expect(text.includes('sec-websocket-version: 13')).toBe(status === 426);
    expect(text).toContain('x-request-id: ');
    expect(sockets.current.traffic()).toEqual([]);
    expect(sockets.current.ends).toEqual([String(status)]);
  });

  test('a list with the protocol succeeds, and the response names only it', async () => {
    const client = await sockets.open({ protocols: ['graphql-ws', 'graphql-transport-ws'] });
    expect(client.socket.protocol).toBe('graphql-transport-ws');
    expect(client.socket.extensions).toBe('');
    await sockets.watch(client);
  });

  test('an upgrade to another protocol is a request of HTTP', async () => {
    const head = `GET /graphql?query={__typename} HTTP/1.1\nHost: HOST\nConnection: Upgrade, HTTP2-Settings, close\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__`;
    expect(await exchange(head)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('BASE_PATH precedes the path', async () => {
    await sockets.restart({ BASE_PATH: '/api/revox' });
    expect(await exchange(toHead({}))).toMatch(/^HTTP\/1.1 404 /);
    const url = new URL('/api/revox/graphql', sockets.current.url).href;
    const { status } = await refusedUpgrade(url, { protocols: ['other'] });
    expect(status).toBe(400);
  });

  test('SUBSCRIPTIONS=off: an error that names the setting', async () => {
    await sockets.restart({ SUBSCRIPTIONS: 'off' });
    const { status, body } = await refusedUpgrade(sockets.current.url);
    expect([status, body]).toEqual([400, expect.stringContaining('SUBSCRIPTIONS')]);
  });

  test.each([
    ['a wrong key scheme', { authorization: 'Basic eDp5' }, 401, 'UNAUTHENTICATED'],
    [
      'a key, where secrets are demanded',
      { 'router-authorization': 'wrong' },
      401,
      'UNAUTHENTICATED',
    ],
  ])('%s in the headers is refused before the handshake', async (_, headers, status, code) => {
    const settings: Record<string, string> =
      'authorization' in headers ? { REVOX_API_KEY: '' } : { ROUTER_SECRETS: SECRET };
    await sockets.restart(settings);
    const refusal = await refusedUpgrade(sockets.current.url, { headers });
    expect(refusal.status).toBe(status);
    expect(JSON.parse(refusal.body).errors[0].extensions.code).toBe(code);
    expect(refusal.headers['www-authenticate']).toBeDefined();
    expect(sockets.current.traffic()).toEqual([]);
  });

  test('MAX_SUBSCRIPTIONS is reached, or the gateway drains: 503 with Retry-After', async () => {
    await sockets.restart({ MAX_SUBSCRIPTIONS: '1', DRAIN_DELAY_MS: '5000' });
    const client = await sockets.open();
    await sockets.watch(client);
    const full = await refusedUpgrade(sockets.current.url);
    expect([full.status, full.headers['retry-after']]).toEqual([503, '5']);
    client.socket.terminate();
    await sockets.current.until(() => sockets.current.ends.includes('client'));
    void sockets.current.drain();
    const draining = await refusedUpgrade(sockets.current.url);
    expect(draining.status).toBe(503);
    expect(Number(draining.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('MAX_SUBSCRIPTIONS_PER_CALLER is reached: 429 for that key only', async () => {
    await sockets.restart({ REVOX_API_KEY: '', MAX_SUBSCRIPTIONS_PER_CALLER: '1' });
    const headers = { authorization: `Bearer ${KEY_A}` };
    await sockets.watch(await sockets.open({ headers }));
    // The accepted key becomes an owner of its own.
    await sockets.pass(2_000);
    const { status, body } = await refusedUpgrade(sockets.current.url, { headers });
    expect([status, body]).toEqual([429, expect.stringContaining('MAX_SUBSCRIPTIONS_PER_CALLER')]);
    await sockets.open({ headers: { authorization: 'Bearer other' } });
  });
});

// Which pages may open one is in docs/reference/access-matrix.md.
test('a page of another origin gets an error that names CORS_ORIGINS', async () => {
  const headers = { origin: 'https://evil.test' };
  const refusal = await refusedUpgrade(sockets.current.url, { headers });
  expect(JSON.parse(refusal.body).errors[0]).toMatchObject({
    message: expect.stringContaining('CORS_ORIGINS'),
    extensions: { code: 'FORBIDDEN' },
  });
  expect(sockets.current.traffic()).toEqual([]);
});

describe('A plain request over the port of WebSockets', () => {
  test('a query is handled as before, and SSE subscriptions too', async () => {
    await sockets.watch(await sockets.open());
    const response = await fetch(sockets.current.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ call(id: "c1") { status } }' }),
    });
    expect(await response.json()).toEqual({ data: { call: { status: 'CALLING' } } });
    const refused = await fetch(sockets.current.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query: QUERY }),
    });
    expect(refused.status).toBe(406);
    const { errors } = (await refused.json()) as { errors: { message: string }[] };
    for (const way of ['text/event-stream', 'multipart/mixed', 'WebSocket', 'graphql-transport-ws'])
      expect(errors[0]?.message).toContain(way);
  });
});
