import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

const PAGE = 'https://pr-7.preview.test';
const APP = 'capacitor://localhost';
const CORS_ORIGINS = `https://*.preview.test,${APP}`;

const BODY = '{"query":"{ assistants { totalCount } }"}';
const HEAD = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';

/** Sends the bytes on a connection of its own, and returns all that the gateway responds. */
async function send(gateway: ServedGateway, bytes: string): Promise<string> {
  const { socket, received } = connectTo(gateway.url);
  socket.write(bytes);
  return received;
}

const headersOf = (response: string) =>
  new Map(
    response
      .split('\r\n\r\n')[0]
      ?.split('\r\n')
      .slice(1)
      .map((line) => {
        const [name = '', ...value] = line.split(': ');
        return [name.toLowerCase(), value.join(': ')] as const;
      }),
  );

const EXPOSED = 'Allow, Retry-After, WWW-Authenticate, X-Request-Id';

/** Rejections before the gateway gets the request, with the bytes that cause them. */
const REJECTIONS = [
  {
    status: 503,
    name: 'a request over MAX_CONNECTIONS',
    settings: { MAX_CONNECTIONS: '1' },
    bytes: (origin: string) =>
      `${HEAD}Origin: ${origin}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  },
  {
    status: 413,
    name: 'a body over MAX_BODY_BYTES',
    settings: { MAX_BODY_BYTES: '1024' },
    bytes: (origin: string) =>
      `${HEAD}Origin: ${origin}\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n${BODY.padEnd(2_000)}`,
  },
  {
    status: 413,
    name: 'chunk extensions that are too large',
    bytes: (origin: string) =>
      `${HEAD}Origin: ${origin}\r\n${CHUNKED}1;${'x'.repeat(20_000)}\r\n{\r\n`,
  },
  {
    status: 408,
    name: 'a body that does not arrive in time',
    settings: { CLIENT_REQUEST_TIMEOUT_MS: '200', CLIENT_HEADERS_TIMEOUT_MS: '100' },
    bytes: (origin: string) => `${HEAD}Origin: ${origin}\r\nContent-Length: 100\r\n\r\n{`,
  },
  {
    status: 400,
    name: 'a body with a malformed chunk',
    bytes: (origin: string) => `${HEAD}Origin: ${origin}\r\n${CHUNKED}no number\r\n`,
  },
  {
    status: 400,
    name: 'a request with two Host headers',
    bytes: (origin: string) =>
      `${HEAD}Host: other.test\r\nOrigin: ${origin}\r\nContent-Length: 0\r\n\r\n`,
  },
];

describe.each(REJECTIONS)('CORS headers of $status for $name', ({ status, settings, bytes }) => {
  /** One connection takes the place that `MAX_CONNECTIONS` leaves. */
  async function serve(more: Record<string, string> = {}) {
    const gateway = await serveTestGateway({
      settings: { MAX_CONNECTIONS_PER_ADDRESS: 'off', CORS_ORIGINS, ...settings, ...more },
    });
    const first = connectTo(gateway.url);
    first.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(first.socket, 'data');
    return gateway;
  }

  test.each([PAGE, APP])('a page of %s can read the rejection', async (origin) => {
    await using gateway = await serve();
    const response = await send(gateway, bytes(origin));
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*"code":"`, 's'));
    const headers = headersOf(response);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-expose-headers')).toBe(EXPOSED);
    expect(headers.get('vary')).toMatch(/^Authorization, Router-Authorization, Accept, Origin/);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each(['https://evil.test', 'https://a.pr-7.preview.test', 'null'])(
    'a page of %s cannot read the rejection',
    async (origin) => {
      await using gateway = await serve();
      const response = await send(gateway, bytes(origin));
      expect(response).toMatch(new RegExp(`^HTTP/1\\.1 (${status}|403) `));
      expect(headersOf(response).get('vary')).toContain('Origin');
      expect([...headersOf(response).keys()].join()).not.toContain('access-control');
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test('the rejection has no CORS headers without CORS_ORIGINS', async () => {
    await using gateway = await serve({ CORS_ORIGINS: '' });
    const response = await send(gateway, bytes(PAGE));
    expect([...headersOf(response).keys()].join()).not.toContain('access-control');
    expect(headersOf(response).get('vary')).not.toContain('Origin');
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('CORS headers of a rejection whose request has no readable headers', () => {
  test.each([
    [
      'headers that are too large',
      431,
      `${HEAD}Origin: ${PAGE}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    ['a malformed header', 400, `${HEAD}Origin: ${PAGE}\r\nno header\r\n\r\n`],
    ['a malformed request line', 400, 'no request\r\n\r\n'],
    ['headers that do not arrive in time', 408, `${HEAD}Origin: ${PAGE}\r\n`],
  ])('pages of all origins can read the rejection of %s', async (_name, status, bytes) => {
    await using gateway = await serveTestGateway({
      settings: { CORS_ORIGINS, CLIENT_HEADERS_TIMEOUT_MS: '100' },
    });
    const response = await send(gateway, bytes);
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*"code":"`, 's'));
    expect(headersOf(response).get('access-control-allow-origin')).toBe('*');
    expect(headersOf(response).get('access-control-expose-headers')).toBe(EXPOSED);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('the origin of an earlier request on the connection is not that of a malformed one', async () => {
    await using gateway = await serveTestGateway({ settings: { CORS_ORIGINS } });
    const { socket, received } = connectTo(gateway.url);
    socket.write(`${HEAD}Origin: ${PAGE}\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
    await once(socket, 'data');
    socket.write('no request\r\n\r\n');
    const [first, second] = (await received).split(/(?=HTTP\/1\.1 )/);
    expect(headersOf(first ?? '').get('access-control-allow-origin')).toBe(PAGE);
    expect(headersOf(second ?? '').get('access-control-allow-origin')).toBe('*');
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('the rejection has no CORS headers without CORS_ORIGINS', async () => {
    await using gateway = await serveTestGateway();
    const response = await send(gateway, 'no request\r\n\r\n');
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect([...headersOf(response).keys()].join()).not.toContain('access-control');
  });
});

test('a preflight over MAX_CONNECTIONS succeeds, so that the page can send the request and read its rejection', async () => {
  await using gateway = await serveTestGateway({
    settings: { MAX_CONNECTIONS: '1', MAX_CONNECTIONS_PER_ADDRESS: 'off', CORS_ORIGINS },
  });
  const first = connectTo(gateway.url);
  first.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(first.socket, 'data');
  const preflight = (origin: string, headers = '') =>
    send(
      gateway,
      `OPTIONS /graphql HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\n${headers}\r\n`,
    );

  const allowed = await preflight(PAGE, 'Access-Control-Request-Method: POST\r\n');
  expect(allowed).toMatch(/^HTTP\/1\.1 204 /);
  expect(Object.fromEntries(headersOf(allowed))).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-max-age': '7200',
    connection: 'close',
  });
  // An OPTIONS request that is no preflight has no place.
  expect(await preflight(PAGE)).toMatch(/^HTTP\/1\.1 503 /);
  expect(gateway.traffic()).toEqual([]);
});
