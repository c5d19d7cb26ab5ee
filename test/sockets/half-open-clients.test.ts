import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ServedLiveGateway, serveLiveGateway } from '../clients/served-live-gateway.ts';
import { type CallbackRouter, startCallbackRouter } from '../support/callback-router.ts';
import { readEventStream } from '../support/event-stream.ts';
import { type FreezingProxy, startFreezingProxy } from '../support/freezing-proxy.ts';
import { parseMetrics, sumSamples } from '../support/metrics.ts';
import { openSocket } from '../support/socket-client.ts';
import { KEY_A } from '../support/test-gateway.ts';

const SECOND = 1_000;
const SECRET = 'a-router-secret-of-32-characters';
const QUERY = 'subscription { callUpdated(id: "c1") { status metadata } }';
const HEADERS = { accept: 'application/json', 'router-authorization': SECRET };
const SETTINGS = {
  REVOX_API_KEY: KEY_A,
  MAX_SUBSCRIPTIONS: '1',
  LIVE_KEEPALIVE_MS: '10000',
  LIVE_LIFETIME_MS: '120000',
};

type Transport = 'sse' | 'multipart' | 'websocket' | 'callback';

let gateway: ServedLiveGateway;
let proxy: FreezingProxy;
let router: CallbackRouter;
/** Ends what the test has opened. */
let leave: (() => void)[];

beforeEach(async () => {
  leave = [];
  router = await startCallbackRouter();
});
afterEach(async () => {
  for (const end of leave) end();
  await proxy[Symbol.asyncDispose]();
  await gateway.close();
  await router.close();
});

async function start(transport: Transport): Promise<void> {
  // The router of a callback is a server: the proxy stands between the gateway and it.
  if (transport === 'callback') proxy = await startFreezingProxy(router.url);
  const callbacks =
    transport === 'callback'
      ? { ROUTER_SECRETS: SECRET, SUBSCRIPTION_CALLBACK_URLS: proxy.toUrl(router.url) }
      : {};
  gateway = await serveLiveGateway({ settings: { ...SETTINGS, ...callbacks } });
  if (transport !== 'callback') proxy = await startFreezingProxy(gateway.url);
  gateway.putCall({ id: 'c1', status: 'calling' });
}

function post(url: string, headers: Record<string, string>, body: object) {
  const abort = new AbortController();
  leave.push(() => abort.abort());
  const response = fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: QUERY, ...body }),
    signal: abort.signal,
  });
  return { response, abort };
}

/** Subscribes by each transport. */
const SUBSCRIBE: {
  readonly [name in Transport]: (url: string) => Promise<{ readonly events: () => number }>;
} = {
  sse: (url) => subscribeByResponse(url, 'text/event-stream'),
  multipart: (url) => subscribeByResponse(url, 'multipart/mixed;subscriptionSpec=1.0'),
  async websocket(url) {
    const client = await openSocket(url);
    leave.push(() => client.socket.terminate());
    client.subscribe('1', QUERY);
    return { events: () => client.ofType('next').length };
  },
  async callback() {
    const extension = router.register('s1', 10_000);
    const { response } = post(
      gateway.url,
      { ...HEADERS, accept: 'application/json;callbackSpec=1.0' },
      {
        extensions: {
          subscription: { ...extension, callbackUrl: proxy.toUrl(extension.callbackUrl) },
        },
      },
    );
    expect((await response).status).toBe(200);
    const known = router.ofAction('next').length;
    return { events: () => router.ofAction('next').length - known };
  },
};

async function subscribeByResponse(url: string, accept: string) {
  const { response, abort } = post(url, { accept }, {});
  const stream = await readEventStream(await response, abort);
  expect(stream.status).toBe(200);
  return { events: () => stream.events.length };
}

async function gauges(): Promise<Record<string, number>> {
  const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
  const samples = parseMetrics(text);
  return Object.fromEntries(
    ['live_subscriptions', 'live_cohorts', 'live_watched'].map((name) => [
      name,
      sumSamples(samples, name, {}),
    ]),
  );
}

/** Subscribes, and freezes the connection. Returns the time, and the timers before. */
async function openAndFreeze(transport: Transport) {
  await start(transport);
  // The cache has a timer while it remembers that a key is accepted.
  await (
    await post(gateway.url, HEADERS, { query: '{ assistants(first: 1) { totalCount } }' }).response
  ).text();
  const timers = gateway.pendingTimers();
  const { events } = await SUBSCRIBE[transport](proxy.toUrl(gateway.url));
  await gateway.passUntil(() => events() === 1);
  expect(await gauges()).toEqual({ live_subscriptions: 1, live_cohorts: 1, live_watched: 1 });
  proxy.freeze();
  return { frozenAt: gateway.now(), timers };
}

/** Nothing of the client is left, and its slot is free. */
async function expectNothingLeft(transport: Transport, timers: number): Promise<void> {
  const end = gateway.now() + 10 * SECOND;
  gateway.traffic();
  await gateway.passUntil(() => gateway.now() >= end);
  expect(gateway.traffic()).toEqual([]);
  expect(await gauges()).toEqual({ live_subscriptions: 0, live_cohorts: 0, live_watched: 0 });
  // A client that is to close its WebSocket has ten seconds of the real clock.
  await gateway.passUntil(() => gateway.pendingTimers() === timers);
  proxy.thaw();
  const { events } = await SUBSCRIBE[transport](proxy.toUrl(gateway.url));
  await gateway.passUntil(() => events() > 0);
  expect(gateway.traffic()).toEqual(['GET /call/c1']);
  expect(gateway.unexpectedErrors).toEqual([]);
}

describe('Client whose packets stop without FIN or RST', () => {
  // As in docs/guides/live-calls.md.
  test.each<[Transport, string, number]>([
    // Two keepalives without a response, and up to one interval before them.
    ['websocket', 'client', 31],
    // A check after 8 s, and three attempts of 5 s with pauses of 1 and 2 s.
    ['callback', 'slow', 27],
    // Nothing responds to an event stream.
    ['sse', 'lifetime', 120],
    ['multipart', 'lifetime', 120],
  ])('%s, quiet: ends as %s within %i s', async (transport, reason, seconds) => {
    const { frozenAt, timers } = await openAndFreeze(transport);
    await gateway.passUntil(() => gateway.ends.includes(reason));
    const elapsed = gateway.now() - frozenAt;
    expect(elapsed).toBeLessThanOrEqual(seconds * SECOND);
    expect(elapsed).toBeGreaterThan(0.5 * seconds * SECOND);
    await expectNothingLeft(transport, timers);
  });

  test.each<Transport>(['websocket', 'sse', 'multipart'])(
    '%s, with events: ends as slow before its lifetime is over',
    async (transport) => {
      const { frozenAt, timers } = await openAndFreeze(transport);
      const text = 'x'.repeat(900_000);
      let number = 0;
      await gateway.passUntil(() => {
        number += 1;
        gateway.putCall({ id: 'c1', status: 'calling', metadata: { text: text + number } });
        return gateway.ends.includes('slow');
      });
      // The buffers of the system take some events; then the client has 30 s to read one.
      expect(gateway.now() - frozenAt).toBeLessThan(120 * SECOND);
      gateway.putCall({ id: 'c1', status: 'calling' });
      await expectNothingLeft(transport, timers);
    },
  );
});
