import { describe, expect, test } from 'vitest';
import type { Environment } from '#config/settings.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';

const key = await createKey('one');
const issuer = createTokenIssuer(key);
const inAMinute = Math.floor(Date.now() / 1000) + 60;
const bearer = async (claims: object) =>
  `Bearer ${await sign(key, { ...VALID_CLAIMS, exp: inAMinute, ...claims })}`;

const PASS_THROUGH = { REVOX_API_KEY: '' };
const SECRETS = { ROUTER_SECRETS: 'a-router-secret' };
const INVALID_TOKEN = 'Bearer error="invalid_token"';

/** Refusals with the same status and code differ in their message or their challenge. */
const REFUSALS: readonly (readonly [
  name: string,
  settings: Environment,
  headers: Readonly<Record<string, string>>,
  message: string,
  challenge: string,
])[] = [
  [
    'no API key',
    PASS_THROUGH,
    {},
    'The request has no API key: send your Revox API key as `Authorization: Bearer <key>`.',
    'Bearer',
  ],
  [
    'an API key in another form',
    PASS_THROUGH,
    { authorization: 'Basic x' },
    'The Authorization header must have the form `Bearer <key>`, and the key must not contain spaces.',
    'Bearer',
  ],
  [
    'the placeholder of an API key',
    PASS_THROUGH,
    { authorization: 'Bearer <your Revox API key>' },
    'The Authorization header must have the form `Bearer <key>`, and the key must not contain spaces.',
    'Bearer',
  ],
  ['no router secret', SECRETS, {}, 'The Router-Authorization header is missing.', 'Bearer'],
  [
    'a wrong router secret',
    SECRETS,
    { 'router-authorization': 'another-secret' },
    'The Router-Authorization header is wrong.',
    'Bearer',
  ],
  [
    'no token',
    JWT_SETTINGS,
    {},
    'The bearer token is missing: send a token of the issuer that this gateway trusts as `Authorization: Bearer <token>`.',
    'Bearer',
  ],
  [
    'a token in another form',
    JWT_SETTINGS,
    { authorization: 'Token x' },
    'The Authorization header must have the form `Bearer <token>`, and the token must not contain spaces.',
    'Bearer',
  ],
  [
    'an expired token',
    JWT_SETTINGS,
    { authorization: await bearer({ exp: inAMinute - 3_600 }) },
    'The bearer token has expired: get a new one from its issuer.',
    INVALID_TOKEN,
  ],
  [
    'a token of another issuer',
    JWT_SETTINGS,
    { authorization: await bearer({ iss: 'https://other.test' }) },
    'The bearer token is not accepted: the issuer that this gateway trusts must have signed it for this gateway, and it must be valid now.',
    INVALID_TOKEN,
  ],
  [
    'a token whose subject is no text',
    JWT_SETTINGS,
    { authorization: await bearer({ sub: 7 }) },
    'The `sub` of the bearer token must be text (RFC 7519, 4.1.2).',
    INVALID_TOKEN,
  ],
];

const WARM_UP = '{ __typename }';
const ACCEPTS = ['application/json', 'application/graphql-response+json'];

describe('Unauthenticated request', () => {
  test.each(REFUSALS)(
    'a request with %s is rejected with a message and a challenge of its own, by POST and by GET',
    async (_name, settings, headers, message, challenge) => {
      const gateway = createTestGateway({
        settings,
        gateway: { fetchKeys: toFetchKeys(issuer) },
      });
      for (const accept of ACCEPTS) {
        const responses = await Promise.all([
          gateway.fetch('/graphql', {
            method: 'POST',
            headers: { ...headers, accept, 'content-type': 'application/json' },
            body: JSON.stringify({ query: WARM_UP }),
          }),
          gateway.fetch(`/graphql?query=${encodeURIComponent(WARM_UP)}`, {
            headers: { ...headers, accept },
          }),
        ]);
        for (const response of responses) {
          expect(response.status).toBe(401);
          expect(response.headers.get('www-authenticate')).toBe(challenge);
          expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
          expect(await response.json()).toEqual({
            errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }],
          });
        }
      }
      expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
    },
  );
});

describe('Parameters in the URL', () => {
  const gateway = createTestGateway();
  const get = (parameters: Record<string, string>) =>
    gateway.fetch(`/graphql?${new URLSearchParams({ query: WARM_UP, ...parameters })}`);

  test.each(['variables', 'extensions'])(
    '%s that are no JSON are rejected by their name',
    async (name) => {
      for (const text of ['{', 'x', "{'a':1}", '{"a":1}}']) {
        const response = await get({ [name]: text });
        expect([response.status, await response.json()]).toEqual([
          400,
          {
            errors: [
              {
                message: `\`${name}\` in the URL must be JSON.`,
                extensions: { code: 'BAD_USER_INPUT' },
              },
            ],
          },
        ]);
      }
      expect([gateway.traffic(), gateway.unexpectedErrors]).toEqual([[], []]);
    },
  );

  test('parameters that are empty, valid JSON or unknown are accepted', async () => {
    for (const parameters of [
      { variables: '', extensions: '' },
      { variables: '{"a":1}', extensions: '{}' },
      { operationName: '', documentId: '', onError: '{' },
    ]) {
      expect(await (await get(parameters)).json()).toEqual({ data: { __typename: 'Query' } });
    }
  });
});
