import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { PIPELINES, type Pipeline } from '../support/pipelines.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { NO_CACHE } from '../support/test-gateway.ts';

const NAMES = Object.keys(PIPELINES) as Pipeline[];
const MAX_BODY_BYTES = 100_000;
const gateways = {} as Record<Pipeline, ServedGateway>;
beforeAll(async () => {
  for (const pipeline of NAMES) {
    gateways[pipeline] = await serveTestGateway({
      settings: {
        ...NO_CACHE,
        MAX_BODY_BYTES: String(MAX_BODY_BYTES),
        CORS_ORIGINS: 'https://app.test',
      },
      gateway: PIPELINES[pipeline],
    });
  }
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';

interface Sent {
  readonly headers?: Record<string, string>;
  /** @default the call with the id of the sandbox */
  readonly params?: object;
  readonly encode?: (body: Buffer) => Uint8Array;
  readonly isChunked?: boolean;
}

async function post(
  { url, sandbox }: ServedGateway,
  { headers = {}, params = {}, encode = (body) => body, isChunked = false }: Sent,
) {
  const { richCallId: id } = sampleIds(sandbox);
  const text = JSON.stringify({ query: CARD, variables: { id }, ...params });
  const body = new Uint8Array(encode(Buffer.from(text)));
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: isChunked ? new Blob([body]).stream() : body,
    duplex: 'half',
  } as RequestInit);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Sends a request to each pipeline twice: the second document is warm. */
async function expectExecuted(sent: Sent): Promise<void> {
  for (const pipeline of NAMES) {
    const gateway = gateways[pipeline];
    const { richCallId: id } = sampleIds(gateway.sandbox);
    for (let time = 1; time <= 2; time += 1) {
      const { status, text } = await post(gateway, sent);
      expect([pipeline, status, JSON.parse(text)]).toEqual([
        pipeline,
        200,
        { data: { call: { id } } },
      ]);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    }
    expect(gateway.unexpectedErrors).toEqual([]);
  }
}

async function expectRejected(sent: Sent, status: number, message: RegExp): Promise<void> {
  for (const pipeline of NAMES) {
    const gateway = gateways[pipeline];
    const response = await post(gateway, sent);
    expect([pipeline, response.status, response.text]).toEqual([
      pipeline,
      status,
      expect.stringMatching(message),
    ]);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  }
}

describe('Content-Type of a request', () => {
  test.each([
    'Application/JSON',
    'APPLICATION/JSON;CHARSET=UTF-8',
    'application/json ;charset=utf-8',
    'application/json;\tcharset=utf-8',
    'application/json; charset="utf-8"',
    'application/json; charset="UTF-8"; profile=x',
    'application/json; charset=utf8',
    'application/json;',
    'application/json; odata=verbose',
    'Application/GraphQL+JSON',
  ])('a body of %s is read', (type) => expectExecuted({ headers: { 'content-type': type } }));

  test.each([
    'application/json; charset=iso-8859-1',
    'application/json; charset="latin1"',
    'application/json; Charset=UTF-16',
    'application/json; charset=us-ascii',
    'application/json; charset=',
    'application/json; charset=utf-8; charset=utf-16',
  ])('a body of %s is rejected with 415 and the right charset', (type) =>
    expectRejected(
      { headers: { 'content-type': type } },
      415,
      /The charset of the body must be UTF-8\./,
    ),
  );

  test.each(['text/plain', 'text/json', 'application/jsonp', 'application/graphql', '*/*'])(
    'a body of %s is rejected with 415 and the right type',
    (type) =>
      expectRejected(
        { headers: { 'content-type': type } },
        415,
        /The body must be `application\/json`\./,
      ),
  );
});

describe('Byte order mark', () => {
  const encode = (body: Buffer) => Buffer.concat([Buffer.from('\uFEFF'), body]);

  test('a UTF-8 byte order mark is ignored', () => expectExecuted({ encode }));
  test('a UTF-8 byte order mark is ignored in chunks', () =>
    expectExecuted({ encode, isChunked: true }));
  test('a UTF-8 byte order mark is ignored in an encoded body', () =>
    expectExecuted({
      encode: (body) => gzipSync(encode(body)),
      headers: { 'content-encoding': 'gzip' },
    }));
  test('two byte order marks are not JSON', () =>
    expectRejected({ encode: (body) => encode(encode(body)) }, 400, /invalid JSON/));
  test('a UTF-16 body is not JSON', () =>
    expectRejected(
      { encode: (body) => Buffer.from(`\uFEFF${body}`, 'utf16le') },
      400,
      /invalid JSON/,
    ));
});

describe('Content-Encoding of a request', () => {
  const CODINGS: [coding: string, encode: (body: Buffer) => Uint8Array][] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    [' GZIP', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['identity', (body) => body],
    ['', (body) => body],
  ];

  test.each(CODINGS)('a body with the coding "%s" is decoded', async (coding, encode) => {
    const headers = { 'content-encoding': coding };
    await expectExecuted({ headers, encode });
    await expectExecuted({ headers, encode, isChunked: true });
  });

  test('a gzip body of two members is decoded', () =>
    expectExecuted({
      headers: { 'content-encoding': 'gzip' },
      encode: (body) => Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))]),
    }));

  test.each([
    ['zstd', zstdCompressSync],
    ['compress', (body: Buffer) => body],
    ['gzip, gzip', (body: Buffer) => gzipSync(gzipSync(body))],
    ['br, gzip', (body: Buffer) => gzipSync(brotliCompressSync(body))],
    ['aws-chunked', (body: Buffer) => body],
  ])('a body with the coding "%s" is rejected with 415 and the list', async (coding, encode) => {
    const sent = { headers: { 'content-encoding': coding }, encode };
    await expectRejected(sent, 415, /must be one of gzip, br, deflate/);
    const { headers } = await post(gateways.cached, sent);
    expect(headers.get('accept-encoding')).toBe('gzip, br, deflate');
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('a corrupt or truncated %s body is rejected with 400', async (coding, encode) => {
    const headers = { 'content-encoding': coding };
    const message = new RegExp(`The body is not complete and valid ${coding}\\.`);
    const truncated = (body: Buffer) => encode(body).subarray(0, -5);
    const corrupt = (body: Buffer) => encode(body).map((byte, n) => (n > 12 ? byte ^ 0x55 : byte));
    await expectRejected({ headers, encode: truncated }, 400, message);
    await expectRejected(
      { headers, encode: corrupt },
      400,
      /is not complete and valid|invalid JSON/,
    );
    await expectRejected({ headers, encode: (body) => body }, 400, message);
    await expectRejected({ headers, encode: () => Buffer.alloc(0) }, 400, message);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)(
    'a %s body that expands beyond MAX_BODY_BYTES is rejected with 413',
    async (coding, encode) => {
      const headers = { 'content-encoding': coding };
      const expand = (bytes: number) => (body: Buffer) =>
        encode(Buffer.concat([body, Buffer.alloc(bytes, ' ')]));
      await expectExecuted({ headers, encode: expand(MAX_BODY_BYTES - 1_000) });
      for (const isChunked of [false, true]) {
        await expectRejected(
          { headers, encode: expand(5_000_000), isChunked },
          413,
          /more than 100000 bytes; at most 100000 are allowed \(MAX_BODY_BYTES\)/,
        );
      }
    },
  );

  test('an encoded body that is itself too long is rejected with 413, although it expands to little', () =>
    expectRejected(
      {
        headers: { 'content-encoding': 'gzip' },
        encode: () => Buffer.concat(Array.from({ length: 6_000 }, () => gzipSync(''))),
        isChunked: true,
      },
      413,
      /MAX_BODY_BYTES/,
    ));

  test('a connection serves the next request after a rejected encoded body', async () => {
    for (const pipeline of NAMES) {
      const headers = { 'content-encoding': 'zstd' };
      for (let time = 1; time <= 3; time += 1)
        expect((await post(gateways[pipeline], { headers })).status).toBe(415);
      expect((await post(gateways[pipeline], {})).status).toBe(200);
      gateways[pipeline].traffic();
    }
  });
});

describe('Accept of a request', () => {
  test.each([
    ['application/json;q=0.5, application/graphql-response+json', RESPONSE_TYPE],
    ['application/graphql-response+json;q=0.5, application/json', JSON_TYPE],
    ['application/graphql-response+json;q=0, */*', JSON_TYPE],
    ['application/json;q=0, */*', RESPONSE_TYPE],
    ['application/json;q=0, application/graphql-response+json;q=0.001', RESPONSE_TYPE],
    ['*/*;q=0.1, application/graphql-response+json;q=0.2', RESPONSE_TYPE],
    ['application/*;q=0.3, application/json;q=0.1', RESPONSE_TYPE],
    ['text/html;q=1, application/json;q=0.1', JSON_TYPE],
    ['Application/JSON; Q=0.5, APPLICATION/GRAPHQL-RESPONSE+JSON; Q=0.6', RESPONSE_TYPE],
    // Equal weights.
    ['application/json, application/graphql-response+json', RESPONSE_TYPE],
    ['application/graphql-response+json, application/json', RESPONSE_TYPE],
    ['application/json;q=0.7, application/graphql-response+json;q=0.7', RESPONSE_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['', JSON_TYPE],
    ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', JSON_TYPE],
    // What clients send.
    [
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      RESPONSE_TYPE,
    ],
    [
      'multipart/mixed;deferSpec=20220824, application/graphql-response+json;q=0.9, application/json;q=0.9',
      RESPONSE_TYPE,
    ],
    ['application/json; charset="utf-8", */*;q=0', JSON_TYPE],
    ['application/json; charset=utf-8', JSON_TYPE],
    ['application/json;charset=UTF8', JSON_TYPE],
    ['application/graphql-response+json;charset=utf-16, application/json;q=0.1', JSON_TYPE],
    ['text/event-stream;q=0.1, application/json;q=0.2', JSON_TYPE],
    ['text/event-stream, application/json;q=0.2', 'text/event-stream'],
    ['text/event-stream, application/json;q=0', 'text/event-stream'],
    ['text/event-stream', 'text/event-stream'],
    ['multipart/mixed', 'multipart/mixed'],
    ['application/json;q=high', JSON_TYPE],
  ])('a client that accepts %s gets %s', async (accept, expected) => {
    for (const pipeline of NAMES) {
      const gateway = gateways[pipeline];
      const { richCallId: id } = sampleIds(gateway.sandbox);
      for (let time = 1; time <= 2; time += 1) {
        const { status, headers, text } = await post(gateway, { headers: { accept } });
        const type = headers.get('content-type')?.split(';')[0];
        expect([pipeline, status, type]).toEqual([pipeline, 200, expected]);
        expect(text).toContain(`{"data":{"call":{"id":"${id}"}}}`);
        expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      }
    }
  });

  test.each([
    'application/json;q=0',
    '*/*;q=0',
    'application/json;q=0, application/graphql-response+json;q=0.000, text/html',
    'application/*;q=0, image/*',
    'application/json; charset=utf-16',
    'text/event-stream;q=0',
    'application/xml',
    `text/plain, ${'text/x, '.repeat(100)}text/y`,
  ])('a client that accepts %s gets 406 with the list, and nothing is executed', (accept) =>
    expectRejected(
      { headers: { accept } },
      406,
      /must accept application\/graphql-response\+json, application\/json, text\/event-stream or multipart\/mixed\./,
    ),
  );

  test.each([
    ['text/html', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html, */*', true],
    ['text/html;q=0, */*', false],
    ['application/json, text/html;q=0.5', false],
    ['text/html;q=0.5, application/json;q=0.4', true],
  ])('a browser that accepts %s gets the GraphiQL page: %s', async (accept, isPage) => {
    for (const pipeline of NAMES) {
      const response = await fetch(`${gateways[pipeline].url}?query={__typename}`, {
        headers: { accept },
      });
      const type = response.headers.get('content-type')?.split(';')[0];
      expect(type).toBe(isPage ? 'text/html' : JSON_TYPE);
      await response.body?.cancel();
      expect(gateways[pipeline].traffic()).toEqual([]);
    }
  });
});

describe('Empty operation name', () => {
  test.each([
    ['one operation', CARD],
    ['one operation without a name', CARD.replace('Card', '')],
  ])('an empty operationName counts as absent by POST as by GET, with %s', async (_, query) => {
    await expectExecuted({ params: { query, operationName: '' } });
    for (const pipeline of NAMES) {
      const gateway = gateways[pipeline];
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const search = new URLSearchParams({
        query,
        variables: JSON.stringify({ id }),
        operationName: '',
      });
      const response = await fetch(`${gateway.url}?${search}`);
      expect([response.status, await response.json()]).toEqual([200, { data: { call: { id } } }]);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    }
  });

  test('an empty operationName selects none of two operations', () =>
    expectRejected(
      { params: { query: 'query A { __typename } query B { __typename }', operationName: '' } },
      400,
      /Could not determine what operation to execute\./,
    ));

  test.each([' ', 'Other'])('the operationName "%s" is not empty', (operationName) =>
    expectRejected(
      { params: { operationName } },
      400,
      /Could not determine what operation to execute\./,
    ),
  );
});
