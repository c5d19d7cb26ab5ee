import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { toNodeHandler } from '../../src/node-handler.ts';
import { type EventStream, readEventStream } from '../support/event-stream.ts';
import {
  listenOnFreePort,
  type ServedGateway,
  serveTestGateway,
} from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const QUERY = 'subscription { callUpdated(id: "c1") { status } }';
const SETTINGS = { LIVE_CALL_MS: '1000', LIVE_KEEPALIVE_MS: '1000' };

let gateway: ServedGateway;
beforeEach(async () => {
  gateway = await serveTestGateway({ settings: SETTINGS });
  putCall('calling');
});
afterEach(() => gateway.close());

type Status = 'calling' | 'completed';

function putCall(status: Status, id = 'c1'): void {
  const { control } = gateway.sandbox;
  const template = control.data(KEY_A).calls[0]!;
  control.putCall(KEY_A, {
    ...template,
    id,
    status,
    call_attempts: [],
    last_call_attempt: null,
  });
}

async function subscribe(accept = 'text/event-stream', url = gateway.url): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query: QUERY }),
    signal: abort.signal,
  });
  return readEventStream(response, abort);
}

/** Resolves when the condition holds. Each check is a turn of the event loop. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setTimeout(resolve, 10));
}

async function openSubscriptions(url = gateway.url): Promise<number> {
  const text = await (await fetch(url.replace('/graphql', '/metrics'))).text();
  const values = text.matchAll(/^revox_gateway_live_subscriptions\{.*\} (\d+)$/gm);
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

describe('Event stream over a socket', () => {
  test.each(['text/event-stream', '*/*'])(
    'with Accept: %s the stream sends the present state, each change, and complete',
    async (accept) => {
      const stream = await subscribe(accept);
      await until(() => stream.events.length === 1);
      expect(stream.text().startsWith(':\n\nevent: next\n')).toBe(true);
      expect(stream.headers.get('content-encoding')).toBeNull();
      putCall('completed');
      await until(() => stream.isEnded());
      expect(stream.events.map(({ data }) => data.callUpdated.status)).toEqual([
        'CALLING',
        'COMPLETED',
      ]);
      expect([stream.isComplete(), stream.error()]).toEqual([true, undefined]);
      expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
      expect(await openSubscriptions()).toBe(0);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a quiet stream gets keepalives', async () => {
    const stream = await subscribe();
    await until(() => (stream.text().match(/^:$/gm)?.length ?? 0) >= 3);
    expect(stream.events).toHaveLength(1);
    stream.leave();
  });

  test('a client that leaves ends its stream, and its call is polled no more', async () => {
    const stream = await subscribe();
    await until(() => stream.events.length === 1);
    expect(await openSubscriptions()).toBe(1);
    stream.leave();
    await until(async () => (await openSubscriptions()) === 0);
    const polls = gateway.traffic().length;
    expect(polls).toBeGreaterThan(0);
    const other = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ assistants(first: 1) { nodes { id } } }' }),
    });
    expect(other.status).toBe(200);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('an embedded gateway streams too, and notices that its client leaves', async () => {
    const embedded = createGateway(
      readSettings({ ...SETTINGS, REVOX_BASE_URL: 'http://revox.test/api', REVOX_API_KEY: KEY_A }),
      { fetch: gateway.sandbox.fetch, log: { info() {}, error() {}, unexpected() {} } },
    );
    const server = createServer(toNodeHandler(embedded.fetch));
    const port = await listenOnFreePort(
      (port) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(port, '127.0.0.1', () => resolve(port));
        }),
    );
    const url = `http://127.0.0.1:${port}/graphql`;
    const stream = await subscribe('text/event-stream', url);
    await until(() => stream.events.length === 1);
    expect(await openSubscriptions(url)).toBe(1);
    stream.leave();
    await until(async () => (await openSubscriptions(url)) === 0);
    const complete = await subscribe('text/event-stream', url);
    putCall('completed');
    await until(() => complete.isEnded());
    expect(complete.isComplete()).toBe(true);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await embedded.dispose();
  });

  test('the next request on the connection of a complete stream is served', async () => {
    putCall('completed');
    const socket = await open();
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.write(toRequest());
    await until(() => received.endsWith('0\r\n\r\n'));
    received = '';
    socket.write(toRequest('application/json', '{ __typename }'));
    await until(() => received.includes('{"data":{"__typename":"Query"}}'));
    socket.destroy();
  });

  test('a client that closes its side and stays gets its events; one that is gone ends its stream', async () => {
    const staying = await open();
    let received = '';
    staying.on('data', (chunk) => {
      received += chunk.toString();
    });
    staying.end(toRequest());
    await until(() => received.includes('CALLING'));
    putCall('completed');
    await until(() => received.includes('event: complete'));
    // Another call: the end of the first one is cached.
    putCall('calling', 'c2');
    const leaving = await open();
    leaving.end(toRequest('text/event-stream', QUERY.replace('c1', 'c2')));
    await until(async () => (await openSubscriptions()) === 1);
    leaving.destroy();
    await until(async () => (await openSubscriptions()) === 0);
  });

  test('a client that resets its connection before the response leaves no stream behind', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, open));
    for (const socket of sockets) socket.write(toRequest(), () => socket.resetAndDestroy());
    const stream = await subscribe();
    await until(() => stream.events.length === 1);
    await until(async () => (await openSubscriptions()) === 1);
    stream.leave();
    await until(async () => (await openSubscriptions()) === 0);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

function toRequest(accept = 'text/event-stream', query = QUERY): string {
  const body = JSON.stringify({ query });
  return [
    'POST /graphql HTTP/1.1',
    `Host: ${new URL(gateway.url).host}`,
    'Content-Type: application/json',
    `Accept: ${accept}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
