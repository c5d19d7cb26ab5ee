import type { ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { type Environment, readSettings } from '#config/settings.ts';
import { checkJwks } from '#doctor/services/jwks.ts';
import { listen, listenTcp, type RealServer } from '../rest/real-server.ts';
import { freePort } from '../sockets/demo-process.ts';
import { createKey, toJwk } from '../support/token-issuer.ts';
import { createServiceClock, dateHeader, toLines } from './service-check.ts';

const CONSEQUENCE = 'The gateway rejects bearer tokens with 503.';
const DISCOVERY =
  'The discovery document of the issuer (/.well-known/openid-configuration) names the URL as jwks_uri.';
const KEY_SET = {
  keys: [await toJwk(await createKey('one')), await toJwk(await createKey('two', 'RS256'))],
};

const toSettings = (url: string, more: Environment = {}) =>
  readSettings({
    REVOX_API_KEY: 'sk_secret',
    JWT_JWKS_URL: url,
    JWT_ISSUER: 'https://id.test/',
    JWT_AUDIENCE: 'https://calls.test',
    ...more,
  });

const check = async (url: string, more: Environment = {}) =>
  checkJwks(toSettings(url, more), createServiceClock().clock);

interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function reply(response: ServerResponse, { status = 200, headers = {}, body = '' }: Reply): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { ...dateHeader(0), ...headers }).end(text);
}

/** The lines of a check of an issuer with this response, which must be its only request. */
async function linesOf(sent: Reply): Promise<string[]> {
  await using issuer = await listen((response) => reply(response, sent));
  const lines = toLines(await check(`${issuer.origin}/keys?key=secret`));
  expectOneRequest(issuer, '/keys?key=secret');
  return lines.map((line) => line.replace(`127.0.0.1:${issuer.port}`, 'HOST'));
}

