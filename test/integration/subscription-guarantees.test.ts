import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A, KEY_B, NO_CACHE } from '../support/test-gateway.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Longer than each interval between two polls. */
const ONE_POLL = 61 * SECOND;
const SLOW_POLLS = {
  LIVE_CALL_MS: '60000',
  LIVE_WAITING_CALL_MS: '60000',
  LIVE_CAMPAIGN_MS: '60000',
};
const PASS_THROUGH = { REVOX_API_KEY: '' };

/** A field, and an object that it follows. */
interface Field {
  readonly query: string;
  readonly lookup: string;
  /** Its states: the first one, two later ones, and one that is over. */
  readonly states: readonly [string, string, string, string];
  put(gateway: LiveGateway, id: string, state: string, apiKey?: string): void;
  /** The state that an event shows; null if the object does not exist. */
  // biome-ignore lint/suspicious/noExplicitAny: the data of any subscription.
  toState(data: any): string | null | undefined;
  readonly path: string;
}

const stateOf = (object: { readonly status: string } | null | undefined) =>
  object === null ? null : object?.status;

const FIELDS: Readonly<Record<string, Field>> = {
  callsUpdated: {
    query: 'subscription ($id: ID!) { callsUpdated(ids: [$id]) { callId call { status } } }',
    lookup: 'query ($id: ID!) { call(id: $id) { status } }',
    states: ['QUEUED_FOR_CALLING', 'CALLING', 'SCHEDULED', 'COMPLETED'],
    put: (gateway, id, state, apiKey) =>
      gateway.putCall({ id, status: state.toLowerCase() as never, campaign: null }, apiKey),
    toState: (data) => stateOf(data?.callsUpdated?.call),
    path: '/call',
  },
  campaignUpdated: {
    query: 'subscription ($id: ID!) { campaignUpdated(id: $id) { status } }',
    lookup: 'query ($id: ID!) { campaign(id: $id) { status } }',
    states: ['RUNNING', 'PAUSED', 'RUNNING', 'COMPLETED'],
    put({ sandbox }, id, state, apiKey = KEY_A) {
      const { campaigns } = sandbox.control.data(apiKey);
      const known = campaigns.find((campaign) => campaign.id === id);
      const campaign = known ?? { ...campaigns[0]!, id, is_cancelled: false };
      if (!known) campaigns.push(campaign);
      campaign.status = state.toLowerCase() as never;
    },
    toState: (data) => stateOf(data?.campaignUpdated),
    path: '/campaigns',
  },
};

