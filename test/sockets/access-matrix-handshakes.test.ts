import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ServedLiveGateway, serveLiveGateway } from '../clients/served-live-gateway.ts';
import { readAccessMatrix, toMeanings } from '../integration/access-matrix.ts';
import { ORIGINS, OWN, SECRET, toSettings } from '../integration/access-matrix-origins.ts';
import { type CallbackRouter, startCallbackRouter } from '../support/callback-router.ts';
import { putCallState } from '../support/live-gateway.ts';
import { openSocket, refusedUpgrade, type SocketClientOptions } from '../support/socket-client.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const ID = 'c1';
const QUERY = `subscription { callUpdated(id: "${ID}") { id } }`;
const POLL = `GET /call/${ID}`;

let gateway: ServedLiveGateway;
let sentAuthorizations: Set<string | null>;
let close = async () => {};
afterEach(async () => {
  await close();
  close = async () => {};
});

/** Starts a gateway in service mode, if the settings do not say otherwise. */
async function start(settings: Record<string, string> = {}): Promise<void> {
  sentAuthorizations = new Set();
  gateway = await serveLiveGateway({
    settings: { REVOX_API_KEY: KEY_A, ...settings },
    gateway: {
      fetch: (request) => {
        sentAuthorizations.add(request.headers.get('authorization'));
        return gateway.sandbox.fetch(request);
      },
    },
  });
  close = gateway.close;
  for (const apiKey of [KEY_A, KEY_B])
    putCallState(gateway.sandbox, { id: ID, status: 'scheduled', scheduled_at: null }, apiKey);
}

/** A status and the code of an error. */
function toCell(status: number, body: string): string {
  return [status, /"code":"(\w+)"/.exec(body)?.[1]].filter(Boolean).join(' ');
}

function titled(heading: string, columns: readonly string[]) {
  return readAccessMatrix(heading).map(
    (row) => [columns.map((name) => row[name]).join(' · '), row] as const,
  );
}

/** Every word of this test must occur in the column. */
function expectAllUsed(
  rows: readonly (readonly [title: string, row: Record<string, string>])[],
  column: string,
  words: object,
): void {
  const used = new Set(rows.map(([, row]) => row[column]));
  expect(Object.keys(words).filter((word) => !used.has(word))).toEqual([]);
}

interface Handshake {
  readonly method?: string;
  readonly path?: string;
  /** Over those of a handshake that succeeds. Undefined: the header is absent. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly settings?: Record<string, string>;
}

const PROTOCOL = 'sec-websocket-protocol';

const HANDSHAKES: { readonly [word: string]: Handshake } = {
  'the protocol graphql-transport-ws': {},
  'two protocols, one of them graphql-transport-ws': {
    headers: { [PROTOCOL]: 'graphql-ws, graphql-transport-ws' },
  },
  'an offer of compression': {
    headers: { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' },
  },
  'no protocol': { headers: { [PROTOCOL]: undefined } },
  'the protocol graphql-ws': { headers: { [PROTOCOL]: 'graphql-ws' } },
  'the protocol in capitals': { headers: { [PROTOCOL]: 'GRAPHQL-TRANSPORT-WS' } },
  'the protocol twice': { headers: { [PROTOCOL]: 'graphql-transport-ws, graphql-transport-ws' } },
  'version 8': { headers: { 'sec-websocket-version': '8' } },
  'no version': { headers: { 'sec-websocket-version': undefined } },
  'a key of 3 bytes': { headers: { 'sec-websocket-key': 'AAAA' } },
  'no key': { headers: { 'sec-websocket-key': undefined } },
  POST: { method: 'POST' },
  'the path /ready': { path: '/ready' },
  'an unknown path': { path: '/x' },
  'the Host of another site': { headers: { host: 'evil.test' } },
  'SUBSCRIPTIONS=off': { settings: { SUBSCRIPTIONS: 'off' } },
};

/** Sends a handshake, and returns the response in the words of the table. */
async function shakeHands({ method, path = '/graphql', headers }: Handshake): Promise<string> {
  const all = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    [PROTOCOL]: 'graphql-transport-ws',
    ...headers,
  };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sending = httpRequest(new URL(path, gateway.url), {
    method,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  });
  sending.on('error', reject);
  sending.on('upgrade', ({ headers: sent }, socket) => {
    socket.destroy();
    expect(sent[PROTOCOL]).toBe('graphql-transport-ws');
    const isCompressed = sent['sec-websocket-extensions'] !== undefined;
    const offered = all['sec-websocket-extensions' as keyof typeof all] !== undefined;
    resolve(offered ? `101, ${isCompressed ? 'with' : 'without'} compression` : '101');
  });
  sending.on('response', async (response) => {
    let body = '';
    for await (const part of response) body += part;
    expect(response.headers.connection).toBe('close');
    resolve(toCell(response.statusCode ?? 0, body));
  });
  sending.end();
  return promise;
}

