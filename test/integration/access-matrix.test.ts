import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { VERSION } from '#generated/version.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway, KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  AUDIENCE,
  createKey,
  createTokenIssuer,
  ISSUER,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  toJwk,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import { readAccessMatrix, toMeanings, withTitles } from './access-matrix.ts';

const SECRET = 'a-router-secret';
const NEXT_SECRET = 'the-next-router-secret';

const [key, nextKey, unknownKey] = [
  await createKey('one'),
  await createKey('two', 'RS256'),
  await createKey('three'),
];
const issuer = createTokenIssuer(key, nextKey);

/** The settings that each word of the first column stands for. */
const SETTINGS: { readonly [word: string]: { readonly [name: string]: string } } = {
  'pass-through': { REVOX_API_KEY: '' },
  service: { REVOX_API_KEY: KEY_A },
  secrets: { ROUTER_SECRETS: `${SECRET},${NEXT_SECRET}` },
  tokens: JWT_SETTINGS,
  // These words describe upstream and issuer failures, not settings.
  'rejected by Revox': {},
  'issuer down': {},
};

const expiresSoon = () => Math.floor(Date.now() / 1000) + 300;
const before = () => Math.floor(Date.now() / 1000) - 300;
const good = () => ({ ...VALID_CLAIMS, exp: expiresSoon() });
const without = (claim: 'iss' | 'aud' | 'scope' | 'exp') => ({ ...good(), [claim]: undefined });

/** The `Authorization` header that each word of the second column stands for. */
const AUTHORIZATIONS: { readonly [word: string]: () => string | undefined | Promise<string> } = {
  none: () => undefined,
  'a Revox key': () => `Bearer ${KEY_B}`,
  'a Revox key, scheme in capitals': () => `BEARER ${KEY_B}`,
  'a key that Revox rejects': () => 'Bearer sk_unknown',
  'a key without access to the object': () => 'Bearer sk_without_access',
  'a Revox key as Basic': () => `Basic ${Buffer.from(`${KEY_B}:`).toString('base64')}`,
  'a Revox key without a scheme': () => KEY_B,
  'two keys': () => `Bearer ${KEY_A} ${KEY_B}`,
  'Bearer without a value': () => 'Bearer ',
  'a secret': () => `Bearer ${SECRET}`,
  'a token': () => bearer(sign(key, good())),
  'a token without a scheme': () => sign(key, good()),
  'a token with the scope in a list': () =>
    bearer(sign(key, { ...without('scope'), scp: ['calls:list', 'calls:read'] })),
  'a token for several audiences': () =>
    bearer(sign(key, { ...good(), aud: ['https://other.test', AUDIENCE] })),
  "a token signed with the issuer's next key": () => bearer(sign(nextKey, good())),
  'a token without a key id': () => bearer(sign(key, good(), { kid: undefined })),
  'an expired token': () => bearer(sign(key, { ...good(), exp: before() })),
  'a token without an expiry': () => bearer(sign(key, without('exp'))),
  'a token not valid yet': () => bearer(sign(key, { ...good(), nbf: expiresSoon() })),
  'a token from another issuer': () => bearer(sign(key, { ...good(), iss: `${ISSUER}x` })),
  'a token without an issuer': () => bearer(sign(key, without('iss'))),
  'a token for another audience': () => bearer(sign(key, { ...good(), aud: 'https://other.test' })),
  'a token without an audience': () => bearer(sign(key, without('aud'))),
  'a token with another scope': () => bearer(sign(key, { ...good(), scope: 'calls:read:list' })),
  'a token with a part of the scopes': () => bearer(sign(key, { ...good(), scope: 'calls:read' })),
  'a token without a scope': () => bearer(sign(key, without('scope'))),
  'an unsigned token': () =>
    bearer(Promise.resolve(`${toPart({ alg: 'none', kid: key.kid })}.${toPart(good())}.`)),
  'a token signed with the public key': async () => {
    const secret = new TextEncoder().encode(JSON.stringify(await toJwk(key)));
    return bearer(
      new SignJWT(good()).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret),
    );
  },
  'a token signed with an unknown key': () => bearer(sign(unknownKey, good())),
  'a token that contains its own key': async () =>
    bearer(
      sign(unknownKey, good(), { jwk: await toJwk(unknownKey), jku: 'https://evil.test/keys' }),
    ),
  'a token signed with another key under a known key id': () =>
    bearer(sign(unknownKey, good(), { kid: key.kid })),
  'a modified token': async () => {
    const [header, , signature] = (await sign(key, { ...good(), scope: '' })).split('.');
    return bearer(Promise.resolve(`${header}.${toPart(good())}.${signature}`));
  },
};

/** The `Router-Authorization` header that each word of the third column stands for. */
const SECRETS: { readonly [word: string]: string | undefined } = {
  none: undefined,
  'a secret': SECRET,
  'the next secret': NEXT_SECRET,
  'a wrong secret': 'a-router-secreT',
  'a secret in capitals': SECRET.toUpperCase(),
  'a truncated secret': SECRET.slice(0, -1),
  'both secrets': `${SECRET}, ${NEXT_SECRET}`,
  'Bearer and a secret': `Bearer ${SECRET}`,
  'an empty value': '',
  'a Revox key': KEY_B,
};

