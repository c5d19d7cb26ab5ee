import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CallbackRouter, startCallbackRouter } from '../support/callback-router.ts';
import type { SocketClient } from '../support/socket-client.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { SECOND, statuses, useWebSocketGateway } from '../support/web-socket-gateway.ts';

// Routers that the npm registry does not have. Each test sends what a router sends by its source.

const SECRET = 'a-router-secret-of-32-characters';
const BEARER = `Bearer ${KEY_A}`;
const SERVICE = { ROUTER_SECRETS: SECRET };
const PASS_THROUGH = { ROUTER_SECRETS: SECRET, REVOX_API_KEY: '' };

const gateway = useWebSocketGateway();

interface RecordedRouter {
  readonly name: string;
  readonly settings: Record<string, string>;
  readonly protocols: readonly string[];
  readonly headers: Record<string, string>;
  /** The messages as they are sent, the end of line included. */
  readonly init: string;
  readonly subscribe: string;
  readonly ping?: string;
  readonly complete: string;
}

/**
 * https://github.com/apollographql/router/tree/27d8f600c5f2bead656b5ee81adc422b7b15922b (2.13.1),
 * apollo-router/src/protocols/websocket.rs and apollo-router/src/plugins/subscription/subgraph.rs:
 * the upgrade has the headers of a subgraph request, and `connection_init` repeats `Authorization`.
 */
const APOLLO = {
  protocols: ['graphql-transport-ws'],
  subscribe:
    '{"type":"subscribe","id":"4c1f0e0a-6a0c-4c2e-b1b9-0f6f2c0f7a11","payload":{"query":"subscription Watch__revox__0($id:ID!){callUpdated(id:$id){__typename status id}}","operationName":"Watch__revox__0","variables":{"id":"c1"}}}',
  ping: '{"type":"ping"}',
  complete: '{"type":"complete","id":"4c1f0e0a-6a0c-4c2e-b1b9-0f6f2c0f7a11"}',
};
const APOLLO_HEADERS = { 'content-type': 'application/json', 'router-authorization': SECRET };

/**
 * https://github.com/graphql-hive/router/tree/8cfc57d362a7b140318ddb962563438bfb60637c,
 * bin/router/src/executor/executors/graphql_transport_ws.rs and websocket.rs: the upgrade has no
 * header of the router, the propagated ones are in `connection_init`, and absent fields are null.
 */
const HIVE = {
  protocols: ['graphql-transport-ws'],
  headers: {},
  subscribe:
    '{"type":"subscribe","id":"1","payload":{"query":"subscription{callUpdated(id: \\"c1\\"){__typename status id}}","operationName":null,"variables":null,"extensions":null}}',
  complete: '{"type":"complete","id":"1"}',
};

/**
 * https://github.com/wundergraph/graphql-go-tools/tree/dcffd70bbfceca77c355129fe4b98465f2174626,
 * v2/pkg/engine/datasource/graphql_datasource/subscriptionclient: the upgrade has the propagated
 * headers and two subprotocols, `connection_init` is that of the client, and each message ends with
 * a line feed.
 */
const COSMO = {
  protocols: ['graphql-transport-ws', 'graphql-ws'],
  headers: { 'router-authorization': SECRET },
  subscribe:
    '{"id":"d4l2s8lo3k0c73f6v1qg","type":"subscribe","payload":{"query":"subscription($a: ID!){callUpdated(id: $a){status __typename id}}","variables":{"a":"c1"}}}\n',
  ping: '{"type":"ping"}\n',
  complete: '{"id":"d4l2s8lo3k0c73f6v1qg","type":"complete"}\n',
};

const ROUTERS: readonly RecordedRouter[] = [
  {
    ...APOLLO,
    name: 'Apollo Router in service mode',
    settings: SERVICE,
    headers: APOLLO_HEADERS,
    init: '{"type":"connection_init","payload":null}',
  },
  {
    ...APOLLO,
    name: 'Apollo Router in pass-through mode',
    settings: PASS_THROUGH,
    headers: { ...APOLLO_HEADERS, authorization: BEARER },
    init: `{"type":"connection_init","payload":{"connectionParams":{"token":"${BEARER}"}}}`,
  },
  {
    ...HIVE,
    name: 'Hive Router in service mode',
    settings: SERVICE,
    init: `{"type":"connection_init","payload":{"router-authorization":"${SECRET}"}}`,
  },
  {
    ...HIVE,
    name: 'Hive Router in pass-through mode',
    settings: PASS_THROUGH,
    init: `{"type":"connection_init","payload":{"authorization":"${BEARER}","router-authorization":"${SECRET}"}}`,
  },
  {
    ...COSMO,
    name: 'Cosmo Router in service mode',
    settings: SERVICE,
    init: '{"type":"connection_init"}\n',
  },
  {
    ...COSMO,
    name: 'Cosmo Router in pass-through mode, with a client that sends a header',
    settings: PASS_THROUGH,
    headers: { ...COSMO.headers, authorization: BEARER },
    init: '{"type":"connection_init","payload":{}}\n',
  },
  {
    ...COSMO,
    name: 'Cosmo Router in pass-through mode, with a client that sends connection_init',
    settings: PASS_THROUGH,
    init: `{"type":"connection_init","payload":{"Authorization":"${BEARER}"}}\n`,
  },
];

