import { setInterval } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

let gateway: ServedGateway;
beforeAll(async () => {
  gateway = await serveTestGateway({
    settings: { CLIENT_HEADERS_TIMEOUT_MS: '250', CLIENT_REQUEST_TIMEOUT_MS: '500' },
  });
});
afterAll(() => gateway.close());

afterEach(async () => {
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{ "query": "{ __typename }" }',
  });
  expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
});

const HEAD = 'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const BODY = '{ "query": "{ assistants { nodes { id } } }" }';

/** The status and the error code of a response, or an empty string if there is no response. */
function toSummary(received: string): string {
  if (received === '') return '';
  const [head = '', body = ''] = received.split('\r\n\r\n');
  const { errors } = JSON.parse(body) as {
    errors: { message: string; extensions: { code: string } }[];
  };
  expect(errors).toEqual([
    { message: expect.any(String), extensions: { code: expect.any(String) } },
  ]);
  const headers = new Headers(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]),
  );
  expect(Object.fromEntries(headers)).toMatchObject({
    ...SECURITY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  });
  return `${/^HTTP\/1\.1 (\d{3} [\w ]+)\r\n/.exec(head)?.[1]} · ${errors[0]?.extensions.code}`;
}

const TIMEOUT = '408 Request Timeout · BAD_USER_INPUT';
const BAD = '400 Bad Request · BAD_USER_INPUT';
const TOO_LARGE = '431 Request Header Fields Too Large · OPERATION_TOO_COMPLEX';

describe('Timeout of incomplete requests', () => {
  test.each([
    ['stops in the first line', 'POST /gra'],
    ['stops in the headers', HEAD],
    ['stops before the body', `${HEAD}Content-Length: ${BODY.length}\r\n\r\n`],
    ['stops in the body', `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, -1)}`],
    ['stops between chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\n{ "q\r\n`],
  ])('a client that %s receives 408', async (_name, text) => {
    const { socket, received } = connectTo(gateway.url);
    socket.write(text);
    expect(toSummary(await received)).toBe(TIMEOUT);
  });

  test.each([
    ['its headers', `${HEAD}X-Slow: `, 'x'],
    ['its body', `${HEAD}Content-Length: 100000\r\n\r\n`, ' '],
    ['its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
  ])('a client that sends %s byte by byte receives 408', async (_name, head, drop) => {
    const { socket, received } = connectTo(gateway.url);
    socket.write(head);
    const dribble = (async () => {
      for await (const _ of setInterval(10)) if (socket.closed || !socket.write(drop)) break;
    })();
    expect(toSummary(await received)).toBe(TIMEOUT);
    socket.destroy();
    await dribble;
  });

  test('a client that does not complete its second request receives 408', async () => {
    const { socket, received } = connectTo(gateway.url);
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.once('data', () => socket.write('GET /health HTTP'));
    const [first, second] = (await received).split(/(?=HTTP\/1\.1 4)/);
    expect(first).toMatch(/^HTTP\/1\.1 200 .*"alive"/s);
    expect(toSummary(second ?? '')).toBe(TIMEOUT);
  });

  test('a client that sends nothing more after a rejected request receives one response only', async () => {
    const { socket, received } = connectTo(gateway.url);
    socket.write(`${HEAD.replace('json', 'xml')}Content-Length: 10\r\n\r\n`);
    const text = await received;
    expect(text).toMatch(/^HTTP\/1\.1 415 /);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('Malformed HTTP request', () => {
  test.each([
    [
      'a body shorter than its Content-Length',
      `${HEAD}Content-Length: ${BODY.length + 1}\r\n\r\n${BODY}`,
      BAD,
    ],
    ['plain text', 'Hello, is anybody there?\r\n\r\n', BAD],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', BAD],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', BAD],
    ['zero bytes', '\0'.repeat(100), BAD],
    ['a header without a colon', `${HEAD}nonsense\r\n\r\n`, BAD],
    ['a header with a control character', `${HEAD}x-odd: \x01\r\n\r\n`, BAD],
    ['two Content-Length headers', `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`, BAD],
    [
      'Content-Length and Transfer-Encoding',
      `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      BAD,
    ],
    ['an invalid Content-Length', `${HEAD}Content-Length: -1\r\n\r\n`, BAD],
    ['an invalid chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, BAD],
    ['no Host header', 'GET /graphql?query={__typename} HTTP/1.1\r\n\r\n', BAD],
    ['one large header', `${HEAD}x-large: ${'x'.repeat(20_000)}\r\n\r\n`, TOO_LARGE],
    ['many headers', `${HEAD}${'x-many: x\r\n'.repeat(3_000)}\r\n`, TOO_LARGE],
    [
      'a large URL',
      `GET /graphql?query=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      TOO_LARGE,
    ],
  ])('a request with %s is rejected with a GraphQL error', async (_name, text, expected) => {
    const { socket, received } = connectTo(gateway.url);
    socket.end(text, 'latin1');
    expect(toSummary(await received)).toBe(expected);
  });

  test.each(['', 'nonsense', HEAD, `${HEAD}Content-Length: 1000\r\n\r\n${BODY}`])(
    'a client that resets its connection after sending %j receives no response and causes no error',
    async (text) => {
      const { socket, received } = connectTo(gateway.url);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write(text, () => socket.resetAndDestroy());
      expect(await received).toBe('');
    },
  );
});

describe('Unsupported HTTP features', () => {
  test.each(['TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY'])(
    'a request with the method %s is rejected with 405',
    async (method) => {
      const { socket, received } = connectTo(gateway.url);
      socket.end(`${method} /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(await received).toMatch(/^HTTP\/1\.1 405 .*"code":"BAD_USER_INPUT"/s);
    },
  );

  test.each(['Expect: something\r\n', 'Upgrade: h2c\r\n'])(
    'a request with the unsupported header %j is handled as if the header were absent',
    async (header) => {
      const { socket, received } = connectTo(gateway.url);
      socket.end(`GET /graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
      expect(await received).toMatch(/^HTTP\/1\.1 200 .*"__typename":"Query"/s);
    },
  );

  test('a CONNECT request is closed without a response', async () => {
    const { socket, received } = connectTo(gateway.url);
    socket.write('CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal\r\n\r\n');
    expect(await received).toBe('');
  });
});
