import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const MEBIBYTE = 2 ** 20;
const QUERY = 'query ($id: ID!) { assistant(id: $id) { prompt } }';

/** A gateway with two tenants whose assistants have prompts of 10 MiB. */
async function serveLarge(sendTimeoutMs?: number) {
  const startedAt = Date.now();
  const gateway = await serveTestGateway({
    // A fixed clock: operations join a request that was sent within a second.
    gateway: { now: () => startedAt },
    settings: { REVOX_API_KEY: '', MAX_CONNECTIONS_PER_ADDRESS: 'off' },
    ...(sendTimeoutMs === undefined ? {} : { timeouts: { sendTimeoutMs } }),
  });
  const { frenchAssistantId: id } = sampleIds(gateway.sandbox);
  gateway.sandbox.control.transform(/^\/assistants\//, (assistant) => ({
    ...assistant,
    prompt: 'x'.repeat(10 * MEBIBYTE),
  }));
  return { gateway, id };
}

function toRequest(id: string, key: string): string {
  const body = JSON.stringify({ query: QUERY, variables: { id } });
  const lines = [
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return ['POST /graphql HTTP/1.1', 'Host: localhost', ...lines, '', body].join('\r\n');
}

/** Sends a request and reads nothing of its response beyond the socket buffer. */
function sendWithoutReading(gateway: ServedGateway, request: string): Socket {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname).on('error', () => {});
  socket.pause();
  socket.write(request);
  return socket;
}

const post = (gateway: ServedGateway, id: string, key: string) =>
  fetch(gateway.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY, variables: { id } }),
  });

async function metricOf(gateway: ServedGateway, name: string, labels = {}): Promise<number> {
  return sumSamples(
    parseMetrics(await (await fetch(new URL('/metrics', gateway.url))).text()),
    name,
    labels,
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

test('a caller with too many unread response bytes is rejected until it has read them, and other callers are served', {
  timeout: 60_000,
}, async () => {
  const { gateway, id } = await serveLarge();
  await using _ = gateway;
  for (let time = 0; time < 2; time += 1)
    expect((await (await post(gateway, id, KEY_A)).json()).data.assistant.prompt).toHaveLength(
      10 * MEBIBYTE,
    );
  const sockets = Array.from({ length: 40 }, () =>
    sendWithoutReading(gateway, toRequest(id, KEY_A)),
  );
  // The limit of a caller is 32 MiB: its fourth response exceeds the limit.
  await until(
    async () =>
      (await metricOf(gateway, 'limit_exceeded_total', {
        limit: 'MAX_UNSENT_BYTES_PER_CALLER',
      })) >= 36,
  );
  expect(await metricOf(gateway, 'unsent_bytes')).toBeLessThanOrEqual(41 * MEBIBYTE);
  const rejected = await post(gateway, id, KEY_A);
  expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await rejected.json()).errors).toMatchObject([
    { extensions: { code: 'RATE_LIMITED', retryAfter: 1 } },
  ]);
  for (const page of ['/health', '/ready'])
    expect((await fetch(new URL(page, gateway.url))).status).toBe(200);

  gateway.traffic();
  const other = await fetch(gateway.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY_B}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ assistants(first: 1) { nodes { id } } }' }),
  });
  expect((await other.json()).data.assistants.nodes).toHaveLength(1);
  expect(gateway.traffic()).toEqual(['GET /assistants']);

  for (const socket of sockets) socket.resume();
  await until(async () => (await metricOf(gateway, 'unsent_bytes')) === 0);
  expect((await (await post(gateway, id, KEY_A)).json()).data.assistant.prompt).toHaveLength(
    10 * MEBIBYTE,
  );
  expect(gateway.traffic()).toEqual([]);
  for (const socket of sockets) socket.destroy();
  expect(gateway.unexpectedErrors).toEqual([]);
});

test('of forty responses that wait for one upstream request, only those within the unsent byte limit of their caller are written', {
  timeout: 60_000,
}, async () => {
  const { gateway, id } = await serveLarge();
  await using _ = gateway;
  const sockets = Array.from({ length: 40 }, () =>
    sendWithoutReading(gateway, toRequest(id, KEY_A)),
  );
  await until(
    async () =>
      (await metricOf(gateway, 'limit_exceeded_total', {
        limit: 'MAX_UNSENT_BYTES_PER_CALLER',
      })) >= 36,
  );
  expect(await metricOf(gateway, 'unsent_bytes')).toBeLessThanOrEqual(41 * MEBIBYTE);
  expect(gateway.traffic()).toEqual([`GET /assistants/${id}`]);
  for (const socket of sockets) socket.destroy();
  expect(gateway.unexpectedErrors).toEqual([]);
});

test.each(['nothing', 'a byte at a time'])(
  'a client that reads %s of its response is disconnected and counted',
  async (mode) => {
    const { gateway, id } = await serveLarge(1_000);
    await using _ = gateway;
    const socket = sendWithoutReading(gateway, toRequest(id, KEY_A));
    let isClosed = false;
    const trickle = (async () => {
      while (!isClosed && mode !== 'nothing') {
        await new Promise(setImmediate);
        socket.read(1);
      }
    })();
    await until(
      async () => (await metricOf(gateway, 'client_disconnects_total', { reason: 'unread' })) >= 1,
    );
    expect(await metricOf(gateway, 'unsent_bytes')).toBe(0);
    isClosed = true;
    socket.destroy();
    await trickle;
    expect(gateway.unexpectedErrors).toEqual([]);
  },
);
