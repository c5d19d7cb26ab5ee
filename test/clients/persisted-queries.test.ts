import { createHash } from 'node:crypto';
import {
  ApolloClient,
  CombinedGraphQLErrors,
  type DocumentNode,
  gql,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { print } from '@apollo/client/utilities';
import { afterEach, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { writeDocuments } from '../support/document-files.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { NO_CACHE } from '../support/test-gateway.ts';

const CARD: DocumentNode = gql`query Card($id: ID!) {
  call(id: $id) { id status campaign { id name } }
}`;

/** The document text as the client sends it. */
const TEXT = print(new InMemoryCache().transformDocument(CARD));
const HASH = createHash('sha256').update(TEXT).digest('hex');

const open: ApolloClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.stop();
});

/** The method of a request, and whether the request contains the hash and the text. */
type Sent = string;

interface Client {
  readonly sent: Sent[];
  queryCall(id: string): Promise<unknown>;
}

function createClient(
  { url }: ServedGateway,
  options: Partial<PersistedQueryLink.Options>,
  headers = {},
): Client {
  const sent: Sent[] = [];
  const http = new HttpLink({
    uri: url,
    headers,
    fetch: (input, init) => {
      const address = new URL(String(input));
      const { query, extensions } =
        init?.method === 'POST'
          ? JSON.parse(String(init.body))
          : Object.fromEntries(address.searchParams);
      sent.push([init?.method, extensions && 'hash', query && 'text'].filter(Boolean).join(' '));
      return fetch(input, init);
    },
  });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const link = new PersistedQueryLink({ sha256, ...options } as PersistedQueryLink.Options).concat(
    http,
  );
  const client = new ApolloClient({ cache: new InMemoryCache(), link, queryDeduplication: false });
  open.push(client);
  return {
    sent,
    queryCall: async (id) =>
      (await client.query({ query: CARD, variables: { id }, fetchPolicy: 'no-cache' })).data,
  };
}

describe('Apollo Client with automatic persisted queries', () => {
  test.each([
    { with: 'POST', headers: {} },
    { with: 'GET', headers: {} },
    { with: 'POST', headers: { accept: 'application/json' } },
    { with: 'GET', headers: { accept: 'application/json' } },
  ])(
    'Apollo Client sends the text of a document once, by $with with $headers, and then only its hash',
    async ({ with: method, headers }) => {
      await using gateway = await serveTestGateway({ settings: NO_CACHE });
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const useGETForHashedQueries = method === 'GET';
      const client = createClient(gateway, { useGETForHashedQueries }, headers);
      expect(await client.queryCall(id)).toMatchObject({ call: { id } });
      expect(client.sent).toEqual([`${method} hash`, 'POST hash text']);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);

      expect(await client.queryCall(id)).toMatchObject({ call: { id } });
      // Another client also sends only the hash.
      const other = createClient(gateway, { useGETForHashedQueries }, headers);
      expect(await other.queryCall(id)).toMatchObject({ call: { id } });
      expect([client.sent.slice(2), other.sent]).toEqual([[`${method} hash`], [`${method} hash`]]);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`, `GET /call/${id}`]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );
});

describe('Clients of a gateway that accepts only trusted documents', () => {
  /** The format of `@apollo/generate-persisted-query-manifest`. */
  const manifest = (id: string) => ({
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations: [{ id, name: 'Card', type: 'query', body: TEXT }],
  });
  const serve = (id: string) =>
    serveTestGateway({
      settings: {
        ...NO_CACHE,
        TRUSTED_DOCUMENTS: writeDocuments({ 'manifest.json': manifest(id) }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });

  test.each([
    { ids: 'its hashes', id: HASH },
    { ids: 'ids of its own', id: 'web-1.2.0/Card' },
  ])(
    'Apollo Client sends $ids and no text when it is built with the manifest',
    async ({ id: documentId }) => {
      await using gateway = await serve(documentId);
      const { richCallId: id } = sampleIds(gateway.sandbox);
      const client = createClient(gateway, {
        generateHash: () => documentId,
        useGETForHashedQueries: true,
      });
      expect(await client.queryCall(id)).toMatchObject({ call: { id } });
      expect(client.sent).toEqual(['GET hash']);
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      expect(gateway.unexpectedErrors).toEqual([]);
    },
  );

  test('Apollo Client receives FORBIDDEN for a document that is not trusted', async () => {
    await using gateway = await serveTestGateway({
      settings: {
        TRUSTED_DOCUMENTS: writeDocuments({ 'other.graphql': '{ __typename }' }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    const client = createClient(gateway, {});
    const failure = await client.queryCall('x').catch((error: unknown) => error);
    expect(CombinedGraphQLErrors.is(failure) && failure.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect(client.sent).toEqual(['POST hash', 'POST hash text']);
    expect(gateway.traffic()).toEqual([]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('Relay’s network layer selects a trusted document by the MD5 that its compiler generated', async () => {
    const md5 = createHash('md5').update(TEXT).digest('hex');
    await using gateway = await serveTestGateway({
      settings: {
        ...NO_CACHE,
        TRUSTED_DOCUMENTS: writeDocuments({ 'queries.json': { [md5]: TEXT } }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    /** The function of Relay's guide. `text` is null for a persisted document. */
    const fetchQuery = async (
      operation: { id: string | null; text: string | null },
      variables: object,
    ) => {
      const response = await fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ doc_id: operation.id, query: operation.text, variables }),
      });
      return (await response.json()) as unknown;
    };
    expect(await fetchQuery({ id: md5, text: null }, { id })).toMatchObject({
      data: { call: { id } },
    });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    // A document without an id is sent in full.
    expect(await fetchQuery({ id: null, text: TEXT }, { id })).toMatchObject({
      data: { call: { id } },
    });
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});
