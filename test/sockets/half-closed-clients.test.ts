import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { captureLog } from '../support/captured-log.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { NO_CACHE } from '../support/test-gateway.ts';
import { connectTo } from './raw-client.ts';

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const gateways = {} as Record<Pipeline, ServedGateway>;
beforeAll(async () => {
  for (const pipeline of NAMES) {
    gateways[pipeline] = await serveTestGateway({
      settings: NO_CACHE,
      gateway: PIPELINES[pipeline],
    });
  }
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';
const LARGE = '{ callAttempts(first: 100) { nodes { id transcript { content } } } }';

function toRequest(params: object, version = '1.1', head = ''): string {
  const body = JSON.stringify(params);
  return `POST /graphql HTTP/${version}\r\nHost: localhost\r\n${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const inFlight = async ({ url }: ServedGateway): Promise<number> => {
  const ready = await (await fetch(new URL('/ready', url))).json();
  return (ready as { upstream: { inFlight: number } }).upstream.inFlight;
};

async function untilSent(gateway: ServedGateway): Promise<string[]> {
  for (;;) {
    const traffic = gateway.traffic();
    if (traffic.length > 0) return traffic;
    await new Promise(setImmediate);
  }
}

describe.each(NAMES)('Client that closes its side after its request, %s', (pipeline) => {
  test.each(['1.1', '1.0'])(
    'it receives its response by HTTP/%s, and the connection is closed',
    async (version) => {
      const gateway = gateways[pipeline];
      const { richCallId: id } = sampleIds(gateway.sandbox);
      for (let time = 1; time <= 2; time += 1) {
        const { socket, received } = connectTo(gateway.url);
        socket.end(toRequest({ query: CARD, variables: { id } }, version));
        expect(await received).toMatch(
          new RegExp(
            `^HTTP/1\\.1 200 OK\\r\\n[\\s\\S]*\\{"data":\\{"call":\\{"id":"${id}"\\}\\}\\}`,
          ),
        );
        expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      }
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test.each([
    [
      'a GET request',
      () =>
        `GET /graphql?query=${encodeURIComponent('{ assistants(first: 1) { nodes { id } } }')} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      ['GET /assistants'],
    ],
    ['a probe', () => 'GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n', []],
    [
      'a request in chunks',
      () => {
        const body = JSON.stringify({ query: '{ __typename }' });
        return `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      },
      [],
    ],
  ])('it receives the response to %s', async (_, text, traffic) => {
    const gateway = gateways[pipeline];
    const { socket, received } = connectTo(gateway.url);
    socket.end(text());
    expect(await received).toMatch(/^HTTP\/1\.1 200 /);
    expect(gateway.traffic()).toEqual(traffic);
  });

  test('it receives the responses to all of its pipelined requests', async () => {
    const gateway = gateways[pipeline];
    const { richCallId: id } = sampleIds(gateway.sandbox);
    const request = toRequest({ query: CARD, variables: { id } });
    const { socket, received } = connectTo(gateway.url);
    socket.end(request + toRequest({ query: '{ __typename }' }) + request);
    expect((await received).match(/\{"data":.*?\}(?=HTTP|$)/g)).toEqual([
      JSON.stringify({ data: { call: { id } } }),
      JSON.stringify({ data: { __typename: 'Query' } }),
      JSON.stringify({ data: { call: { id } } }),
    ]);
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
  });

  test('it receives all of a large response that it reads late', async () => {
    const gateway = gateways[pipeline];
    const { socket, received } = connectTo(gateway.url);
    socket.pause();
    socket.end(toRequest({ query: LARGE }));
    await untilSent(gateway);
    socket.resume();
    const text = await received;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(JSON.parse(text.slice(text.indexOf('{'))).data.callAttempts.nodes).toHaveLength(100);
    gateway.traffic();
  });

  test('it receives its response after an interim one when the upstream is slow', async () => {
    const gateway = gateways[pipeline];
    const { richCallId: id } = sampleIds(gateway.sandbox);
    gateway.sandbox.control.hang(/^\/call\//);
    const { socket, received } = connectTo(gateway.url);
    socket.end(toRequest({ query: CARD, variables: { id } }));
    expect(await untilSent(gateway)).toEqual([`GET /call/${id}`]);
    const [interim] = await once(socket, 'data');
    expect(interim).toBe('HTTP/1.1 102 Processing\r\n\r\n');
    gateway.sandbox.control.heal();
    expect(await received).toMatch(
      /^HTTP\/1\.1 102 Processing\r\n\r\n(HTTP\/1\.1 102 Processing\r\n\r\n)*HTTP\/1\.1 200 OK\r\n/,
    );
    gateway.traffic();
  });
});

describe('Client that is gone', () => {
  test('the operations of a client that pipelines requests end, and are logged as its own doing', async () => {
    const capturedLog = captureLog();
    await using gateway = await serveTestGateway({
      settings: NO_CACHE,
      gateway: { log: capturedLog.log },
    });
    gateway.sandbox.control.hang(/^\/call\//);
    const { socket } = connectTo(gateway.url);
    socket.write(
      ['one', 'two'].map((id) => toRequest({ query: CARD, variables: { id } })).join(''),
    );
    while ((await inFlight(gateway)) < 2) await new Promise(setImmediate);
    socket.destroy();
    while ((await inFlight(gateway)) > 0) await new Promise(setImmediate);
    const lines = capturedLog.read();
    expect(lines.filter(({ route }) => route === '/graphql')).toMatchObject([
      { status: 499 },
      { status: 499 },
    ]);
    expect(lines.filter(({ msg }) => msg === 'rejected')).toEqual([]);
    expect(gateway.traffic().sort()).toEqual(['GET /call/one', 'GET /call/two']);
  });

  test.each(NAMES)(
    'the operation of a client that closes its connection ends, %s',
    async (pipeline) => {
      const gateway = gateways[pipeline];
      gateway.sandbox.control.hang(/^\/call\//);
      const { socket } = connectTo(gateway.url);
      socket.write(toRequest({ query: CARD, variables: { id: 'gone' } }));
      expect(await untilSent(gateway)).toEqual(['GET /call/gone']);
      expect(await inFlight(gateway)).toBe(1);
      socket.destroy();
      while ((await inFlight(gateway)) > 0) await new Promise(setImmediate);
      gateway.sandbox.control.heal();
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test.each([
    ['nothing', ''],
    ['a part of its head', 'POST /graphql HTTP/1.1\r\nHost: loc'],
    ['a part of its body', toRequest({ query: CARD }).slice(0, -3)],
  ])('a client that closes its side after %s is not waited for', async (_, text) => {
    const { socket, received } = connectTo(gateways.cached.url);
    socket.end(text);
    expect(await received).toMatch(text === '' ? /^$/ : /^HTTP\/1\.1 400 /);
    expect(gateways.cached.traffic()).toEqual([]);
  });

  test('an idle connection that the client half-closes is closed', async () => {
    const { socket, received } = connectTo(gateways.cached.url);
    socket.write(toRequest({ query: '{ __typename }' }));
    await once(socket, 'data');
    socket.end();
    expect((await received).match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});
