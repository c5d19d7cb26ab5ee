import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASS_THROUGH } from '../integration/isolation-scenarios.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { toNotes, toRating } from './contacts-subgraph.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { openSubscriptions, putCall, subscribeAt, untilTrue, watchedCalls } from './live-calls.ts';
import { type LiveRouter, SSE_ROUTERS } from './live-routers.ts';
import { ROUTER_SECRET } from './router-process.ts';
import { type Supergraph, startSupergraph } from './supergraph.ts';

expectRouters();

const WATCH = 'subscription { callUpdated(id: "c1") { status notes contact { name } } }';
const NUMBER = '+15550100';

/** Polls of a call in this state are a second apart, ten percent more or less. */
const MIN_INTERVAL_MS = 900;

const toEvent = (status: string) => ({
  data: { callUpdated: { status, notes: toNotes('c1'), contact: { name: 'Ann' } } },
});

/** Why the gateway rejects a subscription. */
const REJECTIONS = [
  {
    reason: 'the secret of the router is wrong',
    settings: { ROUTER_SECRETS: 'another-secret' },
    status: 401,
    code: 'UNAUTHENTICATED',
  },
  { reason: 'no API key', settings: PASS_THROUGH, status: 401, code: 'UNAUTHENTICATED' },
  {
    reason: 'MAX_SUBSCRIPTIONS',
    settings: { MAX_SUBSCRIPTIONS: '1' },
    status: 503,
    code: 'RATE_LIMITED',
    isFirst: false,
  },
  {
    reason: 'MAX_LIVE_OBJECTS',
    settings: { ...PASS_THROUGH, MAX_LIVE_OBJECTS: '2' },
    status: 429,
    code: 'RATE_LIMITED',
    apiKey: KEY_A,
    isFirst: false,
  },
  {
    reason: 'SUBSCRIPTIONS=off',
    settings: { SUBSCRIPTIONS: 'off' },
    status: 200,
    code: 'BAD_USER_INPUT',
  },
  {
    reason: 'MAX_SUBSCRIPTION_COST',
    settings: { MAX_SUBSCRIPTION_COST: '1' },
    status: 200,
    code: 'OPERATION_TOO_COMPLEX',
  },
];

/** Longer than the default timeout of the routers. */
const QUIET_MS = 31_000;

describe.skipIf(!hasRouters)('A quiet stream', { concurrent: true }, () => {
  test.each(SSE_ROUTERS.filter(({ method }) => method === 'POST'))(
    '$name does not cut a stream without an event for half a minute',
    async ({ kind }) => {
      await using supergraph = await startSupergraph(kind);
      await using gateway = await supergraph.serveLiveGateway({ LIVE_REPEAT_MS: String(QUIET_MS) });
      putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
      const stream = await subscribeAt(
        supergraph.url,
        'subscription { callUpdated(id: "c1") { status } }',
      );
      await untilTrue(() => stream.events.length === 2, 2 * QUIET_MS);
      expect(stream.events.map(({ data, errors }) => ({ data, errors }))).toEqual(
        Array.from({ length: 2 }, () => ({
          data: { callUpdated: { status: 'CALLING' } },
          errors: undefined,
        })),
      );
      expect(supergraph.recorder.requests()).toHaveLength(1);
      expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
      stream.leave();
    },
  );
});

// The routers run at the same time: the tests wait for polls most of their time.
describe.skipIf(!hasRouters).each(SSE_ROUTERS)(
  'Live calls through $name',
  { concurrent: true },
  (router) => {
    // A router sends its requests to the gateway of one test.
    describe('one test after another', { concurrent: false }, () => testLiveCalls(router));
  },
);

