import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { freePort, runAsJson, STARTED_AT, toDiagnosis, toTraffic } from './doctor-scene.ts';

const FIXTURES = new URL('../fixtures/tls/', import.meta.url);
const readFixture = (name: string) => readFileSync(new URL(`${name}.pem`, FIXTURES), 'utf8');

const DEFAULT_AUTHORITIES = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...DEFAULT_AUTHORITIES, readFixture('authority')]));
afterAll(() => setDefaultCACertificates(DEFAULT_AUTHORITIES));

/** The timers of the transport and of the doctor are real; only the clock of the day stands still. */
async function diagnoseAt(baseUrl: string, settings: Record<string, string> = {}) {
  const document = await runAsJson({}, { REVOX_BASE_URL: baseUrl, ...settings });
  return toDiagnosis(document, []);
}

describe('Doctor over sockets', () => {
  test('a healthy upstream is reached at its address, over one kept connection', async () => {
    const sandbox = createTestSandbox();
    const upstream = await serveSandbox(sandbox, { host: '127.0.0.1', port: await freePort() });
    try {
      const diagnosis = await diagnoseAt(upstream.url);

      expect(diagnosis.verdictOf('connection')).toBe(
        `ok: ${upstream.url} responds from 127.0.0.1, without a proxy.`,
      );
      expect(diagnosis.verdictOf('certificate')).toBeUndefined();
      expect(diagnosis.verdictOf('keep-alive')).toBe(
        'ok: 16 requests used 1 connection; the API keeps idle ones for 5 s.',
      );
      expect(diagnosis.exitCode).toBe(0);
      expect(toTraffic(sandbox)).toHaveLength(16);
      expect(sandbox.control.maxInFlight()).toBe(1);
    } finally {
      await upstream.close();
    }
  });

  test('an upstream that closes each connection is a finding', async () => {
    const sandbox = createTestSandbox();
    const upstream = await serve(sandbox, createServer(), { connection: 'close' });
    await using _ = upstream;

    const diagnosis = await diagnoseAt(upstream.url);

    expect(diagnosis.verdictOf('keep-alive')).toBe(
      'finding: 16 requests needed 16 connections: the API does not keep them alive, which makes each request slower.',
    );
  });

  test('a port where nothing listens is explained', async () => {
    const port = await freePort();

    const diagnosis = await diagnoseAt(`http://127.0.0.1:${port}/api`);

    expect(diagnosis.verdictOf('connection')).toBe(
      `failure: 127.0.0.1:${port} refuses connections (ECONNREFUSED). Check the host and the port of REVOX_BASE_URL, and whether the server runs.`,
    );
    expect(diagnosis).toMatchObject({ exitCode: 1, requests: 1, settings: {} });
  });

  test('a name without an address is explained', async () => {
    const diagnosis = await diagnoseAt('https://revox.invalid/api');

    // Without a name server of its own a machine cannot decide.
    expect(diagnosis.verdictOf('connection')).toMatch(
      /^failure: The name revox\.invalid (does not exist \(ENOTFOUND\)\. Check the host of REVOX_BASE_URL, and the DNS of the gateway\.|cannot be resolved \(EAI_AGAIN\)\. Check whether the DNS server of the gateway responds, and the host of REVOX_BASE_URL\.)$/,
    );
    expect(diagnosis.exitCode).toBe(1);
  });

  test('a proxy that is down is explained', async () => {
    const port = await freePort();

    const diagnosis = await diagnoseAt('http://revox.invalid/api', {
      HTTP_PROXY: `http://127.0.0.1:${port}`,
    });

    expect(diagnosis.verdictOf('connection')).toBe(
      `failure: The proxy 127.0.0.1:${port} for requests to revox.invalid cannot be reached (ECONNREFUSED). Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY.`,
    );
  });

  test('a proxy in use is named without its password', async () => {
    const sandbox = createTestSandbox();
    const proxy = await serve(sandbox, createServer());
    await using _ = proxy;
    const { host } = new URL(proxy.url);

    const diagnosis = await diagnoseAt('http://revox.invalid/api', {
      HTTP_PROXY: `http://user:secret-of-the-proxy@${host}`,
    });

    expect(diagnosis.verdictOf('connection')).toBe(
      `ok: http://revox.invalid/api responds through the proxy ${host} at 127.0.0.1.`,
    );
    expect(diagnosis.verdictOf('certificate')).toBe(
      'finding: REVOX_BASE_URL begins with http://, so the key is sent unencrypted.',
    );
    expect(JSON.stringify(diagnosis)).not.toContain('secret-of-the-proxy');
  });

  test('an upstream that never responds is explained at the time limit', async () => {
    const sandbox = createTestSandbox();
    sandbox.control.hang('');
    const upstream = await serve(sandbox, createServer());
    await using _ = upstream;
    const { host } = new URL(upstream.url);

    const document = await runAsJson(
      { startTimer: (_ms, onTime) => fireOnceReceived(sandbox, onTime) },
      { REVOX_BASE_URL: upstream.url, REVOX_TIMEOUT_MS: '4000' },
    );

    expect(toDiagnosis(document, []).verdictOf('connection')).toBe(
      `failure: ${host} sends no complete response within REVOX_TIMEOUT_MS (4000 ms). The server is slow, overloaded, or not reachable through its load balancer.`,
    );
    expect(document.requests).toBe(1);
  });

  test('a slow upstream gets a longer time limit', async () => {
    const sandbox = createTestSandbox();
    let now = 0;

    const document = await runAsJson(
      {
        monotonicNow: () => now,
        fetch(request) {
          now += 2_600;
          return sandbox.fetch(request);
        },
      },
      {},
    );

    const diagnosis = toDiagnosis(document, []);
    expect(diagnosis.verdictOf('latency')).toBe(
      'finding: The API is slow: p50 2600 ms, slowest 2600 ms, of 16 requests; REVOX_TIMEOUT_MS is 10000.',
    );
    expect(diagnosis.settings).toMatchObject({ REVOX_TIMEOUT_MS: '24000' });
    expect(diagnosis.exitCode).toBe(2);
  });

  test('the doctor stops after three requests in a row without a response', async () => {
    const sandbox = createTestSandbox();
    sandbox.control.reset(/^\/(campaigns|call\/|assistants\/)/);

    const document = await runAsJson({ fetch: sandbox.fetch }, {});

    expect(toTraffic(sandbox).slice(7)).toEqual(['/campaigns', '/call/{id}', '/assistants/{id}']);
    const diagnosis = toDiagnosis(document, []);
    expect(diagnosis.verdictOf('array-format')).toBe(
      'unknown: The data does not show which format filters by statuses: comma is not conclusive, repeat is not conclusive, brackets is not conclusive.',
    );
    expect(diagnosis.exitCode).toBe(2);
  });
});

