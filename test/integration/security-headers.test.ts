import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A } from '../support/test-gateway.ts';
import { JWT_SETTINGS } from '../support/token-issuer.ts';

const NOTHING_TO_LOAD = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const JSON_TYPE = { 'content-type': 'application/json' };
const PAGE = { headers: { accept: 'text/html' } };

describe('Security headers', () => {
  test.each<[status: number, name: string, url: string, init?: RequestInit]>([
    [200, 'data', '/graphql?query={__typename}'],
    [200, 'an error', '/graphql?query={nope}', { headers: { accept: 'application/json' } }],
    [
      400,
      'a rejected operation',
      '/graphql?query={nope}',
      { headers: { accept: 'application/graphql-response+json' } },
    ],
    [400, 'invalid JSON', '/graphql', { method: 'POST', body: '{', headers: JSON_TYPE }],
    [405, 'a mutation by GET', '/graphql?query=mutation{x}'],
    [
      403,
      'another origin',
      '/graphql?query={__typename}',
      { headers: { origin: 'https://evil.test' } },
    ],
    [403, 'another host', 'http://evil.test/graphql?query={__typename}'],
    [404, 'an unknown route', '/nope'],
    [405, 'another method', '/graphql', { method: 'PUT' }],
    [
      406,
      'another accepted type',
      '/graphql?query={__typename}',
      { headers: { accept: 'image/png' } },
    ],
    [
      413,
      'a body over the limit',
      '/graphql',
      { method: 'POST', body: ' '.repeat(2 ** 21), headers: JSON_TYPE },
    ],
    [
      415,
      'another content type',
      '/graphql',
      { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } },
    ],
    [200, 'health', '/health'],
    [200, 'readiness', '/ready'],
    [302, 'the redirect to GraphiQL', '/', PAGE],
    [
      204,
      'a preflight',
      '/graphql',
      {
        method: 'OPTIONS',
        headers: { origin: 'https://app.test', 'access-control-request-method': 'GET' },
      },
    ],
  ])('a response with status %i has the security headers: %s', async (status, _name, url, init) => {
    const gateway = createTestGateway({ settings: { CORS_ORIGINS: 'https://app.test' } });
    const response = await gateway.fetch(url, init);
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject(NOTHING_TO_LOAD);
    expect(response.headers.has('x-powered-by')).toBe(false);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a response with status 401 has the security headers: a missing API key', async () => {
    const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
    const response = await gateway.fetch('/graphql?query={__typename}');
    expect(response.status).toBe(401);
    expect(Object.fromEntries(response.headers)).toMatchObject(NOTHING_TO_LOAD);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a response with status 500 has the security headers: an unexpected error', async () => {
    const now = () => {
      throw new Error('at db.internal');
    };
    const gateway = createTestGateway({ settings: JWT_SETTINGS, gateway: { now } });
    const response = await gateway.fetch('/graphql?query={__typename}', {
      headers: { authorization: 'Bearer a.b.c' },
    });
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.not.stringContaining('db.internal'),
    ]);
    expect(gateway.unexpectedErrors).toHaveLength(1);
    expect(Object.fromEntries(response.headers)).toMatchObject(NOTHING_TO_LOAD);
    expect(gateway.traffic()).toEqual([]);
  });
});

test('the GraphiQL page may run only scripts of its own origin', async () => {
  const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
  const response = await gateway.fetch('/graphql', PAGE);
  const { 'content-security-policy': policy = '', ...others } = Object.fromEntries(
    response.headers,
  );
  const { 'content-security-policy': _, ...rest } = NOTHING_TO_LOAD;
  expect(others).toMatchObject(rest);
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "connect-src 'self'",
    'font-src data:',
    'img-src data:',
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  // Responses that are not the page keep the strict policy after the page has been served.
  const graphqlResponse = await gateway.fetch('/graphql?query={__typename}', {
    headers: { authorization: `Bearer ${KEY_A}` },
  });
  expect(Object.fromEntries(graphqlResponse.headers)).toMatchObject(NOTHING_TO_LOAD);
  expect(gateway.traffic()).toEqual([]);
});