function testLiveCalls(router: LiveRouter): void {
  let supergraph: Supergraph;
  beforeAll(async () => {
    supergraph = await startSupergraph(router.kind);
    supergraph.contacts.contacts = [{ phoneNumber: NUMBER, name: 'Ann', callIds: [] }];
  });
  afterAll(() => supergraph?.[Symbol.asyncDispose]());

  const subscribe = (headers?: Record<string, string>) =>
    subscribeAt(supergraph.url, WATCH, headers);

  const requests = () =>
    supergraph.recorder.requests().map(({ method, status }) => ({ method, status }));

  test('a client gets the present state, each change and the end, with the fields of another subgraph', async () => {
    await using gateway = await supergraph.serveLiveGateway();
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const stream = await subscribe();
    await untilTrue(() => stream.events.length === 1);
    putCall(gateway.sandbox, 'c1', { status: 'queued_for_calling', to_phone_number: NUMBER });
    await untilTrue(() => stream.events.length === 2);
    expect(await openSubscriptions(gateway.url)).toBe(1);
    putCall(gateway.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
    await untilTrue(() => stream.isEnded());
    expect(stream.events).toEqual(
      ['CALLING', 'QUEUED_FOR_CALLING', 'COMPLETED'].map((status) =>
        expect.objectContaining(toEvent(status)),
      ),
    );
    expect([stream.isComplete(), stream.error()]).toEqual([true, undefined]);
    const [request, ...others] = supergraph.recorder.requests();
    expect(request).toMatchObject({
      method: router.method,
      status: 200,
      headers: { 'router-authorization': ROUTER_SECRET },
    });
    expect(others).toEqual([]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(await openSubscriptions(gateway.url)).toBe(0);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('several calls and new attempts have the fields of another subgraph, too', async () => {
    await using gateway = await supergraph.serveLiveGateway({ LIVE_FEED_MS: '1000' });
    const ids = ['c1', 'c2'];
    for (const id of ids) putCall(gateway.sandbox, id, { status: 'completed' });
    const calls = await subscribeAt(
      supergraph.url,
      'subscription { callsEnded(ids: ["c1", "c2"]) { callId call { status notes } } }',
    );
    // Grafbase responds when the first event is there.
    const response = subscribeAt(
      supergraph.url,
      'subscription { callAttemptAdded { node { id rating } } }',
    );
    await untilTrue(() => gateway.sandbox.log.some(({ path }) => path.startsWith('/call?')));
    const inserted = gateway.sandbox.control
      .insertAttempts(KEY_A, { at: 0, count: 2 })
      .map(({ id }) => id);
    const attempts = await response;
    await untilTrue(() => calls.isEnded() && attempts.events.length === 2);
    expect(calls.isComplete()).toBe(true);
    expect(calls.events.map(({ data }) => data.callsEnded)).toEqual(
      expect.arrayContaining(
        ids.map((id) => ({ callId: id, call: { status: 'COMPLETED', notes: toNotes(id) } })),
      ),
    );
    expect(attempts.events.map(({ data }) => data.callAttemptAdded.node)).toEqual(
      inserted.reverse().map((id) => ({ id, rating: toRating(id) })),
    );
    attempts.leave();
    expect(new Set(gateway.traffic())).toEqual(
      new Set(['GET /call/c1', 'GET /call/c2', 'GET /call?page=1&page_size=50']),
    );
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each([1, 50])('one poll for each interval serves %i clients', async (clients) => {
    await using gateway = await supergraph.serveLiveGateway();
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const startedAt = performance.now();
    const streams = await Promise.all(Array.from({ length: clients }, () => subscribe()));
    await untilTrue(() => streams.every(({ events }) => events.length === 1));
    await untilTrue(() => gateway.sandbox.log.length >= 3);
    putCall(gateway.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
    await untilTrue(() => streams.every((stream) => stream.isEnded()));
    const intervals = Math.ceil((performance.now() - startedAt) / MIN_INTERVAL_MS);
    for (const { events } of streams)
      expect(events).toMatchObject([toEvent('CALLING'), toEvent('COMPLETED')]);
    const traffic = gateway.traffic();
    expect(new Set(traffic)).toEqual(new Set(['GET /call/c1']));
    expect(traffic.length).toBeLessThanOrEqual(intervals + 1);
    // These routers open a stream for each client.
    expect(requests()).toEqual(
      Array.from({ length: clients }, () => ({ method: router.method, status: 200 })),
    );
  });

  test('a client that leaves a quiet stream ends its subscription and its polls', async () => {
    // A keepalive would show the gateway that the router is gone.
    await using gateway = await supergraph.serveLiveGateway({ LIVE_KEEPALIVE_MS: '300000' });
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const stream = await subscribe();
    await untilTrue(() => stream.events.length === 1);
    expect(await watchedCalls(gateway.url)).toBe(1);
    stream.leave();
    await untilTrue(async () => (await openSubscriptions(gateway.url)) === 0);
    expect(await watchedCalls(gateway.url)).toBe(0);
    expect(stream.events).toHaveLength(1);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('a quiet stream repeats the present state every LIVE_REPEAT_MS', async () => {
    await using gateway = await supergraph.serveLiveGateway({ LIVE_REPEAT_MS: '1000' });
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const stream = await subscribe();
    await untilTrue(() => stream.events.length >= 3);
    for (const event of stream.events) expect(event).toMatchObject(toEvent('CALLING'));
    stream.leave();
  });

  test('each client is served with its own key', async () => {
    await using gateway = await supergraph.serveLiveGateway(PASS_THROUGH);
    const keys = [KEY_A, KEY_B];
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER }, KEY_A);
    putCall(gateway.sandbox, 'c1', { status: 'scheduled', to_phone_number: NUMBER }, KEY_B);
    const streams = await Promise.all(
      keys.map((key) => subscribe({ authorization: `Bearer ${key}` })),
    );
    await untilTrue(() => streams.every(({ events }) => events.length === 1));
    expect(streams.map(({ events }) => events[0]?.data.callUpdated.status)).toEqual([
      'CALLING',
      'SCHEDULED',
    ]);
    const organizations = gateway.sandbox.log.map(({ organizationId }) => organizationId);
    expect(new Set(organizations)).toEqual(
      new Set(gateway.sandbox.organizations.map(({ id }) => id)),
    );
    for (const stream of streams) stream.leave();
  });

  test('a client gets the error and the end when Revox rejects the key later', async () => {
    await using gateway = await supergraph.serveLiveGateway(PASS_THROUGH);
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const stream = await subscribe({ authorization: `Bearer ${KEY_A}` });
    await untilTrue(() => stream.events.length === 1);
    gateway.sandbox.control.fail('/call/c1', { status: 401 });
    await untilTrue(() => stream.isEnded());
    expect(stream.events.slice(1)).toEqual([
      expect.objectContaining({
        data: router.dataOfKey,
        errors: [expect.objectContaining(router.errorOfKey)],
      }),
    ]);
    expect(stream.isComplete()).toBe(true);
    expect(requests()).toEqual([{ method: router.method, status: 200 }]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(await openSubscriptions(gateway.url)).toBe(0);
  });

  test('a client that accepts no event stream gets an error, and the router does not subscribe', async () => {
    await using gateway = await supergraph.serveLiveGateway();
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    // As Apollo Client sends it.
    const accept = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json';
    const { status, body } = await subscribe({ accept });
    expect(status).toBe(200);
    expect(JSON.parse(body ?? '').errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/^Subscriptions are /) }),
    ]);
    expect(supergraph.recorder.requests()).toEqual([]);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each(REJECTIONS)(
    'a client gets the error of a subscription that is rejected: $reason',
    async ({ settings, status, code, apiKey, isFirst = true }) => {
      await using gateway = await supergraph.serveLiveGateway(settings);
      for (const id of ['c1', 'c2'])
        putCall(gateway.sandbox, id, { status: 'calling', to_phone_number: NUMBER });
      const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
      const other = isFirst
        ? undefined
        : await subscribeAt(supergraph.url, WATCH.replace('c1', 'c2'), headers);
      if (other) await untilTrue(() => other.events.length === 1);
      const subscriptions = other ? 1 : 0;
      expect(await openSubscriptions(gateway.url)).toBe(subscriptions);

      const stream = await subscribe(headers);
      await untilTrue(() => stream.isEnded());
      const [event, ...others] = stream.events;
      expect(event?.data?.callUpdated ?? null).toBeNull();
      expect(event?.errors).toEqual([expect.objectContaining(router.toRejection(code, status))]);
      expect(others).toEqual([]);
      expect(stream.isComplete()).toBe(true);
      expect(requests().at(-1)).toEqual({ method: router.method, status });
      expect(await openSubscriptions(gateway.url)).toBe(subscriptions);
      expect(gateway.traffic()).not.toContain('GET /call/c1');
      other?.leave();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'after %s of the gateway a client gets an error, and then the state at another instance',
    async (signal) => {
      await using gateway = await startGatewayProcess({
        DRAIN_DELAY_MS: '0',
        // The stream ends in the first four seconds. Its last event has the rest.
        DRAIN_TIMEOUT_MS: '5000',
      });
      supergraph.recorder.forwardTo(gateway.url);
      putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
      const stream = await subscribe();
      await untilTrue(() => stream.events.length === 1);
      gateway.process.kill(signal);
      await untilTrue(() => stream.events.length >= 2);
      const [first, interruption] = stream.events;
      expect(first).toMatchObject(toEvent('CALLING'));
      expect(interruption?.errors).toEqual([expect.objectContaining(router.interruptions[signal])]);
      expect(new Set(gateway.sandbox.log.map(({ path }) => path))).toEqual(new Set(['/call/c1']));

      await using next = await supergraph.serveLiveGateway();
      putCall(next.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
      // A client must subscribe again, unless the router does.
      const last = router.reconnects ? stream : await subscribe();
      await untilTrue(() => last.events.at(-1)?.data?.callUpdated?.status === 'CALLING');
      putCall(next.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
      await untilTrue(() => last.isEnded());
      expect(stream.isComplete()).toBe(true);
      expect(last.events.slice(-2)).toMatchObject([toEvent('CALLING'), toEvent('COMPLETED')]);
      expect(new Set(next.traffic())).toEqual(new Set(['GET /call/c1']));
    },
  );

  test('graphql-sse gets the events of a router, and completes', async () => {
    await using gateway = await supergraph.serveLiveGateway();
    putCall(gateway.sandbox, 'c1', { status: 'calling', to_phone_number: NUMBER });
    const client = createClient({ url: supergraph.url, retryAttempts: 0 });
    const results: unknown[] = [];
    for await (const result of client.iterate({ query: WATCH })) {
      results.push(result);
      putCall(gateway.sandbox, 'c1', { status: 'completed', to_phone_number: NUMBER });
    }
    client.dispose();
    expect(results).toEqual([toEvent('CALLING'), toEvent('COMPLETED')]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
  });
}
