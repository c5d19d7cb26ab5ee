import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSettings, SettingsError } from '#config/settings.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { connectTo } from './raw-client.ts';

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const BASE_PATH = '/api/calls';
const PASS_THROUGH = { ...NO_CACHE, REVOX_API_KEY: '', GRAPHIQL: 'on' };
const QUERY = '{ assistants(first: 1) { nodes { id } } }';
const BODY = JSON.stringify({ query: QUERY });
const ONE_ASSISTANT = { data: { assistants: { nodes: [{ id: expect.any(String) }] } } };

const rootGateways = {} as Record<Pipeline, ServedGateway>;
const baseGateways = {} as Record<Pipeline, ServedGateway>;
beforeAll(async () => {
  for (const pipeline of NAMES) {
    const gateway = PIPELINES[pipeline];
    rootGateways[pipeline] = await serveTestGateway({ settings: PASS_THROUGH, gateway });
    baseGateways[pipeline] = await serveTestGateway({
      settings: { ...PASS_THROUGH, BASE_PATH },
      gateway,
    });
  }
});
afterAll(() =>
  Promise.all(
    [rootGateways, baseGateways].flatMap((gateways) =>
      Object.values(gateways).map((gateway) => gateway.close()),
    ),
  ),
);

function send(
  { url }: ServedGateway,
  path: string,
  { headers, ...init }: RequestInit = {},
): Promise<Response> {
  return fetch(new URL(path, url), {
    redirect: 'manual',
    headers: { authorization: `Bearer ${KEY_A}`, 'content-type': 'application/json', ...headers },
    ...init,
  });
}

const post = (gateway: ServedGateway, path: string) =>
  send(gateway, path, { method: 'POST', body: BODY });

/** Sends bytes on a connection of their own. @returns everything that was received */
function sendRaw({ url }: ServedGateway, text: string): Promise<string> {
  const { socket, received } = connectTo(url);
  socket.write(text);
  return received;
}

