import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import { fileURLsOf } from '../support/page-files.ts';
import { serveTestGateway } from '../support/served-gateway.ts';
import { connectTo } from './raw-client.ts';

/** The response to this query has some 20 kB. */
const LONG =
  '{ callAttempts(first: 100) { nodes { id status result phoneNumber startedAt endedAt } } }';

/** Sends a request with `node:http`, which neither requests nor decodes an encoding. */
async function get(url: string, headers: Record<string, string>) {
  const sent = request(url, { headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const bytes = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, bytes };
}

describe('Compressed responses', () => {
  test('a response is compressed with an accepted encoding and has the compressed length', async () => {
    await using gateway = await serveTestGateway({ gateway: { now: createClock().now } });
    const url = `${gateway.url}?query=${encodeURIComponent(LONG)}`;
    const plain = await get(url, {});
    const zipped = await get(url, { 'accept-encoding': 'gzip' });
    const brotli = await get(url, { 'accept-encoding': 'gzip, deflate, br' });

    expect([plain, zipped, brotli].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      'gzip',
      'br',
    ]);
    for (const { headers, bytes } of [plain, zipped, brotli]) {
      expect(headers['content-length']).toBe(String(bytes.byteLength));
      expect(headers.vary).toBe('Authorization, Router-Authorization, Accept, Accept-Encoding');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    expect(gunzipSync(zipped.bytes)).toEqual(plain.bytes);
    expect(brotliDecompressSync(brotli.bytes)).toEqual(plain.bytes);
    expect(brotli.bytes.byteLength).toBeLessThan(plain.bytes.byteLength / 2);
    expect(gateway.traffic()).toHaveLength(2);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('fetch decodes a compressed response', async () => {
    await using gateway = await serveTestGateway();
    const response = await fetch(`${gateway.url}?query=${encodeURIComponent(LONG)}`, {
      headers: { 'accept-encoding': 'br' },
    });
    expect(response.headers.get('content-encoding')).toBe('br');
    expect(await response.json()).toMatchObject({
      data: { callAttempts: { nodes: { length: 100 } } },
    });
  });

  test('the compressed GraphiQL page has 1.6 MB that the editor waits for, and workers of 0.6 MB', async () => {
    await using gateway = await serveTestGateway();
    const page = await get(gateway.url, { accept: 'text/html', 'accept-encoding': 'br' });
    const html = brotliDecompressSync(page.bytes).toString();
    expect(html).toContain('<title>Revox</title>');
    const urls = fileURLsOf(html);
    const script = await get(`${gateway.url}${urls[0]}`, { 'accept-encoding': 'br' });
    const text = brotliDecompressSync(script.bytes).toString();
    urls.push(...fileURLsOf(text));
    expect(urls).toHaveLength(5);
    const files = await Promise.all(
      urls.map((url) => get(`${gateway.url}${url}`, { 'accept-encoding': 'br' })),
    );
    expect(files.map(({ headers }) => headers['content-encoding'])).toEqual(urls.map(() => 'br'));
    const [awaited, workers] = [files.slice(0, 2), files.slice(2)].map((some) =>
      some.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    );
    expect(awaited).toBeLessThan(1_650_000);
    expect(workers).toBeLessThan(600_000);
  });

  test('COMPRESSION=off disables compression and removes Accept-Encoding from Vary', async () => {
    await using gateway = await serveTestGateway({ settings: { COMPRESSION: 'off' } });
    const { headers } = await get(`${gateway.url}?query=${encodeURIComponent(LONG)}`, {
      'accept-encoding': 'gzip',
    });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers.vary).toBe('Authorization, Router-Authorization, Accept');
  });

  test('a client that disconnects while its response is compressed causes no unexpected error and does not affect other clients', async () => {
    await using gateway = await serveTestGateway();
    const path = `/graphql?query=${encodeURIComponent(LONG)}`;
    for (let left = 0; left < 20; left += 1) {
      const { socket, received } = connectTo(gateway.url);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\n\r\n`);
      await once(socket, 'connect');
      setImmediate(() => socket.destroy());
      await received;
    }
    expect((await get(new URL(path, gateway.url).href, { 'accept-encoding': 'br' })).status).toBe(
      200,
    );
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});
