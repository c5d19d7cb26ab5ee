import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';

let gateway: ServedGateway;
beforeAll(async () => {
  gateway = await serveTestGateway();
});
afterAll(() => gateway.close());

describe('GraphQL over HTTP audits', () => {
  const audits = serverAudits({ url: () => gateway.url });

  test('the audit suite contains more than 50 audits', () => {
    expect(audits.length).toBeGreaterThan(50);
  });

  for (const { id, name, fn } of audits) {
    test(`${id}: ${name}`, async () => {
      const result = await fn();
      expect(result.status === 'ok' ? 'ok' : `${result.status}: ${result.reason}`).toBe('ok');
      // The audits select nothing but `__typename`.
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    });
  }
});

describe('Invalid GraphQL request over HTTP', () => {
  describe.each(['application/json', 'application/graphql-response+json'])('%s', (accept) => {
    test.each([
      ['a truncated body', { body: '{ "query": "{ __ty' }, 400],
      ['an empty body', { body: '' }, 400],
      ['a list', { body: '[{ "query": "{ __typename }" }]' }, 400],
      ['a body without an operation', { body: '{}' }, 400],
      ['a form', { body: 'query={__typename}', type: 'application/x-www-form-urlencoded' }, 415],
      ['bare GraphQL', { body: '{ __typename }', type: 'application/graphql' }, 415],
      ['plain text', { body: '{ "query": "{ __typename }" }', type: 'text/plain' }, 415],
    ] as const)(`a request with %s is rejected as ${accept}`, async (_name, sent, status) => {
      const { body, type = 'application/json' } = sent as { body: string; type?: string };
      await expectRejection(
        fetch(gateway.url, { method: 'POST', headers: { 'content-type': type, accept }, body }),
        accept,
        status,
      );
    });

    test.each([
      '?query={__typename}&variables={',
      '?query={__typename}&extensions=nonsense',
      '?query=',
    ])(`a GET request with the search %s is rejected as ${accept}`, async (search) => {
      await expectRejection(fetch(gateway.url + search, { headers: { accept } }), accept, 400);
    });
  });

  async function expectRejection(
    response: Promise<Response>,
    accept: string,
    status: number,
  ): Promise<void> {
    const {
      headers,
      status: actualStatus,
      ...result
    } = await response.then(async (it) => ({
      status: it.status,
      headers: it.headers,
      json: (await it.json()) as unknown,
    }));
    expect(actualStatus).toBe(status);
    expect(headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
    expect(result.json).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  }
});
