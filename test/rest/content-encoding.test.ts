import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EncodingError } from '#rest/transport/content-encoding.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import { TooLargeError } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { listen, NO_TIMEOUTS } from './real-server.ts';

const VALUE = { call: { id: 'c', transcript: 'x'.repeat(10_000) } };
const TEXT = JSON.stringify(VALUE);
const MAX_BYTES = 2 ** 20;
/**
 * Data that does not compress. It is always the same: some random bytes begin like an empty brotli
 * stream.
 */
const LONG = createHash('shake256', { outputLength: 500_000 }).update('long').digest();

/** Reads a server's response as JSON, over real sockets. */
async function read(respond: (response: ServerResponse) => void) {
  await using server = await listen(respond);
  const { transport, close } = createUndiciTransport(NO_TIMEOUTS);
  onTestFinished(close);
  const { body, bodyError } = await transport({
    origin: server.origin,
    path: '/',
    headers: {},
    maxBytes: MAX_BYTES,
  }).response;
  expect(server.requests[0]?.headers).not.toHaveProperty('accept-encoding');
  if (bodyError) throw bodyError;
  return parseJson(body);
}

describe('Content encoding of the upstream', () => {
  test.each([
    ['gzip', gzipSync(TEXT)],
    ['X-GZIP', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['identity', Buffer.from(TEXT)],
    [' ', Buffer.from(TEXT)],
  ])(
    'the transport decodes a body with the unrequested content encoding %s',
    async (encoding, body) => {
      expect(
        await read((response) =>
          response.writeHead(200, { 'content-encoding': encoding }).end(body),
        ),
      ).toEqual(VALUE);
    },
  );

  test.each([
    { name: 'unknown', encoding: 'zstd', body: Buffer.from(TEXT), message: 'an unknown encoding' },
    {
      name: 'applied twice',
      encoding: 'gzip, gzip',
      body: gzipSync(gzipSync(TEXT)),
      message: 'an unknown encoding',
    },
    {
      name: 'not used by the body',
      encoding: 'gzip',
      body: Buffer.from(TEXT),
      message: 'a damaged encoding',
    },
    {
      name: 'damaged',
      encoding: 'gzip',
      body: damaged(gzipSync(TEXT)),
      message: 'a damaged encoding',
    },
    {
      name: 'cut short',
      encoding: 'gzip',
      body: gzipSync(TEXT).subarray(0, -12),
      message: 'a damaged encoding',
    },
    // Longer than a packet: the rest of the body is still arriving when the decoder fails.
    {
      name: 'damaged early',
      encoding: 'gzip',
      body: damaged(gzipSync(LONG)),
      message: 'a damaged encoding',
    },
    { name: 'not gzip, and long', encoding: 'gzip', body: LONG, message: 'a damaged encoding' },
    { name: 'not brotli, and long', encoding: 'br', body: LONG, message: 'a damaged encoding' },
    {
      name: 'damaged brotli',
      encoding: 'br',
      body: damaged(brotliCompressSync(TEXT)),
      message: 'a damaged encoding',
    },
  ])(
    'the transport rejects a body whose content encoding is $name',
    async ({ encoding, body, message }) => {
      const pending = read((response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end(body),
      );
      await expect(pending).rejects.toThrow(new EncodingError(message));
    },
  );

  test('the transport stops at the size limit of the decoded body and closes the connection', async () => {
    const disconnected = Promise.withResolvers<void>();
    const bomb = gzipSync(Buffer.alloc(64 * MAX_BYTES, ' '));
    const pending = read((response) => {
      response.on('close', disconnected.resolve);
      // Never ended: only the reader can end it.
      response.writeHead(200, { 'content-encoding': 'gzip' }).write(bomb);
    });
    await expect(pending).rejects.toThrow(TooLargeError);
    await disconnected.promise;
  });

  test.each([
    ['gzip', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
  ])(
    'the transport reads a %s stream that ends before its body and closes the connection',
    async (encoding, body) => {
      const disconnected = Promise.withResolvers<void>();
      const pending = read((response) => {
        response.on('close', disconnected.resolve);
        // Never ended: only the reader can end it.
        response
          .writeHead(200, { 'content-encoding': encoding })
          .write(Buffer.concat([body, Buffer.alloc(65_536)]));
      });
      expect(await pending).toEqual(VALUE);
      await disconnected.promise;
    },
  );

  test('a broken connection within an encoded body is not reported as a damaged encoding', async () => {
    const pending = read((response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 999 });
      response.write(gzipSync(TEXT).subarray(0, 20), () => response.destroy());
    });
    await expect(pending).rejects.not.toThrow(EncodingError);
  });
});

function damaged(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy.fill(0xff, 8, 24);
  return copy;
}
