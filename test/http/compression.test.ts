import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createCompress } from '#http/compression.ts';

const TEXT = JSON.stringify({ data: { words: 'au revoir, à bientôt '.repeat(500) } });
const JSON_TYPE = 'application/json; charset=utf-8';

const decode = { br: brotliDecompressSync, gzip: gunzipSync };

function requestAccepting(accepted: string | undefined, method = 'GET'): Request {
  return new Request('http://localhost/graphql', {
    method,
    headers: accepted === undefined ? {} : { 'accept-encoding': accepted },
  });
}

function respondWith(
  headers: Record<string, string> = {},
  body: BodyInit | null = TEXT,
  status = 200,
): Response {
  return new Response(body, { status, headers: { 'content-type': JSON_TYPE, ...headers } });
}

describe('Compression', () => {
  test.each(['br', 'gzip'] as const)(
    'a response compressed with %s decodes to the same text and keeps its other headers',
    async (encoding) => {
      const given = respondWith(
        { 'x-more': '1', 'content-length': String(Buffer.byteLength(TEXT)) },
        TEXT,
        401,
      );
      const sent = await createCompress()(requestAccepting(encoding), given);
      expect(sent.status).toBe(401);
      const bytes = await sent.bytes();
      expect(Object.fromEntries(sent.headers)).toEqual({
        'content-type': JSON_TYPE,
        'x-more': '1',
        'content-encoding': encoding,
        'content-length': String(bytes.byteLength),
        vary: 'Accept-Encoding',
      });
      expect(bytes.byteLength).toBeLessThan(TEXT.length / 10);
      expect(decode[encoding](bytes).toString()).toBe(TEXT);
    },
  );

  test.each([
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['application/graphql-response+json; charset=utf-8', true],
    ['text/html', true],
    ['text/html; charset=utf-8', true],
    ['text/plain; version=0.0.4; charset=utf-8', true],
    ['TEXT/PLAIN ;charset=utf-8', true],
    ['text/event-stream', false],
    ['text/css', true],
    ['text/javascript; charset=utf-8', true],
    ['text/csv', false],
    ['text/plainer', false],
    ['text/html-fragment', false],
    ['multipart/mixed; boundary="-"', false],
    ['application/jsonp', false],
    ['application/graphql+json', false],
    ['application/octet-stream', false],
    ['image/png', false],
    ['', false],
  ])('a response of the type "%s" is compressed: %s', async (type, isCompressed) => {
    const sent = await createCompress()(
      requestAccepting('gzip'),
      respondWith({ 'content-type': type }),
    );
    expect(sent.headers.get('content-encoding')).toBe(isCompressed ? 'gzip' : null);
    expect(sent.headers.get('vary')).toBe(isCompressed ? 'Accept-Encoding' : null);
    const bytes = await sent.bytes();
    expect(String(isCompressed ? gunzipSync(bytes) : Buffer.from(bytes))).toBe(TEXT);
  });

  test('a response varies by Accept-Encoding in addition to its own Vary header, compressed or not', async () => {
    for (const accepted of [undefined, 'gzip']) {
      const sent = await createCompress()(
        requestAccepting(accepted),
        respondWith({ vary: 'Authorization, Origin' }),
      );
      expect(sent.headers.get('vary')).toBe('Authorization, Origin, Accept-Encoding');
    }
  });

  test.each([
    ['the client sends no Accept-Encoding', requestAccepting(undefined), respondWith()],
    ['the client accepts no supported encoding', requestAccepting('deflate'), respondWith()],
    ['the request is HEAD', requestAccepting('gzip', 'HEAD'), respondWith()],
    ['it has no body', requestAccepting('gzip'), respondWith({}, null, 204)],
    ['its status is 304', requestAccepting('gzip'), respondWith({}, null, 304)],
    [
      'its Content-Length is short',
      requestAccepting('gzip'),
      respondWith({ 'content-length': '9' }, '{"a":"b"}'),
    ],
    [
      'it has Cache-Control: no-transform',
      requestAccepting('gzip'),
      respondWith({ 'cache-control': 'private, no-transform' }),
    ],
    [
      'it is compressed already',
      requestAccepting('br'),
      respondWith({ 'content-encoding': 'gzip' }),
    ],
    ['it has no Content-Type', requestAccepting('gzip'), new Response(new Uint8Array(2000))],
  ])('a response is not compressed when %s', async (_, request, given) => {
    const before = given.headers.get('content-encoding');
    const sent = await createCompress()(request, given);
    expect(sent).toBe(given);
    expect([sent.headers.get('content-encoding'), sent.bodyUsed]).toEqual([before, false]);
  });

  test('a response without a Content-Length whose body is short is not compressed', async () => {
    const sent = await createCompress()(requestAccepting('gzip'), respondWith({}, '{"a":"b"}'));
    expect([sent.headers.get('content-encoding'), sent.headers.get('content-length')]).toEqual([
      null,
      '9',
    ]);
    expect(await sent.text()).toBe('{"a":"b"}');
  });

  test('a short response is compressed when the client does not accept identity', async () => {
    const sent = await createCompress()(
      requestAccepting('gzip, identity;q=0'),
      respondWith({ 'content-length': '9' }, '{"a":"b"}'),
    );
    expect(gunzipSync(await sent.bytes()).toString()).toBe('{"a":"b"}');
  });

  test('a client that accepts no encoding receives 406 with the CORS headers of the response', async () => {
    const given = respondWith({
      'access-control-allow-origin': 'https://app.test',
      'content-length': '9000',
      'cache-control': 'private',
    });
    const sent = await createCompress()(requestAccepting('identity;q=0'), given);
    expect([
      sent.status,
      sent.headers.get('content-length'),
      sent.headers.get('cache-control'),
    ]).toEqual([406, null, 'no-store']);
    expect(sent.headers.get('access-control-allow-origin')).toBe('https://app.test');
    expect(await sent.json()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  test('the compressed response of one caller is never reused for another', async () => {
    const compress = createCompress();
    for (const name of ['a', 'b']) {
      const text = name.repeat(5000);
      const sent = await compress(requestAccepting('gzip'), respondWith({}, text));
      expect(gunzipSync(await sent.bytes()).toString()).toBe(text);
    }
  });

  test('a response body that fails rejects instead of being truncated', async () => {
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error('Broken off.')) });
    await expect(
      createCompress()(requestAccepting('gzip'), respondWith({}, broken)),
    ).rejects.toThrow('Broken off.');
  });
});

