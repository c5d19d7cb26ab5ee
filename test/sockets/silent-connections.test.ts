import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

const REQUEST =
  'GET /graphql?query={assistants{totalCount}} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/**
 * Below `CLIENT_HEADERS_TIMEOUT_MS`, after which all connections of the test are closed in any
 * case.
 */
const MAX_WAIT_MS = 8_000;

/**
 * Opens connections and sends the same bytes on each. A gateway that closes them is not an error.
 */
async function open(gateway: ServedGateway, count: number, sent = ''): Promise<Socket[]> {
  const { hostname, port } = new URL(gateway.url);
  const sockets = Array.from({ length: count }, () =>
    connect(Number(port), hostname).on('error', () => {}),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) if (sent !== '') socket.write(sent);
  return sockets;
}

/**
 * Sends the request on new connections until one receives a response; returns the elapsed time in
 * ms.
 */
async function untilServed(gateway: ServedGateway): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const client = connectTo(gateway.url);
    client.socket.write(REQUEST);
    if ((await client.received).includes('"totalCount":12')) return performance.now() - startedAt;
  }
}

test.each([
  ['that send nothing', ''],
  ['that stop in the headers of a request', 'POST /graphql HTTP/1.1\r\nHost: localhost\r\n'],
])(
  '2,010 connections %s do not keep a new client from being served',
  { timeout: 30_000 },
  async (_, sent) => {
    await using gateway = await serveTestGateway({
      settings: { MAX_CONNECTIONS_PER_ADDRESS: 'off' },
    });
    const sockets = await open(gateway, 2_010, sent);
    expect(await untilServed(gateway)).toBeLessThan(MAX_WAIT_MS);
    for (const socket of sockets) socket.destroy();
    expect(gateway.unexpectedErrors).toEqual([]);
  },
);

test('connections that stop in the body of a request do not keep a new client from being served', {
  timeout: 30_000,
}, async () => {
  await using gateway = await serveTestGateway({
    settings: { MAX_CONNECTIONS: '50', MAX_CONNECTIONS_PER_ADDRESS: 'off' },
  });
  const head =
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
  const sockets = await open(gateway, 60, head);
  expect(await untilServed(gateway)).toBeLessThan(MAX_WAIT_MS);
  for (const socket of sockets) socket.destroy();
});

test('one address may hold half of all connections, and further connections are rejected with 503', async () => {
  await using gateway = await serveTestGateway({ settings: { MAX_CONNECTIONS: '4' } });
  const [first, second] = [connectTo(gateway.url), connectTo(gateway.url)];
  for (const { socket } of [first, second]) {
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
  }
  const third = connectTo(gateway.url);
  third.socket.write(REQUEST);
  expect(await third.received).toMatch(/^HTTP\/1\.1 503 .*"code":"RATE_LIMITED","retryAfter":1/s);
  first.socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const samples = parseMetrics(await first.received);
  expect(
    sumSamples(samples, 'limit_exceeded_total', { limit: 'MAX_CONNECTIONS_PER_ADDRESS' }),
  ).toBe(1);
  second.socket.destroy();
  expect(gateway.traffic()).toEqual([]);
});

test.each([
  ['one address', { MAX_CONNECTIONS: '40' }],
  ['all addresses', { MAX_CONNECTIONS: '20', MAX_CONNECTIONS_PER_ADDRESS: 'off' }],
])(
  'idle connections at the limit of %s do not keep a new client from being served',
  async (_, settings) => {
    await using gateway = await serveTestGateway({ settings });
    const sockets = await open(gateway, 20, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    expect(await untilServed(gateway)).toBeLessThan(MAX_WAIT_MS);
    for (const socket of sockets) socket.destroy();
    expect(gateway.traffic()).toHaveLength(1);
    expect(gateway.unexpectedErrors).toEqual([]);
  },
);

test('a connection over the limit is closed after its response to /health', async () => {
  await using gateway = await serveTestGateway({ settings: { MAX_CONNECTIONS: '2' } });
  const health = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const first = connectTo(gateway.url);
  first.socket.write(health);
  await once(first.socket, 'data');
  const over = connectTo(gateway.url);
  over.socket.write(health);
  const response = await over.received;
  expect(response).toMatch(/^HTTP\/1\.1 200 /);
  expect(response).toMatch(/\r\nconnection: close\r\n/i);
  first.socket.write(health);
  await once(first.socket, 'data');
  first.socket.destroy();
  expect(gateway.traffic()).toEqual([]);
});

test('silent connections are closed after the keep-alive timeout without a response, and are counted', async () => {
  await using gateway = await serveTestGateway({
    settings: { CLIENT_HEADERS_TIMEOUT_MS: '100' },
    timeouts: { keepAliveMs: 300 },
  });
  const clients = Array.from({ length: 20 }, () => connectTo(gateway.url));
  expect(await Promise.all(clients.map(({ received }) => received))).toEqual(Array(20).fill(''));
  const text = await (await fetch(new URL('/metrics', gateway.url))).text();
  expect(sumSamples(parseMetrics(text), 'client_disconnects_total', { reason: 'silent' })).toBe(20);
});
