import { describe, expect, test } from 'vitest';
import { createTestGateway, KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  codesOf,
  createDocumentGateways,
  ID_PARAMETERS,
  METHODS,
  NOT_FOUND,
  send,
  sha256,
  toApqParams,
} from './document-gateways.ts';

const { plainGateway, trustedSettings } = createDocumentGateways();

describe('Automatic persisted query', () => {
  const LIST = '{ assistants { nodes { id } } }';
  const APQ_REGISTRATION = { ...toApqParams(sha256(LIST)), query: LIST };

  test.each(METHODS)(
    'a document that was sent with its hash is found by the hash in later requests, with %s',
    async (method) => {
      const gateway = createTestGateway();
      expect((await send(gateway, method, toApqParams(sha256(LIST)))).result).toEqual(NOT_FOUND);
      expect(gateway.traffic()).toEqual([]);
      const { result } = await send(gateway, method, APQ_REGISTRATION);
      expect(result.data.assistants.nodes.length).toBeGreaterThan(0);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
      for (const { name } of ID_PARAMETERS)
        expect((await send(gateway, method, name(sha256(LIST)))).result).toEqual(result);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a registered document is shared by all API keys, and its responses are not', async () => {
    const gateway = createTestGateway({ settings: { REVOX_API_KEY: '' } });
    const as = (key: string) => ({ authorization: `Bearer ${key}` });
    const ofA = await send(gateway, 'POST', APQ_REGISTRATION, as(KEY_A));
    const ofB = await send(gateway, 'GET', toApqParams(sha256(LIST)), as(KEY_B));
    expect(gateway.traffic()).toEqual(['GET /assistants', 'GET /assistants']);
    const idsOf = (key: string) =>
      gateway.sandbox.control.data(key).assistants.map(({ id }) => ({ id }));
    expect(ofA.result.data.assistants.nodes).toEqual(idsOf(KEY_A).slice(0, 20));
    expect(ofB.result.data.assistants.nodes).toEqual(idsOf(KEY_B).slice(0, 20));
    expect(ofB.headers.get('vary')).toContain('Authorization');
    expect((await send(gateway, 'GET', toApqParams(sha256(LIST)))).status).toBe(401);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    ['does not parse', '{ call('],
    ['is not valid', '{ nothing }'],
    ['has no operation', 'fragment A on Query { __typename }'],
    ['is too long', `{ __typename } # ${'x'.repeat(2 ** 17)}`],
  ])('a document that %s is not registered', async (_why, query) => {
    const gateway = plainGateway;
    const first = await send(gateway, 'POST', { ...toApqParams(sha256(query)), query });
    const again = await send(gateway, 'POST', { ...toApqParams(sha256(query)), query });
    expect(again.result).toEqual(first.result);
    expect((await send(gateway, 'POST', toApqParams(sha256(query)))).result).toEqual(NOT_FOUND);
  });

  test('a different document with the hash of a registered one is BAD_USER_INPUT', async () => {
    const gateway = createTestGateway();
    await send(gateway, 'POST', APQ_REGISTRATION);
    expect(gateway.traffic()).toEqual(['GET /assistants']);
    const { result } = await send(gateway, 'POST', {
      ...toApqParams(sha256(LIST)),
      query: `${LIST} `,
    });
    expect(codesOf(result)).toEqual(['BAD_USER_INPUT']);
    expect((await send(gateway, 'POST', toApqParams(sha256(LIST)))).result).not.toHaveProperty(
      'errors',
    );
    expect(gateway.traffic()).toEqual([]);
  });

  test('registered documents are evicted when too many are registered, and trusted ones are not', async () => {
    const gateway = createTestGateway({ settings: trustedSettings });
    const register = (number: number) => {
      const query = `{ __typename } # ${number} ${'x'.repeat(2 ** 16)}`;
      return { query, send: () => send(gateway, 'POST', { ...toApqParams(sha256(query)), query }) };
    };
    const isKnown = async (query: string) =>
      !('errors' in (await send(gateway, 'POST', toApqParams(sha256(query)))).result);
    const registered = Array.from({ length: 128 }, (_, number) => register(number));
    for (const each of registered.slice(0, 100)) await each.send();
    expect(await isKnown(registered[0]!.query)).toBe(true);
    for (const each of registered.slice(100)) await each.send();
    // A lookup refreshes a document; the least recently used one is evicted.
    expect(
      await Promise.all([0, 1, 127].map((number) => isKnown(registered[number]!.query))),
    ).toEqual([true, false, true]);
    expect((await send(gateway, 'POST', { id: 'card', variables: { id: 'x' } })).result).toEqual({
      data: { call: null },
    });
    expect(gateway.traffic()).toEqual(['GET /call/x']);
  });
});
