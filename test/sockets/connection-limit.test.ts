import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createClock } from '../support/clock.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { serveTestGateway } from '../support/served-gateway.ts';
import { connectTo, type RawClient } from './raw-client.ts';

// The gateway closes a connection that idles for a second when it needs the place.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const REQUEST = get('/graphql?query={assistants{totalCount}}');

/** Sends a request and waits for the first part of its response. */
async function send({ socket }: RawClient, request: string): Promise<string> {
  socket.write(request);
  const [part] = await once(socket, 'data');
  return part as string;
}

test('a connection over MAX_CONNECTIONS receives 503, other connections work, and /health responds with 200', async () => {
  const capturedLog = captureLog();
  await using gateway = await serveTestGateway({
    settings: { MAX_CONNECTIONS: '2', MAX_CONNECTIONS_PER_ADDRESS: 'off' },
    gateway: { log: capturedLog.log },
  });
  const [first, second] = [connectTo(gateway.url), connectTo(gateway.url)];
  for (const client of [first, second])
    expect(await send(client, REQUEST)).toContain('"totalCount":12');
  const third = connectTo(gateway.url);
  expect(await send(third, REQUEST)).toMatch(
    /^HTTP\/1\.1 503 .*retry-after: 1\r\n.*connection: close.*"code":"RATE_LIMITED","retryAfter":1/is,
  );
  await third.received;
  expect(await send(connectTo(gateway.url), get('/health'))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await send(first, REQUEST)).toContain('"totalCount":12');
  expect(gateway.traffic()).toHaveLength(1);

  // Requests that never reach the gateway are logged and counted nevertheless.
  expect(capturedLog.read().filter(({ msg }) => msg === 'rejected')).toMatchObject([
    { status: 503, code: 'RATE_LIMITED' },
  ]);
  first.socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const samples = parseMetrics(await first.received);
  expect(sumSamples(samples, 'limit_exceeded_total', { limit: 'MAX_CONNECTIONS' })).toBe(1);
  expect(sumSamples(samples, 'requests_rejected_total', { code: 'RATE_LIMITED' })).toBe(1);
  expect(sumSamples(samples, 'http_responses_total', { route: 'none', status: '503' })).toBe(1);
});

test('a closed connection frees its slot for another connection', async () => {
  await using gateway = await serveTestGateway({ settings: { MAX_CONNECTIONS: '1' } });
  for (const _ of [1, 2, 3]) {
    const client = connectTo(gateway.url);
    expect(await send(client, REQUEST)).toContain('"totalCount":12');
    client.socket.end();
    await client.received;
  }
});

test('a connection that pipelines 500 requests receives sixteen responses and a 429, and is closed', async () => {
  await using gateway = await serveTestGateway({ gateway: { now: createClock().now } });
  const { socket, received } = connectTo(gateway.url);
  socket.write(REQUEST.repeat(500));
  const responses = (await received).split(/(?=HTTP\/1\.1 )/);
  expect(responses.map((response) => response.slice(9, 12))).toEqual([
    ...Array.from({ length: 16 }, () => '200'),
    '429',
  ]);
  expect(responses.at(-1)).toMatch(/connection: close.*"code":"RATE_LIMITED"/is);
  expect(gateway.traffic()).toHaveLength(1);
  expect(gateway.unexpectedErrors).toEqual([]);
});

test('a connection may send any number of requests one after the other', async () => {
  await using gateway = await serveTestGateway();
  const client = connectTo(gateway.url);
  for (let sent = 0; sent < 40; sent += 1)
    expect(await send(client, REQUEST)).toMatch(/^HTTP\/1\.1 200 /);
  client.socket.destroy();
});