function expectOneRequest(issuer: RealServer, path: string): void {
  expect(issuer.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET ${path}`]);
  expect(issuer.requests[0]?.headers['user-agent']).toMatch(/^revox-graphql-gateway\//);
}

const CONNECTION =
  'ok jwks-connection: JWT_JWKS_URL responds within 0.0 ms, over http on this machine.';
const KEYS = 'ok jwks-keys: The key set of JWT_JWKS_URL has 2 usable keys (ES256, RS256).';
const CLOCK =
  'ok jwks-clock: The clock of the issuer agrees with the clock of this machine within 5 s.';

describe('JWKS check of doctor', () => {
  test('without JWT_JWKS_URL nothing is checked', async () => {
    expect(await checkJwks(readSettings({}), createServiceClock().clock)).toEqual([]);
  });

  test('a healthy issuer passes every check with one request', async () => {
    expect(await linesOf({ body: KEY_SET })).toEqual([CONNECTION, KEYS, CLOCK]);
  });

  test.each<[string, Reply, string]>([
    [
      'a web page',
      { headers: { 'content-type': 'text/html' }, body: '<!doctype html>' },
      `HOST sends HTML or XML instead of JSON (status 200). Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of JWT_JWKS_URL. ${DISCOVERY}`,
    ],
    [
      '404',
      { status: 404 },
      `HOST has nothing at the path of JWT_JWKS_URL (status 404). Check the path of JWT_JWKS_URL. ${DISCOVERY}`,
    ],
    [
      '403',
      { status: 403 },
      'JWT_JWKS_URL rejects the request (403): a key set must be readable without a credential.',
    ],
    [
      '503',
      { status: 503 },
      'HOST responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.',
    ],
    ['204', { status: 204 }, 'JWT_JWKS_URL returns 204 instead of a key set.'],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://login.test/path?token=secret' } },
      'HOST redirects to login.test (status 302), and the gateway follows no redirect. If login.test is the right server, set JWT_JWKS_URL to its address.',
    ],
  ])('%s instead of a key set is explained', async (_name, sent, problem) => {
    expect(await linesOf(sent)).toEqual([`failure jwks-connection: ${problem} ${CONSEQUENCE}`]);
  });

  test.each([
    ['keys', 'JWT_JWKS_URL does not return JSON: check its path.'],
    [{ keys: 'none' }, 'JWT_JWKS_URL returns JSON that is not a JSON Web Key Set.'],
    [{ jwks_uri: 'http://[' }, 'JWT_JWKS_URL returns JSON that is not a JSON Web Key Set.'],
    [
      { jwks_uri: 'https://id.test/keys' },
      'JWT_JWKS_URL returns the discovery document of the issuer and not the key set: set JWT_JWKS_URL to its jwks_uri.',
    ],
  ])('the body %j is explained', async (body, problem) => {
    expect(await linesOf({ body })).toEqual([
      CONNECTION,
      `failure jwks-keys: ${problem} ${CONSEQUENCE}`,
      CLOCK,
    ]);
  });

  test('the discovery document suggests the setting', async () => {
    await using issuer = await listen((response) =>
      reply(response, { body: { jwks_uri: 'https://id.test/keys' } }),
    );
    const findings = await check(issuer.origin);
    expect(findings[1]?.settings).toEqual({ JWT_JWKS_URL: 'https://id.test/keys' });
    expectOneRequest(issuer, '/');
  });

  test('a key set without a usable key fails, and names what it has', async () => {
    const { publicKey } = await generateKeyPair('RSA-OAEP', { extractable: true });
    const rsa = await exportJWK(publicKey);
    const NONE = (has: string) =>
      `failure jwks-keys: The key set of JWT_JWKS_URL has no key that the gateway can use (it has ${has}). The gateway accepts public keys for signatures with RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519. It rejects every bearer token.`;
    const linesOfKeys = async (...keys: JWK[]) => (await linesOf({ body: { keys } }))[1];

    expect(await linesOfKeys()).toBe(NONE('no key at all'));
    expect(
      await linesOfKeys({ ...rsa, alg: 'RSA-OAEP' }, { ...rsa, alg: 'RS256', use: 'enc' }),
    ).toBe(NONE('2: RS256, RSA-OAEP'));
    expect(await linesOfKeys({ kty: 'EC', crv: 'secp256k1' })).toBe(NONE('1: EC'));
    expect(await linesOfKeys({ ...rsa, alg: 'a secret text' })).toBe(NONE('1: unknown'));
    expect(await linesOfKeys({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })).toBe(NONE('1: ES256'));
    expect(await linesOfKeys({ ...rsa, key_ops: ['encrypt'] })).toBe(NONE('1: RS256'));
  });

  test('keys of another use beside usable ones are ignored, and a published private key is a finding', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const [, , encryption] = [...KEY_SET.keys, { ...KEY_SET.keys[0]!, use: 'enc' }];
    expect(await linesOf({ body: { keys: [await exportJWK(privateKey), encryption] } })).toEqual([
      CONNECTION,
      'ok jwks-keys: The key set of JWT_JWKS_URL has 1 usable key (EdDSA), and 1 that the gateway ignores.',
      'finding jwks-keys: The key set of JWT_JWKS_URL publishes the private part of a key: every reader can issue tokens. The issuer must replace this key.',
      CLOCK,
    ]);
  });

  test.each([
    [
      dateHeader(90_000),
      'finding jwks-clock: The clock of the issuer is 90 s ahead of the clock of this machine, and the gateway tolerates 5 s. New tokens with an nbf are not valid yet for the gateway.',
    ],
    [
      dateHeader(-90_000),
      'finding jwks-clock: The clock of the issuer is 90 s behind the clock of this machine, and the gateway tolerates 5 s. Tokens expire early for the gateway.',
    ],
    [{ ...dateHeader(-90_000), age: '89' }, CLOCK],
    [
      { date: 'today' },
      'unknown jwks-clock: JWT_JWKS_URL sends no Date header, so the clock of the issuer is unknown.',
    ],
  ])('the headers %j are compared with the clock', async (headers, line) => {
    expect(await linesOf({ headers, body: KEY_SET })).toEqual([CONNECTION, KEYS, line]);
  });

  test('an address without a server is explained', async () => {
    const port = await freePort();
    expect(toLines(await check(`http://127.0.0.1:${port}/secret`))).toEqual([
      `failure jwks-connection: 127.0.0.1:${port} refuses connections (ECONNREFUSED). Check the host and the port of JWT_JWKS_URL, and whether the server runs. ${CONSEQUENCE}`,
    ]);
    expect(toLines(await check('https://id.invalid/secret'))).toEqual([
      expect.stringMatching(
        /^failure jwks-connection: The name id\.invalid (does not exist \(ENOTFOUND\)|cannot be resolved \(EAI_AGAIN\))\. Check .*the host of JWT_JWKS_URL/,
      ),
    ]);
  });

  test('a proxy that refuses the connection is named', async () => {
    await using issuer = await listen((response) => reply(response, { body: KEY_SET }));
    const port = await freePort();
    const proxy = { HTTP_PROXY: `http://user:secret@127.0.0.1:${port}` };
    // The environment of the tests exempts 127.0.0.1.
    const url = `${issuer.origin.replace('127.0.0.1', '[::1]')}/keys`;
    expect(toLines(await check(url, proxy))).toEqual([
      `failure jwks-connection: The proxy 127.0.0.1:${port} for requests to [::1]:${issuer.port} cannot be reached (ECONNREFUSED). Check HTTPS_PROXY and HTTP_PROXY, or add the host to NO_PROXY. ${CONSEQUENCE}`,
    ]);
    expect(issuer.requests).toEqual([]);
  });

  test('a server without TLS behind an https URL is explained', async () => {
    await using plain = await listen((response) => response.end());
    expect(toLines(await check(`https://127.0.0.1:${plain.port}/`))).toEqual([
      expect.stringMatching(
        /^failure jwks-connection: The TLS handshake with 127\.0\.0\.1:\d+ fails \(\w+\)\. Check whether the port of JWT_JWKS_URL speaks TLS; the URL of a server without TLS begins with http:\/\/\. /,
      ),
    ]);
    expect(plain.requests).toEqual([]);
  });

  test('an issuer that does not respond is given up after five seconds', async () => {
    const { clock, timers } = createServiceClock();
    let received = () => {};
    const request = new Promise<void>((resolve) => {
      received = resolve;
    });
    await using issuer = await listenTcp((socket) => {
      socket.once('data', received);
    });
    const pending = checkJwks(toSettings(`${issuer.origin}/keys`), clock);
    await request;
    timers.elapse(5_000);
    expect(toLines(await pending)).toEqual([
      `failure jwks-connection: 127.0.0.1:${issuer.port} sends no complete response within 5 s. The server is slow, overloaded, or not reachable through its load balancer. ${CONSEQUENCE}`,
    ]);
    expect(issuer.connections).toBe(1);
    await expect.poll(() => timers.running).toEqual([]);
  });
});
