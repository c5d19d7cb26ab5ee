import { createHash } from 'node:crypto';
import { afterAll, afterEach, expect } from 'vitest';
import { writeDocuments } from '../support/document-files.ts';
import {
  createTestGateway,
  type GraphQLResult,
  NO_CACHE,
  type TestGateway,
} from '../support/test-gateway.ts';

export const JSON_TYPE = 'application/json';
export const RESPONSE_TYPE = 'application/graphql-response+json';
export const SECRET = 'a-router-secret-of-length';

export const CARD = 'query Card($id: ID!) { call(id: $id) { id } }';
export const TWO =
  'query Names { assistants(first: 1) { nodes { id } } } query Kind { __typename }';
/**
 * Gateways without trusted documents, with trusted documents, with trusted documents only, and the
 * last one behind a router. To be called once in a test file: no test must send an upstream request
 * that it does not assert.
 */
export function createDocumentGateways() {
  const documents = writeDocuments(
    {
      'apollo.json': {
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [{ id: 'two', name: 'Names', type: 'query', body: TWO }],
      },
      'relay.json': {
        card: CARD,
        outdated: '{ nothing }',
        broken: '{ call(',
        schema: '{ __schema { __typename } }',
      },
    },
    afterAll,
  );
  const trustedSettings = { TRUSTED_DOCUMENTS: documents };
  const trustedOnlySettings = { ...trustedSettings, TRUSTED_DOCUMENTS_ONLY: 'on' };
  const plainGateway = createTestGateway({ settings: NO_CACHE });
  const trustedGateway = createTestGateway({ settings: { ...NO_CACHE, ...trustedSettings } });
  const trustedOnlyGateway = createTestGateway({
    settings: { ...NO_CACHE, ...trustedOnlySettings },
  });
  const routerSecretGateway = createTestGateway({
    settings: { ...NO_CACHE, ...trustedOnlySettings, ROUTER_SECRETS: SECRET },
  });
  afterEach(() => {
    for (const gateway of [plainGateway, trustedGateway, trustedOnlyGateway, routerSecretGateway]) {
      expect(gateway.traffic()).toEqual([]);
      expect(gateway.unexpectedErrors).toEqual([]);
    }
  });
  return {
    documents,
    trustedSettings,
    trustedOnlySettings,
    plainGateway,
    trustedGateway,
    trustedOnlyGateway,
    routerSecretGateway,
  };
}

export interface Params {
  readonly [name: string]: unknown;
}

export const METHODS = ['POST', 'GET'] as const;

/** Every parameter that can carry a document id. */
export const ID_PARAMETERS: {
  readonly parameter: string;
  readonly name: (id: string) => Params;
}[] = [
  { parameter: 'documentId', name: (id) => ({ documentId: id }) },
  { parameter: 'documentId with sha256:', name: (id) => ({ documentId: `sha256:${id}` }) },
  { parameter: 'doc_id', name: (id) => ({ doc_id: id }) },
  { parameter: 'id', name: (id) => ({ id }) },
  { parameter: 'persistedQuery', name: toApqParams },
];
export const METHODS_AND_PARAMETERS = METHODS.flatMap((method) =>
  ID_PARAMETERS.map((parameter) => ({ method, ...parameter })),
);

export function toApqParams(id: string): Params {
  return { extensions: { persistedQuery: { version: 1, sha256Hash: id } } };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export interface HttpResult {
  readonly status: number;
  readonly headers: Headers;
  readonly result: GraphQLResult;
}

export async function send(
  gateway: TestGateway,
  method: (typeof METHODS)[number],
  params: Params,
  headers: Record<string, string> = {},
): Promise<HttpResult> {
  const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const search = new URLSearchParams(
    Object.entries(params).map(([name, value]) => [name, asText(value)]),
  );
  const response =
    method === 'GET'
      ? await gateway.fetch(`/graphql?${search}`, { headers: { accept: JSON_TYPE, ...headers } })
      : await gateway.fetch('/graphql', {
          method,
          headers: { 'content-type': JSON_TYPE, accept: JSON_TYPE, ...headers },
          body: JSON.stringify(params),
        });
  return {
    status: response.status,
    headers: response.headers,
    result: (await response.json()) as GraphQLResult,
  };
}

export const codesOf = ({ errors = [] }: GraphQLResult) =>
  errors.map(({ extensions }) => extensions.code);
export const NOT_FOUND = {
  errors: [
    { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
  ],
};
