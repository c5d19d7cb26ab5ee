import { describe, expect, onTestFinished, test } from 'vitest';
import { listenTcp, sendJson } from '../rest/real-server.ts';
import { createLoggedGateway, createUpstream, KEY, OPERATIONS, serve } from './failing-upstream.ts';

const SECRET = 'secret-token-of-a-person';
const LIST = '{ callAttempts(first: 1) { nodes { id } } }';

describe('Conditions of upstream failures', () => {
  test('a name that does not resolve is logged once', async () => {
    const gateway = createLoggedGateway({ REVOX_BASE_URL: 'http://revox.invalid:8080/api' });
    for (let count = 0; count < OPERATIONS; count += 1) await gateway.execute();
    // Without a network the resolver cannot say that the name does not exist.
    expect([
      'error The Revox API fails: The name revox.invalid does not exist (ENOTFOUND). Check the host of REVOX_BASE_URL, and the DNS of the gateway.',
      'error The Revox API fails: The name revox.invalid cannot be resolved (EAI_AGAIN). Check whether the DNS server of the gateway responds, and the host of REVOX_BASE_URL.',
    ]).toContain(gateway.conditions()[0]);
    expect(gateway.conditions()).toHaveLength(1);
    expect(gateway.failedRequests()).toHaveLength(OPERATIONS);
  });

  test('a proxy that cannot be reached is not logged as a failure of the API', async () => {
    const gateway = createLoggedGateway({
      REVOX_BASE_URL: 'http://revox.test/api',
      HTTP_PROXY: `http://gateway:${SECRET}@127.0.0.1:1`,
    });
    await gateway.execute();
    expect(gateway.conditions()).toEqual([
      'error The Revox API fails: The proxy 127.0.0.1:1 for requests to revox.test cannot be reached (ECONNREFUSED). Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.',
    ]);
    expect(gateway.lines.join('')).not.toContain(SECRET);
  });

  test('a proxy that refuses a tunnel is logged with its status', async () => {
    const proxy = await listenTcp((client) => {
      client.once('data', () =>
        client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      );
    });
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    const gateway = createLoggedGateway({
      REVOX_BASE_URL: 'https://revox.test/api',
      HTTPS_PROXY: proxy.origin,
    });
    await gateway.execute();
    expect(gateway.conditions()).toEqual([
      'error The Revox API fails: The proxy refuses requests to revox.test with status 403. Check HTTPS_PROXY, HTTP_PROXY and the rules of the proxy, or add the host to NO_PROXY.',
    ]);
    expect(proxy.connections).toBe(1);
  });

  test('a TLS handshake with a server that speaks plain HTTP is logged as such', async () => {
    const upstream = createUpstream();
    const port = await serve(upstream);
    const gateway = createLoggedGateway({ REVOX_BASE_URL: `https://127.0.0.1:${port}/api` });
    await gateway.execute();
    expect(gateway.conditions()).toEqual([
      expect.stringMatching(
        /^error The Revox API fails: The TLS handshake with 127\.0\.0\.1:\d+ fails \((EPROTO|ERR_SSL_\w+)\)\. Check whether the port of REVOX_BASE_URL speaks TLS; the URL of a server without TLS begins with http:\/\/\.$/,
      ),
    ]);
    expect(upstream.requests).toEqual([]);
  });

  test.each([
    ['', 'REVOX_BASE_URL has no path. The path of the Revox API ends with /api.'],
    ['/api/call', 'REVOX_BASE_URL must end before /call: the gateway adds it.'],
    ['/api/assistants', 'REVOX_BASE_URL must end before /assistants: the gateway adds it.'],
  ])('a 404 of a list under the base path %j names the likely mistake', async (path, advice) => {
    const upstream = createUpstream((response) => sendJson(response, {}, 404));
    const host = `127.0.0.1:${await serve(upstream)}`;
    const gateway = createLoggedGateway({ REVOX_BASE_URL: `http://${host}${path}` });
    await gateway.execute(LIST);
    expect(gateway.conditions()).toEqual([
      `error The Revox API fails: ${host} has no /call (status 404). ${advice}`,
    ]);
    expect(upstream.requests).toEqual([`${path}/call?page=1&page_size=50`]);
  });

  test('each further cause is one line, however often the causes alternate', async () => {
    const statuses = Array.from({ length: 20 }, (_, index) => (index % 2 ? 401 : 503));
    const upstream = createUpstream((response) => sendJson(response, {}, statuses.shift()));
    const host = `127.0.0.1:${await serve(upstream)}`;
    const gateway = createLoggedGateway({ REVOX_BASE_URL: `http://${host}/api` });
    for (let count = 0; count < OPERATIONS; count += 1) await gateway.execute();
    expect(gateway.conditions()).toEqual([
      `error The Revox API fails: ${host} responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.`,
      `error The Revox API still fails: ${host} rejects REVOX_API_KEY (status 401). Check that the key is complete, belongs to this API, and was not revoked.`,
    ]);
    expect(upstream.requests).toHaveLength(OPERATIONS);
  });

  test.each([
    ['a 404 of an object', 404, { REVOX_API_KEY: KEY }],
    ['a 403 of an object', 403, { REVOX_API_KEY: KEY }],
    ['a 401 of a caller in pass-through mode', 401, { REVOX_API_KEY: '' }],
  ])('%s begins no condition', async (_name, status, settings) => {
    const upstream = createUpstream((response) => sendJson(response, {}, status));
    const gateway = createLoggedGateway({
      REVOX_BASE_URL: `http://127.0.0.1:${await serve(upstream)}/api`,
      ...settings,
    });
    for (let count = 0; count < OPERATIONS; count += 1)
      await gateway.execute(undefined, { authorization: `Bearer sk_of_caller_${count}` });
    expect(gateway.conditions()).toEqual([]);
    expect(upstream.requests).toHaveLength(OPERATIONS);
    expect(JSON.parse(await gateway.readText('/ready'))).toMatchObject({ conditions: {} });
  });

  test('a retried failure of an upstream that works is no condition, and has its attempts at debug', async () => {
    const statuses = [200, 503, 503, 200];
    const upstream = createUpstream((response) =>
      sendJson(response, { call: { id: 'c' } }, statuses.shift()),
    );
    const gateway = createLoggedGateway({
      REVOX_BASE_URL: `http://127.0.0.1:${await serve(upstream)}/api`,
      REVOX_RETRIES: '2',
    });
    await gateway.execute();
    expect(await gateway.execute()).toEqual({ data: { call: { id: 'c' } } });
    expect(gateway.conditions()).toEqual([]);
    expect(gateway.failedRequests()).toMatchObject([
      { status: 503, cause: 'server-error', attempt: 1 },
      { status: 503, cause: 'server-error', attempt: 2 },
    ]);
    expect(upstream.requests).toHaveLength(4);
  });
});