describe.each(NAMES)('Paths, %s', (pipeline) => {
  test.each([
    { served: rootGateways, basePath: '' },
    { served: baseGateways, basePath: BASE_PATH },
  ])(
    'every route is served with and without a slash at its end below "$basePath"',
    async ({ served, basePath }) => {
      const gateway = served[pipeline];
      for (const path of [`${basePath}/graphql`, `${basePath}/graphql/`]) {
        for (let time = 1; time <= 2; time += 1) {
          const response = await post(gateway, path);
          expect([response.status, await response.json()]).toEqual([200, ONE_ASSISTANT]);
          expect(gateway.traffic()).toEqual(['GET /assistants']);
        }
        const inUrl = await send(
          gateway,
          `${path}?query=${encodeURIComponent(QUERY)}&name=/graphql`,
        );
        expect([inUrl.status, await inUrl.json()]).toEqual([200, ONE_ASSISTANT]);
        expect(gateway.traffic()).toEqual(['GET /assistants']);
        const page = await send(gateway, path, { headers: { accept: 'text/html' } });
        expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
        await page.body?.cancel();
      }
      for (const probe of ['health', 'ready', 'metrics'])
        for (const slash of ['', '/'])
          expect((await send(gateway, `${basePath}/${probe}${slash}`)).status).toBe(200);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a request to the endpoint with a slash needs a credential', async () => {
    for (const [served, path] of [
      [rootGateways, '/graphql/'],
      [baseGateways, `${BASE_PATH}/graphql/`],
      [baseGateways, `${BASE_PATH}/graphql`],
    ] as const) {
      const gateway = served[pipeline];
      for (const url of [path, `${path}?query={__typename}&x=/health/yoga`]) {
        const init = url === path ? { method: 'POST', body: BODY } : {};
        const response = await send(gateway, url, { ...init, headers: { authorization: '' } });
        expect([url, response.status]).toEqual([url, 401]);
      }
      expect(gateway.traffic()).toEqual([]);
    }
  });

  test('no route is served outside the base path, and the message names the routes', async () => {
    const gateway = baseGateways[pipeline];
    for (const path of [
      '/graphql',
      '/health',
      '/api/graphql',
      '/api/callsgraphql',
      `${BASE_PATH}/graphql//`,
      `${BASE_PATH}//graphql`,
      `${BASE_PATH}/../graphql`,
      `/x${BASE_PATH}/graphql`,
      `${BASE_PATH}${BASE_PATH}/graphql`,
      BASE_PATH,
    ]) {
      const response = await post(gateway, path);
      expect([path, response.status, await response.text()]).toEqual([
        path,
        404,
        expect.stringContaining(
          'the GraphQL endpoint is /api/calls/graphql, the other routes are /api/calls/health, /api/calls/ready, /api/calls/metrics.',
        ),
      ]);
    }
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    ['an absolute URL', 'http://gateway.test/graphql'],
    ['an absolute URL with a port', 'http://gateway.test:8080/graphql'],
    ['an absolute URL with a slash', 'HTTP://gateway.test/graphql/'],
    ['an absolute https URL', 'https://gateway.test/graphql'],
    ['an absolute URL with a query', 'http://gateway.test/graphql?operation=Assistants'],
  ])('a request with %s as its target is executed', async (_, target) => {
    const gateway = rootGateways[pipeline];
    for (let time = 1; time <= 2; time += 1) {
      const received = await sendRaw(
        gateway,
        `POST ${target} HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\nAuthorization: Bearer ${KEY_A}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
      );
      expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\{"data":\{"assistants"/);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
    }
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

describe('Absolute form of a request target', () => {
  const get = (target: string, host = 'Host: other.test\r\n') =>
    `GET ${target} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;

  test.each([
    ['http://gateway.test/health', 200],
    ['http://gateway.test/health?probe=1', 200],
    ['http://gateway.test/nothing', 404],
    ['http://gateway.test', 404],
    ['http://gateway.test?query={__typename}', 404],
    ['ftp://gateway.test/health', 404],
    ['http:///health', 404],
  ])('a GET request to %s is answered with %i', async (target, status) => {
    expect(await sendRaw(rootGateways.cached, get(target))).toMatch(`HTTP/1.1 ${status} `);
  });

  test('a Host header is still required', async () => {
    const received = await sendRaw(rootGateways.cached, get('http://gateway.test/health', ''));
    expect(received).toMatch(/^HTTP\/1\.1 400 [\s\S]*The Host header is missing\./);
  });

  test('the host of the target counts, not the Host header: a gateway on loopback accepts only its own names', async () => {
    await using gateway = await serveTestGateway();
    for (const [target, host, status] of [
      ['http://localhost/graphql?query={__typename}', 'evil.test', 200],
      ['http://evil.test/graphql?query={__typename}', 'localhost', 403],
    ])
      expect(await sendRaw(gateway, get(`${target}`, `Host: ${host}\r\n`))).toMatch(
        `HTTP/1.1 ${status} `,
      );
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Redirect to GraphiQL', () => {
  test.each([
    { served: rootGateways, path: '/', location: 'graphql' },
    { served: baseGateways, path: BASE_PATH, location: 'calls/graphql' },
    { served: baseGateways, path: `${BASE_PATH}/`, location: 'graphql' },
  ])('the location for $path is relative: $location', async ({ served, path, location }) => {
    const response = await send(served.cached, path, { headers: { accept: 'text/html' } });
    expect([response.status, response.headers.get('location')]).toEqual([302, location]);
  });

  test.each(['/team/revox/', '/'])(
    'a browser behind a proxy that removes the prefix %s reaches the page',
    async (prefix) => {
      const { port } = new URL(rootGateways.cached.url);
      const proxy = createServer((incoming, outgoing) => {
        const path = `/${incoming.url?.slice(prefix.length)}`;
        sendRequest({ port, path, headers: incoming.headers }, (response) => {
          outgoing.writeHead(response.statusCode ?? 0, response.headers);
          response.pipe(outgoing);
        }).end();
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const response = await fetch(`${origin}${prefix}`, { headers: { accept: 'text/html' } });
      expect([response.status, response.url]).toEqual([200, `${origin}${prefix}graphql`]);
      await response.body?.cancel();
      proxy.close();
      proxy.closeAllConnections();
    },
  );
});

describe('BASE_PATH', () => {
  const basePathOf = (value: string) => readSettings({ BASE_PATH: value }).basePath;

  test.each([
    ['/api', '/api'],
    ['/api/', '/api'],
    ['/api/v1.0/revox-calls_2~', '/api/v1.0/revox-calls_2~'],
    ['/', ''],
    ['', ''],
  ])('"%s" is the prefix "%s"', (value, expected) => expect(basePathOf(value)).toBe(expected));

  test.each([
    'api',
    'api/',
    '//',
    '/a//b',
    '/..',
    '/a/../b',
    '/./a',
    '/a?b',
    '/a#b',
    '/%61',
    '/a b',
    'http://x.test/a',
    '/a/:id',
    '/*',
  ])('"%s" is rejected with an example', (value) => {
    expect(() => basePathOf(value)).toThrow(
      new SettingsError(['BASE_PATH must be a path without a query, for example /api/calls.']),
    );
  });

  test('metrics and log have the same route as without a base path', async () => {
    const gateway = baseGateways.yoga;
    await post(gateway, `${BASE_PATH}/graphql`);
    const text = await (await send(gateway, `${BASE_PATH}/metrics`)).text();
    const labels = { route: '/graphql', status: '200' };
    expect(sumSamples(parseMetrics(text), 'http_responses_total', labels)).toBeGreaterThan(0);
    gateway.traffic();
  });

  test('the health probe below the base path succeeds on a connection over the limit', async () => {
    const settings = { BASE_PATH, MAX_CONNECTIONS: '1', MAX_CONNECTIONS_PER_ADDRESS: 'off' };
    await using gateway = await serveTestGateway({ settings });
    const first = connectTo(gateway.url);
    first.socket.write('GET /api/calls/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(first.socket, 'data');
    const get = (path: string) =>
      sendRaw(gateway, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(await get('/api/calls/health')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get('/health')).toMatch(/^HTTP\/1\.1 503 /);
    first.socket.destroy();
  });
});