describe('Handshakes of docs/reference/access-matrix.md', () => {
  const rows = titled('Handshake of a WebSocket', ['request']);
  test.each(rows)('%s', async (_title, row) => {
    const handshake = toMeanings(HANDSHAKES, row.request);
    await start(handshake.settings);
    expect(await shakeHands(handshake)).toBe(row.response);
    expect(gateway.traffic()).toEqual([]);
  });

  test('each handshake of this test is in the table', () => {
    expectAllUsed(rows, 'request', HANDSHAKES);
  });
});

describe('Pages that open a WebSocket, of docs/reference/access-matrix.md', () => {
  const rows = titled('Pages that open a WebSocket', ['settings', 'Origin']);
  test.each(rows)('%s', async (_title, row) => {
    await start(toSettings(row));
    const origin = toMeanings(ORIGINS, row.Origin);
    const credential: Record<string, string> = row.settings!.includes('pass-through')
      ? { authorization: `Bearer ${KEY_A}` }
      : { 'router-authorization': SECRET };
    const headers = {
      host: new URL(OWN).host,
      ...(origin === undefined ? {} : { origin }),
      ...credential,
    };
    if (row.response === '101') {
      const client = await openSocket(gateway.url, { headers });
      client.subscribe('1', QUERY);
      await gateway.until(() => client.ofType('next').length > 0);
      expect(gateway.traffic()).toEqual([POLL]);
      client.socket.terminate();
      return;
    }
    const refusal = await refusedUpgrade(gateway.url, { headers });
    expect(toCell(refusal.status, refusal.body)).toBe(row.response);
    expect(refusal.headers['access-control-allow-origin']).toBeUndefined();
    expect(gateway.traffic()).toEqual([]);
  });
});

/** The upgrade that each word stands for. */
const UPGRADES: { readonly [word: string]: SocketClientOptions & { readonly search?: string } } = {
  none: {},
  'a key': { headers: { authorization: `Bearer ${KEY_A}` } },
  'a secret': { headers: { 'router-authorization': SECRET } },
  'a wrong secret': { headers: { 'router-authorization': `${SECRET}x` } },
  'a cookie': { headers: { cookie: `authorization=Bearer ${KEY_A}` } },
  'a key in the URL': { search: `?authorization=${encodeURIComponent(`Bearer ${KEY_A}`)}` },
};

const INIT = 'connection_init';

/** The messages that each word stands for. Every other word is the payload of `connection_init`. */
const MESSAGES: { readonly [word: string]: readonly object[] } = {
  'no payload': [{ type: INIT }],
  'no connection_init for 3 s': [],
  'no connection_init before a subscription': [
    { type: 'subscribe', id: '0', payload: { query: QUERY } },
  ],
  'a second connection_init with another key': [
    { type: INIT, payload: { authorization: `Bearer ${KEY_A}` } },
  ],
};

const CREDENTIALS: { readonly [word: string]: string | undefined } = {
  none: undefined,
  A: `Bearer ${KEY_A}`,
  B: `Bearer ${KEY_B}`,
  "the gateway's": `Bearer ${KEY_A}`,
};

/** The messages of a row, as text: an object cannot have every property that JSON can. */
function toTexts(word: string): readonly string[] {
  const known = MESSAGES[word];
  if (known) return known.map((message) => JSON.stringify(message));
  const payload = word
    .replaceAll('Bearer A', `Bearer ${KEY_A}`)
    .replaceAll('Bearer B', `Bearer ${KEY_B}`)
    .replaceAll('SECRET', SECRET);
  return [`{"type":"${INIT}","payload":${payload}}`];
}

