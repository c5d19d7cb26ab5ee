import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';

const CALL_UPDATED = 'subscription Watch($id: ID!) { callUpdated(id: $id) { status } }';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SECRET = 'a-router-secret-of-32-characters';
const A = { authorization: `Bearer ${KEY_A}` };

const statuses = ({ events }: EventStream) => events.map(({ data }) => data?.callUpdated?.status);

function createGateway(settings: Record<string, string> = {}): LiveGateway {
  const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0', ...settings } });
  gateway.putCall({ id: 'c1', status: 'calling' });
  gateway.traffic();
  return gateway;
}

describe('Outage (G8)', () => {
  test('after 30 s one event repeats the data as stale, and the next reading takes it back', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.reset('/call/c1');
    await gateway.pass(25 * SECOND);
    expect(stream.events).toHaveLength(1);
    await gateway.pass(30 * SECOND);
    expect(stream.events.slice(1)).toMatchObject([
      {
        data: { callUpdated: { status: 'CALLING' } },
        extensions: { live: { stale: true, code: 'UPSTREAM_UNAVAILABLE' } },
      },
    ]);
    expect(stream.events[1]?.errors).toBeUndefined();
    expect(Date.parse(stream.events[1]?.extensions.live.since)).toBeLessThan(gateway.now());
    gateway.sandbox.control.heal();
    await gateway.pass(MINUTE);
    expect(stream.events.slice(2).map(({ data, extensions }) => [data, extensions])).toEqual([
      [{ callUpdated: { status: 'CALLING' } }, { live: { stale: false } }],
    ]);
    // Neither a later event nor the first one of another subscriber repeats it.
    const other = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(MINUTE);
    expect(stream.events.at(-1)?.extensions).toBeUndefined();
    expect(other.events.map(({ data, extensions }) => [data, extensions])).toEqual([
      [{ callUpdated: { status: 'CALLING' } }, undefined],
      [{ callUpdated: { status: 'COMPLETED' } }, undefined],
    ]);
    // Keepalives show all the time that the stream is alive.
    expect(stream.text().match(/^:$/gm)?.length).toBeGreaterThan(8);
  });

  test('an outage of LIVE_GIVE_UP_MS interrupts the stream with an error, without complete', async () => {
    const gateway = createGateway({ LIVE_GIVE_UP_MS: '120000' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.fail('/call/c1', { status: 503 });
    await gateway.pass(3 * MINUTE);
    expect(stream.events.at(-1)?.errors?.[0]?.extensions).toEqual({
      code: 'UPSTREAM_UNAVAILABLE',
      retryAfter: 30,
    });
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
    expect(await gateway.metric('live_ends_total{transport="sse",reason="outage"}')).toBe(1);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Rejected credential (G9)', () => {
  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
  ])('a %i of a poll ends all streams of the key with %s and complete', async (status, code) => {
    const gateway = createGateway({ REVOX_API_KEY: '' });
    gateway.putCall({ id: 'c2', status: 'scheduled', scheduled_at: null });
    const first = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, A);
    const second = await gateway.subscribe(CALL_UPDATED, { id: 'c2' }, A);
    gateway.sandbox.control.fail('/call/c1', { status });
    await gateway.pass(3 * SECOND);
    for (const stream of [first, second]) {
      expect(stream.events.at(-1)?.errors?.[0]?.extensions.code).toBe(code);
      expect([stream.isComplete(), stream.isEnded()]).toEqual([true, true]);
    }
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a key that was just accepted has slots of its own at once', async () => {
    const gateway = createGateway({ REVOX_API_KEY: '', MAX_SUBSCRIPTIONS_PER_CALLER: '1' });
    const statuses: number[] = [];
    for (const key of [KEY_A, KEY_B, KEY_A, KEY_B]) {
      const authorization = `Bearer ${key}`;
      statuses.push(
        (await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { authorization })).status,
      );
      // The upstream responds to the first poll.
      await gateway.pass(100);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
    expect(gateway.traffic()).toEqual(['GET /call/c1', 'GET /call/c1']);
  });

  test('a made-up key is refused in the first event, and its streams hold no slot of other callers', async () => {
    const gateway = createGateway({ REVOX_API_KEY: '', MAX_SUBSCRIPTIONS_PER_CALLER: '1' });
    const release = Promise.withResolvers<void>();
    gateway.sandbox.control.delay(() => true, release.promise);
    const madeUp = await gateway.subscribe(
      CALL_UPDATED,
      { id: 'c1' },
      { authorization: 'Bearer x' },
    );
    const other = await gateway.subscribe(
      CALL_UPDATED,
      { id: 'c1' },
      { authorization: 'Bearer y' },
    );
    expect([madeUp.status, other.status]).toEqual([200, 429]);
    release.resolve();
    gateway.sandbox.control.heal();
    await gateway.pass(2 * SECOND);
    expect(madeUp.events[0]?.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(madeUp.isComplete()).toBe(true);
    const good = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, A);
    await gateway.pass(2 * SECOND);
    const next = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { authorization: 'Bearer z' });
    expect([statuses(good), next.status]).toEqual([['CALLING'], 200]);
  });
});