describe('Doctor and TLS', () => {
  test('a valid certificate is reported with its end and its issuer', async () => {
    const upstream = await serveTls('valid');
    await using _ = upstream;

    const diagnosis = await diagnoseAt(upstream.url);

    expect(diagnosis.verdictOf('connection')).toBe(
      `ok: ${upstream.url} responds from 127.0.0.1, without a proxy.`,
    );
    expect(diagnosis.verdictOf('certificate')).toBe(
      'ok: The certificate is valid until 2120-01-01; its issuer is Test Authority.',
    );
    expect(diagnosis.exitCode).toBe(0);
  });

  test('a certificate that ends soon is a finding', async () => {
    const upstream = await serveTls('valid');
    await using _ = upstream;

    const document = await runAsJson(
      { now: () => Date.parse('2119-12-29T00:00:00Z') },
      { REVOX_BASE_URL: upstream.url },
    );

    expect(toDiagnosis(document, []).verdictOf('certificate')).toBe(
      'finding: The certificate expires in 3 days (2120-01-01); its issuer is Test Authority.',
    );
  });

  test.each([
    [
      'expired',
      'The certificate of HOST has expired (CERT_HAS_EXPIRED). The operator of the server must renew it. Check the clock of the gateway, too.',
    ],
    [
      'self-signed',
      'The certificate of HOST is self-signed, or signed by an authority of its own (DEPTH_ZERO_SELF_SIGNED_CERT). If you trust the server, set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority.',
    ],
    [
      'other-name',
      'The certificate of HOST is for other.example, www.other.example (ERR_TLS_CERT_ALTNAME_INVALID). REVOX_BASE_URL must contain a name of the certificate.',
    ],
  ])('a certificate that is %s is explained, and no request is sent', async (name, message) => {
    const upstream = await serveTls(name);
    await using _ = upstream;
    const { host } = new URL(upstream.url);

    const diagnosis = await diagnoseAt(upstream.url);

    expect(diagnosis.verdictOf('connection')).toBe(`failure: ${message.replace('HOST', host)}`);
    expect(diagnosis).toMatchObject({ exitCode: 1, requests: 1 });
    expect(toTraffic(upstream.sandbox)).toEqual([]);
  });

  test('a certificate of an unknown authority is explained', async () => {
    setDefaultCACertificates(DEFAULT_AUTHORITIES);
    const upstream = await serveTls('valid');
    await using _ = upstream;

    const diagnosis = await diagnoseAt(upstream.url);

    expect(diagnosis.verdictOf('connection')).toBe(
      `failure: The certificate of ${new URL(upstream.url).host} is signed by an authority that Node.js does not know (UNABLE_TO_VERIFY_LEAF_SIGNATURE). If you trust the server, set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority.`,
    );
    setDefaultCACertificates([...DEFAULT_AUTHORITIES, readFixture('authority')]);
  });

  test('https to a port without TLS is explained', async () => {
    const upstream = await serve(createTestSandbox(), createServer());
    await using _ = upstream;
    const { host } = new URL(upstream.url);

    const diagnosis = await diagnoseAt(`https://${host}/api`);

    expect(diagnosis.verdictOf('connection')).toMatch(
      new RegExp(
        `^failure: The TLS handshake with ${host} fails \\((EPROTO|ERR_SSL_[A-Z_]+)\\)\\. Check whether the port of REVOX_BASE_URL speaks TLS; the URL of a server without TLS begins with http://\\.$`,
      ),
    );
  });

  test('http to a port with TLS is explained', async () => {
    const upstream = await serveTls('valid');
    await using _ = upstream;
    const { host } = new URL(upstream.url);

    const diagnosis = await diagnoseAt(`http://${host}/api`);

    expect(diagnosis.verdictOf('connection')).toMatch(
      new RegExp(
        `^failure: ${host} closes connections before the response is complete \\((ECONNRESET|UND_ERR_SOCKET)\\)\\. The server or a proxy in front of it fails, or it expects TLS: then the URL must begin with https://\\.$`,
      ),
    );
  });
});