describe('Credentials of a WebSocket, of docs/reference/access-matrix.md', () => {
  const payload = `payload of ${INIT}`;
  const rows = titled('Credential of a WebSocket', ['settings', 'upgrade', payload]);
  test.each(rows)('%s', async (_title, row) => {
    await start(toSettings(row));
    const sent = toMeanings(CREDENTIALS, row['credential sent to Revox']);
    const { search = '', headers = {} } = toMeanings(UPGRADES, row.upgrade);
    const url = gateway.url + search;
    if (/^4/.test(row.result!)) {
      const { status, body } = await refusedUpgrade(url, { headers });
      expect(toCell(status, body)).toBe(row.result);
      expect(gateway.traffic()).toEqual([]);
      return;
    }
    const client = await openSocket(url, { headers, init: false });
    const received: string[] = [];
    for (const text of toTexts(row[payload]!)) client.send(text);
    // The time limit of `connection_init` is one of the real clock.
    await gateway.until(() => client.isClosed() || client.ofType('connection_ack').length > 0);
    if (!client.isClosed()) {
      client.subscribe('1', QUERY);
      await gateway.until(() => client.ofType('next').length > 0);
      expect(client.ofType('next').map(({ payload: { data } }) => data)).toEqual([
        { callUpdated: { id: ID } },
      ]);
      received.push('events');
    }
    if (row[payload]!.startsWith('a second')) {
      client.send({ type: INIT, payload: { authorization: `Bearer ${KEY_B}` } });
      await client.closed;
    }
    if (client.isClosed()) received.push(`close ${(await client.closed)[0]}`);
    expect(received.join(', then ')).toBe(row.result);
    expect(gateway.traffic()).toEqual(sent === undefined ? [] : [POLL]);
    expect([...sentAuthorizations]).toEqual(sent === undefined ? [] : [sent]);
    client.socket.terminate();
  });

  test('each word of this test is in the table', () => {
    expectAllUsed(rows, 'upgrade', UPGRADES);
    expectAllUsed(rows, payload, MESSAGES);
  });
});

describe('HTTP callbacks of docs/reference/access-matrix.md', () => {
  let router: CallbackRouter;
  beforeAll(async () => {
    router = await startCallbackRouter();
    // Some of the URLs in the table are not those of one subscription.
    router.override = ({ action }, response) => {
      response.writeHead(action === 'check' ? 204 : 200).end();
      return true;
    };
  });
  afterAll(() => router.close());

  interface CallbackRequest {
    /** Over those of a valid subscription. Undefined: the property is absent. */
    readonly extension?: Readonly<Record<string, unknown>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: string;
    readonly settings?: Record<string, string>;
  }

  const secret = { 'router-authorization': SECRET };

  const URLS: { readonly [word: string]: (url: string) => unknown } = {
    'one that ends with a line break': (url) => `${url}\n`,
    'one with a tab in the host': (url) => url.replace('127', '1\t27'),
    none: () => null,
    'a list': (url) => [url],
  };

  const REQUESTS: { readonly [word: string]: CallbackRequest } = {
    'without a verifier': { extension: { verifier: undefined } },
    'with an empty verifier': { extension: { verifier: '' } },
    'without an id': { extension: { subscriptionId: undefined } },
    'with a number as id': { extension: { subscriptionId: 1 } },
    'without an interval': { extension: { heartbeatIntervalMs: undefined } },
    'with an interval of 10 ms': { extension: { heartbeatIntervalMs: 10 } },
    'without a secret': { headers: {} },
    'with a wrong secret': { headers: { 'router-authorization': SECRET.toUpperCase() } },
    'with a query': { query: '{ __typename }' },
    'without a permitted URL in the settings': { settings: { SUBSCRIPTION_CALLBACK_URLS: '' } },
  };

  /** Sends a subscription. Returns its response in the words of the tables. */
  async function subscribe({
    extension,
    headers = secret,
    query = QUERY,
    settings,
  }: CallbackRequest): Promise<string> {
    const permitted = `${router.url},https://router.test/a/`;
    await start({ ROUTER_SECRETS: SECRET, SUBSCRIPTION_CALLBACK_URLS: permitted, ...settings });
    const first = router.messages.length;
    const actions = () => router.messages.slice(first).map(({ action }) => action);
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json;callbackSpec=1.0, application/json',
        ...headers,
      },
      body: JSON.stringify({
        query,
        extensions: { subscription: { ...router.register('s1'), ...extension } },
      }),
    });
    const cell = toCell(response.status, await response.text());
    const isOpen = response.headers.has('subscription-protocol');
    if (isOpen) await gateway.passUntil(() => actions().length === 2);
    expect(actions()).toEqual(isOpen ? ['check', 'next'] : []);
    expect(gateway.traffic()).toEqual(isOpen ? [POLL] : []);
    return isOpen ? 'events' : cell;
  }

  const urlRows = titled('HTTP callback', ['callbackUrl']);
  test.each(urlRows)('%s', async (_title, row) => {
    const { port } = new URL(router.url);
    const word = row.callbackUrl!.replace(', the same address', '').replaceAll('PORT', port);
    const callbackUrl = URLS[word] ? URLS[word](`${router.url}/s1`) : word;
    expect(await subscribe({ extension: { callbackUrl } })).toBe(row.response);
  });

  const requestRows = titled('Other parts of the request', ['request']);
  test.each(requestRows)('%s', async (_title, row) => {
    expect(await subscribe(toMeanings(REQUESTS, row.request))).toBe(row.response);
  });

  test('each word of this test is in the tables', () => {
    expectAllUsed(urlRows, 'callbackUrl', URLS);
    expectAllUsed(requestRows, 'request', REQUESTS);
  });
});
