import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CapturedLog, captureLog } from '../support/captured-log.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';

interface Served extends ServedGateway {
  readonly kept: CapturedLog;
}

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const gateways = {} as Record<Pipeline, Served>;
const STARTED_AT = Date.now();
const SETTINGS = { CLIENT_REQUEST_TIMEOUT_MS: '400', CLIENT_HEADERS_TIMEOUT_MS: '200', MAX_BODY_BYTES: '20000' };

async function serve(way: Pipeline): Promise<Served> {
  const kept = captureLog();
  const gateway = await serveTestGateway({
    settings: SETTINGS,
    sandbox: { startedAt: STARTED_AT },
    // So that what an answer says of its age does not hang on how quick a test is.
    gateway: { log: kept.log, now: () => STARTED_AT, ...PIPELINES[way] },
  });
  return Object.assign(gateway, { kept });
}

beforeAll(async () => {
  for (const way of NAMES) gateways[way] = await serve(way);
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

const SMALL = '{ assistants(first: 1) { nodes { id } } }';
const LARGE = '{ assistants(first: 20) { nodes { id name prompt } } }';
const BODY = JSON.stringify({ query: SMALL });
const LARGE_BODY = JSON.stringify({ query: LARGE });

/** A request, line by line; its length is added where no line says anything of it. */
function toRequest(lines: readonly string[], body = BODY, first = 'POST /graphql HTTP/1.1'): string {
  const has = (name: RegExp) => lines.some((line) => name.test(line));
  return [
    first,
    ...(has(/^host:/i) ? [] : ['Host: localhost']),
    ...(has(/^content-type:/i) ? [] : ['Content-Type: application/json']),
    ...(has(/^(content-length|transfer-encoding):/i) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...lines,
    '',
    body,
  ].join('\r\n');
}

const CLOSE = 'Connection: close';

interface Raw {
  readonly socket: Socket;
  /** All that comes, byte by byte, until the connection is closed. */
  readonly received: Promise<string>;
}

function open({ url }: ServedGateway): Raw {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
  return { socket, received: once(socket, 'close').then(() => Buffer.concat(parts).toString('latin1')) };
}

/** What comes over the wire, without what is never the same twice. How a header's name is spelt says nothing, nor does the phrase after a status. */
function toTold(received: string): string {
  return received
    .replaceAll(/^([\w-]+):(?= )/gm, (name) => name.toLowerCase())
    .replaceAll(/^(HTTP\/1\.1 \d+) [\w ]*/gm, '$1')
    .replaceAll(/^(date|x-request-id): .*\r\n/gm, '')
    .replaceAll(/(?<=\r\n)(?:[\w-]+: .*\r\n)+/g, (headers) => headers.split('\r\n').sort().join('\r\n'));
}

/** Says the same to each, each time on a connection of its own; what is known by then is known the second and the third time. */
async function alike(say: (socket: Socket) => unknown, times = 3): Promise<string> {
  let last = '';
  for (let time = 1; time <= times; time += 1) {
    const told = {} as Record<Pipeline, { received: string; log: unknown }>;
    for (const way of NAMES) {
      const { kept, traffic, unexpectedErrors } = gateways[way];
      kept.lines.splice(0);
      const { socket, received } = open(gateways[way]);
      await say(socket);
      told[way] = { received: toTold(await received), log: [] };
      await untilToldOf(gateways[way]);
      told[way].log = kept
        .read()
        .map(({ status, code, place, operation }) => `${status} ${code} ${place} ${operation}`)
        .sort();
      expect(unexpectedErrors).toEqual([]);
      traffic();
    }
    expect(told.short, `the short way, time ${time}`).toEqual(told.long);
    expect(told.kept, `kept, time ${time}`).toEqual(told.long);
    last = told.kept.received;
  }
  return last;
}

/** Waits until nothing is being answered any more: what is over is in the log then. */
async function untilToldOf({ url }: ServedGateway): Promise<void> {
  for (;;) {
    const text = await (await fetch(new URL('/metrics', url))).text();
    if (sumSamples(parseMetrics(text), 'operations_in_progress') === 0) return;
    await new Promise(setImmediate);
  }
}

describe('The same comes over the wire', () => {
  test.each([
    ['plain', toRequest([CLOSE])],
    ['of a document that is long', toRequest([CLOSE], LARGE_BODY)],
    ['compressed', toRequest([CLOSE, 'Accept-Encoding: gzip'], LARGE_BODY)],
    ['compressed by brotli', toRequest([CLOSE, 'Accept-Encoding: br, gzip'], LARGE_BODY)],
    ['too small to be compressed', toRequest([CLOSE, 'Accept-Encoding: br'])],
    ['in no encoding that there is', toRequest([CLOSE, 'Accept-Encoding: identity;q=0, x'], LARGE_BODY)],
    ['by HTTP/1.0', toRequest([], BODY, 'POST /graphql HTTP/1.0')],
    ['by HTTP/1.0, compressed', toRequest(['Accept-Encoding: gzip'], LARGE_BODY, 'POST /graphql HTTP/1.0')],
    [
      'by HTTP/1.0 without a host',
      `POST /graphql HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ],
    ['by HEAD', toRequest([CLOSE], BODY, 'HEAD /graphql HTTP/1.1')],
    ['by PUT', toRequest([CLOSE], BODY, 'PUT /graphql HTTP/1.1')],
    ['to who expects to be told to continue', toRequest([CLOSE, 'Expect: 100-continue'])],
    ['to who expects something else', toRequest([CLOSE, 'Expect: the-unexpected'])],
    ['in chunks', toRequest([CLOSE, 'Transfer-Encoding: chunked'], `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`)],
    [
      'in small chunks',
      toRequest([CLOSE, 'Transfer-Encoding: chunked'], `${[...BODY].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`),
    ],
    ['of an empty body', toRequest([CLOSE], '')],
    [
      'of no body and no length',
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\n${CLOSE}\r\nContent-Type: application/json\r\n\r\n`,
    ],
    ['of a body that is no JSON', toRequest([CLOSE], '{')],
    ['of a body with a mark of its byte order', toRequest([CLOSE], `\uFEFF${BODY}`)],
    ['of a list', toRequest([CLOSE], `[${BODY}]`)],
    ['of a body that is too long', toRequest([CLOSE], BODY.padEnd(20_001))],
    ['of a body that is as long as it may be', toRequest([CLOSE], BODY.padEnd(20_000))],
    [
      'of chunks that are too long',
      toRequest([CLOSE, 'Transfer-Encoding: chunked'], `${(20_001).toString(16)}\r\n${BODY.padEnd(20_001)}\r\n0\r\n\r\n`),
    ],
    ['of a length that lies: too short', `${toRequest([CLOSE, `Content-Length: ${BODY.length - 1}`])}`],
    ['of a length with a sign', toRequest([CLOSE, `Content-Length: +${BODY.length}`])],
    ['of two lengths', toRequest([CLOSE, `Content-Length: ${BODY.length}`, `Content-Length: ${BODY.length}`])],
    ['of a length and chunks', toRequest([CLOSE, `Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked'])],
    ['with a query in the URL', toRequest([CLOSE], BODY, 'POST /graphql?query={__typename} HTTP/1.1')],
    ['with a query in the URL that ends like the place', toRequest([CLOSE], BODY, 'POST /graphql?query=/graphql HTTP/1.1')],
    ['with two slashes', toRequest([CLOSE], BODY, 'POST //graphql HTTP/1.1')],
    ['with a host in the path', toRequest([CLOSE], BODY, 'POST //other.test/graphql HTTP/1.1')],
    ['with dots', toRequest([CLOSE], BODY, 'POST /./x/../graphql HTTP/1.1')],
    ['with dots that are written otherwise', toRequest([CLOSE], BODY, 'POST /%2e/graphql HTTP/1.1')],
    ['with a backslash', toRequest([CLOSE], BODY, 'POST /\\/graphql HTTP/1.1')],
    ['with a fragment', toRequest([CLOSE], BODY, 'POST /x#/graphql HTTP/1.1')],
    ['with a slash at the end', toRequest([CLOSE], BODY, 'POST /graphql/ HTTP/1.1')],
    ['elsewhere', toRequest([CLOSE], BODY, 'POST /a/graphql HTTP/1.1')],
    ['with a letter that is written otherwise', toRequest([CLOSE], BODY, 'POST /graph%71l HTTP/1.1')],
    ['at an absolute URL', toRequest([CLOSE], BODY, 'POST http://localhost/graphql HTTP/1.1')],
    ['at an absolute URL that is another’s', toRequest([CLOSE], BODY, 'POST http://other.test/graphql HTTP/1.1')],
    ['at no URL', toRequest([CLOSE], BODY, 'POST graphql HTTP/1.1')],
    ['at an asterisk', toRequest([CLOSE], BODY, 'POST * HTTP/1.1')],
    ['with an id of its own', toRequest([CLOSE, 'X-Request-Id: mine'])],
    ['with words in the latin alphabet', toRequest([CLOSE, 'X-Odd: \u00e9\u00ff'])],
    ['with a long list of what it takes', toRequest([CLOSE, `Accept: ${'text/x, '.repeat(100)}*/*`])],
    ['with two lists of what it takes', toRequest([CLOSE, 'Accept: text/html', 'Accept: application/json'])],
    ['with two types', toRequest([CLOSE, 'Content-Type: application/json', 'Content-Type: text/plain'])],
    ['with a type in capitals', toRequest([CLOSE, 'Content-Type: Application/JSON ; Charset=UTF-8'])],
    ['from a page of another site', toRequest([CLOSE, 'Origin: http://evil.test'])],
    ['from a page of this site', toRequest([CLOSE, 'Origin: http://localhost'])],
    ['to who would rather speak otherwise', toRequest(['Connection: close, Upgrade', 'Upgrade: h2c'])],
    ['with words behind the end', toRequest([CLOSE], `${BODY}\r\n\r\n`)],
  ])('%s', async (_, text) => {
    await alike((socket) => socket.write(text, 'latin1'));
  });

  test.each([
    '',
    'localhost:80',
    'LOCALHOST',
    'localhost:99999',
    'localhost:0',
    '127.0.0.1',
    '[::1]',
    '[::1',
    '[::::]',
    '1.2.3.999',
    'a b',
    'a/b',
    '%',
    'x@localhost',
    'xn--',
    'x_y',
    '..',
    '-',
    'other.test',
    'localhost, localhost',
    'bücher.test',
  ])('whatever the host is: "%s"', async (host) => {
    await alike((socket) => socket.write(toRequest([CLOSE, `Host: ${host}`]), 'latin1'), 2);
  });

  test('when many are asked at once on one connection, in their order', async () => {
    const texts = [BODY, LARGE_BODY, '{', BODY, JSON.stringify({ query: '{ __typename }' }), BODY];
    const received = await alike((socket) =>
      socket.write(texts.map((body, n) => toRequest(n === texts.length - 1 ? [CLOSE] : [], body)).join('')),
    );
    expect(received.match(/HTTP\/1\.1 \d+/g)).toHaveLength(texts.length);
  });

  test('when more are asked at once than may be: each is told, in one way or the other', async () => {
    for (const way of NAMES) {
      const { socket, received } = open(gateways[way]);
      socket.write(`${toRequest([]).repeat(40)}${toRequest([CLOSE])}`);
      const statuses = (await received).match(/(?<=^|\n|})HTTP\/1\.1 \d+/g) ?? [];
      expect(new Set(['HTTP/1.1 200', 'HTTP/1.1 429', ...statuses]).size, way).toBe(2);
      expect(statuses[0]).toBe('HTTP/1.1 200');
      gateways[way].traffic();
    }
  });

  test('when the next is asked on a connection that was refused something', async () => {
    for (const refused of [
      toRequest(['Origin: http://evil.test']),
      toRequest([], '{'),
      toRequest(['Content-Type: text/plain']),
      toRequest(['Accept: text/html']),
      toRequest([], BODY.padEnd(20_001)),
    ]) {
      await alike(async (socket) => {
        socket.write(refused);
        await once(socket, 'data');
        socket.write(toRequest([CLOSE]));
      }, 2);
    }
  });

  test('when the body comes in pieces', async () => {
    const text = toRequest([CLOSE]);
    await alike(async (socket) => {
      for (const [from, to] of [[0, 10], [10, -20], [-20, -1], [-1]]) {
        socket.write(text.slice(from, to));
        await new Promise(setImmediate);
      }
    });
  });
});

describe('The same becomes of a body that does not come', () => {
  const cut = toRequest([`Content-Length: ${BODY.length + 10}`]);

  test('when the client ends within it', async () => {
    expect(await alike((socket) => socket.end(cut))).toMatch(/^HTTP\/1\.1 400/);
  });

  test('when the client is gone within it', async () => {
    await alike((socket) => new Promise<void>((resolve) => socket.write(cut, () => resolve(void socket.resetAndDestroy()))), 2);
  });

  test('when it takes too long', async () => {
    expect(await alike((socket) => socket.write(cut), 2)).toMatch(/^HTTP\/1\.1 408/);
  });

  test('when chunks take too long, or break off', async () => {
    const head = toRequest(['Transfer-Encoding: chunked'], '5\r\n{"que');
    expect(await alike((socket) => socket.write(head), 2)).toMatch(/^HTTP\/1\.1 408/);
    expect(await alike((socket) => socket.end(head), 2)).toMatch(/^HTTP\/1\.1 400/);
  });

  test('when others wait before it on the connection, and the client is gone', async () => {
    for (const way of NAMES) {
      const gateway = gateways[way];
      gateway.kept.lines.splice(0);
      gateway.sandbox.control.hang(/^\/call\//);
      const { socket } = open(gateway);
      const slow = JSON.stringify({ query: 'query Slow($id: ID!) { call(id: $id) { id } }', variables: { id: `slow-${way}` } });
      socket.write(`${toRequest([], slow)}${toRequest([])}${cut}`);
      while (!gateway.traffic().some((line) => line.includes('slow'))) await new Promise(setImmediate);
      socket.resetAndDestroy();
      await untilToldOf(gateway);
      expect(
        gateway.kept
          .read('/graphql')
          .map(({ status }) => status)
          .sort(),
        way,
      ).toEqual([200, 499, 499]);
      gateway.sandbox.control.heal();
      expect(gateway.unexpectedErrors).toEqual([]);
    }
  });
});
