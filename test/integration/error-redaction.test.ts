import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createTestGateway, NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';
import { createKey, createTokenIssuer, JWT_SETTINGS, sign, toFetchKeys, VALID_CLAIMS } from '../support/token-issuer.ts';

/** Every credential of these tests has it in it; a token, which cannot, has its parts told one by one. */
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

/** What nobody may find anywhere. */
const SECRETS = [MARK, ...tokens.flatMap((token) => token.split('.').filter((part) => part.length > 30)), ...encodingsOf(MARK)];

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

/** What a router brings is looked at first: all that callers bring meets one that is let in, and one that is not. */
const CALLERS = [
  ...AUTHORIZATIONS.flatMap((authorization) => [SECRET, WRONG_SECRET].map((secret) => ({ authorization, secret }))),
  ...ROUTER_AUTHORIZATIONS.map((secret) => ({ authorization: `Bearer ${tokens[0]}`, secret })),
];

/** An upstream, and an issuer, that tell everyone what they were told, in every way there is. */
const ECHOING_UPSTREAMS: { readonly [kind: string]: (told: string) => Promise<Response> } = {
  'says it in a refusal': async (told) =>
    new Response(told, { status: 401, headers: { 'x-key': told, 'www-authenticate': told } }),
  'says it in a failure': async (told) => Response.json({ error: told, stack: told }, { status: 500, headers: { server: told } }),
  'says it in a redirect': async (told) => new Response(null, { status: 302, headers: { location: `https://x.test/${told}` } }),
  'says it in what is no JSON': async (told) => new Response(`<${told}>`, { headers: { 'x-key': told } }),
  'says it in an odd shape': async (told) => Response.json({ [told]: told, calls: told, keys: told }),
  'breaks with it': (told) => Promise.reject(Object.assign(new Error(told, { cause: new Error(told) }), { headers: told })),
  'asks for patience': async (told) => new Response(told, { status: 429, headers: { 'retry-after': told } }),
};

const QUERY =
  'query ($id: ID!) { call(id: $id) { id } callAttempts(first: 1) { nodes { id } } node(id: $id) { id } __schema { queryType { name } } }';

test.each(Object.keys(MODES))('No credential is in anything that is said, whatever fails (%s)', async (mode) => {
  for (const [kind, echo] of Object.entries(ECHOING_UPSTREAMS)) {
    const said: string[] = [];
    const say = (...words: unknown[]) => void said.push(inspect(words, { depth: 20, showHidden: true, getters: true }));
    const issuer = createTokenIssuer(key);
    const written = [captureLog(), captureLog({ format: 'text' })];
    let requests = 0;
    const options: TestGatewayOptions = {
      // Shorter than any pause: who is asked for patience says so at once.
      settings: { ...NO_RETRIES, REQUEST_DEADLINE_MS: '100', ...MODES[mode]! },
      gateway: {
        fetchKeys: toFetchKeys(issuer),
        log: {
          info: (...words) => tellAll('info', words),
          error: (...words) => tellAll('error', words),
          unexpected: (...words) => tellAll('unexpected', words),
        },
      },
      upstream: (request) => {
        requests += 1;
        const { authorization, ...others } = Object.fromEntries(request.headers);
        say(request.method, request.url, others);
        return echo(authorization ?? '');
      },
    };
    function tellAll(level: 'info' | 'error' | 'unexpected', words: readonly unknown[]): void {
      say(...words);
      const [first, fields] = words as [string, object & Record<string, string>];
      for (const { log } of written) log[level](first, fields);
    }
    const worlds = [createTestGateway(options)];
    if (mode.includes('tokens')) {
      const failing = { ...issuer, respond: () => echo(`${MARK} ${tokens[0]}`) };
      worlds.push(createTestGateway({ ...options, gateway: { ...options.gateway, fetchKeys: toFetchKeys(failing) } }));
    }
    for (const gateway of worlds) {
      for (const { authorization, secret } of CALLERS) {
        const headers = {
          'content-type': 'application/json',
          'x-revox-trace': '1',
          ...(authorization === undefined ? {} : { authorization }),
          ...(secret === undefined ? {} : { 'router-authorization': secret }),
        };
        for (const body of [JSON.stringify({ query: QUERY, variables: { id: 'x' } }), '{ "query": "{ nope }" }', '{']) {
          const response = await gateway.fetch('/graphql', { method: 'POST', headers, body });
          say(response.status, [...response.headers], await response.text());
        }
      }
      say(gateway.traffic(), gateway.unexpectedErrors);
      say(await (await gateway.fetch('/metrics')).text(), await (await gateway.fetch('/ready')).text());
    }
    expect(requests, kind).toBeGreaterThan(0);
    for (const { lines } of written) {
      expect(lines.length, kind).toBeGreaterThan(0);
      said.push(...lines);
    }
    const all = said.join('\n');
    expect(
      SECRETS.filter((secret) => all.includes(secret)),
      kind,
    ).toEqual([]);
  }
});

test('What is searched for would be found', () => {
  expect(SECRETS.length).toBeGreaterThan(10);
  for (const text of [KEY, SECRET, WRONG_SECRET, btoa(KEY), ...tokens]) {
    expect(SECRETS.some((secret) => text.includes(secret))).toBe(true);
  }
});

/** A text in base64 reads in one of three ways, by what stands before it. */
function encodingsOf(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(' '.repeat(shift) + text).toString('base64url');
    // Its ends depend on its neighbours.
    return encoded.slice(shift === 0 ? 0 : shift + 1, -2);
  });
}
