import { describe, expect, test } from 'vitest';
import {
  CARD,
  codesOf,
  createDocumentGateways,
  JSON_TYPE,
  METHODS,
  type Params,
  RESPONSE_TYPE,
  send,
  sha256,
  toApqParams,
} from './document-gateways.ts';

const { trustedGateway, trustedOnlyGateway } = createDocumentGateways();

describe('Invalid document id', () => {
  const HASH = 'extensions.persistedQuery.sha256Hash';
  const isNoId = (location: string) =>
    `\`${location}\` must be the id of a document: a non-empty string.`;
  const CASES: { name: string; params: Params; message: string }[] = [
    ...[5, true, {}, ['card'], ''].flatMap((id) => [
      ...['documentId', 'doc_id', 'id'].map((parameter) => ({
        name: `${parameter} of ${JSON.stringify(id)}`,
        params: { [parameter]: id },
        message: isNoId(parameter),
      })),
      {
        name: `a hash of ${JSON.stringify(id)}`,
        params: toApqParams(id as string),
        message: isNoId(HASH),
      },
    ]),
    {
      name: 'no hash',
      params: { extensions: { persistedQuery: { version: 1 } } },
      message: isNoId(HASH),
    },
    ...['card', 1, true].map((persistedQuery) => ({
      name: `a persistedQuery of ${JSON.stringify(persistedQuery)}`,
      params: { extensions: { persistedQuery } },
      message: '`extensions.persistedQuery` must be an object.',
    })),
    ...[2, '1', true].map((version) => ({
      name: `version ${JSON.stringify(version)}`,
      params: { extensions: { persistedQuery: { version, sha256Hash: 'card' } } },
      message: '`extensions.persistedQuery.version` must be 1.',
    })),
    {
      name: 'two ids of two documents',
      params: { documentId: 'card', id: 'two' },
      message: '`documentId` and `id` name two documents: send one of them.',
    },
    {
      name: 'an id and a hash of two documents',
      params: { doc_id: 'two', ...toApqParams('card') },
      message: `\`doc_id\` and \`${HASH}\` name two documents: send one of them.`,
    },
  ];

  test.each(CASES)(
    'a request with $name is BAD_USER_INPUT with 400 for every Accept header',
    async ({ params, message }) => {
      const gateway = trustedGateway;
      // Beside a document in full, only Apollo's hash counts.
      for (const query of Object.keys(params).every((name) => name === 'extensions')
        ? [undefined, CARD]
        : [undefined]) {
        for (const accept of [JSON_TYPE, RESPONSE_TYPE]) {
          const { status, result } = await send(
            gateway,
            'POST',
            { ...params, query, variables: { id: 'x' } },
            { accept },
          );
          expect({ status, result }).toEqual({
            status: 400,
            result: { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] },
          });
        }
      }
    },
  );

  test.each([
    ['?documentId=', isNoId('documentId')],
    ['?id=card&id=two', '`id` is given twice and names two documents: send it once.'],
    ['?id=card&doc_id=two', '`doc_id` and `id` name two documents: send one of them.'],
    ['?extensions={"persistedQuery":5}', '`extensions.persistedQuery` must be an object.'],
  ])('an invalid document id in a URL is BAD_USER_INPUT: %s', async (search, message) => {
    const gateway = trustedGateway;
    const response = await gateway.fetch(`/graphql${search}`, { headers: { accept: JSON_TYPE } });
    expect([response.status, await response.json()]).toEqual([
      400,
      { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each(['documentID', 'docId', 'queryId', 'hash'])(
    'the property %s is not a document id and is ignored',
    async (name) => {
      const gateway = trustedGateway;
      const inFull = { query: CARD, variables: { id: 'x' } };
      const { result } = await send(gateway, 'POST', { ...inFull, [name]: 'two' });
      expect(result).toEqual({ data: { call: null } });
      expect(gateway.traffic()).toEqual(['GET /call/x']);
      const { status, result: alone } = await send(gateway, 'POST', { [name]: 'card' });
      expect([status, codesOf(alone)]).toEqual([400, ['BAD_USER_INPUT']]);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test.each([5, {}, [CARD]])(
    'a document id next to the invalid query %j is BAD_USER_INPUT',
    async (query) => {
      const gateway = trustedGateway;
      const { status, result } = await send(gateway, 'POST', { id: 'card', query });
      expect([status, codesOf(result)]).toEqual([400, ['BAD_USER_INPUT']]);
      expect(gateway.traffic()).toEqual([]);
    },
  );
});

describe('Document id next to another document', () => {
  const OTHER = '{ assistants(first: 1) { nodes { id } } }';

  test.each(
    METHODS.flatMap((method) => [
      { method, parameter: 'persistedQuery', name: toApqParams, ids: ['card', 'unknown'] },
      { method, parameter: 'documentId', name: (id: string) => ({ documentId: id }), ids: [] },
      { method, parameter: 'doc_id', name: (id: string) => ({ doc_id: id }), ids: [] },
      { method, parameter: 'id', name: (id: string) => ({ id }), ids: [] },
    ]),
  )(
    'a hash by $parameter with $method next to another document is BAD_USER_INPUT',
    async ({ method, name, ids }) => {
      const hashes = [sha256(CARD), sha256('{ absent }')].map((hash) => `sha256:${hash}`);
      for (const gateway of [trustedGateway, trustedOnlyGateway]) {
        for (const id of [...ids, ...hashes]) {
          const { status, result } = await send(gateway, method, { ...name(id), query: OTHER });
          expect([status, codesOf(result)]).toEqual([400, ['BAD_USER_INPUT']]);
          expect(result.errors?.[0]?.message).toMatch(
            /does not match the document in `query`: it must be the SHA-256/,
          );
        }
        expect(gateway.traffic()).toEqual([]);
      }
    },
  );

  test.each(
    METHODS.flatMap((method) =>
      ['documentId', 'doc_id', 'id'].map((parameter) => ({ method, parameter })),
    ),
  )(
    'an id by $parameter with $method next to a document is ignored, and the document is executed',
    async ({ method, parameter }) => {
      const gateway = trustedGateway;
      for (const id of ['card', 'unknown', '', '9a0364b9e99bb480dd25e1f0284c8555', sha256(CARD)]) {
        const { status, result } = await send(gateway, method, { [parameter]: id, query: OTHER });
        expect([status, result.data?.assistants?.nodes?.length]).toEqual([200, 1]);
        expect(gateway.traffic()).toEqual(['GET /assistants']);
      }
    },
  );

  test('a document that is not trusted is not executed because of the id of a trusted one', async () => {
    for (const id of ['card', sha256(CARD)]) {
      const { result } = await send(trustedOnlyGateway, 'POST', { id, query: OTHER });
      expect(codesOf(result)).toEqual(['FORBIDDEN']);
    }
    expect(trustedOnlyGateway.traffic()).toEqual([]);
  });
});