const QUERY = 'query ($id: ID!) { call(id: $id) { id } }';

/** Further operations that require the same authentication. */
const PROTECTED_FIELDS: { readonly [name: string]: string } = {
  entities: '{ _entities(representations: [{ __typename: "Call", id: "x" }]) { __typename } }',
  service: '{ _service { sdl } }',
  introspection: '{ __schema { queryType { name } } }',
  typename: '{ __typename }',
};

const rows = readAccessMatrix('Mode × credential × secret');

describe('Access matrix of docs/reference/access-matrix.md', () => {
  test.each(withTitles(rows, ['settings', 'Authorization', 'Router-Authorization']))(
    '%s',
    async (_title, row) => {
      const words = row.settings!.split(', ');
      const settings = Object.assign({}, ...words.map((word) => toMeanings(SETTINGS, word)));
      const authorization = await toMeanings(AUTHORIZATIONS, row.Authorization)();
      const secret = toMeanings(SECRETS, row['Router-Authorization']);
      const down = { ...issuer, respond: async () => new Response(null, { status: 500 }) };
      const bugs: unknown[] = [];
      const sentHeaders: string[][] = [];
      const gateway = createTestGateway({
        settings,
        gateway: {
          fetchKeys: toFetchKeys(words.includes('issuer down') ? down : issuer),
          log: { info: () => {}, error: () => {}, unexpected: (error) => bugs.push(error) },
        },
        upstream: (request) => {
          sentHeaders.push([...request.headers].map(([name, value]) => `${name}: ${value}`));
          return gateway.sandbox.fetch(request);
        },
      });
      const isRejected = words.includes('rejected by Revox') && 401;
      const isForbidden = row.Authorization === 'a key without access to the object' && 403;
      if (isRejected || isForbidden)
        gateway.sandbox.control.fail(() => true, { status: isRejected || isForbidden || 500 });
      const { richCallId, otherCallId } = {
        ...sampleIds(gateway.sandbox),
        otherCallId: gateway.sandbox.control.data(KEY_B).calls[0]!.id,
      };
      const id = row['credential sent to Revox'] === "the caller's key" ? otherCallId : richCallId;

      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        cookie: 'session=1',
        'x-api-key': 'of-the-caller',
        ...(authorization === undefined ? {} : { authorization }),
        ...(secret === undefined ? {} : { 'router-authorization': secret }),
      };
      const send = (query: string, variables: object = {}) =>
        gateway.fetch('/graphql', {
          method: 'POST',
          headers,
          body: JSON.stringify({ query, variables }),
        });
      const statusesOfAll = () =>
        Promise.all(
          Object.entries(PROTECTED_FIELDS).map(async ([name, query]) => [
            name,
            (await send(query)).status,
          ]),
        );
      const response = await send(QUERY, { id });
      const { data, errors = [] } = (await response.json()) as {
        data?: unknown;
        errors?: { extensions: { code: string } }[];
      };
      const challenge = response.headers.get('www-authenticate');
      const reason = /error="(\w+)"/.exec(challenge ?? '')?.[1];

      expect(
        [response.status, ...errors.map(({ extensions }) => extensions.code), reason]
          .filter(Boolean)
          .join(' '),
      ).toBe(row.response);
      expect(challenge !== null).toBe(response.status === 401 || reason !== undefined);
      if (response.status !== 200)
        expect(await statusesOfAll()).toEqual(
          Object.keys(PROTECTED_FIELDS).map((name) => [name, response.status]),
        );
      expect(data).toEqual(
        response.status !== 200 ? undefined : { call: errors.length === 0 ? { id } : null },
      );
      const bearerOf: { readonly [word: string]: string | undefined } = {
        none: undefined,
        "the caller's key": authorization?.replace(/^bearer/i, 'Bearer'),
        "the gateway's key": `Bearer ${KEY_A}`,
      };
      const bearer = toMeanings(bearerOf, row['credential sent to Revox']);
      expect(gateway.traffic()).toEqual(bearer === undefined ? [] : [`GET /call/${id}`]);
      expect(sentHeaders).toEqual(
        bearer === undefined
          ? []
          : [
              [
                'accept: application/json',
                `authorization: ${bearer}`,
                `user-agent: revox-graphql-gateway/${VERSION}`,
              ],
            ],
      );
      expect(bugs).toEqual([]);
    },
  );

  test('every word that this test defines occurs in the table of docs/reference/access-matrix.md', () => {
    const wordsOf = (column: string) => new Set(rows.map((row) => row[column]!));
    expect(new Set([...wordsOf('settings')].flatMap((cell) => cell.split(', ')))).toEqual(
      new Set(Object.keys(SETTINGS)),
    );
    expect(wordsOf('Authorization')).toEqual(new Set(Object.keys(AUTHORIZATIONS)));
    expect(wordsOf('Router-Authorization')).toEqual(new Set(Object.keys(SECRETS)));
  });
});

async function bearer(token: Promise<string>): Promise<string> {
  return `Bearer ${await token}`;
}

function toPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