describe.each(Object.entries(FIELDS))('%s', (_name, field) => {
  const id = 'object-1';
  const path = `${field.path}/${id}`;
  const [first, second, third, last] = field.states;
  const states = ({ events }: EventStream) => events.map(({ data }) => field.toState(data));
  const codes = ({ events }: EventStream) =>
    events.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);

  function createGateway(settings: Record<string, string> = {}) {
    const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0', ...settings } });
    field.put(gateway, id, first);
    gateway.traffic();
    return {
      ...gateway,
      put: (state: string, apiKey?: string) => field.put(gateway, id, state, apiKey),
      watch: (headers?: Record<string, string>) => gateway.subscribe(field.query, { id }, headers),
      lookUp: () => gateway.execute(field.lookup, { id }),
    };
  }

  test('the first event is the present state, for one request or what a query has read (G1)', async () => {
    const gateway = createGateway();
    expect(states(await gateway.watch())).toEqual([first]);
    expect(gateway.traffic()).toEqual([`GET ${path}`]);
    const other = createGateway();
    await other.lookUp();
    expect(states(await other.watch())).toEqual([first]);
    expect(other.traffic()).toHaveLength(1);
  });

  test('a subscriber that joins later gets the state of that moment first (G1)', async () => {
    const gateway = createGateway(SLOW_POLLS);
    const early = await gateway.watch();
    await gateway.pass(20 * SECOND);
    gateway.put(second);
    gateway.traffic();
    const late = await gateway.watch();
    await gateway.pass(SECOND);
    expect([states(early), states(late)]).toEqual([[first, second], [second]]);
    expect(gateway.traffic()).toEqual([`GET ${path}`]);
  });

  test('a call that is over is sent before complete, and is no longer polled (G2)', async () => {
    const gateway = createGateway();
    const stream = await gateway.watch();
    gateway.put(last);
    await gateway.pass(ONE_POLL);
    expect(states(stream)).toEqual([first, last]);
    expect(stream.text()).toMatch(new RegExp(`"${last}".*\\nid: .*\\n\\nevent: complete\\n`));
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect([gateway.traffic(), await gateway.metric('live_cohorts')]).toEqual([[], 0]);
  });

  test('an unchanged state is sent once, however often it is polled (G3)', async () => {
    const gateway = createGateway();
    const stream = await gateway.watch();
    await gateway.pass(2 * ONE_POLL);
    expect(states(stream)).toEqual([first]);
    expect(gateway.traffic().length).toBeGreaterThan(5);
  });

  test('a response that arrives after a later one does not bring an old state back (G4)', async () => {
    const gateway = createGateway(NO_CACHE as Record<string, string>);
    const stream = await gateway.watch();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const transformed = (json: unknown) => held.then(() => json);
    gateway.sandbox.control.transform(path, transformed, 1);
    const slow = gateway.lookUp();
    await gateway.pass(1_100);
    gateway.put(second);
    await gateway.lookUp();
    await gateway.pass(300);
    release();
    await slow;
    await gateway.pass(300);
    expect(states(stream)).toEqual([first, second]);
  });

  test('changes within 250 ms are one event with the newest state (G5)', async () => {
    const gateway = createGateway(NO_CACHE as Record<string, string>);
    const stream = await gateway.watch();
    for (const state of [second, third, second]) {
      gateway.put(state);
      await gateway.lookUp();
      await gateway.pass(50);
    }
    expect(states(stream)).toEqual([first]);
    await gateway.pass(200);
    expect(states(stream)).toEqual([first, second]);
    expect(gateway.traffic().length).toBeLessThanOrEqual(5);
  });

  test('an outage is silent, then one stale event, and the next reading takes it back (G6, G8)', async () => {
    const gateway = createGateway();
    const stream = await gateway.watch();
    gateway.sandbox.control.fail(path, { status: 503 });
    gateway.put(second);
    await gateway.pass(25 * SECOND);
    // The query gets the cached response, which is no event.
    expect((await gateway.lookUp()).errors).toBeUndefined();
    expect(states(stream)).toEqual([first]);
    await gateway.pass(40 * SECOND);
    expect(stream.events.slice(1)).toMatchObject([
      { extensions: { live: { stale: true, code: 'UPSTREAM_UNAVAILABLE' } } },
    ]);
    expect([states(stream), codes(stream)]).toEqual([[first, first], []]);
    gateway.sandbox.control.heal();
    await gateway.pass(2 * MINUTE);
    expect(states(stream)).toEqual([first, first, second]);
    expect(stream.events[2]?.extensions).toEqual({ live: { stale: false } });
  });

  test('an outage of LIVE_GIVE_UP_MS interrupts the stream (G8)', async () => {
    const gateway = createGateway({ LIVE_GIVE_UP_MS: '120000' });
    const stream = await gateway.watch();
    gateway.sandbox.control.fail(path, { status: 503 });
    await gateway.pass(4 * MINUTE);
    expect(codes(stream)).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
  ])('a %i of a poll ends it with %s and complete (G9)', async (status, code) => {
    const gateway = createGateway(PASS_THROUGH);
    const stream = await gateway.watch({ authorization: `Bearer ${KEY_A}` });
    gateway.sandbox.control.fail(path, { status });
    await gateway.pass(ONE_POLL);
    expect([codes(stream), stream.isComplete()]).toEqual([[code], true]);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a call that does not exist is null after three polls, and a removed call at once (G10)', async () => {
    const gateway = createGateway();
    gateway.sandbox.control.fail(path, { status: 404 });
    const stream = await gateway.watch();
    await gateway.pass(2_900);
    expect(states(stream)).toEqual([]);
    await gateway.pass(200);
    expect([states(stream), codes(stream), stream.isComplete()]).toEqual([[null], [], true]);
    expect(gateway.traffic()).toEqual(Array(3).fill(`GET ${path}`));
    const other = createGateway();
    const removed = await other.watch();
    other.sandbox.control.fail(path, { status: 404 });
    await other.pass(ONE_POLL);
    expect([states(removed), removed.isComplete()]).toEqual([[first, null], true]);
  });

  test('a failing upstream is an error after the deadline, and the state follows (G7, G11)', async () => {
    const gateway = createGateway({ REQUEST_DEADLINE_MS: '5000' });
    gateway.sandbox.control.reset(path);
    const stream = await gateway.watch();
    await gateway.pass(3 * SECOND);
    expect(stream.events).toEqual([]);
    await gateway.pass(4 * SECOND);
    expect(codes(stream)).toEqual(['UPSTREAM_UNAVAILABLE']);
    gateway.sandbox.control.heal();
    await gateway.pass(2 * MINUTE);
    expect([states(stream), stream.isEnded()]).toEqual([[null, first], false]);
  });

  test('a client that subscribes again does not get the state that it names (G12)', async () => {
    const gateway = createGateway();
    const stream = await gateway.watch();
    stream.leave();
    await gateway.pass(20 * SECOND);
    const again = await gateway.watch({ 'last-event-id': stream.events[0]?.id ?? '' });
    await gateway.pass(SECOND);
    expect(states(again)).toEqual([]);
    gateway.put(last);
    await gateway.pass(ONE_POLL);
    expect([states(again), again.isComplete()]).toEqual([[last], true]);
    gateway.traffic();
    const over = await gateway.watch({ 'last-event-id': 'over' });
    expect([over.status, gateway.traffic()]).toEqual([204, []]);
  });

  test('streams of two credentials share neither polls nor events (G13)', async () => {
    const gateway = createGateway(PASS_THROUGH);
    gateway.put(second, KEY_B);
    const watch = (key: string) => gateway.watch({ authorization: `Bearer ${key}` });
    const [one, other] = [await watch(KEY_A), await watch(KEY_B)];
    await gateway.pass(100);
    expect([states(one), states(other)]).toEqual([[first], [second]]);
    expect(gateway.traffic()).toEqual([`GET ${path}`, `GET ${path}`]);
    gateway.put(last, KEY_B);
    await gateway.pass(ONE_POLL);
    expect([states(one), one.isEnded()]).toEqual([[first], false]);
    expect([states(other), other.isComplete()]).toEqual([[second, last], true]);
  });
});