function createTestSandbox(): Sandbox {
  return createSandbox({ now: () => STARTED_AT, startedAt: STARTED_AT, sendsDate: true });
}

interface ServedUpstream extends AsyncDisposable {
  readonly url: string;
  readonly sandbox: Sandbox;
}

function serveTls(certificate: string): Promise<ServedUpstream> {
  const server = createHttpsServer({ key: readFixture('key'), cert: readFixture(certificate) });
  return serve(createTestSandbox(), server, {}, 'https');
}

/** Serves a sandbox with more headers, as an upstream or as a proxy of one. */
async function serve(
  sandbox: Sandbox,
  server: HttpServer | ReturnType<typeof createHttpsServer>,
  headers: Record<string, string> = {},
  scheme = 'http',
): Promise<ServedUpstream> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('request', async ({ url = '/', headers: requestHeaders }, outgoing) => {
    const request = new Request(new URL(url, 'http://upstream.example'), {
      headers: { authorization: requestHeaders.authorization ?? '' },
    });
    const response = await sandbox.fetch(request);
    outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...headers });
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${scheme}://127.0.0.1:${port}/api`,
    sandbox,
    async [Symbol.asyncDispose]() {
      sandbox.control.heal();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A timer that fires when the request has arrived. */
function fireOnceReceived(sandbox: Sandbox, onTime: () => void): () => void {
  let isStopped = false;
  const check = () => {
    if (isStopped) return;
    if (sandbox.control.inFlight() > 0) onTime();
    else setImmediate(check);
  };
  check();
  return () => {
    isStopped = true;
  };
}
