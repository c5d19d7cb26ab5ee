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

/** The text as the client would send it. */
const TEXT = print(new InMemoryCache().transformDocument(CARD));
const HASH = createHash('sha256').update(TEXT).digest('hex');

const open: ApolloClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.stop();
});

/** What went over the wire: the method, and whether the hash and the text were in it. */
type Sent = string;

interface Client {
  readonly sent: Sent[];
  ask(id: string): Promise<unknown>;
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
    ask: async (id) =>
      (await client.query({ query: CARD, variables: { id }, fetchPolicy: 'no-cache' })).data,
  };
}

describe('Apollo Client with automatic persisted queries', () => {
  test.each([
    { with: 'POST', headers: {} },
    { with: 'GET', headers: {} },
    { with: 'POST', headers: { accept: 'application/json' } },
    { with: 'GET', headers: { accept: 'application/json' } },
  ])('brings a document once, with $with and $headers', async ({ with: method, headers }) => {
    await using world = await serveTestGateway({ settings: NO_CACHE });
    const { richCallId: id } = sampleIds(world.sandbox);
    const useGETForHashedQueries = method === 'GET';
    const client = createClient(world, { useGETForHashedQueries }, headers);
    expect(await client.ask(id)).toMatchObject({ call: { id } });
    expect(client.sent).toEqual([`${method} hash`, 'POST hash text']);
    expect(world.traffic()).toEqual([`GET /call/${id}`]);

    expect(await client.ask(id)).toMatchObject({ call: { id } });
    // Nor does the next client bring it.
    const other = createClient(world, { useGETForHashedQueries }, headers);
    expect(await other.ask(id)).toMatchObject({ call: { id } });
    expect([client.sent.slice(2), other.sent]).toEqual([[`${method} hash`], [`${method} hash`]]);
    expect(world.traffic()).toEqual([`GET /call/${id}`, `GET /call/${id}`]);
    expect(world.unexpectedErrors).toEqual([]);
  });
});

describe('with trusted documents only', () => {
  /** What `@apollo/generate-persisted-query-manifest` writes. */
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
    'Apollo Client sends $ids and no text, from the manifest it was built with',
    async ({ id: documentId }) => {
      await using world = await serve(documentId);
      const { richCallId: id } = sampleIds(world.sandbox);
      const client = createClient(world, {
        generateHash: () => documentId,
        useGETForHashedQueries: true,
      });
      expect(await client.ask(id)).toMatchObject({ call: { id } });
      expect(client.sent).toEqual(['GET hash']);
      expect(world.traffic()).toEqual([`GET /call/${id}`]);
      expect(world.unexpectedErrors).toEqual([]);
    },
  );

  test('Apollo Client is told what is wrong with a document that is not among them', async () => {
    await using world = await serveTestGateway({
      settings: {
        TRUSTED_DOCUMENTS: writeDocuments({ 'other.graphql': '{ __typename }' }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    const client = createClient(world, {});
    const failure = await client.ask('x').catch((error: unknown) => error);
    expect(CombinedGraphQLErrors.is(failure) && failure.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect(client.sent).toEqual(['POST hash', 'POST hash text']);
    expect(world.traffic()).toEqual([]);
    expect(world.unexpectedErrors).toEqual([]);
  });

  test('Relay’s network layer names documents by the MD5 that its compiler gave them', async () => {
    const md5 = createHash('md5').update(TEXT).digest('hex');
    await using world = await serveTestGateway({
      settings: {
        ...NO_CACHE,
        TRUSTED_DOCUMENTS: writeDocuments({ 'queries.json': { [md5]: TEXT } }),
        TRUSTED_DOCUMENTS_ONLY: 'on',
      },
    });
    const { richCallId: id } = sampleIds(world.sandbox);
    /** As in Relay's guide. With a persisted document `text` is null. */
    const fetchQuery = async (
      operation: { id: string | null; text: string | null },
      variables: object,
    ) => {
      const response = await fetch(world.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ doc_id: operation.id, query: operation.text, variables }),
      });
      return (await response.json()) as unknown;
    };
    expect(await fetchQuery({ id: md5, text: null }, { id })).toMatchObject({
      data: { call: { id } },
    });
    expect(world.traffic()).toEqual([`GET /call/${id}`]);
    // Before it was compiled so.
    expect(await fetchQuery({ id: null, text: TEXT }, { id })).toMatchObject({
      data: { call: { id } },
    });
    expect(world.traffic()).toEqual([`GET /call/${id}`]);
    expect(world.unexpectedErrors).toEqual([]);
  });
});