/** Opens the WebSocket of a router, up to `connection_ack`. */
async function connect({ protocols, headers, init }: RecordedRouter): Promise<SocketClient> {
  const client = await gateway.open({ protocols: [...protocols], headers, init: false });
  client.send(init);
  await gateway.current.until(() => client.isClosed() || client.messages.length > 0);
  return client;
}

describe.each(ROUTERS)('$name over WebSocket', (router) => {
  test('gets the present state, each change and complete', async () => {
    await gateway.restart(router.settings);
    const client = await connect(router);
    expect(client.socket.protocol).toBe('graphql-transport-ws');
    client.send(router.subscribe);
    await gateway.current.until(() => client.ofType('next').length === 1);
    if (router.ping) {
      client.send(router.ping);
      await gateway.current.until(() => client.ofType('pong').length === 1);
    }
    gateway.current.putCall({ id: 'c1', status: 'completed' });
    await gateway.current.passUntil(() => client.ofType('complete').length === 1);
    expect(statuses(client)).toEqual(['CALLING', 'COMPLETED']);
    const { id } = JSON.parse(router.subscribe);
    const types = client.messages.filter(({ type }) => type !== 'pong');
    expect(types.map((message) => [message.type, message.id])).toEqual([
      ['connection_ack', undefined],
      ['next', id],
      ['next', id],
      ['complete', id],
    ]);
    expect(new Set(gateway.current.traffic())).toEqual(new Set(['GET /call/c1']));
    client.socket.close(1000);
  });

  test('ends the polls when its client leaves', async () => {
    await gateway.restart(router.settings);
    const client = await connect(router);
    client.send(router.subscribe);
    await gateway.current.until(() => client.ofType('next').length === 1);
    client.send(router.complete);
    client.socket.close(1000);
    expect(await client.closed).toEqual([1000, '']);
    await gateway.current.until(() => gateway.current.ends.includes('client'));
    gateway.current.traffic();
    await gateway.pass(30 * SECOND);
    expect(gateway.current.traffic()).toEqual([]);
  });

  test('is refused with a wrong secret, and nothing is sent to Revox', async () => {
    await gateway.restart({
      ...router.settings,
      ROUTER_SECRETS: 'another-secret-of-32-characters!',
    });
    const refused = await connect(router).then(
      ({ closed }) => closed.then(([code]) => code),
      (error: Error) => error.message,
    );
    // Before the handshake, where the upgrade has the secret.
    const isInUpgrade = 'router-authorization' in router.headers;
    expect(refused).toBe(isInUpgrade ? 'Unexpected server response: 401' : 4401);
    expect(gateway.current.traffic()).toEqual([]);
  });
});

test('a router without the key of its client is refused after connection_init', async () => {
  await gateway.restart(PASS_THROUGH);
  const client = await connect({
    ...COSMO,
    name: 'Cosmo Router',
    settings: PASS_THROUGH,
    init: '{"type":"connection_init"}\n',
  });
  expect(await client.closed).toEqual([4401, expect.stringContaining('has no API key')]);
  expect(gateway.current.traffic()).toEqual([]);
});

test('the connection_init of a client does not replace the secret of its router', async () => {
  await gateway.restart(PASS_THROUGH);
  const client = await connect({
    ...COSMO,
    name: 'Cosmo Router',
    settings: PASS_THROUGH,
    init: `{"type":"connection_init","payload":{"authorization":"${BEARER}","router-authorization":"x"}}\n`,
  });
  await gateway.watch(client);
  expect(statuses(client)).toEqual(['CALLING']);
  expect(gateway.current.traffic()).toEqual(['GET /call/c1']);
});

interface StreamRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string | readonly string[]>;
  readonly query: string;
  readonly extensions?: object;
}

/** Sends a subscription with the header lines of a router. Resolves with the whole response. */
async function sendLines({ method, headers, ...operation }: StreamRequest) {
  const url = new URL(gateway.current.url);
  if (method === 'GET') url.searchParams.set('query', operation.query);
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value]),
  );
  const sent = request(url, { method, headers: ['host', url.host, ...lines] });
  sent.end(method === 'GET' ? undefined : JSON.stringify(operation));
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
  let body: string | undefined;
  void text(response).then((whole) => {
    body = whole;
  });
  await gateway.current.passUntil(() => body !== undefined);
  return { status: response.statusCode, type: response.headers['content-type'], body };
}

