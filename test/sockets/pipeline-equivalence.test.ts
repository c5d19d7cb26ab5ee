import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CapturedLog, captureLog } from '../support/captured-log.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';

interface Served extends ServedGateway {
  readonly capturedLog: CapturedLog;
}

const NAMES = Object.keys(PIPELINES) as Pipeline[];
type Gateways = Record<Pipeline, Served>;
const gateways = {} as Gateways;
/** Gateways that wait only a moment for the rest of a request. */
const impatientGateways = {} as Gateways;
const STARTED_AT = Date.now();

async function serve(pipeline: Pipeline, settings: Record<string, string> = {}): Promise<Served> {
  const capturedLog = captureLog();
  const gateway = await serveTestGateway({
    settings: { MAX_BODY_BYTES: '20000', ...settings },
    sandbox: { startedAt: STARTED_AT },
    // A fixed clock: the max-age of a response must not depend on the speed of the test.
    gateway: { log: capturedLog.log, now: () => STARTED_AT, ...PIPELINES[pipeline] },
  });
  return Object.assign(gateway, { capturedLog });
}

beforeAll(async () => {
  for (const pipeline of NAMES) {
    gateways[pipeline] = await serve(pipeline);
    impatientGateways[pipeline] = await serve(pipeline, {
      CLIENT_REQUEST_TIMEOUT_MS: '400',
      CLIENT_HEADERS_TIMEOUT_MS: '200',
    });
  }
});
afterAll(() =>
  Promise.all(
    [gateways, impatientGateways].flatMap((each) =>
      Object.values(each).map((gateway) => gateway.close()),
    ),
  ),
);

const SMALL = '{ assistants(first: 1) { nodes { id } } }';
const LARGE = '{ assistants(first: 20) { nodes { id name prompt } } }';
const BODY = JSON.stringify({ query: SMALL });
const LARGE_BODY = JSON.stringify({ query: LARGE });

/**
 * Builds a request from header lines. Adds Host, Content-Type and Content-Length where they are
 * missing. Each character is a byte.
 */
function toRequest(
  lines: readonly string[],
  body = BODY,
  first = 'POST /graphql HTTP/1.1',
): string {
  const has = (name: RegExp) => lines.some((line) => name.test(line));
  return [
    first,
    ...(has(/^host:/i) ? [] : ['Host: localhost']),
    ...(has(/^content-type:/i) ? [] : ['Content-Type: application/json']),
    ...(has(/^(content-length|transfer-encoding):/i)
      ? []
      : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]),
    ...lines,
    '',
    body,
  ].join('\r\n');
}

const CLOSE = 'Connection: close';

interface Raw {
  readonly socket: Socket;
  /** All received bytes. Resolves when the connection is closed. */
  readonly received: Promise<string>;
}

function open({ url }: ServedGateway): Raw {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
  return {
    socket,
    received: once(socket, 'close').then(() => Buffer.concat(parts).toString('latin1')),
  };
}

/**
 * The received text without dates and request ids, which always differ. Header names are
 * lower-cased and sorted, and reason phrases are removed: they carry no meaning.
 */
function toSummary(received: string): string {
  return received
    .replaceAll(/^([\w-]+):(?= )/gm, (name) => name.toLowerCase())
    .replaceAll(/^(HTTP\/1\.1 \d+) [\w ]*/gm, '$1')
    .replaceAll(/^(date|x-request-id): .*\r\n/gm, '')
    .replaceAll(/(?<=\r\n)(?:[\w-]+: .*\r\n)+/g, (headers) =>
      headers.split('\r\n').sort().join('\r\n'),
    );
}

/**
 * Sends the same bytes to each gateway `times` times, each time on a new connection, and compares
 * the results. Documents are warm from the second time on, and responses may be cached from the
 * third.
 */
