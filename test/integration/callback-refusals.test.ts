import { describe, expect, test } from 'vitest';
import { createLiveGateway } from '../support/live-gateway.ts';
import type { TestGatewayOptions } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';

const SECRET = 'a-router-secret-of-32-characters';
const URLS = 'http://127.0.0.1:1/callback,https://router.test/a/';
const GOOD = {
  callbackUrl: 'http://127.0.0.1:1/callback/s1',
  subscriptionId: 's1',
  verifier: 'v',
  heartbeatIntervalMs: 0,
};

async function refusalOf(
  extension: object,
  settings: Record<string, string> = { SUBSCRIPTION_CALLBACK_URLS: URLS },
  credential: Record<string, string> = { 'router-authorization': SECRET },
  options: TestGatewayOptions = {},
): Promise<[number, string]> {
  const gateway = createLiveGateway({
    ...options,
    settings: { ROUTER_SECRETS: SECRET, ...settings },
  });
  const response = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json;callbackSpec=1.0',
      ...credential,
    },
    body: JSON.stringify({
      query: 'subscription { callUpdated(id: "c1") { status } }',
      extensions: { subscription: extension },
    }),
  });
  const { errors } = (await response.json()) as { errors: [{ message: string }] };
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
  return [response.status, errors[0].message];
}

describe('Refused callback', () => {
  test.each([
    'http://127.0.0.1:1/callbacks/s1',
    'http://127.0.0.1:2/callback/s1',
    'https://127.0.0.1:1/callback/s1',
    'http://localhost:1/callback/s1',
    'https://router.test.evil.test/a/s1',
    'https://router.test/b',
  ])('%s is not below a permitted URL', async (callbackUrl) => {
    const [status, message] = await refusalOf({ ...GOOD, callbackUrl });
    expect([status, message]).toEqual([403, expect.stringContaining('SUBSCRIPTION_CALLBACK_URLS')]);
  });

  test.each([
    'http://user@127.0.0.1:1/callback/s1',
    'http://127.0.0.1:1/callback/s1?x=1',
    'http://127.0.0.1:1/callback/s1#x',
    'http://127.0.0.1:1/callback/../admin',
    'http://127.0.0.1:1/callback/%2e%2e/admin',
    'http://127.0.0.1:1/callback//s1',
    'http://127.0.0.1:1\\callback',
    'file:///callback/s1',
  ])('%s has no plain form', async (callbackUrl) => {
    const [status, message] = await refusalOf({ ...GOOD, callbackUrl });
    expect([status, message]).toEqual([400, expect.stringContaining('callbackUrl must be')]);
  });

  test.each([
    ['subscriptionId', ''],
    ['subscriptionId', 'x'.repeat(1_025)],
    ['callbackUrl', undefined],
    ['verifier', 1],
    ['heartbeatIntervalMs', 10],
    ['heartbeatIntervalMs', 999],
    ['heartbeatIntervalMs', 1_000.5],
    ['heartbeatIntervalMs', 86_400_001],
    ['heartbeatIntervalMs', -1_000],
    ['heartbeatIntervalMs', 'x'],
    ['heartbeatIntervalMs', undefined],
  ])('%s: %j is invalid', async (name, value) => {
    const [status, message] = await refusalOf({ ...GOOD, [name]: value });
    expect([status, message]).toEqual([400, expect.stringContaining(`${name} must be`)]);
  });

  test.each([1_000, 86_400_000])(
    'an interval of %i ms is valid: only the check fails',
    async (heartbeatIntervalMs) => {
      const [status, message] = await refusalOf({ ...GOOD, heartbeatIntervalMs });
      expect([status, message]).toEqual([400, expect.stringContaining('it was not reached')]);
    },
  );

  test('an id of 1,024 characters is valid: only the check fails', async () => {
    const [status, message] = await refusalOf({ ...GOOD, subscriptionId: 'x'.repeat(1_024) });
    expect([status, message]).toEqual([400, expect.stringContaining('it was not reached')]);
  });

  test('a request with a good token, but without a secret is from no router', async () => {
    const key = await createKey('one');
    const expiry = Math.floor(Date.UTC(2100, 0) / 1_000);
    const token = await sign(key, { ...VALID_CLAIMS, exp: expiry });
    const refusal = await refusalOf(
      GOOD,
      { SUBSCRIPTION_CALLBACK_URLS: URLS, ...JWT_SETTINGS },
      { authorization: `Bearer ${token}` },
      { gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) } },
    );
    expect(refusal).toEqual([
      403,
      'HTTP callbacks are for routers: the request must carry a secret in Router-Authorization.',
    ]);
  });

  test.each([
    ['no secret', {}],
    ['a wrong secret', { 'router-authorization': `${SECRET}x` }],
  ])('a request with %s gets 401', async (_, credential) => {
    const [status] = await refusalOf(GOOD, undefined, credential);
    expect(status).toBe(401);
  });

  test('without permitted URLs the protocol is off', async () => {
    const [status, message] = await refusalOf(GOOD, {});
    expect([status, message]).toEqual([406, expect.stringContaining('SUBSCRIPTION_CALLBACK_URLS')]);
  });
});