const QUERY = 'subscription{callUpdated(id: "c1"){__typename status id}}';
const EVENT = '{"data":{"callUpdated":{"__typename":"Call","status":"COMPLETED","id":"c1"}}}';

describe('Routers over HTTP', () => {
  beforeEach(async () => {
    await gateway.restart(SERVICE);
    gateway.current.putCall({ id: 'c1', status: 'completed' });
  });

  // bin/router/src/executor/executors/http.rs and multipart_subscribe.rs
  test('Hive Router gets multipart, which it prefers to an event stream', async () => {
    const { status, type, body } = await sendLines({
      method: 'POST',
      headers: {
        'router-authorization': SECRET,
        'content-type': 'application/json; charset=utf-8',
        connection: 'keep-alive',
        accept: 'multipart/mixed;subscriptionSpec="1.0", text/event-stream',
      },
      query: QUERY,
    });
    expect([status, type]).toEqual([
      200,
      expect.stringMatching(/^multipart\/mixed;\s*boundary="?graphql"?/),
    ]);
    // It splits the body at each delimiter, and each part at the empty line.
    const parts = body?.split('--graphql').map((part) => part.split('\r\n\r\n')[1]?.trim());
    expect(parts?.filter((part) => part && part !== '{}')).toEqual([`{"payload":${EVENT}}`]);
    expect(body).toMatch(/--graphql--\s*$/);
    expect(gateway.current.traffic()).toEqual(['GET /call/c1']);
  });

  // v2/pkg/engine/datasource/graphql_datasource/subscriptionclient/transport/sse_transport.go
  test.each(['GET', 'POST'] as const)('Cosmo Router gets an event stream by %s', async (method) => {
    const { status, type, body } = await sendLines({
      method,
      headers: {
        'router-authorization': SECRET,
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
      },
      query: QUERY,
    });
    expect([status, type]).toEqual([200, expect.stringMatching(/^text\/event-stream/)]);
    const events = body?.split('\n\n').filter((event) => /^event:/m.test(event));
    expect(events?.map((event) => event.replace(/^id:.*$/m, ''))).toEqual([
      `event: next\ndata: ${EVENT}\n`,
      'event: complete\ndata:\n',
    ]);
    expect(gateway.current.traffic()).toEqual(['GET /call/c1']);
  });
});

const CALLBACKS = [
  {
    // Its headers are two lines: one for the protocol, and one for every request.
    name: 'Apollo Router',
    id: '4c1f0e0a-6a0c-4c2e-b1b9-0f6f2c0f7a11',
    headers: {
      'content-type': 'application/json',
      accept: [
        'application/json;callbackSpec=1.0',
        'application/json, application/graphql-response+json',
      ],
    },
  },
  {
    // bin/router/src/executor/executors/http_callback.rs: ids are ULIDs.
    name: 'Hive Router',
    id: '01KB7Q8Z4M6N2T9R5V3W1X0Y7C',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      connection: 'keep-alive',
      accept: 'application/json;callbackSpec=1.0',
    },
  },
];

describe.each(CALLBACKS)('$name over HTTP callback', ({ id, headers }) => {
  let router: CallbackRouter;
  beforeEach(async () => {
    router = await startCallbackRouter();
  });
  afterEach(() => router.close());

  test('gets a check, the state and complete, each with the fields that it requires', async () => {
    await gateway.restart({ ...SERVICE, SUBSCRIPTION_CALLBACK_URLS: router.url });
    gateway.current.putCall({ id: 'c1', status: 'completed' });
    const subscription = router.register(id, 5_000);
    const { status, body } = await sendLines({
      method: 'POST',
      headers: { 'router-authorization': SECRET, ...headers },
      query: QUERY,
      extensions: { subscription },
    });
    expect([status, JSON.parse(body ?? '')]).toEqual([200, { data: null }]);
    await gateway.current.passUntil(() => router.ofAction('complete').length === 1);
    const base = { kind: 'subscription', id, verifier: subscription.verifier };
    expect(router.messages.map((message) => JSON.parse(message.text))).toEqual([
      { ...base, action: 'check' },
      { ...base, action: 'next', payload: JSON.parse(EVENT) },
      { ...base, action: 'complete' },
    ]);
    for (const message of router.messages)
      expect(message.headers).toMatchObject({
        'content-type': 'application/json',
        'subscription-protocol': 'callback/1.0',
      });
    expect(gateway.current.traffic()).toEqual(['GET /call/c1']);
  });
});
