import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { createFetchMultipartSubscription } from '@apollo/client/utilities/subscriptions/relay';
import { Client, fetchExchange, gql as urqlGql } from '@urql/core';
import {
  Environment,
  type GraphQLResponse,
  Network,
  RecordSource,
  type RequestParameters,
  Store,
} from 'relay-runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

/** What a client passes to its application, in order. */
type Outcome =
  | { readonly status: string | undefined }
  | { readonly error: string }
  | { readonly isComplete: true };

interface Subscription {
  readonly outcomes: Outcome[];
  unsubscribe(): void;
}

const TEXT = 'subscription Watch($id: ID!) { callUpdated(id: $id) { id status } }';
const VARIABLES = { id: 'c1' };
const COMPLETE = { isComplete: true };

let gateway: ServedGateway;
afterEach(() => gateway.close());

async function serve(settings: Record<string, string> = {}): Promise<void> {
  gateway = await serveTestGateway({ settings: { LIVE_CALL_MS: '1000', ...settings } });
  putCall('calling');
}

function putCall(status: 'calling' | 'completed'): void {
  const { control } = gateway.sandbox;
  const template = control.data(KEY_A).calls[0]!;
  control.putCall(KEY_A, {
    ...template,
    id: 'c1',
    status,
    call_attempts: [],
    last_call_attempt: null,
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setTimeout(resolve, 10));
}

/** Open streams, by transport. */
async function openStreams(): Promise<Record<string, number>> {
  const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
  const values = text.matchAll(
    /^revox_gateway_live_subscriptions\{.*transport="(\w+)".*\} (\d+)$/gm,
  );
  return Object.fromEntries([...values].map(([, name, value]) => [name, Number(value)]));
}

function subscribeApollo(query = TEXT): Subscription {
  const client = new ApolloClient({
    link: new HttpLink({ uri: gateway.url }),
    cache: new InMemoryCache(),
  });
  const outcomes: Outcome[] = [];
  const subscription = client
    .subscribe<{ callUpdated: { status: string } }>({ query: gql(query), variables: VARIABLES })
    .subscribe({
      next: ({ data, error }) =>
        outcomes.push(error ? { error: error.message } : { status: data?.callUpdated.status }),
      error: (error) => outcomes.push({ error: error.message }),
      complete: () => outcomes.push({ isComplete: true }),
    });
  return { outcomes, unsubscribe: () => subscription.unsubscribe() };
}

function subscribeRelay(query = TEXT): Subscription {
  const subscribe = createFetchMultipartSubscription(gateway.url);
  const environment = new Environment({
    network: Network.create(
      () => ({ data: {} }),
      (operation: RequestParameters, variables) => subscribe(operation, variables) as never,
    ),
    store: new Store(new RecordSource()),
  });
  const outcomes: Outcome[] = [];
  const operation = { name: 'Watch', text: query, operationKind: 'subscription', metadata: {} };
  const subscription = environment
    .getNetwork()
    .execute(operation as RequestParameters, VARIABLES, {})
    .subscribe({
      next: (response: GraphQLResponse) => {
        const { data } = response as { data?: { callUpdated: { status: string } } };
        outcomes.push(
          data ? { status: data.callUpdated.status } : { error: 'an event without data' },
        );
      },
      error: (error: Error) => outcomes.push({ error: error.message }),
      complete: () => outcomes.push({ isComplete: true }),
    });
  return { outcomes, unsubscribe: () => subscription.unsubscribe() };
}

function subscribeUrql(query = TEXT): Subscription {
  const client = new Client({
    url: gateway.url,
    preferGetMethod: false,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
  });
  const outcomes: Outcome[] = [];
  const { unsubscribe } = client
    .subscription<{ callUpdated: { status: string } }>(urqlGql(query), VARIABLES)
    .subscribe(({ data, error, hasNext }) => {
      if (error) outcomes.push({ error: error.message });
      else if (hasNext) outcomes.push({ status: data?.callUpdated.status });
      else outcomes.push({ isComplete: true });
    });
  return { outcomes, unsubscribe };
}

const CLIENTS = [
  ['Apollo Client', subscribeApollo, 'multipart'],
  ['Relay with createFetchMultipartSubscription', subscribeRelay, 'multipart'],
  ['urql', subscribeUrql, 'sse'],
] as const;

describe.each(CLIENTS)('%s', (_, subscribe, transport) => {
  test('receives the present state, each change and the completion', async () => {
    await serve();
    const { outcomes } = subscribe();
    await until(() => outcomes.length === 1);
    expect(await openStreams()).toEqual({ [transport]: 1 });
    putCall('completed');
    await until(() => outcomes.length === 3);
    expect(outcomes).toEqual([{ status: 'CALLING' }, { status: 'COMPLETED' }, COMPLETE]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('ignores heartbeats, and ends the stream when it unsubscribes', async () => {
    await serve({ LIVE_KEEPALIVE_MS: '1000' });
    const { outcomes, unsubscribe } = subscribe();
    await until(() => gateway.traffic().length > 0 && outcomes.length === 1);
    let polls = 0;
    await until(() => {
      polls += gateway.traffic().length;
      return polls >= 3;
    });
    expect(outcomes).toEqual([{ status: 'CALLING' }]);
    unsubscribe();
    await until(async () => Object.keys(await openStreams()).length === 0);
  });
});

describe('Interruption by LIVE_LIFETIME_MS', () => {
  beforeEach(() => serve({ LIVE_LIFETIME_MS: '1000' }));

  test('Apollo Client reports an error that says to subscribe again', async () => {
    const { outcomes } = subscribeApollo();
    await until(() => outcomes.length === 3);
    expect(outcomes).toEqual([
      { status: 'CALLING' },
      { error: 'The subscription was interrupted: subscribe again.' },
      COMPLETE,
    ]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
  });

  test('Relay gets an event without data, which it reports as an error', async () => {
    const { outcomes } = subscribeRelay();
    await until(() => outcomes.length >= 2);
    expect(outcomes[0]).toEqual({ status: 'CALLING' });
    expect(outcomes[1]).toHaveProperty('error');
  });
});

describe('Invalid subscription', () => {
  const INVALID = 'subscription Watch { callUpdated(id: "") { id status } }';
  beforeEach(() => serve());

  test('Apollo Client shows the message of the gateway', async () => {
    const { outcomes } = subscribeApollo(INVALID);
    await until(() => outcomes.length >= 1);
    expect(outcomes[0]).toEqual({ error: expect.stringContaining('cannot be an id') });
    expect(gateway.traffic()).toEqual([]);
  });

  test('the adapter for Relay reports an error, and does not complete in silence', async () => {
    const { outcomes } = subscribeRelay(INVALID);
    await until(() => outcomes.length >= 1);
    expect(outcomes[0]).toHaveProperty('error');
    expect(gateway.traffic()).toEqual([]);
  });
});
