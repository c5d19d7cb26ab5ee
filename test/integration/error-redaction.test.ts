import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createTestGateway, NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';

/**
 * Every API key and secret of these tests contains this marker. Tokens cannot: their parts are
 * listed below.
 */
const MARK = 'TOPSECRET';
const KEY = `sk_${MARK}_key`;
const SECRET = `router-${MARK}`;
const WRONG_SECRET = `wrong-${MARK}`;

const key = await createKey('one');
const exp = Math.floor(Date.now() / 1000) + 3600;
const claims = { ...VALID_CLAIMS, exp, sub: `user-${MARK}` };
const tokens = await Promise.all([
  sign(key, claims),
  sign(key, { ...claims, exp: 1 }),
  sign(key, { ...claims, scope: MARK }),
  sign(key, { ...claims, aud: MARK }),
  sign(key, { ...claims, iss: MARK }),
  sign(key, claims, { kid: MARK }),
  sign(await createKey('one'), claims),
]);

/** The texts that must not occur in any output. */
const SECRETS = [
  MARK,
  ...tokens.flatMap((token) => token.split('.').filter((part) => part.length > 30)),
  ...encodingsOf(MARK),
];

const MODES: { readonly [mode: string]: Record<string, string> } = {
  'pass-through': { REVOX_API_KEY: '' },
  'pass-through, secrets': { REVOX_API_KEY: '', ROUTER_SECRETS: SECRET },
  service: { REVOX_API_KEY: KEY },
  'service, secrets': { REVOX_API_KEY: KEY, ROUTER_SECRETS: SECRET },
  'service, tokens': { REVOX_API_KEY: KEY, ...JWT_SETTINGS },
  'service, secrets, tokens': { REVOX_API_KEY: KEY, ROUTER_SECRETS: SECRET, ...JWT_SETTINGS },
};

const AUTHORIZATIONS = [
  undefined,
  `Bearer ${KEY}`,
  `Basic ${btoa(KEY)}`,
  KEY,
  `Bearer ${KEY} ${KEY}`,
  ...tokens.map((token) => `Bearer ${token}`),
];
const ROUTER_AUTHORIZATIONS = [undefined, `Bearer ${SECRET}`, KEY, tokens[0]];

/**
 * The router secret is checked first: each `Authorization` is sent with an accepted and with a
 * rejected secret.
 */
const CALLERS = [
  ...AUTHORIZATIONS.flatMap((authorization) =>
    [SECRET, WRONG_SECRET].map((secret) => ({ authorization, secret })),
  ),
  ...ROUTER_AUTHORIZATIONS.map((secret) => ({ authorization: `Bearer ${tokens[0]}`, secret })),
];

/** Upstreams, and issuers, that echo the credential in every part of a response. */
const ECHOING_UPSTREAMS: { readonly [kind: string]: (credential: string) => Promise<Response> } = {
  'echoes it in a 401': async (secret) =>
    new Response(secret, { status: 401, headers: { 'x-key': secret, 'www-authenticate': secret } }),
  'echoes it in a 500': async (secret) =>
    Response.json({ error: secret, stack: secret }, { status: 500, headers: { server: secret } }),
  'echoes it in a redirect': async (secret) =>
    new Response(null, { status: 302, headers: { location: `https://x.test/${secret}` } }),
  'echoes it in a body that is not JSON': async (secret) =>
    new Response(`<${secret}>`, { headers: { 'x-key': secret } }),
  'echoes it in an unexpected shape': async (secret) =>
    Response.json({ [secret]: secret, calls: secret, keys: secret }),
  'fails with it': (secret) =>
    Promise.reject(
      Object.assign(new Error(secret, { cause: new Error(secret) }), { headers: secret }),
    ),
  'echoes it in a 429': async (secret) =>
    new Response(secret, { status: 429, headers: { 'retry-after': secret } }),
};

const QUERY =
  'query ($id: ID!) { call(id: $id) { id } callAttempts(first: 1) { nodes { id } } node(id: $id) { id } __schema { queryType { name } } }';

test.each(Object.keys(MODES))(
  'no response, log line, metric or URL contains a credential, whatever fails (%s mode)',
  async (mode) => {
    for (const [kind, echo] of Object.entries(ECHOING_UPSTREAMS)) {
      const output: string[] = [];
      const record = (...words: unknown[]) =>
        void output.push(inspect(words, { depth: 20, showHidden: true, getters: true }));
      const issuer = createTokenIssuer(key);
      const written = [captureLog(), captureLog({ format: 'text' })];
      let requests = 0;
      const options: TestGatewayOptions = {
        // Shorter than any cooldown: a request in a cooldown fails at once.
        settings: { ...NO_RETRIES, REQUEST_DEADLINE_MS: '100', ...MODES[mode]! },
        gateway: {
          fetchKeys: toFetchKeys(issuer),
          log: {
            info: (...words) => logAll('info', words),
            error: (...words) => logAll('error', words),
            unexpected: (...words) => logAll('unexpected', words),
          },
        },
        upstream: (request) => {
          requests += 1;
          const { authorization, ...others } = Object.fromEntries(request.headers);
          record(request.method, request.url, others);
          return echo(authorization ?? '');
        },
      };
      function logAll(level: 'info' | 'error' | 'unexpected', words: readonly unknown[]): void {
        record(...words);
        const [first, fields] = words as [string, object & Record<string, string>];
        for (const { log } of written) log[level](first, fields);
      }
      const gateways = [createTestGateway(options)];
      if (mode.includes('tokens')) {
        const failing = { ...issuer, respond: () => echo(`${MARK} ${tokens[0]}`) };
        gateways.push(
          createTestGateway({
            ...options,
            gateway: { ...options.gateway, fetchKeys: toFetchKeys(failing) },
          }),
        );
      }
      for (const gateway of gateways) {
        for (const { authorization, secret } of CALLERS) {
          const headers = {
            'content-type': 'application/json',
            'x-revox-trace': '1',
            ...(authorization === undefined ? {} : { authorization }),
            ...(secret === undefined ? {} : { 'router-authorization': secret }),
          };
          for (const body of [
            JSON.stringify({ query: QUERY, variables: { id: 'x' } }),
            '{ "query": "{ nope }" }',
            '{',
          ]) {
            const response = await gateway.fetch('/graphql', { method: 'POST', headers, body });
            record(response.status, [...response.headers], await response.text());
          }
        }
        record(gateway.traffic(), gateway.unexpectedErrors);
        record(
          await (await gateway.fetch('/metrics')).text(),
          await (await gateway.fetch('/ready')).text(),
        );
      }
      expect(requests, kind).toBeGreaterThan(0);
      for (const { lines } of written) {
        expect(lines.length, kind).toBeGreaterThan(0);
        output.push(...lines);
      }
      const all = output.join('\n');
      expect(
        SECRETS.filter((secret) => all.includes(secret)),
        kind,
      ).toEqual([]);
    }
  },
);

test('every credential contains a text that the redaction test searches for', () => {
  expect(SECRETS.length).toBeGreaterThan(10);
  for (const text of [KEY, SECRET, WRONG_SECRET, btoa(KEY), ...tokens]) {
    expect(SECRETS.some((secret) => text.includes(secret))).toBe(true);
  }
});

/**
 * The base64 encodings of a text: there are three, depending on the length of the preceding text.
 */
function encodingsOf(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(' '.repeat(shift) + text).toString('base64url');
    // The first and last characters depend on the neighboring text.
    return encoded.slice(shift === 0 ? 0 : shift + 1, -2);
  });
}
