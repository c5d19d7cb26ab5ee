import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { toRequestTarget } from '#errors/failure-cause.ts';
import { toFailedTransport } from '#rest/failed-request.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { listen, listenTcp, NO_TIMEOUTS, sendJson } from './real-server.ts';

const KEY = 'sk_test_behind_a_proxy';

beforeEach(() => {
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

/**
 * A minimal proxy: it records the first line and the headers of each request, and forwards tunnels
 * to one port.
 */
async function startProxy(upstreamPort?: number) {
  const requests: string[] = [];
  const server = await listenTcp((client) => {
    client.once('data', (data) => {
      const head = data.toString('latin1').split('\r\n\r\n')[0] ?? '';
      requests.push(head);
      if (upstreamPort === undefined) {
        client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      const upstream = connect(upstreamPort, '127.0.0.1');
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
      if (head.startsWith('CONNECT ')) client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      else upstream.write(data);
      client.pipe(upstream).pipe(client);
    });
  });
  return Object.assign(server, { requests });
}

/** A SOCKS5 proxy that accepts each client, and opens no tunnel. @param reply the code of RFC 1928 */
async function startSocksProxy(reply: number) {
  return listenTcp((client) => {
    client.once('data', () => {
      client.once('data', () => client.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])));
      client.write(Buffer.from([5, 0]));
    });
  });
}

async function get(url: string) {
  const { transport, close } = createUndiciTransport({
    ...NO_TIMEOUTS,
    proxies: readSettings().revox.proxies,
  });
  onTestFinished(close);
  const { origin, pathname: path } = new URL(url);
  const { status } = await transport({
    origin,
    path,
    headers: { authorization: `Bearer ${KEY}` },
    maxBytes: 2 ** 20,
  }).response;
  return status;
}

describe('Proxy of the environment', () => {
  test.each(['HTTP_PROXY', 'http_proxy'])(
    'the transport uses the proxy in %s for an http upstream',
    async (name) => {
      await using upstream = await listen((response) => sendJson(response, {}));
      await using proxy = await startProxy(upstream.port);
      vi.stubEnv(name, proxy.origin);

      expect(await get('http://revox.test/api/call/c')).toBe(200);

      expect(proxy.requests).toHaveLength(1);
      expect(proxy.requests[0]).toMatch(
        /^(GET http:\/\/revox\.test\/api\/call\/c|CONNECT revox\.test:80) HTTP\/1\.1/,
      );
      expect(upstream.requests).toMatchObject([
        { method: 'GET', headers: { host: 'revox.test', authorization: `Bearer ${KEY}` } },
      ]);
    },
  );

  test('the transport opens a tunnel through HTTPS_PROXY to an https upstream and does not show the proxy the credential', async () => {
    await using proxy = await startProxy();
    vi.stubEnv('HTTPS_PROXY', proxy.origin);

    await expect(get('https://revox.test/api/call/c')).rejects.toThrow();

    expect(proxy.requests).toHaveLength(1);
    expect(proxy.requests[0]).toMatch(/^CONNECT revox\.test:443 HTTP\/1\.1/);
    expect(proxy.requests[0]).not.toContain(KEY);
    expect(proxy.requests[0]).toMatch(/^user-agent: a-gateway\/1$/m);
  });

  test.each(['127.0.0.1', '*', 'elsewhere.test,127.0.0.1'])(
    'the transport bypasses the proxy for the hosts of NO_PROXY: %s',
    async (hosts) => {
      await using upstream = await listen((response) => sendJson(response, {}));
      await using proxy = await startProxy();
      vi.stubEnv('HTTP_PROXY', proxy.origin);
      vi.stubEnv('NO_PROXY', hosts);

      expect(await get(`${upstream.origin}/api/call/c`)).toBe(200);

      expect(proxy.connections).toBe(0);
      expect(upstream.requests).toHaveLength(1);
    },
  );

  test.each([
    ['http', 2],
    ['https', 5],
  ])(
    'a SOCKS5 proxy that opens no tunnel for %s is a proxy failure, and no request reaches the upstream',
    async (scheme, reply) => {
      await using upstream = await listen((response) => sendJson(response, {}));
      await using proxy = await startSocksProxy(reply);
      vi.stubEnv(`${scheme.toUpperCase()}_PROXY`, `socks5://127.0.0.1:${proxy.port}`);
      const url = `${scheme}://revox.test:${upstream.port}/api/call/c`;

      const error = await get(url).catch((thrown: unknown) => thrown);

      const line = { method: 'GET', path: '/call/c' } as const;
      expect(toFailedTransport(line, error, toRequestTarget(url, [proxy.origin]))).toMatchObject({
        kind: 'unreachable',
        failureCause: { kind: 'proxy', code: `UND_ERR_SOCKS5_REPLY_${reply}` },
      });
      expect([proxy.connections, upstream.connections]).toEqual([1, 0]);
    },
  );

  test('the transport uses the proxy for a host that NO_PROXY does not name', async () => {
    await using proxy = await startProxy();
    vi.stubEnv('HTTP_PROXY', proxy.origin);
    vi.stubEnv('NO_PROXY', 'elsewhere.test');
    expect(await get('http://revox.test/api/call/c')).toBe(502);
    expect(proxy.requests).toHaveLength(1);
  });

  test.each([
    ['an empty one', ''],
    ['a blank one', '  '],
  ])('the transport ignores %s, and uses the other variable', async (_name, absent) => {
    await using upstream = await listen((response) => sendJson(response, {}));
    await using proxy = await startProxy(upstream.port);
    vi.stubEnv('http_proxy', absent);
    vi.stubEnv('https_proxy', absent);
    vi.stubEnv('HTTP_PROXY', proxy.origin);

    expect(await get('http://revox.test/api/call/c')).toBe(200);
    expect(proxy.requests).toHaveLength(1);
  });

  test.each(['', ' '])('the transport uses no proxy when all variables are %j', async (absent) => {
    await using upstream = await listen((response) => sendJson(response, {}));
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])
      vi.stubEnv(name, absent);
    expect(await get(`${upstream.origin}/api/call/c`)).toBe(200);
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/api/call/c']);
  });

  test('the transport sends the name and the password of the proxy URL decoded', async () => {
    await using upstream = await listen((response) => sendJson(response, {}));
    await using proxy = await startProxy(upstream.port);
    vi.stubEnv('HTTP_PROXY', proxy.origin.replace('//', '//gateway:100%25@'));
    expect(await get('http://revox.test/api/call/c')).toBe(200);
    expect(proxy.requests[0]).toMatch(
      new RegExp(`^proxy-authorization: Basic ${btoa('gateway:100%')}$`, 'im'),
    );
    expect(upstream.requests).toHaveLength(1);
  });

  test('the transport uses no proxy when none is configured', async () => {
    await using upstream = await listen((response) => sendJson(response, {}));
    expect(await get(`${upstream.origin}/api/call/c`)).toBe(200);
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/api/call/c']);
  });
});
