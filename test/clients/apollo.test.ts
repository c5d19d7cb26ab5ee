import {
  ApolloClient,
  ApolloLink,
  type DocumentNode,
  gql,
  HttpLink,
  type TypedDocumentNode,
  type TypePolicies,
} from '@apollo/client';
import { filter, firstValueFrom, map, type Observable } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { typePolicies as assistantPolicies } from './guide/apollo-assistants.ts';
import { createCache } from './guide/apollo-cache.ts';
import { createRawValueLink } from './guide/apollo-raw-values.ts';
import type { RawValues } from './guide/raw-values.ts';
import { describeListWalks, type PagedWalk, type Walk } from './list-walks.ts';
import { giveCallOlderAssistant } from './older-assistant.ts';
import { shareOneVoice } from './shared-voice.ts';

interface Connection {
  readonly edges: readonly { readonly node: { readonly id: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

interface Lists {
  readonly callAttempts?: Connection;
  readonly campaign?: { readonly rows: Connection };
}

const PAGE_INFO = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

const ATTEMPTS: DocumentNode = gql`query Attempts($first: Int, $after: String, $last: Int, $before: String) {
  callAttempts(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id status result startedAt } }
    ${PAGE_INFO}
  }
}`;

const ROWS: DocumentNode = gql`query Rows($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  campaign(id: $id) {
    id
    name
    rows(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id rowIndex phoneNumber call { id status lastCallAttempt { id result } } } }
      ${PAGE_INFO}
    }
  }
}`;

const open: ApolloClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.stop();
});

describe('Apollo Client', () => {
  describeListWalks(openWalk);
});

/** A component that shows a list and loads more with `fetchMore`. */
function openWalk({ url }: ServedGateway, { list, direction, size, campaignId }: Walk): PagedWalk {
  const received: string[][] = [];
  const connectionOf = ({ callAttempts, campaign }: Lists) => (callAttempts ?? campaign?.rows)!;
  const idsOf = ({ edges }: Connection) => edges.map(({ node }) => node.id);
  const client = createClient(url, (data) => received.push(idsOf(connectionOf(data as Lists))));
  const watched = client.watchQuery({
    query: (list === 'attempts' ? ATTEMPTS : ROWS) as TypedDocumentNode<
      Lists,
      Record<string, unknown>
    >,
    variables: {
      [direction === 'forward' ? 'first' : 'last']: size,
      ...(list === 'rows' ? { id: campaignId } : {}),
    },
  });
  const shown: Observable<Connection> = watched.pipe(
    filter(({ dataState }) => dataState === 'complete'),
    map(({ data }) => connectionOf(data as Lists)),
  );
  let latest: Connection | undefined;
  shown.subscribe((connection) => {
    latest = connection;
  });
  const untilLongerThan = (length: number) =>
    firstValueFrom(shown.pipe(filter(({ edges }) => edges.length > length)));

  return {
    received,
    ids: () => idsOf(latest!),
    hasMore: () => latest!.pageInfo[direction === 'forward' ? 'hasNextPage' : 'hasPreviousPage'],
    async step() {
      if (!latest) {
        await untilLongerThan(0);
        return;
      }
      const { pageInfo, edges } = latest;
      const variables =
        direction === 'forward' ? { after: pageInfo.endCursor } : { before: pageInfo.startCursor };
      await watched.fetchMore({ variables });
      await untilLongerThan(edges.length);
    },
  };
}

test('Apollo Client shows a list that has failed as null, and keeps the pages before one that fails', async () => {
  await using gateway = await serveTestGateway({ settings: { ...NO_CACHE, REVOX_RETRIES: '0' } });
  const { control } = gateway.sandbox;
  const client = new ApolloClient({
    cache: createCache(),
    link: new HttpLink({ uri: gateway.url }),
  });
  open.push(client);
  const watched = client.watchQuery({
    query: ATTEMPTS as TypedDocumentNode<Lists, Record<string, unknown>>,
    variables: { first: 5 },
    errorPolicy: 'all',
  });
  const results: { list: number | null | undefined; hasError: boolean }[] = [];
  const subscription = watched.subscribe(({ data, error, loading }) => {
    const { callAttempts: list } = data ?? {};
    if (!loading)
      results.push({
        list: list && (list as Connection).edges.length,
        hasError: error !== undefined,
      });
  });
  control.fail('/call', { status: 503, times: 1 });
  await expect.poll(() => results.at(-1)).toEqual({ list: null, hasError: true });
  await watched.refetch();
  await expect.poll(() => results.at(-1)).toEqual({ list: 5, hasError: false });

  control.fail('/call', { status: 503, times: 1 });
  const after = (client.readQuery({ query: ATTEMPTS, variables: { first: 5 } }) as Lists)
    .callAttempts?.pageInfo.endCursor;
  await watched.fetchMore({ variables: { after }, errorPolicy: 'all' });
  expect(results.at(-1)?.list).toBe(5);
  await watched.fetchMore({ variables: { after } });
  await expect.poll(() => results.at(-1)?.list).toBe(10);
  subscription.unsubscribe();
  expect(gateway.unexpectedErrors).toEqual([]);
});

test('Apollo Client stores different speeds for two assistants with the same voice', async () => {
  await using gateway = await serveTestGateway({ settings: NO_CACHE });
  const voiced = shareOneVoice(gateway.sandbox);
  const client = createClient(gateway.url);
  const query = gql`{ assistants(first: 100) { nodes { id voice { provider voiceId speed } } } }`;
  await client.query({ query });
  const { assistants } = client.readQuery<{ assistants: { nodes: unknown[] } }>({ query })!;
  expect(assistants.nodes.slice(0, 2)).toMatchObject(voiced);
  expect(gateway.traffic()).toEqual(['GET /assistants']);
  expect(gateway.unexpectedErrors).toEqual([]);
});

test('Apollo Client updates a stored call when `node` returns it again', async () => {
  await using gateway = await serveTestGateway({ settings: NO_CACHE });
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const client = createClient(gateway.url);
  const card = gql`query Card($id: ID!) { call(id: $id) { id status campaign { id name } } }`;
  await client.query({ query: card, variables: { id } });
  const call = gateway.sandbox.control.data(KEY_A).calls.find((one) => one.id === id)!;
  gateway.sandbox.control.putCall(KEY_A, { ...call, status: 'cancelled' });
  await client.query({
    query: gql`query Again($id: ID!) { node(id: $id) { id ... on Call { status } } }`,
    variables: { id },
  });
  expect(client.readQuery({ query: card, variables: { id } })).toMatchObject({
    call: { id, status: 'CANCELLED', campaign: call.campaign },
  });
  expect(gateway.traffic()).toEqual([`GET /call/${id}`, `GET /call/${id}`]);
  expect(gateway.unexpectedErrors).toEqual([]);
});

describe('Apollo Client with values that are newer than the schema', () => {
  test('a link of Apollo Client finds the raw value of each stored object by extensions.unrecognized', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { control } = gateway.sandbox;
    const ids = control
      .data(KEY_A)
      .calls.slice(0, 3)
      .map(({ id }) => id);
    const raw: Record<string, string> = { [ids[0]!]: 'on-hold', [ids[2]!]: 'parked' };
    control.transform('/call/', ({ call }) => ({
      call: { ...call, status: raw[call.id] ?? call.status },
    }));

    const rawValues: RawValues = new Map();
    const client = new ApolloClient({
      cache: createCache(),
      link: ApolloLink.from([createRawValueLink(rawValues), new HttpLink({ uri: gateway.url })]),
    });
    open.push(client);

    const query: DocumentNode = gql`query Calls($ids: [ID!]!) { calls(ids: $ids) { id state: status } }`;
    const result = await client.query<{ calls: { id: string; state: string }[] }>({
      query,
      variables: { ids },
    });
    // Otherwise no link would be needed.
    expect(result).not.toHaveProperty('extensions');
    const shown = result.data!.calls.map(
      (call) => rawValues.get(`Call:${call.id}`)?.status ?? call.state,
    );
    expect(shown).toEqual(['on-hold', expect.not.stringMatching('UNRECOGNIZED'), 'parked']);
    expect(rawValues.size).toBe(2);
    expect(gateway.traffic().sort()).toEqual(ids.map((id) => `GET /call/${id}`).sort());
  });
});

