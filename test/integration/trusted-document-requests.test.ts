import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';
import {
  CARD,
  codesOf,
  createDocumentGateways,
  ID_PARAMETERS,
  JSON_TYPE,
  METHODS,
  METHODS_AND_PARAMETERS,
  NOT_FOUND,
  RESPONSE_TYPE,
  send,
  sha256,
  toApqParams,
} from './document-gateways.ts';

const { plainGateway, trustedSettings, trustedGateway, trustedOnlyGateway } =
  createDocumentGateways();

describe('Trusted document', () => {
  test.each(METHODS_AND_PARAMETERS)(
    'a trusted document is selected by $parameter with $method',
    async ({ method, name }) => {
      const { richCallId } = sampleIds(trustedGateway.sandbox);
      for (const id of ['card', sha256(CARD)]) {
        const { status, result } = await send(trustedGateway, method, {
          ...name(id),
          variables: { id: richCallId },
        });
        expect({ status, result }).toEqual({
          status: 200,
          result: { data: { call: { id: richCallId } } },
        });
        expect(trustedGateway.traffic()).toEqual([`GET /call/${richCallId}`]);
      }
    },
  );

  test.each(METHODS)(
    'a trusted document may contain several operations, with %s',
    async (method) => {
      const gateway = trustedGateway;
      const kind = await send(gateway, method, { doc_id: 'two', operationName: 'Kind' });
      expect(kind.result).toEqual({ data: { __typename: 'Query' } });
      expect(gateway.traffic()).toEqual([]);
      const names = await send(gateway, method, { doc_id: 'two', operationName: 'Names' });
      expect(names.result.data.assistants.nodes).toHaveLength(1);
      expect(gateway.traffic()).toEqual(['GET /assistants']);
      expect(codesOf((await send(gateway, method, { doc_id: 'two' })).result)).toEqual([
        'BAD_USER_INPUT',
      ]);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test.each([null, ''])(
    'a trusted document may be selected next to an empty query: %j',
    async (query) => {
      const gateway = trustedGateway;
      expect(
        (await send(gateway, 'POST', { id: 'card', doc_id: null, query, variables: { id: 'x' } }))
          .result,
      ).toEqual({
        data: { call: null },
      });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
    },
  );

  test.each(ID_PARAMETERS)(
    'a trusted document may be sent in full next to its id, by $parameter',
    async ({ name }) => {
      const gateway = trustedGateway;
      for (const id of ['card', sha256(CARD)]) {
        const { result } = await send(gateway, 'POST', {
          ...name(id),
          query: CARD,
          variables: { id: 'x' },
        });
        expect(result).toEqual({ data: { call: null } });
        expect(gateway.traffic()).toEqual(['GET /call/x']);
      }
    },
  );

  test('a trusted document may be selected by several parameters at once', async () => {
    const gateway = trustedGateway;
    const params = {
      documentId: `sha256:${sha256(CARD)}`,
      ...toApqParams(sha256(CARD)),
      variables: { id: 'x' },
    };
    for (const method of METHODS) {
      expect((await send(gateway, method, params)).result).toEqual({ data: { call: null } });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
    }
  });

  test.each(METHODS)(
    'a trusted document is parsed, validated and rejected like any other document, with %s',
    async (method) => {
      const gateway = createTestGateway({
        settings: { ...trustedSettings, INTROSPECTION: 'off' },
      });
      const rejectionOf = async (id: string) => {
        const { result } = await send(gateway, method, { id });
        const { result: inFull } = await send(gateway, method, {
          query: {
            outdated: '{ nothing }',
            broken: '{ call(',
            schema: '{ __schema { __typename } }',
          }[id],
        });
        expect(result).toEqual(inFull);
        return codesOf(result);
      };
      expect(await rejectionOf('broken')).toEqual(['GRAPHQL_PARSE_FAILED']);
      expect(await rejectionOf('outdated')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
      expect(new Set(await rejectionOf('schema'))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
      // The required variable is missing.
      expect(codesOf((await send(gateway, method, { id: 'card' })).result)).toEqual([
        'BAD_USER_INPUT',
      ]);
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('a GET response for a trusted document has Cache-Control and Vary headers', async () => {
    const gateway = createTimedGateway({ settings: trustedSettings });
    const { richCallId: id, liveCallId } = sampleIds(gateway.sandbox);
    const cacheHeaders = async (callId: string) => {
      const { headers } = await send(gateway, 'GET', {
        ...toApqParams(sha256(CARD)),
        variables: { id: callId },
      });
      return [headers.get('cache-control'), headers.get('vary')];
    };
    expect(await cacheHeaders(id)).toEqual([
      'private, max-age=600',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    gateway.clock.pass(100_000);
    expect(await cacheHeaders(id)).toEqual([
      'private, max-age=500',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    expect(await cacheHeaders(liveCallId)).toEqual([
      'no-store',
      'Authorization, Router-Authorization, Accept, Accept-Encoding',
    ]);
    expect(gateway.traffic()).toEqual([`GET /call/${liveCallId}`]);
  });
});

describe('Unknown document id', () => {
  test.each(METHODS_AND_PARAMETERS)(
    'an unknown document id by $parameter with $method is PersistedQueryNotFound, which clients rely on',
    async ({ parameter, method, name }) => {
      for (const gateway of [plainGateway, trustedGateway, trustedOnlyGateway]) {
        for (const id of [
          sha256('{ absent }'),
          'Card',
          '__proto__',
          'constructor',
          'toString',
          'x'.repeat(500),
        ]) {
          for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
            const { status, result, headers } = await send(gateway, method, name(id), { accept });
            expect(result).toEqual(NOT_FOUND);
            // Apollo's protocol continues from this response: for its clients it is not a failure.
            expect(status).toBe(
              accept === RESPONSE_TYPE && parameter !== 'persistedQuery' ? 400 : 200,
            );
            expect(headers.get('cache-control')).toBe('no-store');
          }
        }
      }
    },
  );

  test('an unknown hash in persistedQuery follows the Apollo protocol even next to another id parameter', async () => {
    const hash = sha256('{ absent }');
    const { status, result } = await send(
      plainGateway,
      'POST',
      { documentId: hash, ...toApqParams(hash) },
      { accept: RESPONSE_TYPE },
    );
    expect([status, result]).toEqual([200, NOT_FOUND]);
  });
});
