import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASS_THROUGH } from '../integration/isolation-scenarios.ts';
import type { EventStream } from '../support/event-stream.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { toNotes } from './contacts-subgraph.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { openSubscriptions, putCall, subscribeAt, untilTrue, watchedCalls } from './live-calls.ts';
import { ROUTER_SECRET } from './router-process.ts';
import { type Supergraph, startSupergraph } from './supergraph.ts';
import { TRANSPORT_ROUTERS, type TransportRouter } from './transport-routers.ts';

expectRouters();

const WATCH = 'subscription { callUpdated(id: "c1") { status notes contact { name } } }';
const NUMBER = '+15550100';
const CLIENTS = 20;

const toEvent = (status: string) => ({
  data: { callUpdated: { status, notes: toNotes('c1'), contact: { name: 'Ann' } } },
});

// The routers run at the same time: the tests wait for polls most of their time.
describe.skipIf(!hasRouters).each(TRANSPORT_ROUTERS)(
  'Live calls through $name',
  { concurrent: true },
  (router) => {
    // A router sends its requests to the gateway of one test.
    describe('one test after another', { concurrent: false }, () => testTransport(router));
  },
);

function testTransport(router: TransportRouter): void {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(router.kind);
    supergraph.contacts.contacts = [{ phoneNumber: NUMBER, name: 'Ann', callIds: [] }];
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  /** Starts a gateway where the call `c1` is being made. */
  async function serveGateway(settings: Record<string, string> = {}) {
    const gateway = await supergraph.serveLiveGateway({
      SUBSCRIPTION_CALLBACK_URLS: supergraph.callbackUrl,
      DRAIN_DELAY_MS: '0',
      // Streams end in the first four seconds. The last one has the rest.
      DRAIN_TIMEOUT_MS: '5000',
      ...settings,
    });
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const sockets = supergraph.recorder.sockets();
    return {
      ...gateway,
      async [Symbol.asyncDispose]() {
        // A router keeps a WebSocket for a while: it must not belong to a gateway that is gone.
        await Promise.all(sockets.map((socket) => socket.close()));
        await gateway.close();
      },
    };
  }

  const subscribe = (headers?: Record<string, string>) =>
    subscribeAt(supergraph.url, WATCH, headers);

  /** Expects that the router has subscribed with these credentials, and over nothing else. */
  function expectSubscriptions(credentials: readonly object[]): void {
    const requests = supergraph.recorder.requests();
    const sockets = supergraph.recorder.sockets();
    if (router.transport === 'callback') {
      expect(
        requests.map(({ method, headers, extensions }) => ({ method, headers, extensions })),
      ).toEqual(
        credentials.map((credential) => ({
          method: 'POST',
          headers: expect.objectContaining(credential),
          extensions: expect.objectContaining({
            subscription: expect.objectContaining({
              callbackUrl: expect.stringContaining(`${supergraph.callbackUrl}/`),
            }),
          }),
        })),
      );
      expect(sockets).toEqual([]);
      return;
    }
    expect(requests).toEqual([]);
    expect(
      sockets.map(({ headers, messages: [init] }) => [headers['sec-websocket-protocol'], init]),
    ).toEqual(
      credentials.map((credential) => [
        'graphql-transport-ws',
        { type: 'connection_init', payload: expect.objectContaining(credential) },
      ]),
    );
  }

  test('a client gets the present state, each change and the end, with the fields of another subgraph', async () => {
    await using gateway = await serveGateway();
    const stream = await subscribe();
    await untilTrue(() => stream.events.length === 1);
    expect(await openSubscriptions(gateway.url)).toBe(1);
    putCall(gateway.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
    await untilTrue(() => stream.isEnded());
    expect(stream.events).toMatchObject([toEvent('CALLING'), toEvent('COMPLETED')]);
    expect([stream.isComplete(), stream.error()]).toEqual([true, undefined]);
    expectSubscriptions([{ 'router-authorization': ROUTER_SECRET }]);
    // A router may end the stream of its client before it responds to the last callback.
    await untilTrue(async () => (await openSubscriptions(gateway.url)) === 0);
    if (router.transport === 'callback')
      expect(supergraph.callbacks.requests().map(({ action, status }) => [action, status])).toEqual(
        [
          ['check', 204],
          ['next', 204],
          ['next', 204],
          ['complete', 204],
        ],
      );
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test(`one poll for each interval serves ${CLIENTS} clients, and none follows when they have left`, async () => {
    await using gateway = await serveGateway({ LIVE_REPEAT_MS: '1000' });
    const startedAt = performance.now();
    const streams = await Promise.all(Array.from({ length: CLIENTS }, () => subscribe()));
    await untilTrue(() => streams.every(({ events }) => events.length > 0));
    expect(await openSubscriptions(gateway.url)).toBe(CLIENTS);
    expect(await watchedCalls(gateway.url)).toBe(1);
    const credential = { 'router-authorization': ROUTER_SECRET };
    expectSubscriptions(
      Array.from({ length: router.sharesSockets ? 1 : CLIENTS }, () => credential),
    );
    for (const stream of streams) stream.leave();
    // Over HTTP callback, the next message shows that the router has no client.
    await untilTrue(async () => (await openSubscriptions(gateway.url)) === 0);
    expect(await watchedCalls(gateway.url)).toBe(0);
    const traffic = gateway.traffic();
    expect(new Set(traffic)).toEqual(new Set(['GET /call/c1']));
    // Polls are a second apart, ten percent more or less.
    expect(traffic.length).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 900);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('each client is served with its own key, and gets the error and the end when Revox rejects the key later', async () => {
    await using gateway = await serveGateway(PASS_THROUGH);
    putCall(gateway.sandbox, 'c1', { status: 'scheduled', to_phone_number: NUMBER }, KEY_B);
    const credentials = [KEY_A, KEY_B].map((key) => ({ authorization: `Bearer ${key}` }));
    const streams: EventStream[] = [];
    for (const credential of credentials) streams.push(await subscribe(credential));
    await untilTrue(() => streams.every(({ events }) => events.length === 1));
    expect(streams.map(({ events }) => events)).toMatchObject([
      [toEvent('CALLING')],
      [toEvent('SCHEDULED')],
    ]);
    expectSubscriptions(credentials);
    gateway.sandbox.control.fail('/call/c1', { status: 401 });
    await untilTrue(() => streams[0]?.isEnded() === true);
    expect(streams[0]?.events.at(-1)?.errors).toEqual([
      expect.objectContaining(router.keyRejection),
    ]);
    expect(streams[0]?.isComplete()).toBe(true);
    for (const stream of streams) stream.leave();
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(new Set(gateway.sandbox.log.map(({ organizationId }) => organizationId)).size).toBe(2);
  });

  test('a client gets an error when the gateway does not accept the credential of the router', async () => {
    await using gateway = await serveGateway({ ROUTER_SECRETS: 'another-secret' });
    const stream = await subscribe();
    await untilTrue(() => stream.isEnded());
    expect(stream.events.map(({ errors }) => errors)).toEqual([
      [expect.objectContaining(router.refusal)],
    ]);
    expect(gateway.traffic()).toEqual([]);
    expect(await openSubscriptions(gateway.url)).toBe(0);
  });

  test.each(['drained', 'gone'] as const)(
    'a client gets an error, or the state at another instance, when its gateway is %s',
    async (way) => {
      const ending = router.interruptions[way];
      const first = await serveGateway();
      const stream = await subscribe();
      await untilTrue(() => stream.events.length === 1);
      await using next = await serveGateway();
      putCall(next.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
      if (way === 'drained') expect(await first.drain()).toBe(0);
      await first.close();
      await untilTrue(() => stream.isEnded());
      const [event, ...others] = stream.events;
      expect(event).toMatchObject(toEvent('CALLING'));
      expect(stream.isComplete()).toBe(true);
      if (ending === 'reconnects') expect(others).toMatchObject([toEvent('COMPLETED')]);
      else
        expect(others.map(({ errors }) => errors)).toEqual(
          ending ? [[expect.objectContaining(ending)]] : [],
        );
      expect(new Set(next.traffic())).toEqual(
        new Set(ending === 'reconnects' ? ['GET /call/c1'] : []),
      );
    },
  );

  // The last test: the router does not start again.
  test('nothing is polled any more after the router is killed', async () => {
    await using gateway = await serveGateway({ LIVE_REPEAT_MS: '1000' });
    const stream = await subscribe();
    await untilTrue(() => stream.events.length > 0);
    expect([await openSubscriptions(gateway.url), await watchedCalls(gateway.url)]).toEqual([1, 1]);
    await supergraph.killRouter();
    await untilTrue(async () => (await openSubscriptions(gateway.url)) === 0);
    expect(await watchedCalls(gateway.url)).toBe(0);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(gateway.unexpectedErrors).toEqual([]);
  });
}
