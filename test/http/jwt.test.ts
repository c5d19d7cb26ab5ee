import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestGateway } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  type IssuerKey,
  JWKS_URL,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
  withAlgorithm,
} from '../support/token-issuer.ts';

const [one, two, three] = [
  await createKey('one'),
  await createKey('two'),
  await createKey('three'),
];

// jose accepts no clock for the age of keys.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * The clock of the gateway differs from `Date`, so that a confusion of the two clocks fails a test.
 */
const now = () => Date.now() + 400 * 86_400_000;
const passSeconds = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

function createTokenGateway(...keys: IssuerKey[]) {
  const issuer = createTokenIssuer(...keys);
  const logged: string[] = [];
  const gateway = createTestGateway({
    settings: JWT_SETTINGS,
    gateway: {
      fetchKeys: toFetchKeys(issuer),
      now,
      monotonicNow: now,
      log: {
        info: (message) => message !== 'request' && logged.push(message),
        error: (message) => logged.push(message),
        unexpected: (error) => logged.push(String(error)),
      },
    },
  });
  /** The status and the error codes of the response to a request with this token. */
  async function authenticate(
    token: string | Promise<string>,
    body = '{ "query": "{ __typename }" }',
  ): Promise<string> {
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await token}` },
      body,
    });
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    expect(gateway.traffic()).toEqual([]);
    return [response.status, ...(errors ?? []).map(({ extensions }) => extensions.code)].join(' ');
  }
  const tokenOf = (key: IssuerKey, header = {}, claims = {}) =>
    sign(key, { ...VALID_CLAIMS, exp: now() / 1000 + 86_400, ...claims }, header);
  return { gateway, issuer, logged, authenticate, tokenOf };
}

const REJECTED = '401 UNAUTHENTICATED';
const UNAVAILABLE = '503 UPSTREAM_UNAVAILABLE';

describe('Token subject', () => {
  test.each([
    ['number', 7],
    ['object', { id: 'u' }],
    ['list', ['u']],
    ['null', null],
    ['boolean', true],
  ])(
    'a token whose subject is a %s is rejected without an unexpected error',
    async (_kind, sub) => {
      const { authenticate, tokenOf, logged } = createTokenGateway(one);
      expect(await authenticate(tokenOf(one, {}, { sub }))).toBe(REJECTED);
      expect(logged).toEqual([]);
    },
  );

  test('a token whose subject is a string, empty or missing is accepted', async () => {
    const { authenticate, tokenOf } = createTokenGateway(one);
    for (const claims of [{ sub: 'u' }, { sub: '' }, {}])
      expect(await authenticate(tokenOf(one, {}, claims))).toBe('200');
  });
});

describe('Issuer keys', () => {
  test('issuer keys are fetched when the first token needs them, once for all waiting requests', async () => {
    const { issuer, authenticate, tokenOf, gateway } = createTokenGateway(one);
    expect((await gateway.fetch('/graphql?query={__typename}')).status).toBe(401);
    expect(await authenticate('no.token.atAll')).toBe(REJECTED);
    expect(issuer.requests).toHaveLength(0);
    expect(
      new Set(await Promise.all(Array.from({ length: 100 }, () => authenticate(tokenOf(one))))),
    ).toEqual(new Set(['200']));
    expect(
      issuer.requests.map(({ method, url, redirect, headers }) => [
        method,
        url,
        redirect,
        headers.get('authorization'),
      ]),
    ).toEqual([['GET', JWKS_URL, 'manual', null]]);
  });

  test('issuer keys are cached for ten minutes', async () => {
    const { issuer, authenticate, tokenOf } = createTokenGateway(one);
    const token = tokenOf(one);
    expect(await authenticate(token)).toBe('200');
    passSeconds(599);
    expect(await authenticate(token)).toBe('200');
    expect(issuer.requests).toHaveLength(1);
    issuer.keys.splice(0, 1, two);
    passSeconds(1);
    expect(await authenticate(token)).toBe(REJECTED);
    expect(issuer.requests).toHaveLength(2);
  });

  test('issuer keys that are at least 30 s old are fetched again for a token with an unknown key', async () => {
    const { issuer, authenticate, tokenOf } = createTokenGateway(one);
    expect(await authenticate(tokenOf(one))).toBe('200');
    issuer.keys.push(two);
    passSeconds(30);
    expect(await authenticate(tokenOf(two))).toBe('200');
    expect(await authenticate(tokenOf(one))).toBe('200');
    expect(issuer.requests).toHaveLength(2);
  });

  test('tokens with invented key ids cause at most one fetch of the issuer keys per 30 s', async () => {
    const { issuer, authenticate, tokenOf } = createTokenGateway(one);
    for (let seconds = 0; seconds < 60; seconds += 1) {
      expect(await authenticate(tokenOf(three, { kid: `made-up-${seconds}` }))).toBe(REJECTED);
      passSeconds(1);
    }
    expect(issuer.requests).toHaveLength(2);
  });

  test('all issuer keys are tried for a token without a key id', async () => {
    const { authenticate, tokenOf } = createTokenGateway(one, two);
    const nameless = { kid: undefined };
    expect(
      await Promise.all([one, two, three].map((key) => authenticate(tokenOf(key, nameless)))),
    ).toEqual(['200', '200', REJECTED]);
    expect(await authenticate(tokenOf(two, nameless, { exp: 1 }))).toBe(REJECTED);
  });
});

describe('Unavailable issuer keys', () => {
  const NO_KEY_SET =
    'id.test sends unexpected responses: no JSON Web Key Set. Check the host and the path of JWT_JWKS_URL; if they are right, the server has changed.';
  const FAULTS: {
    readonly [name: string]: { readonly respond: () => Promise<Response>; readonly reason: string };
  } = {
    'a status of 500': {
      respond: async () => new Response('at db.internal', { status: 500 }),
      reason:
        'id.test responds with an error of its own (status 500). The fault is in the server. The gateway needs no restart.',
    },
    'a redirect': {
      respond: async () =>
        new Response(null, { status: 302, headers: { location: 'https://evil.test' } }),
      reason:
        'id.test redirects to evil.test (status 302), and the gateway follows no redirect. If evil.test is the right server, set JWT_JWKS_URL to its address.',
    },
    'a body that is not JSON': {
      respond: async () => new Response('<html>db.internal'),
      reason: NO_KEY_SET,
    },
    'a body that is not a key set': {
      respond: async () => Response.json({ keys: 'db.internal' }),
      reason: NO_KEY_SET,
    },
    'no connection': {
      respond: () =>
        Promise.reject(
          Object.assign(new Error('connect to db.internal'), { code: 'ECONNREFUSED' }),
        ),
      reason:
        'id.test refuses connections (ECONNREFUSED). Check the host and the port of JWT_JWKS_URL, and whether the server runs.',
    },
    'an error without a code': {
      respond: () => Promise.reject(new TypeError('db.internal')),
      reason: 'Requests to id.test fail (TypeError). Nothing more is known.',
    },
  };

  test.each(Object.keys(FAULTS))(
    'issuer keys that cannot be fetched because of %s cause 503, one log line, and a retry every five seconds',
    async (name) => {
      const { issuer, authenticate, tokenOf, logged } = createTokenGateway(one);
      const { respond: respondNormally } = issuer;
      const { respond, reason } = FAULTS[name]!;
      issuer.respond = respond;
      const storm = () => Promise.all(Array.from({ length: 20 }, () => authenticate(tokenOf(one))));
      for (const _ of [1, 2, 3]) {
        expect(new Set(await storm())).toEqual(new Set([UNAVAILABLE]));
        passSeconds(4.999);
        expect(new Set(await storm())).toEqual(new Set([UNAVAILABLE]));
        passSeconds(0.001);
      }
      expect(issuer.requests).toHaveLength(3);
      expect(logged).toEqual([
        `The keys of JWT_JWKS_URL cannot be fetched: ${reason} The gateway rejects bearer tokens with 503 until it can fetch keys.`,
      ]);

      issuer.respond = respondNormally;
      expect(await authenticate(tokenOf(one))).toBe('200');
      expect(logged.slice(1)).toEqual([
        'The keys of JWT_JWKS_URL can be fetched again after 15 s; 3 fetches failed.',
      ]);
      expect(await authenticate(tokenOf(two))).toBe(REJECTED);
    },
  );

  test('the body of a response that holds no keys is not read, and its connection is free again', async () => {
    const { issuer, authenticate, tokenOf } = createTokenGateway(one);
    const [pull, cancel] = [vi.fn(), vi.fn()];
    issuer.respond = async () =>
      new Response(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }), { status: 500 });
    expect(await authenticate(tokenOf(one))).toBe(UNAVAILABLE);
    expect([pull.mock.calls.length, cancel.mock.calls.length]).toEqual([0, 1]);
  });

  test('tokens with cached issuer keys are accepted for an hour after the issuer has become unavailable', async () => {
    const { issuer, authenticate, tokenOf, logged } = createTokenGateway(one);
    expect(await authenticate(tokenOf(one))).toBe('200');
    const { respond: respondNormally } = issuer;
    issuer.respond = async () => new Response(null, { status: 502 });
    passSeconds(600);
    expect(await authenticate(tokenOf(one))).toBe('200');
    expect(logged).toEqual([
      'The keys of JWT_JWKS_URL cannot be fetched: id.test responds with an error of its own (status 502). The fault is in the server. The gateway needs no restart. The gateway verifies bearer tokens with the last fetched keys until they are about an hour old.',
    ]);
    // The unknown key may be a new one, so the response is 503 and not 401.
    expect(await authenticate(tokenOf(two))).toBe(UNAVAILABLE);
    expect(await authenticate(tokenOf(two, { kid: one.kid }))).toBe(REJECTED);

    passSeconds(2_999);
    expect(await authenticate(tokenOf(one))).toBe('200');
    passSeconds(600);
    expect(await authenticate(tokenOf(one))).toBe(UNAVAILABLE);
    issuer.respond = respondNormally;
    passSeconds(5);
    expect(await authenticate(tokenOf(one))).toBe('200');
    expect(logged).toHaveLength(2);
  });

  test('the fetch of issuer keys is aborted after five seconds', async () => {
    const { issuer, authenticate, tokenOf, logged } = createTokenGateway(one);
    const timeout = new AbortController();
    const timeouts = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timeout.signal);
    try {
      issuer.respond = ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          timeout.abort(new DOMException('at db.internal', 'TimeoutError'));
        });
      expect(await authenticate(tokenOf(one))).toBe(UNAVAILABLE);
      expect(timeouts.mock.calls).toEqual([[5_000]]);
      expect(logged).toEqual([
        'The keys of JWT_JWKS_URL cannot be fetched: id.test sends no complete response within 5 s. The server is slow, overloaded, or not reachable through its load balancer. The gateway rejects bearer tokens with 503 until it can fetch keys.',
      ]);
    } finally {
      timeouts.mockRestore();
    }
  });
});

describe('Token verification', () => {
  test.each([
    ['expired 4 s ago', { exp: -4 }, '200'],
    ['expired 5 s ago', { exp: -5 }, REJECTED],
    ['becomes valid in 5 s', { exp: 60, nbf: 5 }, '200'],
    ['becomes valid in 6 s', { exp: 60, nbf: 6 }, REJECTED],
  ])(
    'a token that %s by the clock of the gateway (%j) results in %s',
    async (_name, seconds, expected) => {
      const { authenticate, tokenOf } = createTokenGateway(one);
      const claims = Object.fromEntries(
        Object.entries(seconds).map(([claim, s]) => [claim, now() / 1000 + s]),
      );
      expect(await authenticate(tokenOf(one, {}, claims))).toBe(expected);
    },
  );

  test.each([
    ['scope', 'calls:list  calls:read', '200'],
    ['scope', ['calls:list', 'calls:read'], '200'],
    ['scp', 'calls:list calls:read', '200'],
    ['scp', [['calls:list', 'calls:read']], '403 FORBIDDEN'],
    ['scp', { 'calls:list': true }, '403 FORBIDDEN'],
    ['scope', 7, '403 FORBIDDEN'],
    ['scopes', 'calls:list calls:read', '403 FORBIDDEN'],
  ])('a token with the %s claim %j results in %s', async (claim, value, expected) => {
    const { authenticate, tokenOf } = createTokenGateway(one);
    expect(await authenticate(tokenOf(one, {}, { scope: undefined, [claim]: value }))).toBe(
      expected,
    );
  });

  test.each([
    '',
    '.',
    '..',
    'a.b.c',
    'e30.e30.',
    `${'e30.'.repeat(5)}`,
    'x'.repeat(10_000),
    '%00',
    '{"alg":"none"}',
  ])('an invalid token is rejected without an unexpected error: %j', async (token) => {
    const { authenticate, logged, issuer } = createTokenGateway(one);
    expect(await authenticate(token)).toBe(REJECTED);
    expect(logged).toEqual([]);
    expect(issuer.requests.length).toBeLessThanOrEqual(1);
  });

  test('a token with a symmetric signature is rejected even if the issuer publishes a symmetric key', async () => {
    const { authenticate, issuer } = createTokenGateway();
    const secret = new TextEncoder().encode('a-secret-of-thirty-two-characters');
    issuer.respond = async () =>
      Response.json({
        keys: [
          { kty: 'oct', kid: 'one', alg: 'HS256', k: Buffer.from(secret).toString('base64url') },
        ],
      });
    const token = new SignJWT({ ...VALID_CLAIMS, exp: now() / 1000 + 60 }).setProtectedHeader({
      alg: 'HS256',
      kid: 'one',
    });
    expect(await authenticate(token.sign(secret))).toBe(REJECTED);
  });

  test('a token with each supported signature algorithm is accepted', async () => {
    const rsa = await createKey('one', 'RS256');
    const keys = await Promise.all([
      ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) =>
        withAlgorithm(rsa, alg),
      ),
      ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'].map((alg) => createKey('one', alg)),
    ]);
    const results = keys.map(async (key) => {
      const { authenticate, tokenOf, issuer } = createTokenGateway(key);
      return [key.alg, await authenticate(tokenOf(key)), issuer.requests.length];
    });
    expect(await Promise.all(results)).toEqual(keys.map(({ alg }) => [alg, '200', 1]));
  });

  test.each([
    'none',
    'HS256',
    'HS384',
    'HS512',
    'ES256K',
    'ML-DSA-44',
    'ML-DSA-65',
    'ML-DSA-87',
    'RSA-OAEP',
    'rs256',
    '',
  ])(
    'a token with the unsupported signature algorithm "%s" is rejected before the issuer keys are fetched',
    async (alg) => {
      const { authenticate, issuer, logged } = createTokenGateway(one);
      const parts = [{ alg, kid: 'one' }, { ...VALID_CLAIMS, exp: now() / 1000 + 60 }, {}];
      const token = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
      expect(await authenticate(token.join('.'))).toBe(REJECTED);
      expect(issuer.requests).toHaveLength(0);
      expect(logged).toEqual([]);
    },
  );

  test('a token is verified before any byte of the body is read', async () => {
    const { gateway, tokenOf, issuer } = createTokenGateway(one);
    const pull = vi.fn();
    const body = () => new ReadableStream({ pull }, { highWaterMark: 0 });
    for (const token of [tokenOf(three), tokenOf(one, {}, { scope: '' })]) {
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${await token}`,
      };
      const response = await gateway.fetch('/graphql', {
        method: 'POST',
        headers,
        body: body(),
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBeGreaterThanOrEqual(401);
    }
    expect(pull).not.toHaveBeenCalled();
    expect(issuer.requests).toHaveLength(1);
    expect(gateway.traffic()).toEqual([]);
  });
});
