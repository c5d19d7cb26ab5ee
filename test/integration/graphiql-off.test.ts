import { describe, expect, test } from 'vitest';
import { createTestGateway } from '../support/test-gateway.ts';

const ACCEPT = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('GraphiQL is off', () => {
  test.each([
    ['service mode', {}],
    ['pass-through mode', { REVOX_API_KEY: undefined }],
    ['a router secret', { ROUTER_SECRETS: 'a-secret-of-enough-characters-0123456789' }],
  ])('a browser gets a page that says so: %s', async (_mode, settings) => {
    const gateway = createTestGateway({ settings: { GRAPHIQL: 'off', ...settings } });
    const response = await gateway.fetch('/graphql', { headers: { accept: ACCEPT } });
    const text = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(text).toContain('<h1>The query editor is off</h1>');
    expect(text).not.toContain('<script');
    expect(response.headers.get('content-security-policy')).toContain("script-src 'none'");
    expect(gateway.traffic()).toEqual([]);
  });

  test('a client that prefers JSON gets no page', async () => {
    const gateway = createTestGateway({ settings: { GRAPHIQL: 'off' } });
    const query = '/graphql?query={__typename}';
    const headers = { accept: 'application/json, text/html;q=0.5' };
    const response = await gateway.fetch(query, { headers });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
    expect(gateway.traffic()).toEqual([]);
  });
});
