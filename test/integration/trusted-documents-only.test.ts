import { describe, expect, test } from 'vitest';
import {
  CARD,
  codesOf,
  createDocumentGateways,
  JSON_TYPE,
  METHODS,
  METHODS_AND_PARAMETERS,
  NOT_FOUND,
  RESPONSE_TYPE,
  SECRET,
  send,
  sha256,
  toApqParams,
} from './document-gateways.ts';

const { routerSecretGateway, trustedOnlyGateway } = createDocumentGateways();

describe('TRUSTED_DOCUMENTS_ONLY=on', () => {
  const UNTRUSTED = '{ assistants { nodes { id } } }';
  const asRouter = { 'router-authorization': SECRET };

  test.each(METHODS_AND_PARAMETERS)(
    'a trusted document is executed by $parameter with $method and when it is sent in full',
    async ({ method, name }) => {
      const gateway = trustedOnlyGateway;
      for (const params of [
        name('card'),
        name(sha256(CARD)),
        { query: CARD },
        { query: CARD, ...name(sha256(CARD)) },
      ]) {
        const { result } = await send(gateway, method, { ...params, variables: { id: 'x' } });
        expect(result).toEqual({ data: { call: null } });
        expect(gateway.traffic()).toEqual(['GET /call/x']);
      }
    },
  );

  test.each([
    ['another document', UNTRUSTED],
    ['a trusted one with an additional space', `${CARD} `],
    ['a trusted one with a comment', `${CARD}#`],
    ['a part of a trusted one', 'query Kind { __typename }'],
    ['one that does not parse', '{ call(id: '],
    ['one that is empty', ' '],
    ['introspection', '{ __schema { queryType { name } } }'],
    ['an operation of a router', '{ __typename }'],
  ])('a document that is not trusted is FORBIDDEN: %s', async (_what, query) => {
    const gateway = trustedOnlyGateway;
    for (const method of METHODS) {
      for (const params of [
        { query },
        { query, ...toApqParams(sha256(query)) },
        { query, documentId: sha256(query) },
      ]) {
        for (const [accept, expected] of [
          [JSON_TYPE, 200],
          [RESPONSE_TYPE, 403],
        ] as const) {
          const { status, result, headers } = await send(gateway, method, params, {
            accept,
            ...asRouter,
          });
          expect([status, codesOf(result)]).toEqual([expected, ['FORBIDDEN']]);
          expect(result.errors?.[0]?.message).toMatch(
            /executes only trusted documents.*`documentId`/,
          );
          expect(result).not.toHaveProperty('data');
          expect(headers.get('cache-control')).toBe('no-store');
        }
      }
      // The document is not registered either.
      expect((await send(gateway, method, toApqParams(sha256(query)))).result).toEqual(NOT_FOUND);
    }
  });

  test('a router with the secret may send operations of routers without a trusted document', async () => {
    const gateway = routerSecretGateway;
    for (const method of METHODS) {
      for (const params of [
        { query: '{ __typename }' },
        { query: '{ __typename }', ...toApqParams(sha256('{ __typename }')) },
      ]) {
        expect((await send(gateway, method, params, asRouter)).result).toEqual({
          data: { __typename: 'Query' },
        });
      }
    }
    const query = 'query Kind { __typename } query Mine { call(id: "x") { id } }';
    expect(
      (await send(gateway, 'POST', { query, operationName: 'Kind' }, asRouter)).result,
    ).toEqual({
      data: { __typename: 'Query' },
    });
    expect(
      (await send(gateway, 'POST', toApqParams(sha256('{ __typename }')), asRouter)).result,
    ).toEqual(NOT_FOUND);
    expect(
      (await send(gateway, 'POST', { query: '{ _service' }, asRouter)).result.errors?.[0]
        ?.extensions.code,
    ).toBe('GRAPHQL_PARSE_FAILED');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a router with the secret may select _service and _entities without a trusted document', async () => {
    const query =
      'query ($representations: [_Any!]!) { _service { sdl } _entities(representations: $representations) { __typename } }';
    const variables = { representations: [{ __typename: 'Call', id: 'x' }] };
    const { result } = await send(routerSecretGateway, 'POST', { query, variables }, asRouter);
    expect(result.data).toEqual({
      _service: { sdl: expect.stringContaining('@link') },
      _entities: [null],
    });
    expect(routerSecretGateway.traffic()).toEqual(['GET /call/x']);
    expect(
      codesOf((await send(trustedOnlyGateway, 'POST', { query, variables }, asRouter)).result),
    ).toEqual(['FORBIDDEN']);
    expect(trustedOnlyGateway.traffic()).toEqual([]);
  });

  test.each([
    ['{ call(id: "x") { id } }'],
    ['{ __typename call(id: "x") { id } }'],
    ['{ ...A } fragment A on Query { call(id: "x") { id } }'],
    ['{ __schema { queryType { name } } }'],
    ['query Kind { __typename } query Mine { call(id: "x") { id } }', 'Mine'],
  ])(
    'a router with the secret may not send any other document: %s',
    async (query, operationName?: string) => {
      const gateway = routerSecretGateway;
      for (const method of METHODS) {
        const params = { query, ...(operationName === undefined ? {} : { operationName }) };
        const { result } = await send(gateway, method, params, asRouter);
        expect(codesOf(result)).toEqual(['FORBIDDEN']);
        expect(result.errors?.[0]?.message).toMatch(
          /a document that is not trusted only for `_entities` and `_service`/,
        );
      }
    },
  );
});
