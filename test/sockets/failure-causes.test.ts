import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenTcp, sendJson } from '../rest/real-server.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import {
  type Case,
  certified,
  createLoggedGateway,
  createUpstream,
  KEY,
  OPERATIONS,
  responding,
  serve,
} from './failing-upstream.ts';

const SECRET = 'secret-token-of-a-person';
const LIST = '{ callAttempts(first: 1) { nodes { id } } }';

const CASES: readonly Case[] = [
  {
    name: 'a port where nothing listens',
    async start() {
      const upstream = createUpstream();
      const port = await listenOnFreePort(async (one) => {
        const probe = createServer();
        await new Promise<void>((resolve, reject) => {
          probe.once('error', reject);
          probe.listen(one, '127.0.0.1', resolve);
        });
        await new Promise((resolve) => probe.close(resolve));
        return one;
      });
      return {
        upstream,
        settings: { REVOX_BASE_URL: `http://127.0.0.1:${port}/api` },
        heal: () => serve(upstream, createServer, port),
      };
    },
    message:
      'HOST refuses connections (ECONNREFUSED). Check the host and the port of REVOX_BASE_URL, and whether the server runs.',
    failure: { cause: 'connection-refused', code: 'ECONNREFUSED' },
    error: 'UPSTREAM_UNAVAILABLE',
    received: 0,
  },
  {
    name: 'an expired certificate',
    start: certified({ names: ['IP:127.0.0.1'], validForDays: -1 }, true),
    message:
      'The certificate of HOST has expired (CERT_HAS_EXPIRED). The operator of the server must renew it. Check the clock of the gateway, too.',
    failure: { cause: 'certificate', code: 'CERT_HAS_EXPIRED' },
    error: 'UPSTREAM_UNAVAILABLE',
    received: 0,
  },
  {
    name: 'a self-signed certificate',
    start: certified({ names: ['IP:127.0.0.1'] }, false),
    message:
      'The certificate of HOST is self-signed, or signed by an authority of its own (DEPTH_ZERO_SELF_SIGNED_CERT). If you trust the server, set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority.',
    failure: { cause: 'certificate', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    error: 'UPSTREAM_UNAVAILABLE',
    received: 0,
  },
  {
    name: 'a certificate for other names, of which only host names are logged',
    start: certified(
      { names: ['DNS:other.test', 'DNS:<b>not a host</b>', 'IP:10.0.0.1'], organization: SECRET },
      true,
    ),
    message:
      'The certificate of HOST is for other.test, 10.0.0.1 (ERR_TLS_CERT_ALTNAME_INVALID). REVOX_BASE_URL must contain a name of the certificate.',
    failure: { cause: 'certificate', code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    error: 'UPSTREAM_UNAVAILABLE',
    received: 0,
  },
  {
    name: 'a redirect to another host, of which only the host is logged',
    start: responding((response) =>
      response
        .writeHead(301, { location: `https://user:${SECRET}@www.revox.test/${SECRET}?t=${SECRET}` })
        .end(),
    ),
    message:
      'HOST redirects to www.revox.test (status 301), and the gateway follows no redirect. If www.revox.test is the right server, set REVOX_BASE_URL to its address.',
    failure: { cause: 'redirect', status: 301 },
    error: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'a redirect with a page, within the same host',
    start: responding((response) =>
      response
        .writeHead(302, { location: `/login?next=${SECRET}`, 'content-type': 'text/html' })
        .end('<a>Login</a>'),
    ),
    message:
      'HOST redirects to another address of its own (status 302), and the gateway follows no redirect. Check the scheme, the host and the path of REVOX_BASE_URL.',
    failure: { cause: 'redirect', status: 302 },
    error: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'HTML instead of JSON',
    start: responding((response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${SECRET}</title>`),
    ),
    message:
      'HOST sends HTML or XML instead of JSON (status 200). Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of REVOX_BASE_URL.',
    failure: { cause: 'web-page', status: 200 },
    error: 'UPSTREAM_INVALID_RESPONSE',
  },
  {
    name: 'a 401 for the key of the gateway',
    start: responding((response) => sendJson(response, { error: SECRET }, 401)),
    message:
      'HOST rejects REVOX_API_KEY (status 401). Check that the key is complete, belongs to this API, and was not revoked.',
    failure: { cause: 'unauthorized', status: 401 },
    error: 'UPSTREAM_REJECTED',
  },
  {
    name: 'a 404 of a list',
    start: responding((response) => sendJson(response, { error: SECRET }, 404)),
    message:
      'HOST has no /call (status 404). Check the path of REVOX_BASE_URL: the gateway adds /call to it.',
    failure: { cause: 'not-found', status: 404 },
    query: LIST,
    error: 'UPSTREAM_REJECTED',
  },
  {
    name: 'response headers over the limit',
    start: responding((response) =>
      response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end('{}'),
    ),
    message:
      'The response headers of HOST are too large (UND_ERR_HEADERS_OVERFLOW). Node.js accepts 16 KiB. Start the gateway with NODE_OPTIONS=--max-http-header-size=65536 if the server needs more.',
    failure: { cause: 'header-overflow', code: 'UND_ERR_HEADERS_OVERFLOW' },
    error: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'a status of 503',
    start: responding((response) => sendJson(response, { error: SECRET }, 503)),
    message:
      'HOST responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.',
    failure: { cause: 'server-error', status: 503 },
    error: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'a body that is not JSON',
    start: responding((response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a": "${SECRET}`),
    ),
    message:
      'HOST sends unexpected responses: not JSON. Check the host and the path of REVOX_BASE_URL; if they are right, the server has changed.',
    failure: { cause: 'invalid-response', status: 200 },
    error: 'UPSTREAM_INVALID_RESPONSE',
  },
  {
    name: 'a connection that closes without a response',
    start: responding((response) => response.destroy()),
    message:
      'HOST closes connections before the response is complete (UND_ERR_SOCKET). The server or a proxy in front of it fails, or it expects TLS: then the URL must begin with https://.',
    failure: { cause: 'connection-closed', code: 'UND_ERR_SOCKET' },
    error: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'no response in time',
    async start() {
      const scene = await responding(() => {})();
      let isHung = true;
      return {
        ...scene,
        options: {
          // The time limit passes as soon as the upstream has the request.
          startTimer(ms, onTime) {
            if (ms === 10_000 && isHung) scene.upstream.respond = () => onTime();
            return () => {};
          },
        },
        heal() {
          isHung = false;
          scene.heal?.();
        },
      };
    },
    message:
      'HOST sends no complete response within REVOX_TIMEOUT_MS. The server is slow, overloaded, or not reachable through its load balancer.',
    failure: { cause: 'response-timeout' },
    error: 'UPSTREAM_TIMEOUT',
  },
  {
    name: 'a proxy that refuses the request, and whose password is not logged',
    async start() {
      const upstream = createUpstream();
      const port = await serve(upstream);
      let isRefusing = true;
      const proxy = await listenTcp((client) => {
        client.once('data', (head) => {
          if (isRefusing) {
            client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n');
            return;
          }
          const tunnel = connect(port, '127.0.0.1');
          tunnel.on('error', () => client.destroy());
          client.on('close', () => tunnel.destroy());
          tunnel.write(head);
          client.pipe(tunnel).pipe(client);
        });
      });
      onTestFinished(() => proxy[Symbol.asyncDispose]());
      return {
        upstream,
        settings: {
          REVOX_BASE_URL: 'http://revox.test/api',
          HTTP_PROXY: `http://gateway:${SECRET}@127.0.0.1:${proxy.port}`,
        },
        heal: () => {
          isRefusing = false;
        },
      };
    },
    message:
      'The proxy refuses requests to HOST with status 407. Check the user and the password in HTTPS_PROXY or HTTP_PROXY.',
    failure: { cause: 'proxy', status: 407 },
    error: 'UPSTREAM_UNAVAILABLE',
    received: 0,
  },
];

describe('Causes of upstream failures', () => {
  test.each(CASES)(
    '$name is logged once over many requests, and its end once',
    async ({ start, message, failure, query, error, received }) => {
      const { settings, upstream, options, heal } = await start();
      const gateway = createLoggedGateway(settings, options);
      const host = new URL(settings.REVOX_BASE_URL ?? '').host;

      for (let count = 0; count < OPERATIONS; count += 1) {
        const { errors } = await gateway.execute(query);
        expect(errors?.map(({ extensions }) => extensions.code)).toEqual([error]);
      }

      const begin = `error The Revox API fails: ${message.replaceAll('HOST', host)}`;
      expect(gateway.conditions()).toEqual([begin]);
      expect(upstream.requests).toHaveLength(received ?? OPERATIONS);
      expect(gateway.failedRequests()).toHaveLength(OPERATIONS);
      expect(gateway.failedRequests()[0]).toMatchObject({
        level: 'debug',
        method: 'GET',
        path: query ? '/call' : '/call/{id}',
        attempt: 1,
        durationMs: expect.any(Number),
        ...failure,
      });
      expect(JSON.parse(await gateway.readText('/ready'))).toMatchObject({
        status: 'ready',
        conditions: { upstream: { active: true, cause: failure.cause, count: OPERATIONS } },
      });
      const active = `condition_active{condition="upstream",cause="${failure.cause}"}`;
      expect(await gateway.readText('/metrics')).toContain(`revox_gateway_${active} 1`);

      await heal?.();
      for (let count = 0; count < 3; count += 1)
        expect(await gateway.execute(query)).not.toHaveProperty('errors');

      expect(gateway.conditions()).toEqual([
        begin,
        expect.stringMatching(
          /^info The Revox API works again after \d+ (ms|s); 8 upstream requests failed\.$/,
        ),
      ]);
      expect(upstream.requests.length).toBe((received ?? OPERATIONS) + 3);
      const metrics = await gateway.readText('/metrics');
      expect(metrics).toContain(`revox_gateway_${active} 0`);
      expect(metrics).toContain(
        `revox_gateway_upstream_failures_total{cause="${failure.cause}"} ${OPERATIONS}`,
      );
      const ready = await gateway.readText('/ready');
      expect(JSON.parse(ready)).toMatchObject({ conditions: { upstream: { active: false } } });
      for (const secret of [KEY, SECRET])
        expect([...gateway.lines, metrics, ready].join('')).not.toContain(secret);
    },
  );
});
