import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createIssuer,
  createKey,
  GOOD_CLAIMS,
  type IssuerKey,
  JWKS_URL,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
} from '../kit/issuer.ts';
import { createWorld } from '../kit/world.ts';

const [one, two, three] = [await createKey('one'), await createKey('two'), await createKey('three')];

// jose has no clock of its own to hand in for the age of keys.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The gateway's clock is its own. */
const now = () => Date.now() + 400 * 86_400_000;
const passSeconds = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

function createTokenWorld(...keys: IssuerKey[]) {
  const issuer = createIssuer(...keys);
  const told: string[] = [];
  const world = createWorld({
    settings: JWT_SETTINGS,
    gateway: {
      fetchKeys: toFetchKeys(issuer),
      now,
      log: { info: () => {}, error: (message) => told.push(message), bug: (error) => told.push(String(error)) },
    },
  });
  /** The status of an answer, and its code. */
  async function enter(token: string | Promise<string>, body = '{ "query": "{ __typename }" }'): Promise<string> {
    const response = await world.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await token}` },
      body,
    });
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    expect(world.traffic()).toEqual([]);
    return [response.status, ...(errors ?? []).map(({ extensions }) => extensions.code)].join(' ');
  }
  const tokenOf = (key: IssuerKey, header = {}, claims = {}) =>
    sign(key, { ...GOOD_CLAIMS, exp: now() / 1000 + 86_400, ...claims }, header);
  return { world, issuer, told, enter, tokenOf };
}

const REFUSED = '401 UNAUTHENTICATED';
const UNAVAILABLE = '503 UPSTREAM_UNAVAILABLE';

describe('The subject of a token', () => {
  test.each([
    ['number', 7],
    ['object', { id: 'u' }],
    ['list', ['u']],
    ['null', null],
    ['truth value', true],
  ])('with the type %s is refused as a bad token, and is no fault of the gateway', async (_kind, sub) => {
    const { enter, tokenOf, told } = createTokenWorld(one);
    expect(await enter(tokenOf(one, {}, { sub }))).toBe(REFUSED);
    expect(told).toEqual([]);
  });

  test('that is text, empty, or missing admits', async () => {
    const { enter, tokenOf } = createTokenWorld(one);
    for (const claims of [{ sub: 'u' }, { sub: '' }, {}]) expect(await enter(tokenOf(one, {}, claims))).toBe('200');
  });
});

describe('The keys of the issuer', () => {
  test('are not asked for before a token needs them, and then once for all who wait', async () => {
    const { issuer, enter, tokenOf, world } = createTokenWorld(one);
    expect((await world.fetch('/graphql?query={__typename}')).status).toBe(401);
    expect(await enter('no.token.atAll')).toBe(REFUSED);
    expect(issuer.asked).toHaveLength(0);
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => enter(tokenOf(one)))))).toEqual(new Set(['200']));
    expect(
      issuer.asked.map(({ method, url, redirect, headers }) => [method, url, redirect, headers.get('authorization')]),
    ).toEqual([['GET', JWKS_URL, 'manual', null]]);
  });

  test('are used for ten minutes', async () => {
    const { issuer, enter, tokenOf } = createTokenWorld(one);
    const token = tokenOf(one);
    expect(await enter(token)).toBe('200');
    passSeconds(599);
    expect(await enter(token)).toBe('200');
    expect(issuer.asked).toHaveLength(1);
    issuer.keys.splice(0, 1, two);
    passSeconds(1);
    expect(await enter(token)).toBe(REFUSED);
    expect(issuer.asked).toHaveLength(2);
  });

  test('are fetched again for a token of a new one, however young they are but half a minute', async () => {
    const { issuer, enter, tokenOf } = createTokenWorld(one);
    expect(await enter(tokenOf(one))).toBe('200');
    issuer.keys.push(two);
    passSeconds(30);
    expect(await enter(tokenOf(two))).toBe('200');
    expect(await enter(tokenOf(one))).toBe('200');
    expect(issuer.asked).toHaveLength(2);
  });

  test('are not fetched again and again for tokens of keys that somebody made up', async () => {
    const { issuer, enter, tokenOf } = createTokenWorld(one);
    for (let seconds = 0; seconds < 60; seconds += 1) {
      expect(await enter(tokenOf(three, { kid: `made-up-${seconds}` }))).toBe(REFUSED);
      passSeconds(1);
    }
    expect(issuer.asked).toHaveLength(2);
  });

  test('are tried one by one for a token that does not name its own', async () => {
    const { enter, tokenOf } = createTokenWorld(one, two);
    const nameless = { kid: undefined };
    expect(await Promise.all([one, two, three].map((key) => enter(tokenOf(key, nameless))))).toEqual(['200', '200', REFUSED]);
    expect(await enter(tokenOf(two, nameless, { exp: 1 }))).toBe(REFUSED);
  });
});

describe('Keys that cannot be fetched', () => {
  const FAULTS: { readonly [name: string]: { readonly answer: () => Promise<Response>; readonly reason: string } } = {
    'a status of 500': { answer: async () => new Response('at db.internal', { status: 500 }), reason: 'status 500' },
    'a redirect': {
      answer: async () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }),
      reason: 'status 302',
    },
    'what is no JSON': { answer: async () => new Response('<html>db.internal'), reason: 'the answer is no JSON Web Key Set' },
    'no key set': { answer: async () => Response.json({ keys: 'db.internal' }), reason: 'the answer is no JSON Web Key Set' },
    'no connection': {
      answer: () => Promise.reject(Object.assign(new Error('connect to db.internal'), { code: 'ECONNREFUSED' })),
      reason: 'ECONNREFUSED',
    },
    'an error without a code': { answer: () => Promise.reject(new TypeError('db.internal')), reason: 'TypeError' },
  };

  test.each(Object.keys(FAULTS))(
    'because of %s are nobody’s fault who asks: 503, told once, tried every five seconds',
    async (name) => {
      const { issuer, enter, tokenOf, told } = createTokenWorld(one);
      const { answer: answerWell } = issuer;
      const { answer, reason } = FAULTS[name]!;
      issuer.answer = answer;
      const storm = () => Promise.all(Array.from({ length: 20 }, () => enter(tokenOf(one))));
      for (const _ of [1, 2, 3]) {
        expect(new Set(await storm())).toEqual(new Set([UNAVAILABLE]));
        passSeconds(4.999);
        expect(new Set(await storm())).toEqual(new Set([UNAVAILABLE]));
        passSeconds(0.001);
      }
      expect(issuer.asked).toHaveLength(3);
      expect(told).toEqual([`The keys of JWT_JWKS_URL cannot be fetched: ${reason}.`]);

      issuer.answer = answerWell;
      expect(await enter(tokenOf(one))).toBe('200');
      expect(told.slice(1)).toEqual(['The keys of JWT_JWKS_URL can be fetched again.']);
      expect(await enter(tokenOf(two))).toBe(REFUSED);
    },
  );

  test('do not shut out those whose keys are known, for an hour', async () => {
    const { issuer, enter, tokenOf, told } = createTokenWorld(one);
    expect(await enter(tokenOf(one))).toBe('200');
    const { answer: answerWell } = issuer;
    issuer.answer = async () => new Response(null, { status: 502 });
    passSeconds(600);
    expect(await enter(tokenOf(one))).toBe('200');
    expect(told).toEqual(['The keys of JWT_JWKS_URL cannot be fetched: status 502.']);
    // It may be a new one.
    expect(await enter(tokenOf(two))).toBe(UNAVAILABLE);
    expect(await enter(tokenOf(two, { kid: one.kid }))).toBe(REFUSED);

    passSeconds(2_999);
    expect(await enter(tokenOf(one))).toBe('200');
    passSeconds(600);
    expect(await enter(tokenOf(one))).toBe(UNAVAILABLE);
    issuer.answer = answerWell;
    passSeconds(5);
    expect(await enter(tokenOf(one))).toBe('200');
    expect(told).toHaveLength(2);
  });

  test('in five seconds are given up', async () => {
    const { issuer, enter, tokenOf, told } = createTokenWorld(one);
    const timeout = new AbortController();
    const timeouts = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timeout.signal);
    try {
      issuer.answer = ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          timeout.abort(new DOMException('at db.internal', 'TimeoutError'));
        });
      expect(await enter(tokenOf(one))).toBe(UNAVAILABLE);
      expect(timeouts.mock.calls).toEqual([[5_000]]);
      expect(told).toEqual(['The keys of JWT_JWKS_URL cannot be fetched: TimeoutError.']);
    } finally {
      timeouts.mockRestore();
    }
  });
});

describe('A token', () => {
  test.each([
    ['expired 4 s ago', { exp: -4 }, '200'],
    ['expired 5 s ago', { exp: -5 }, REFUSED],
    ['is good in 5 s', { exp: 60, nbf: 5 }, '200'],
    ['is good in 6 s', { exp: 60, nbf: 6 }, REFUSED],
  ])('that %s, by the gateway’s clock: %3$s', async (_name, seconds, answer) => {
    const { enter, tokenOf } = createTokenWorld(one);
    const claims = Object.fromEntries(Object.entries(seconds).map(([claim, s]) => [claim, now() / 1000 + s]));
    expect(await enter(tokenOf(one, {}, claims))).toBe(answer);
  });

  test.each([
    ['scope', 'calls:list  calls:read', '200'],
    ['scope', ['calls:list', 'calls:read'], '200'],
    ['scp', 'calls:list calls:read', '200'],
    ['scp', [['calls:list', 'calls:read']], '403 FORBIDDEN'],
    ['scp', { 'calls:list': true }, '403 FORBIDDEN'],
    ['scope', 7, '403 FORBIDDEN'],
    ['scopes', 'calls:list calls:read', '403 FORBIDDEN'],
  ])('with the %s %j: %s', async (claim, value, answer) => {
    const { enter, tokenOf } = createTokenWorld(one);
    expect(await enter(tokenOf(one, {}, { scope: undefined, [claim]: value }))).toBe(answer);
  });

  test.each(['', '.', '..', 'a.b.c', 'e30.e30.', `${'e30.'.repeat(5)}`, 'x'.repeat(10_000), '%00', '{"alg":"none"}'])(
    'that is none is refused, and is no bug: %j',
    async (token) => {
      const { enter, told, issuer } = createTokenWorld(one);
      expect(await enter(token)).toBe(REFUSED);
      expect(told).toEqual([]);
      expect(issuer.asked.length).toBeLessThanOrEqual(1);
    },
  );

  test('that everyone could sign who can check it is refused, even if the issuer publishes such a key', async () => {
    const { enter, issuer } = createTokenWorld();
    const secret = new TextEncoder().encode('a-secret-of-thirty-two-characters');
    issuer.answer = async () =>
      Response.json({ keys: [{ kty: 'oct', kid: 'one', alg: 'HS256', k: Buffer.from(secret).toString('base64url') }] });
    const token = new SignJWT({ ...GOOD_CLAIMS, exp: now() / 1000 + 60 }).setProtectedHeader({ alg: 'HS256', kid: 'one' });
    expect(await enter(token.sign(secret))).toBe(REFUSED);
  });

  test('with a signature that nobody has thought of yet is refused', async () => {
    const { enter, issuer, tokenOf } = createTokenWorld();
    const key = await createKey('one', 'ML-DSA-44');
    issuer.keys.push(key);
    expect(await enter(tokenOf(key))).toBe(REFUSED);
    expect(issuer.asked).toHaveLength(0);
  });

  test('is looked at before a byte of the body is read', async () => {
    const { world, tokenOf, issuer } = createTokenWorld(one);
    const pull = vi.fn();
    const body = () => new ReadableStream({ pull }, { highWaterMark: 0 });
    for (const token of [tokenOf(three), tokenOf(one, {}, { scope: '' })]) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token}` };
      const response = await world.fetch('/graphql', { method: 'POST', headers, body: body(), duplex: 'half' } as RequestInit);
      expect(response.status).toBeGreaterThanOrEqual(401);
    }
    expect(pull).not.toHaveBeenCalled();
    expect(issuer.asked).toHaveLength(1);
    expect(world.traffic()).toEqual([]);
  });
});