describe('Compression of the GraphiQL page', () => {
  const page = (text: BodyInit) => respondWith({ 'content-type': 'text/html' }, text);

  test('the page is compressed once per encoding, also for concurrent requests', async () => {
    const compress = createCompress();
    const texts = [TEXT, 'never read', 'nor this'];
    const pages = texts.map(page);
    const sent = await Promise.all(pages.map((one) => compress(requestAccepting('br'), one)));
    expect(pages.map(({ bodyUsed }) => bodyUsed)).toEqual([true, false, false]);
    for (const one of sent) expect(brotliDecompressSync(await one.bytes()).toString()).toBe(TEXT);
    const zipped = await compress(requestAccepting('gzip'), page(TEXT));
    expect(gunzipSync(await zipped.bytes()).toString()).toBe(TEXT);
  });

  test('each file that is stored for ever is compressed once, and no other file is kept', async () => {
    const compress = createCompress();
    const send = async (query: string, cacheControl: string, text: string) => {
      const request = new Request(`http://localhost/graphql?${query}`, {
        headers: { 'accept-encoding': 'br' },
      });
      const headers = { 'content-type': 'text/css', 'cache-control': cacheControl };
      const sent = await compress(request, respondWith(headers, text));
      return brotliDecompressSync(await sent.bytes()).toString();
    };
    const others = [`${TEXT}1`, `${TEXT}2`] as const;
    expect(await send('file=a', 'immutable', TEXT)).toBe(TEXT);
    expect(await send('file=a', 'immutable', others[0])).toBe(TEXT);
    expect(await send('file=b', 'immutable', others[0])).toBe(others[0]);
    expect(await send('file=b', 'max-age=60', others[1])).toBe(others[1]);
  });

  test('the page is compressed again after a failed compression', async () => {
    const compress = createCompress();
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error('Broken off.')) });
    await expect(compress(requestAccepting('br'), page(broken))).rejects.toThrow('Broken off.');
    const sent = await compress(requestAccepting('br'), page(TEXT));
    expect(brotliDecompressSync(await sent.bytes()).toString()).toBe(TEXT);
  });
});

describe('Compression of large responses', () => {
  const LARGE = TEXT.repeat(20);

  test('at most two large responses are compressed at the same time, and others are sent uncompressed', async () => {
    const compress = createCompress();
    const sent = await Promise.all(
      Array.from({ length: 5 }, () => compress(requestAccepting('gzip'), respondWith({}, LARGE))),
    );
    expect(sent.map(({ headers }) => headers.get('content-encoding'))).toEqual([
      'gzip',
      'gzip',
      null,
      null,
      null,
    ]);
    for (const response of sent.slice(2)) expect(await response.text()).toBe(LARGE);
    const next = await compress(requestAccepting('gzip'), respondWith({}, LARGE));
    expect(decode.gzip(await next.bytes()).toString()).toBe(LARGE);
  });

  test('a large response that must be compressed is rejected with 429 and its own headers while two are being compressed', async () => {
    const compress = createCompress();
    const sent = await Promise.all(
      Array.from({ length: 3 }, () =>
        compress(requestAccepting('gzip, identity;q=0'), respondWith({ 'x-more': '1' }, LARGE)),
      ),
    );
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect([sent[2]?.headers.get('retry-after'), sent[2]?.headers.get('x-more')]).toEqual([
      '1',
      '1',
    ]);
    expect(await sent[2]?.json()).toMatchObject({
      errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 1 } }],
    });
  });

  test('small responses are compressed while large ones are being compressed', async () => {
    const compress = createCompress();
    const large = Array.from({ length: 3 }, () =>
      compress(requestAccepting('gzip'), respondWith({}, LARGE)),
    );
    const small = await compress(requestAccepting('gzip'), respondWith());
    expect(small.headers.get('content-encoding')).toBe('gzip');
    await Promise.all(large);
  });
});
