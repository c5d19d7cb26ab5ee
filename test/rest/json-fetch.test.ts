import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createJsonFetch } from '#rest/transport/json-fetch.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { listen, listenTcp, NO_TIMEOUTS, sendJson } from './real-server.ts';

const USER_AGENT = 'a-gateway/1';
const DOCUMENT = { keys: [{ kid: 'one' }] };

function fetchDocument(url: string, init: RequestInit = {}): Promise<Response> {
  const { transport, close } = createUndiciTransport(NO_TIMEOUTS);
  onTestFinished(close);
  return createJsonFetch(transport, USER_AGENT)(new Request(url, init));
}

describe('JSON fetch of external documents', () => {
  test('the JSON fetch sends the given headers', async () => {
    await using server = await listen((response) => sendJson(response, DOCUMENT));
    const response = await fetchDocument(`${server.origin}/keys?of=us`, {
      headers: { accept: 'application/jwk-set+json' },
    });
    expect([response.status, await response.json()]).toEqual([200, DOCUMENT]);
    expect(server.requests).toMatchObject([
      { method: 'GET', url: '/keys?of=us', headers: { accept: 'application/jwk-set+json' } },
    ]);
  });

  test('the JSON fetch names the gateway in User-Agent, as requests to the API do', async () => {
    await using server = await listen((response) => sendJson(response, DOCUMENT));
    await fetchDocument(server.origin);
    expect(server.requests.map(({ headers }) => headers['user-agent'])).toEqual([USER_AGENT]);
  });

  test('the JSON fetch does not follow a redirect', async () => {
    await using elsewhere = await listen((response) => sendJson(response, DOCUMENT));
    await using server = await listen((response) =>
      response.writeHead(302, { location: elsewhere.origin }).end(),
    );
    expect((await fetchDocument(server.origin)).status).toBe(302);
    expect([server.requests.length, elsewhere.requests.length]).toEqual([1, 0]);
  });

  test('the JSON fetch returns no body when the status is not 200, even if the body never ends', async () => {
    await using server = await listen((response) =>
      response.writeHead(500).write('at db.internal'),
    );
    const response = await fetchDocument(server.origin);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['a body that is not JSON', '<html>'],
    ['a body of more than one mebibyte', JSON.stringify('x'.repeat(2 ** 20))],
  ])('the JSON fetch rejects %s', async (_name, body) => {
    await using server = await listen((response) => response.end(body));
    await expect(fetchDocument(server.origin)).rejects.toThrow();
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['a connection without a response', undefined],
    ['a body that never ends', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{'],
  ])('an aborted signal stops the JSON fetch during %s', async (_name, head) => {
    const giveUp = new AbortController();
    await using server = await listenTcp((socket) => {
      if (head) socket.write(head);
      void once(socket, 'data').then(() => giveUp.abort());
    });
    await expect(fetchDocument(server.origin, { signal: giveUp.signal })).rejects.toThrow(/abort/);
    expect(server.connections).toBe(1);
  });
});
