import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
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

/** As Apollo Client sends it. */
const ACCEPT =
  'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9';

function createGateway(settings: Record<string, string> = {}): LiveGateway {
  const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0', ...settings } });
  gateway.putCall({ id: 'c1', status: 'calling' });
  gateway.traffic();
  return gateway;
}

const subscribe = (gateway: LiveGateway, headers: Record<string, string> = {}) =>
  gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { accept: ACCEPT, ...headers });

const lastPart = ({ parts }: EventStream) => JSON.parse(parts.at(-1) ?? 'null');

const part = (json: string) => `\r\ncontent-type: application/json\r\n\r\n${json}\r\n--graphql`;

describe('Multipart stream', () => {
  test('the present state, each change, heartbeats and the end have exactly these bytes', async () => {
    const gateway = createGateway();
    const stream = await subscribe(gateway);
    expect(stream.status).toBe(200);
    expect(Object.fromEntries(stream.headers)).toMatchObject({
      'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    await gateway.pass(11 * SECOND);
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(5 * SECOND);
    expect(stream.text()).toBe(
      [
        '\r\n--graphql',
        part('{"payload":{"data":{"callUpdated":{"status":"CALLING"}}}}'),
        part('{}'),
        part('{"payload":{"data":{"callUpdated":{"status":"COMPLETED"}}}}'),
        '--\r\n',
      ].join(''),
    );
    expect([stream.isEnded(), stream.error()]).toEqual([true, undefined]);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c1']));
    expect(await gateway.metric('live_ends_total{transport="multipart",reason="over"}')).toBe(1);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a multipart stream and an event stream share polls and executions', async () => {
    const gateway = createGateway();
    const multipart = await subscribe(gateway);
    const sse = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(2 * SECOND);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    const dataOf = ({ events }: EventStream) => events.map(({ data }) => data);
    expect(dataOf(multipart)).toEqual(dataOf(sse));
    expect([multipart.isComplete(), sse.isComplete()]).toEqual([true, true]);
  });

  test('an event with a failed field has data and errors in its payload, and is no end', async () => {
    const gateway = createGateway();
    const campaign = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
    gateway.putCall({ id: 'c1', status: 'calling', campaign: { id: campaign.id, name: 'x' } });
    gateway.sandbox.control.fail(`/campaigns/${campaign.id}`, { status: 400 });
    const stream = await gateway.subscribe(
      'subscription { callUpdated(id: "c1") { status campaign { status } } }',
      {},
      { accept: ACCEPT },
    );
    expect(lastPart(stream)).toMatchObject({
      payload: {
        data: { callUpdated: { status: 'CALLING', campaign: { status: null } } },
        errors: [{ extensions: { code: 'UPSTREAM_REJECTED' } }],
      },
    });
    expect([stream.isEnded(), lastPart(stream).errors]).toEqual([false, undefined]);
    stream.leave();
  });

  test('Last-Event-ID is for EventSource only', async () => {
    const gateway = createGateway();
    const stream = await subscribe(gateway, { 'last-event-id': 'over' });
    expect([stream.status, stream.events.length]).toEqual([200, 1]);
  });
});

describe('End of a multipart stream', () => {
  const BOUNDARY = /\r\n--graphql--\r\n$/;

  test('a lifetime that is over: an error of the transport that says when to come back', async () => {
    const gateway = createGateway({ LIVE_LIFETIME_MS: '60000' });
    const stream = await subscribe(gateway);
    await gateway.pass(61 * SECOND);
    expect(lastPart(stream)).toEqual({
      payload: null,
      errors: [
        {
          message: 'The subscription was interrupted: subscribe again.',
          extensions: { code: 'SUBSCRIPTION_INTERRUPTED', retryAfter: 3 },
        },
      ],
    });
    expect(stream.text()).toMatch(BOUNDARY);
    expect(stream.isEnded()).toBe(true);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a drain: the same error; a new subscription is HTTP 503 with Retry-After', async () => {
    const gateway = createGateway({ DRAIN_DELAY_MS: '0', DRAIN_TIMEOUT_MS: '10000' });
    const stream = await subscribe(gateway);
    gateway.drain();
    const rejected = await subscribe(gateway);
    expect([rejected.status, rejected.headers.get('retry-after')]).toEqual([503, '3']);
    await gateway.pass(9 * SECOND);
    expect(lastPart(stream).errors[0].extensions.code).toBe('SUBSCRIPTION_INTERRUPTED');
    expect(stream.text()).toMatch(BOUNDARY);
  });

  test('a key that Revox rejects: an error without path, which is the end', async () => {
    const gateway = createGateway({ REVOX_API_KEY: '' });
    const stream = await subscribe(gateway, { authorization: `Bearer ${KEY_A}` });
    gateway.sandbox.control.fail('/call/c1', { status: 401 });
    await gateway.pass(3 * SECOND);
    const { payload, errors } = lastPart(stream);
    expect(payload).toBeNull();
    expect(errors.map(Object.keys)).toEqual([['message', 'extensions']]);
    expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(stream.text()).toMatch(BOUNDARY);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a token that expires: UNAUTHENTICATED', async () => {
    const key = await createKey('k1');
    const gateway = createLiveGateway({
      settings: JWT_SETTINGS,
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    gateway.putCall({ id: 'c1', status: 'calling' });
    const exp = Math.floor(gateway.now() / 1000) + 60;
    const authorization = `Bearer ${await sign(key, { ...VALID_CLAIMS, sub: 'u', exp })}`;
    const stream = await subscribe(gateway, { authorization });
    await gateway.pass(67 * SECOND);
    expect(lastPart(stream).errors).toEqual([
      {
        message: 'The bearer token has expired: subscribe again with a new one.',
        extensions: { code: 'UNAUTHENTICATED' },
      },
    ]);
    expect(stream.text()).toMatch(BOUNDARY);
  });

  test('an outage that is too long: UPSTREAM_UNAVAILABLE', async () => {
    const gateway = createGateway({ LIVE_GIVE_UP_MS: '60000' });
    const stream = await subscribe(gateway);
    gateway.sandbox.control.reset('/call/c1');
    await gateway.pass(90 * SECOND);
    expect(lastPart(stream).errors[0].extensions).toEqual({
      code: 'UPSTREAM_UNAVAILABLE',
      retryAfter: 30,
    });
    expect(stream.text()).toMatch(BOUNDARY);
  });
});

describe('Fault of a multipart request', () => {
  const ONLY = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0';
  test.each([
    [ACCEPT, 'application/graphql-response+json; charset=utf-8'],
    [`${ONLY},application/json`, 'application/json; charset=utf-8'],
    [ONLY, 'application/json; charset=utf-8'],
    [`${ONLY}, text/event-stream`, 'application/json; charset=utf-8'],
  ])('with Accept: %s it is HTTP 400 with JSON', async (accept, type) => {
    const gateway = createGateway();
    for (const query of [
      'subscription { nothing }',
      'subscription {',
      'subscription { callUpdated(id: "") { id } }',
      'subscription { callUpdated(id: 1.5) { id } }',
      'subscription ($id: ID!) { callUpdated(id: $id) { id } }',
    ]) {
      const { status, headers, body } = await gateway.subscribe(query, {}, { accept });
      expect([query, status, headers.get('content-type')]).toEqual([query, 400, type]);
      expect(JSON.parse(body ?? '').errors[0].extensions.code).toMatch(/^(GRAPHQL_|BAD_USER)/);
    }
    expect(gateway.traffic()).toEqual([]);
  });

  test('over a limit it is the same HTTP error as for an event stream', async () => {
    const gateway = createGateway({ MAX_SUBSCRIPTIONS: '1' });
    const first = await subscribe(gateway);
    const second = await subscribe(gateway);
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
    expect(second.headers.get('content-type')).toContain('json');
    first.leave();
  });

  test('a query of the same client is answered as ever', async () => {
    const gateway = createGateway();
    const { status, headers, body } = await gateway.subscribe(
      '{ call(id: "c1") { status } }',
      {},
      { accept: ACCEPT },
    );
    expect([status, headers.get('content-type'), body]).toEqual([
      200,
      'application/graphql-response+json; charset=utf-8',
      '{"data":{"call":{"status":"CALLING"}}}',
    ]);
  });
});
