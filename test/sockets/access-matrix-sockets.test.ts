import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ServedLiveGateway, serveLiveGateway } from '../clients/served-live-gateway.ts';
import { readAccessMatrix } from '../integration/access-matrix.ts';
import {
  type AccessRow,
  TOKEN_LIFETIME_S,
  toAccessRow,
} from '../integration/access-matrix-words.ts';
import { type CallbackRouter, startCallbackRouter } from '../support/callback-router.ts';
import { putCallState } from '../support/live-gateway.ts';
import {
  openSocket,
  refusedUpgrade,
  type SocketClient,
  type SocketClientOptions,
} from '../support/socket-client.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const ID = 'c1';
const QUERY = `subscription { callUpdated(id: "${ID}") { id } }`;
const SECOND = 1_000;
/** After the code of the error that ends a callback subscription. */
const END = ', then the end';
/** The status of a response that rejects the credential. */
const REJECTION = /^[45]\d\d /;

let router: CallbackRouter;
let gateway: ServedLiveGateway;
let sentAuthorizations: Set<string | null>;
beforeAll(async () => {
  router = await startCallbackRouter();
});
afterEach(() => gateway.close());
afterAll(() => router.close());

async function start(access: AccessRow): Promise<void> {
  sentAuthorizations = new Set();
  const { settings } = access;
  gateway = await serveLiveGateway({
    settings: {
      ...settings,
      // Callbacks require router secrets.
      ...(settings.ROUTER_SECRETS ? { SUBSCRIPTION_CALLBACK_URLS: router.url } : {}),
      // Routers get the state again after this time.
      LIVE_REPEAT_MS: String(1_000 * SECOND),
    },
    gateway: {
      // Tokens expire by the real clock, and sockets close by the clock of the test.
      now: Date.now,
      fetchKeys: access.fetchKeys,
      fetch: (request) => {
        sentAuthorizations.add(request.headers.get('authorization'));
        return gateway.sandbox.fetch(request);
      },
    },
  });
  for (const apiKey of [KEY_A, KEY_B]) {
    const call = { id: ID, status: 'scheduled', scheduled_at: null } as const;
    putCallState(gateway.sandbox, call, apiKey);
  }
  const { upstreamStatus: status } = access;
  if (status !== undefined) gateway.sandbox.control.fail(() => true, { status });
}

/** A subscription causes one upstream request with its credential, and a rejected one causes none. */
function expectUpstream({ sentAuthorization }: AccessRow): void {
  const isRejected = sentAuthorization === undefined;
  expect(gateway.traffic()).toEqual(isRejected ? [] : [`GET /call/${ID}`]);
  expect([...sentAuthorizations]).toEqual(isRejected ? [] : [sentAuthorization]);
}

/** A response that rejects a request, in the words of the table. */
function toRejectionCell(status: number, challenge: string | null, body: string): string {
  const reason = /error="(\w+)"/.exec(challenge ?? '')?.[1];
  expect(challenge !== null).toBe(status === 401 || reason !== undefined);
  return [status, /"code":"(\w+)"/.exec(body)?.[1], reason].filter(Boolean).join(' ');
}

/** What a socket has sent, in the words of the table. */
async function toSocketCell(client: SocketClient): Promise<string> {
  const codes = client
    .ofType('error')
    .flatMap(({ payload }) => payload.map(({ extensions }: ErrorInResult) => extensions.code));
  const events = client.ofType('next').map(({ payload }) => payload.data);
  expect(events).toEqual(events.length === 0 ? [] : [{ callUpdated: { id: ID } }]);
  expect(client.ofType('complete')).toEqual([]);
  const received = [...events.map(() => 'events'), ...codes];
  if (client.isClosed()) received.push(`close ${(await client.closed)[0]}`);
  return received.join(', then ');
}

/**
 * Subscribes on a socket, and waits until its token has expired, if it has one.
 * @param expected the cell of the table
 */
async function watchSocket(
  access: AccessRow,
  options: SocketClientOptions,
  expected = '',
): Promise<string> {
  const client = await openSocket(gateway.url, options);
  if (!client.isClosed()) {
    client.subscribe('1', QUERY);
    await gateway.until(() => client.isClosed() || client.ofType('next').length > 0);
  }
  expectUpstream(access);
  if (!client.isClosed() && access.settings.JWT_JWKS_URL !== undefined) {
    const end = gateway.now() + (TOKEN_LIFETIME_S + 10) * SECOND;
    await gateway.passUntil(() => gateway.now() >= end);
    // The gateway has closed the socket by then, and the client gets to know it later.
    await gateway.until(() => client.isClosed() || !expected.includes('close'));
  }
  const cell = await toSocketCell(client);
  client.socket.terminate();
  return cell;
}

const rows = readAccessMatrix('Mode × credential × secret').map((row) => {
  const request = [row.settings, row.Authorization, row['Router-Authorization']].join(' · ');
  return [request, row] as const;
});

/** Whether an upgrade has the secret of a router, and lacks the API key of its client. */
function mayBeCompleted(row: Readonly<Record<string, string>>): boolean {
  return (
    row.settings === 'pass-through, secrets' &&
    row.Authorization === 'none' &&
    row['Router-Authorization'] === 'a secret'
  );
}

describe('WebSockets in the access matrix of docs/reference/access-matrix.md', () => {
  test.each(rows)('%s in connection_init', async (_title, row) => {
    const access = await toAccessRow(row);
    await start(access);
    expect(await watchSocket(access, { init: access.headers }, row.WebSocket)).toBe(row.WebSocket);
  });

  test.each(rows)('%s in the headers of the upgrade', async (_title, row) => {
    const access = await toAccessRow(row);
    await start(access);
    const { headers } = access;
    const hasCredential = Object.keys(headers).length > 0;
    if (hasCredential && !mayBeCompleted(row) && REJECTION.test(row.stream!)) {
      const refusal = await refusedUpgrade(gateway.url, { headers });
      const challenge = refusal.headers['www-authenticate'] ?? null;
      expect(toRejectionCell(refusal.status, challenge, refusal.body)).toBe(row.stream);
      expectUpstream(access);
    } else expect(await watchSocket(access, { headers }, row.WebSocket)).toBe(row.WebSocket);
  });
});

describe('HTTP callbacks in the access matrix of docs/reference/access-matrix.md', () => {
  test.each(rows)('%s', async (_title, row) => {
    const access = await toAccessRow(row);
    await start(access);
    const first = router.messages.length;
    const messages = () => router.messages.slice(first);
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json;callbackSpec=1.0',
        ...access.headers,
      },
      body: JSON.stringify({ query: QUERY, extensions: { subscription: router.register('s1') } }),
    });
    const body = await response.text();
    if (response.status !== 200) {
      const challenge = response.headers.get('www-authenticate');
      expect(toRejectionCell(response.status, challenge, body)).toBe(row.callback);
      expect([messages(), gateway.traffic()]).toEqual([[], []]);
      return;
    }
    await gateway.passUntil(() => messages().length > 1);
    const [check, last] = messages();
    expect(check?.action).toBe('check');
    const code = last?.errors?.[0].extensions.code;
    expect(code === undefined ? 'events' : `${code}${END}`).toBe(row.callback);
    expect(last?.action).toBe(code === undefined ? 'next' : 'complete');
    expectUpstream(access);
    // The router gets its own verifier, and no credential.
    for (const { headers, text } of messages()) {
      expect([headers.authorization, headers['router-authorization']]).toEqual(Array(2));
      for (const value of Object.values(access.headers)) expect(text).not.toContain(value);
    }
  });
});

interface ErrorInResult {
  readonly extensions: { readonly code: string };
}
