import { gql } from '@apollo/client';
import {
  ConnectionHandler,
  Environment,
  type FetchFunction,
  fetchQuery,
  type GraphQLResponse,
  RecordSource,
  requestSubscription,
  Store,
} from 'relay-runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KEY_A } from '../support/test-gateway.ts';
import { compileRelayApp } from './compile-relay.ts';
import { startForwarder } from './forwarder.ts';
import { createSseClientWithToken, createUrqlClient, WATCH } from './live-clients.ts';
import { type ServedLiveGateway, serveLiveGateway } from './served-live-gateway.ts';
import { createApolloClient } from './snippets/apollo.ts';
import { createApolloWsClient } from './snippets/apollo-ws.ts';
import { watchWithEventSource } from './snippets/event-source.ts';
import { createWsClient } from './snippets/graphql-ws.ts';
import { createNetwork } from './snippets/relay.ts';

const ID = 'c1';
const readToken = () => KEY_A;

let gateway: ServedLiveGateway;
beforeEach(async () => {
  gateway = await serveLiveGateway();
  gateway.putCall({ id: ID, status: 'calling', campaign: null });
});
afterEach(() => gateway.close());

const TRANSPORTS = [
  { transport: 'SSE', createClient: createSseClientWithToken },
  { transport: 'WebSocket', createClient: createWsClient },
];

test.each(TRANSPORTS)(
  'urql, which merges the extensions of events, shows over $transport that an outage is over',
  async ({ createClient }) => {
    const stale: unknown[] = [];
    const { unsubscribe } = createUrqlClient(gateway.url, createClient(gateway.url, readToken))
      .subscription(WATCH, { id: ID })
      .subscribe(({ extensions }) => stale.push(extensions?.live?.stale));
    await gateway.until(() => stale.length > 0);
    gateway.sandbox.control.reset(`/call/${ID}`);
    await gateway.passUntil(() => stale.includes(true));
    gateway.sandbox.control.heal();
    await gateway.passUntil(() => stale.at(-1) !== true);
    gateway.putCall({ id: ID, status: 'completed' });
    await gateway.passUntil(() => stale.length > 3);
    unsubscribe();
    expect(stale.slice(0, 4)).toEqual([undefined, true, false, false]);
    expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${ID}`]));
  },
);

test.each([
  ['multipart', createApolloClient],
  ['WebSocket', createApolloWsClient],
])(
  'Apollo Client stores the call of an event over %s, so that a query of the call renders it',
  async (_, createClient) => {
    const client = createClient(gateway.url, readToken);
    const query = gql('query Read($id: ID!) { call(id: $id) { id status } }');
    const variables = { id: ID };
    const seen: unknown[] = [];
    const rendered = client
      .watchQuery<{ call: { status: string } }>({ query, variables })
      .subscribe(({ data }) => seen.push((data as { call?: { status: string } })?.call?.status));
    await gateway.until(() => seen.includes('CALLING'));
    const ends: string[] = [];
    const subscription = client
      .subscribe({ query: gql(WATCH), variables })
      .subscribe({ complete: () => ends.push('complete') });
    await gateway.passUntil(() => gateway.traffic().length > 0);
    gateway.putCall({ id: ID, status: 'completed' });
    await gateway.passUntil(() => ends.length > 0 && seen.includes('COMPLETED'));
    expect(seen.at(-1)).toBe('COMPLETED');
    rendered.unsubscribe();
    subscription.unsubscribe();
    client.stop();
    expect(gateway.ends.at(-1)).toBe('over');
  },
);

test.each(TRANSPORTS)(
  'Relay adds a new attempt over $transport to the top of a connection with @prependEdge',
  async ({ createClient }) => {
    await using app = await compileRelayApp();
    let newest = '';
    const fetchOperation: FetchFunction = async ({ text }, variables) => {
      const response = await fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY_A}` },
        body: JSON.stringify({ query: text, variables }),
      });
      const result = (await response.json()) as {
        data: { callAttempts: { edges: { cursor: string }[] } };
      };
      newest = result.data.callAttempts.edges[0]!.cursor;
      return result as GraphQLResponse;
    };
    const environment = new Environment({
      network: createNetwork(createClient(gateway.url, readToken), fetchOperation),
      store: new Store(new RecordSource()),
    });
    await fetchQuery(environment, app.query('attemptsListQuery'), { first: 3 }).toPromise();
    const id = ConnectionHandler.getConnectionID('client:root', 'attemptsList_callAttempts', {});
    const shown = () => {
      const { [id]: connection, ...records } = environment.getStore().getSource().toJSON();
      const edges = (connection!.edges as { __refs: string[] }).__refs;
      return edges.map((edge) => (records[edge]!.node as { __ref: string }).__ref);
    };
    const before = shown();
    expect(before).toHaveLength(3);

    const { dispose } = requestSubscription(environment, {
      subscription: app.query('newAttemptsSubscription'),
      variables: { connections: [id], after: newest },
    });
    const [added] = gateway.sandbox.control.insertAttempts(KEY_A, { at: 0 });
    await gateway.passUntil(() => shown().length > before.length);
    dispose();
    expect(shown()).toEqual([added!.id, ...before]);
    for (const request of gateway.traffic()) expect(request).toMatch(/^GET \/call\?page=/);
  },
);

test('EventSource goes on after its last attempt when it connects again', async () => {
  await gateway.close();
  gateway = await serveLiveGateway({ settings: { REVOX_API_KEY: KEY_A } });
  await using forwarder = await startForwarder(gateway.url);
  const { control } = gateway.sandbox;
  const received: string[] = [];
  const query = 'subscription { callAttemptAdded { node { id } } }';
  const close = watchWithEventSource(
    forwarder.url,
    { query, variables: {} },
    {
      next: (result) =>
        received.push(
          (result as { data: { callAttemptAdded: { node: { id: string } } } }).data.callAttemptAdded
            .node.id,
        ),
      error() {},
      complete() {},
    },
  );
  await gateway.until(() => gateway.traffic().length > 0);
  await gateway.passUntil(() => gateway.traffic().length > 0);
  const [first] = control.insertAttempts(KEY_A, { at: 0 });
  await gateway.passUntil(() => received.length > 0);

  forwarder.cut();
  await gateway.until(() => gateway.ends.includes('client'));
  const [missed] = control.insertAttempts(KEY_A, { at: 0 });
  await gateway.passUntil(() => received.length > 1);
  const [last] = control.insertAttempts(KEY_A, { at: 0 });
  await gateway.passUntil(() => received.length > 2);
  close();
  expect(received).toEqual([first!.id, missed!.id, last!.id]);
});
