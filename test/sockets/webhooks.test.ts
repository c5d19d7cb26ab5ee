import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { readEventStream } from '../support/event-stream.ts';
import { putCallState } from '../support/live-gateway.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import {
  type ServedGateway,
  type ServedGatewayOptions,
  serveTestGateway,
} from '../support/served-gateway.ts';
import { toWebhook, WEBHOOK_SECRET } from '../support/webhooks.ts';
import { connectTo } from './raw-client.ts';

const PATH = `/webhooks/revox/${WEBHOOK_SECRET}`;
const BODY = JSON.stringify(toWebhook('c1'));
const head = (...headers: string[]) =>
  ['POST ', PATH, ' HTTP/1.1\r\nHost: localhost\r\n', ...headers.map((each) => `${each}\r\n`)].join(
    '',
  );
const LENGTH = `Content-Length: ${BODY.length}`;

let gateway: ServedGateway;
const captured = captureLog();
afterEach(async () => {
  await gateway.close();
  expect(gateway.unexpectedErrors).toEqual([]);
  expect(captured.lines.join('\n')).not.toContain(WEBHOOK_SECRET);
});

/** A gateway with a subscriber of the call `c1`, which is polled every 30 s. */
async function serve(options: ServedGatewayOptions = {}) {
  gateway = await serveTestGateway({
    ...options,
    settings: { WEBHOOK_SECRETS: WEBHOOK_SECRET, ...options.settings },
    gateway: { log: captured.log },
  });
  putCallState(gateway.sandbox, { id: 'c1', status: 'scheduled', scheduled_at: null });
  const abort = new AbortController();
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription { callUpdated(id: "c1") { status } }' }),
    signal: abort.signal,
  });
  const stream = await readEventStream(response, abort);
  await expect.poll(() => stream.events.length).toBe(1);
  gateway.traffic();
  return stream;
}

const post = (init: RequestInit = {}) =>
  fetch(gateway.url.replace('/graphql', PATH), { method: 'POST', body: BODY, ...init });

async function metric(name: string, labels: Record<string, string>): Promise<number> {
  const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
  return sumSamples(parseMetrics(text), name, labels);
}

describe('Webhooks over a socket', () => {
  test('a webhook ends the wait of a subscriber, and the sender gets 204 without a body', async () => {
    const stream = await serve();
    putCallState(gateway.sandbox, { id: 'c1', status: 'completed' });
    const response = await post();
    expect([response.status, await response.text()]).toEqual([204, '']);
    await expect.poll(() => stream.isEnded()).toBe(true);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'COMPLETED' } });
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('a body in chunks is read to its end', async () => {
    await serve();
    const { socket, received } = connectTo(gateway.url);
    socket.write(`${head('Transfer-Encoding: chunked', 'Connection: close')}\r\n`);
    for (const part of [BODY.slice(0, 9), BODY.slice(9)])
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
    socket.write('0\r\n\r\n');
    expect(await received).toMatch(/^HTTP\/1\.1 204 /);
    await expect.poll(() => gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('a sender that stops in the middle of the body is disconnected, and polls nothing', async () => {
    await serve({
      settings: { CLIENT_HEADERS_TIMEOUT_MS: '1500', CLIENT_REQUEST_TIMEOUT_MS: '3000' },
    });
    const { socket, received } = connectTo(gateway.url);
    socket.write(`${head(LENGTH)}\r\n${BODY.slice(0, 20)}`);
    expect(await received).toMatch(/^HTTP\/1\.1 408 /);
    expect(gateway.traffic()).toEqual([]);
    expect(await metric('webhooks_total', { result: 'due' })).toBe(0);
  });

  test('a sender that leaves in the middle of the body polls nothing, and the next one is served', async () => {
    await serve();
    const { socket } = connectTo(gateway.url);
    socket.write(`${head(LENGTH)}\r\n${BODY.slice(0, 20)}`, () => socket.destroy());
    await expect.poll(() => metric('webhooks_total', { result: 'invalid' })).toBe(1);
    expect(gateway.traffic()).toEqual([]);
    expect((await post()).status).toBe(204);
    await expect.poll(() => gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('a body that is too large is refused before it arrives', async () => {
    await serve();
    const { socket } = connectTo(gateway.url);
    socket.write(`${head('Content-Length: 1048577')}\r\n`);
    const [part] = (await once(socket, 'data')) as [string];
    expect(part).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect(gateway.traffic()).toEqual([]);
  });

  test('an upgrade to a WebSocket gets the 404 of an unknown path, without the secret', async () => {
    await serve();
    const { socket, received } = connectTo(gateway.url);
    socket.end(
      `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    const text = await received;
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(text).not.toContain(WEBHOOK_SECRET);
    expect(gateway.traffic()).toEqual([]);
  });

  test('over MAX_CONNECTIONS a webhook gets 503, and polls nothing', async () => {
    // The subscriber, and `other`.
    await serve({ settings: { MAX_CONNECTIONS: '2', MAX_CONNECTIONS_PER_ADDRESS: 'off' } });
    const other = connectTo(gateway.url);
    other.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(other.socket, 'data');
    const { socket, received } = connectTo(gateway.url);
    socket.write(`${head(LENGTH, 'Connection: close')}\r\n${BODY}`);
    expect(await received).toMatch(/^HTTP\/1\.1 503 /);
    expect(gateway.traffic()).toEqual([]);
    other.socket.destroy();
  });

  test('with a key and without secrets, only requests to localhost are accepted', async () => {
    await serve();
    const { socket, received } = connectTo(gateway.url);
    socket.write(
      `${head(LENGTH, 'Connection: close').replace('localhost', 'gateway.test')}\r\n${BODY}`,
    );
    expect(await received).toMatch(/^HTTP\/1\.1 403 /);
    expect(gateway.traffic()).toEqual([]);
  });

  test('two thousand webhooks on twenty connections cost one poll a second', async () => {
    await serve();
    const startedAt = performance.now();
    const statuses = new Map<number, number>();
    const send = async () => {
      for (let n = 0; n < 100; n += 1) {
        const response = await post();
        await response.body?.cancel();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 20 }, send));
    const seconds = (performance.now() - startedAt) / 1_000;
    expect([...statuses.keys()].sort()).toEqual([204, 429]);
    // A hundred at once, and a hundred in each second.
    expect(statuses.get(204)).toBeLessThanOrEqual(101 + 100 * seconds);
    expect(gateway.traffic().length).toBeLessThanOrEqual(1 + seconds);
  });
});