describe('Interruption', () => {
  test('a stream ends after its lifetime without complete, and says when to come back', async () => {
    const gateway = createGateway({ LIVE_LIFETIME_MS: '60000' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(58 * SECOND);
    expect(stream.isEnded()).toBe(false);
    await gateway.pass(3 * SECOND);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
    expect(stream.text()).toMatch(/\n\nretry: 3000\n\n$/);
    expect(stream.events).toHaveLength(1);
  });

  test('a router gets an error with a code before an interruption, and the state every 30 s', async () => {
    const gateway = createGateway({ LIVE_LIFETIME_MS: '75000', ROUTER_SECRETS: SECRET });
    const headers = { 'router-authorization': SECRET };
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, headers);
    await gateway.pass(65 * SECOND);
    expect(statuses(stream)).toEqual(['CALLING', 'CALLING', 'CALLING']);
    await gateway.pass(15 * SECOND);
    expect(stream.events.at(-1)?.errors?.[0]?.extensions).toEqual({
      code: 'SUBSCRIPTION_INTERRUPTED',
      retryAfter: 3,
    });
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
  });

  test('a drain rejects new subscriptions, and ends the streams one after the other without complete', async () => {
    const gateway = createGateway({ DRAIN_DELAY_MS: '1000', DRAIN_TIMEOUT_MS: '10000' });
    const streams: EventStream[] = [];
    for (let index = 0; index < 8; index += 1)
      streams.push(await gateway.subscribe(CALL_UPDATED, { id: 'c1' }));
    gateway.drain();
    const rejected = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '3']);
    const ended = () => streams.filter((stream) => stream.isEnded()).length;
    await gateway.pass(900);
    expect(ended()).toBe(0);
    for (let second = 1; second <= 8; second += 1) {
      await gateway.pass(SECOND);
      expect(ended()).toBe(second);
    }
    expect(streams.some((stream) => stream.isComplete())).toBe(false);
    expect(await gateway.metric('live_ends_total{transport="sse",reason="drain"}')).toBe(8);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Bearer token', () => {
  test('a stream ends without complete when the token of its subscriber expires', async () => {
    const key = await createKey('k1');
    const gateway = createLiveGateway({
      settings: JWT_SETTINGS,
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    gateway.putCall({ id: 'c1', status: 'calling' });
    const exp = Math.floor(gateway.now() / 1000) + 60;
    const authorization = `Bearer ${await sign(key, { ...VALID_CLAIMS, sub: 'u', exp })}`;
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { authorization });
    await gateway.pass(63 * SECOND);
    expect([statuses(stream), stream.isEnded()]).toEqual([['CALLING'], false]);
    await gateway.pass(4 * SECOND);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
    expect(await gateway.metric('live_ends_total{transport="sse",reason="expired"}')).toBe(1);
  });
});

describe('Subscribing again (G12)', () => {
  test('an unchanged state is left out for a client that names it, and a changed one is sent', async () => {
    const gateway = createGateway();
    const first = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    const headers = { 'last-event-id': first.events[0]?.id ?? '' };
    first.leave();
    await gateway.pass(5 * SECOND);
    const second = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, headers);
    await gateway.pass(3 * SECOND);
    expect(second.events).toEqual([]);
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(3 * SECOND);
    expect([statuses(second), second.isComplete()]).toEqual([['COMPLETED'], true]);
  });

  test('a client that comes back after complete gets 204, without an upstream request', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { 'last-event-id': 'over' });
    expect([stream.status, stream.body]).toEqual([204, '']);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Limits of subscriptions', () => {
  test.each([
    ['MAX_SUBSCRIPTIONS', 503, { MAX_SUBSCRIPTIONS: '2' }],
    ['MAX_SUBSCRIPTIONS_PER_CALLER', 429, { MAX_SUBSCRIPTIONS_PER_CALLER: '2' }],
    ['MAX_LIVE_OBJECTS', 429, { MAX_LIVE_OBJECTS: '4' }],
  ])('%s: a further subscription gets %i with Retry-After', async (limit, status, settings) => {
    const gateway = createGateway({ REVOX_API_KEY: '', ...settings });
    for (const id of ['c2', 'c3']) gateway.putCall({ id, status: 'calling' });
    const first = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, A);
    await gateway.subscribe(CALL_UPDATED, { id: 'c2' }, A);
    await gateway.pass(2 * SECOND);
    const refused = await gateway.subscribe(CALL_UPDATED, { id: 'c3' }, A);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([status, '5']);
    expect(refused.body).toContain('RATE_LIMITED');
    expect(refused.body).toContain(limit);
    expect(await gateway.metric(`live_refused_total{limit="${limit}"}`)).toBe(1);
    expect(gateway.traffic()).not.toContain('GET /call/c3');
    first.leave();
    await gateway.pass(SECOND);
    const accepted = await gateway.subscribe(CALL_UPDATED, { id: 'c3' }, A);
    expect(accepted.status).toBe(200);
  });

  const LONG = 'x'.repeat(65_600);
  test.each([
    ['variables', CALL_UPDATED, LONG],
    ['values in the document', `subscription { callUpdated(id: "${LONG}") { status } }`, undefined],
    ['comments', `${CALL_UPDATED} # ${LONG}`, 'c1'],
  ])(
    'a subscription with long %s is rejected, because its stream would retain them',
    async (_, query, id) => {
      const gateway = createGateway();
      const stream = await gateway.subscribe(query, { id });
      expect(stream.events[0]?.errors?.[0]).toMatchObject({
        message: expect.stringMatching(
          /^The document and the variables of the subscription have 65\d{3} characters; at most 65536 are allowed\.$/,
        ),
        extensions: { code: 'OPERATION_TOO_COMPLEX', limit: 65_536 },
      });
      expect(stream.isComplete()).toBe(true);
      expect(await gateway.metric('live_cohorts')).toBe(0);
      expect(gateway.traffic()).toEqual([]);
    },
  );

  test('a subscription of 65,536 characters is accepted', async () => {
    const gateway = createGateway();
    const size = 65_536 - CALL_UPDATED.length - '{"id":""}'.length;
    for (const extra of [0, 1]) {
      const id = 'x'.repeat(size + extra);
      const stream = await gateway.subscribe(CALL_UPDATED, { id });
      expect(stream.isComplete()).toBe(extra === 1);
    }
  });

  test('a selection over MAX_SUBSCRIPTION_COST is rejected, where a query of that cost is not', async () => {
    const gateway = createGateway({ MAX_SUBSCRIPTION_COST: '3' });
    const stream = await gateway.subscribe(
      'subscription { callUpdated(id: "c1") { id status direction } }',
    );
    expect(stream.events[0]?.errors?.[0]).toMatchObject({
      message: 'The operation can return 4 fields; at most 3 are allowed (MAX_SUBSCRIPTION_COST).',
      extensions: { code: 'OPERATION_TOO_COMPLEX' },
    });
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Request of a subscription', () => {
  test.each([
    'application/json',
    'multipart/mixed',
    'multipart/mixed;deferSpec=20220824, application/json',
  ])('with Accept: %s the response is 406 and names the ways', async (accept) => {
    const gateway = createGateway();
    const { status, body } = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { accept });
    expect(status).toBe(406);
    expect(body).toContain('text/event-stream, or multipart/mixed;subscriptionSpec=1.0');
    expect(gateway.traffic()).toEqual([]);
  });

  test('a subscription by GET is served, as routers and EventSource send it', async () => {
    const gateway = createGateway();
    const query = encodeURIComponent('subscription { callUpdated(id: "c1") { status } }');
    const response = await gateway.fetch(`/graphql?query=${query}`, {
      headers: { accept: 'text/event-stream' },
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await gateway.pass(100);
    const { value } = (await reader?.read()) ?? {};
    expect(new TextDecoder().decode(value)).toContain('{"callUpdated":{"status":"CALLING"}}');
    await reader?.cancel();
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test.each([
    [
      'two root fields',
      'subscription { callUpdated(id: "c1") { id } callsEnded(ids: ["c1"]) { callId } }',
    ],
    ['introspection', 'subscription { __typename }'],
    ['an unknown field', 'subscription { nothing }'],
  ])('a subscription with %s is rejected by validation', async (_, query) => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(query);
    expect(stream.events[0]?.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(stream.isComplete()).toBe(true);
    expect(gateway.traffic()).toEqual([]);
  });

  test('each event of a traced subscription has the cost of its own execution', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { 'x-revox-trace': '1' });
    expect(stream.events[0]?.extensions.upstream).toMatchObject({ requests: 0, calls: [] });
  });

  test('two API keys that watch the same id share no event, poll or error (G13)', async () => {
    const gateway = createGateway({ REVOX_API_KEY: '' });
    gateway.putCall({ id: 'shared', status: 'calling' }, KEY_A);
    gateway.putCall({ id: 'shared', status: 'scheduled', scheduled_at: null }, KEY_B);
    const streams = await Promise.all(
      [KEY_A, KEY_B].map((key) =>
        gateway.subscribe(CALL_UPDATED, { id: 'shared' }, { authorization: `Bearer ${key}` }),
      ),
    );
    expect(streams.map(statuses)).toEqual([['CALLING'], ['SCHEDULED']]);
    expect(gateway.traffic()).toEqual(['GET /call/shared', 'GET /call/shared']);
    gateway.putCall({ id: 'shared', status: 'completed' }, KEY_A);
    await gateway.pass(5 * SECOND);
    expect(streams.map((stream) => [...statuses(stream), stream.isComplete()])).toEqual([
      ['CALLING', 'COMPLETED', true],
      ['SCHEDULED', false],
    ]);
  });

  test('one line is logged for each stream, without an id', async () => {
    const lines: { message: string; fields: unknown }[] = [];
    const gateway = createLiveGateway({
      gateway: {
        log: {
          info: (message, fields) => lines.push({ message, fields }),
          error() {},
          unexpected() {},
        },
      },
    });
    gateway.putCall({ id: 'a-watched-call', status: 'cancelled' });
    await gateway.subscribe(CALL_UPDATED, { id: 'a-watched-call' });
    expect(lines.filter(({ message }) => message === 'request')).toEqual([]);
    expect(lines.filter(({ message }) => message === 'subscription')).toMatchObject([
      {
        fields: {
          operation: 'Watch',
          field: 'callUpdated',
          transport: 'sse',
          reason: 'over',
          events: 1,
        },
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('a-watched-call');
  });
});