async function alike(
  send: (socket: Socket) => unknown,
  times = 3,
  served = gateways,
): Promise<string> {
  let last = '';
  for (let time = 1; time <= times; time += 1) {
    const observed = {} as Record<Pipeline, { received: string; log: unknown }>;
    for (const pipeline of NAMES) {
      const { capturedLog, traffic, unexpectedErrors } = served[pipeline];
      capturedLog.lines.splice(0);
      const { socket, received } = open(served[pipeline]);
      await send(socket);
      observed[pipeline] = { received: toSummary(await received), log: [] };
      await untilReported(served[pipeline]);
      observed[pipeline].log = capturedLog
        .read()
        .map(({ status, code, route, operation }) => `${status} ${code} ${route} ${operation}`)
        .sort();
      expect(unexpectedErrors).toEqual([]);
      traffic();
    }
    expect(observed.fast, `the fast path, request ${time}`).toEqual(observed.yoga);
    expect(observed.cached, `the response cache, request ${time}`).toEqual(observed.yoga);
    expect(observed.cachedYoga, `the response cache before Yoga, request ${time}`).toEqual(
      observed.yoga,
    );
    last = observed.cached.received;
  }
  return last;
}

/** Waits until no operation is in progress. Completed operations are in the log by then. */
async function untilReported({ url }: ServedGateway): Promise<void> {
  for (;;) {
    const text = await (await fetch(new URL('/metrics', url))).text();
    if (sumSamples(parseMetrics(text), 'operations_in_progress') === 0) return;
    await new Promise(setImmediate);
  }
}