describe('Apollo Client with a call whose assistant differs from the assistant of today', () => {
  const select = (marker: string): DocumentNode => gql`
    query Both($callId: ID!, $assistantId: ID!) {
      call(id: $callId) { id assistant { ${marker} id prompt } }
      assistant(id: $assistantId) { id name prompt }
    }`;
  test('Apollo Client stores both side by side with the recipe, and a later query updates only its own', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { variables, expected, traffic } = giveCallOlderAssistant(gateway.sandbox);
    const client = createClient(gateway.url, undefined, assistantPolicies);
    const query = select('inCall: __typename');
    await client.query({ query, variables });
    expect(client.readQuery({ query, variables })).toMatchObject(expected);
    expect(gateway.traffic().sort()).toEqual(traffic.toSorted());

    const { assistantId: id } = variables;
    const today = gateway.sandbox.control.data(KEY_A).assistants.find((one) => one.id === id)!;
    today.prompt = 'The prompt of tomorrow.';
    const again: DocumentNode = gql`query Again($id: ID!) { node(id: $id) { id ... on Assistant { prompt } } }`;
    await client.query({ query: again, variables: { id } });
    const more: DocumentNode = gql`query More($id: ID!) { call(id: $id) { id assistant { inCall: __typename id name } } }`;
    await client.query({ query: more, variables: { id: variables.callId } });
    expect(client.readQuery({ query, variables })).toMatchObject({
      call: expected.call,
      assistant: { id, prompt: today.prompt },
    });
    expect(gateway.traffic()).toEqual([`GET /assistants/${id}`, `GET /call/${variables.callId}`]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('Apollo Client stores one content for both without the recipe, as the schema warns', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { variables, traffic } = giveCallOlderAssistant(gateway.sandbox);
    const client = createClient(gateway.url);
    const query = select('');
    await client.query({ query, variables });
    const { call, assistant } = client.readQuery<{
      call: { assistant: { prompt: string } };
      assistant: { prompt: string };
    }>({ query, variables })!;
    expect(call.assistant.prompt).toBe(assistant.prompt);
    expect(gateway.traffic().sort()).toEqual(traffic.toSorted());
  });
});

function createClient(
  url: string,
  onData: (data: unknown) => void = () => {},
  typePolicies: TypePolicies = {},
): ApolloClient {
  const cache = createCache();
  cache.policies.addTypePolicies(typePolicies);
  const client = new ApolloClient({
    cache,
    link: ApolloLink.from([
      new ApolloLink((operation, forward) =>
        forward(operation).pipe(
          map((result) => {
            expect(result).not.toHaveProperty('errors');
            onData('data' in result ? result.data : undefined);
            return result;
          }),
        ),
      ),
      new HttpLink({ uri: url }),
    ]),
  });
  open.push(client);
  return client;
}