describe('Pipeline equivalence over sockets', () => {
  test.each([
    ['without options', toRequest([CLOSE])],
    ['for a large response', toRequest([CLOSE], LARGE_BODY)],
    ['for a gzip response', toRequest([CLOSE, 'Accept-Encoding: gzip'], LARGE_BODY)],
    ['for a brotli response', toRequest([CLOSE, 'Accept-Encoding: br, gzip'], LARGE_BODY)],
    ['for a response too small to compress', toRequest([CLOSE, 'Accept-Encoding: br'])],
    [
      'that accepts no supported encoding',
      toRequest([CLOSE, 'Accept-Encoding: identity;q=0, x'], LARGE_BODY),
    ],
    ['by HTTP/1.0', toRequest([], BODY, 'POST /graphql HTTP/1.0')],
    [
      'by HTTP/1.0 for a gzip response',
      toRequest(['Accept-Encoding: gzip'], LARGE_BODY, 'POST /graphql HTTP/1.0'),
    ],
    [
      'by HTTP/1.0 without a host',
      `POST /graphql HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ],
    ['by HEAD', toRequest([CLOSE], BODY, 'HEAD /graphql HTTP/1.1')],
    ['by PUT', toRequest([CLOSE], BODY, 'PUT /graphql HTTP/1.1')],
    ['with Expect: 100-continue', toRequest([CLOSE, 'Expect: 100-continue'])],
    ['with an unknown Expect header', toRequest([CLOSE, 'Expect: the-unexpected'])],
    [
      'in chunks',
      toRequest(
        [CLOSE, 'Transfer-Encoding: chunked'],
        `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
      ),
    ],
    [
      'in small chunks',
      toRequest(
        [CLOSE, 'Transfer-Encoding: chunked'],
        `${[...BODY].map((c) => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`,
      ),
    ],
    ['with an empty body', toRequest([CLOSE], '')],
    [
      'without a body and a length',
      `POST /graphql HTTP/1.1\r\nHost: localhost\r\n${CLOSE}\r\nContent-Type: application/json\r\n\r\n`,
    ],
    ['with a body that is not JSON', toRequest([CLOSE], '{')],
    ['with a byte order mark in its body', toRequest([CLOSE], `\xEF\xBB\xBF${BODY}`)],
    ['with a list in its body', toRequest([CLOSE], `[${BODY}]`)],
    ['with a body over the limit', toRequest([CLOSE], BODY.padEnd(20_001))],
    ['with a body at the limit', toRequest([CLOSE], BODY.padEnd(20_000))],
    [
      'with chunks over the limit',
      toRequest(
        [CLOSE, 'Transfer-Encoding: chunked'],
        `${(20_001).toString(16)}\r\n${BODY.padEnd(20_001)}\r\n0\r\n\r\n`,
      ),
    ],
    [
      'with a Content-Length that is too short',
      `${toRequest([CLOSE, `Content-Length: ${BODY.length - 1}`])}`,
    ],
    ['with a signed Content-Length', toRequest([CLOSE, `Content-Length: +${BODY.length}`])],
    [
      'with two Content-Length headers',
      toRequest([CLOSE, `Content-Length: ${BODY.length}`, `Content-Length: ${BODY.length}`]),
    ],
    [
      'with Content-Length and Transfer-Encoding',
      toRequest([CLOSE, `Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked']),
    ],
    [
      'with a query in the URL',
      toRequest([CLOSE], BODY, 'POST /graphql?query={__typename} HTTP/1.1'),
    ],
    [
      'with a query in the URL that ends like the endpoint',
      toRequest([CLOSE], BODY, 'POST /graphql?query=/graphql HTTP/1.1'),
    ],
    ['with two slashes', toRequest([CLOSE], BODY, 'POST //graphql HTTP/1.1')],
    ['with a host in the path', toRequest([CLOSE], BODY, 'POST //other.test/graphql HTTP/1.1')],
    ['with dot segments', toRequest([CLOSE], BODY, 'POST /./x/../graphql HTTP/1.1')],
    ['with percent-encoded dot segments', toRequest([CLOSE], BODY, 'POST /%2e/graphql HTTP/1.1')],
    ['with a backslash', toRequest([CLOSE], BODY, 'POST /\\/graphql HTTP/1.1')],
    ['with a fragment', toRequest([CLOSE], BODY, 'POST /x#/graphql HTTP/1.1')],
    ['with a slash at the end', toRequest([CLOSE], BODY, 'POST /graphql/ HTTP/1.1')],
    ['to another path', toRequest([CLOSE], BODY, 'POST /a/graphql HTTP/1.1')],
    [
      'with a percent-encoded letter in the path',
      toRequest([CLOSE], BODY, 'POST /graph%71l HTTP/1.1'),
    ],
    ['with an absolute URL', toRequest([CLOSE], BODY, 'POST http://localhost/graphql HTTP/1.1')],
    [
      'with an absolute URL of another host',
      toRequest([CLOSE], BODY, 'POST http://other.test/graphql HTTP/1.1'),
    ],
    ['with an invalid URL', toRequest([CLOSE], BODY, 'POST graphql HTTP/1.1')],
    ['with an asterisk as URL', toRequest([CLOSE], BODY, 'POST * HTTP/1.1')],
    ['with its own request id', toRequest([CLOSE, 'X-Request-Id: mine'])],
    ['with Latin-1 characters in a header', toRequest([CLOSE, 'X-Odd: \u00e9\u00ff'])],
    ['with a long Accept header', toRequest([CLOSE, `Accept: ${'text/x, '.repeat(100)}*/*`])],
    [
      'with two Accept headers',
      toRequest([CLOSE, 'Accept: text/html', 'Accept: application/json']),
    ],
    [
      'with two Content-Type headers',
      toRequest([CLOSE, 'Content-Type: application/json', 'Content-Type: text/plain']),
    ],
    [
      'with a Content-Type in capitals',
      toRequest([CLOSE, 'Content-Type: Application/JSON ; Charset=UTF-8']),
    ],
    ['from a page of another site', toRequest([CLOSE, 'Origin: http://evil.test'])],
    ['from a page of this site', toRequest([CLOSE, 'Origin: http://localhost'])],
    ['with an Upgrade header', toRequest(['Connection: close, Upgrade', 'Upgrade: h2c'])],
    ['with blank lines after its end', toRequest([CLOSE], `${BODY}\r\n\r\n`)],
  ])('every pipeline sends the same bytes and log lines for a request %s', async (_, text) => {
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
  ])('every pipeline responds alike to the Host header "%s"', async (host) => {
    await alike((socket) => socket.write(toRequest([CLOSE, `Host: ${host}`]), 'latin1'), 2);
  });

  test('every pipeline responds to pipelined requests on one connection in their order', async () => {
    const texts = [BODY, LARGE_BODY, '{', BODY, JSON.stringify({ query: '{ __typename }' }), BODY];
    const received = await alike((socket) =>
      socket.write(
        texts.map((body, n) => toRequest(n === texts.length - 1 ? [CLOSE] : [], body)).join(''),
      ),
    );
    expect(received.match(/HTTP\/1\.1 \d+/g)).toHaveLength(texts.length);
  });

  test('every pipeline responds to pipelined requests over the limit with 200 or 429', async () => {
    for (const pipeline of NAMES) {
      const { socket, received } = open(gateways[pipeline]);
      socket.write(`${toRequest([]).repeat(40)}${toRequest([CLOSE])}`);
      const statuses = (await received).match(/(?<=^|\n|})HTTP\/1\.1 \d+/g) ?? [];
      expect(new Set(['HTTP/1.1 200', 'HTTP/1.1 429', ...statuses]).size, pipeline).toBe(2);
      expect(statuses[0]).toBe('HTTP/1.1 200');
      gateways[pipeline].traffic();
    }
  });

  test('every pipeline responds alike to a request after a rejected one on the same connection', async () => {
    for (const rejected of [
      toRequest(['Origin: http://evil.test']),
      toRequest([], '{'),
      toRequest(['Content-Type: text/plain']),
      toRequest(['Accept: text/html']),
      toRequest([], BODY.padEnd(20_001)),
    ]) {
      await alike(async (socket) => {
        socket.write(rejected);
        await once(socket, 'data');
        socket.write(toRequest([CLOSE]));
      }, 2);
    }
  });

  test('every pipeline responds alike to a body that arrives in pieces', async () => {
    const text = toRequest([CLOSE]);
    await alike(async (socket) => {
      for (const [from, to] of [[0, 10], [10, -20], [-20, -1], [-1]]) {
        socket.write(text.slice(from, to));
        await new Promise(setImmediate);
      }
    });
  });
});

describe('Pipeline equivalence for incomplete bodies', () => {
  const cut = toRequest([`Content-Length: ${BODY.length + 10}`]);

  test('every pipeline responds with 400 when the client ends its stream within the body', async () => {
    expect(await alike((socket) => socket.end(cut))).toMatch(/^HTTP\/1\.1 400/);
  });

  test('every pipeline logs alike when the client resets the connection within the body', async () => {
    await alike(
      (socket) =>
        new Promise<void>((resolve) =>
          socket.write(cut, () => resolve(void socket.resetAndDestroy())),
        ),
      2,
    );
  });

  test('every pipeline responds with 408 when the body takes too long', async () => {
    expect(await alike((socket) => socket.write(cut), 2, impatientGateways)).toMatch(
      /^HTTP\/1\.1 408/,
    );
  });

  test('every pipeline responds with 408 to slow chunks and with 400 to truncated chunks', async () => {
    const head = toRequest(['Transfer-Encoding: chunked'], '5\r\n{"que');
    expect(await alike((socket) => socket.write(head), 2, impatientGateways)).toMatch(
      /^HTTP\/1\.1 408/,
    );
    expect(await alike((socket) => socket.end(head), 2)).toMatch(/^HTTP\/1\.1 400/);
  });

  test('every pipeline logs pipelined requests with the same statuses when the client resets the connection', async () => {
    for (const pipeline of NAMES) {
      const gateway = gateways[pipeline];
      gateway.capturedLog.lines.splice(0);
      gateway.sandbox.control.hang(/^\/call\//);
      const { socket } = open(gateway);
      const slow = JSON.stringify({
        query: 'query Slow($id: ID!) { call(id: $id) { id } }',
        variables: { id: `slow-${pipeline}` },
      });
      socket.write(`${toRequest([], slow)}${toRequest([])}${cut}`);
      while (!gateway.traffic().some((line) => line.includes('slow')))
        await new Promise(setImmediate);
      socket.resetAndDestroy();
      await untilReported(gateway);
      expect(
        gateway.capturedLog
          .read('/graphql')
          .map(({ status }) => status)
          .sort(),
        pipeline,
      ).toEqual([200, 499, 499]);
      gateway.sandbox.control.heal();
      expect(gateway.unexpectedErrors).toEqual([]);
    }
  });
});
