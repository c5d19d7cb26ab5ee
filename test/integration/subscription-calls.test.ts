import { describe, expect, test } from 'vitest';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';

const CALLS_UPDATED = `subscription Calls($ids: [ID!]!, $until: CallMilestone! = ENDED) {
  callsUpdated(ids: $ids, until: $until) { callId call { status } }
}`;
const SECOND = 1_000;

type Stream = Awaited<ReturnType<LiveGateway['subscribe']>>;

/** The events of a stream, as `id STATUS`. */
const sent = (stream: Stream) =>
  stream.events.map(({ data }) => {
    const { callId, call } = data.callsUpdated;
    return `${callId} ${call?.status ?? call}`;
  });

const traffic = (gateway: LiveGateway) => gateway.traffic().toSorted();

function createGateway(settings: Record<string, string> = {}): LiveGateway {
  const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0', ...settings } });
  for (const id of ['c1', 'c2', 'c3']) gateway.putCall({ id, status: 'queued_for_calling' });
  gateway.traffic();
  return gateway;
}

describe('callsUpdated', () => {
  test('each call is sent first, without pauses between them, and a repeated id once (G1)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2', 'c1', 'c3'] });
    expect(sent(stream)).toEqual(['c1', 'c2', 'c3'].map((id) => `${id} QUEUED_FOR_CALLING`));
    expect(traffic(gateway)).toEqual(['GET /call/c1', 'GET /call/c2', 'GET /call/c3']);
  });

  test('each change is one event, and the stream completes after the last state of the last call (G2, G3)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2', 'c3'] });
    gateway.putCall({ id: 'c2', status: 'calling' });
    await gateway.pass(4 * SECOND);
    expect(sent(stream).slice(3)).toEqual(['c2 CALLING']);
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.sandbox.control.removeCall(KEY_A, 'c3');
    await gateway.pass(4 * SECOND);
    expect(sent(stream).slice(4).toSorted()).toEqual(['c1 COMPLETED', 'c3 null']);
    expect(stream.isEnded()).toBe(false);
    gateway.traffic();
    await gateway.pass(10 * SECOND);
    // What is over is not polled again.
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c2']));
    gateway.putCall({ id: 'c2', status: 'errored' });
    await gateway.pass(11 * SECOND);
    expect(sent(stream).slice(6)).toEqual(['c2 ERRORED']);
    expect(stream.text()).toMatch(/ERRORED.*\nid: .*\n\nevent: complete\n/);
    expect(stream.isComplete()).toBe(true);
  });

  test('a subscriber that joins later gets the present state of each call, and calls that are over cost nothing', async () => {
    const gateway = createGateway({ LIVE_WAITING_CALL_MS: '60000', LIVE_CALL_MS: '60000' });
    gateway.putCall({ id: 'c3', status: 'completed' });
    await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2', 'c3'] });
    gateway.putCall({ id: 'c1', status: 'calling' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    const late = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2', 'c3'] });
    await gateway.pass(300);
    expect(sent(late).toSorted()).toEqual(['c1 CALLING', 'c2 QUEUED_FOR_CALLING', 'c3 COMPLETED']);
    expect(traffic(gateway)).toEqual(['GET /call/c1', 'GET /call/c2']);
  });

  test('calls that change all the time do not keep the present state from a new subscriber', async () => {
    const gateway = createGateway({ LIVE_CALL_MS: '1000' });
    const ids = ['c1', 'c2', 'c3'];
    await gateway.subscribe(CALLS_UPDATED, { ids });
    const late = await gateway.subscribe(CALLS_UPDATED, { ids });
    for (let count = 1; count <= 6; count += 1) {
      for (const id of ids) gateway.putCall({ id, status: count % 2 ? 'calling' : 'scheduled' });
      await gateway.pass(200);
    }
    expect(new Set(sent(late).map((event) => event.slice(0, 2)))).toEqual(new Set(ids));
  });

  test('one failing call is an error in its own events, and the others go on (G7, G8)', async () => {
    const gateway = createGateway({ REQUEST_DEADLINE_MS: '5000' });
    gateway.sandbox.control.fail('/call/c2', { status: 503 });
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2'] });
    expect(sent(stream)).toEqual(['c1 QUEUED_FOR_CALLING']);
    await gateway.pass(8 * SECOND);
    expect(stream.events[1]).toMatchObject({
      data: { callsUpdated: { callId: 'c2', call: null } },
      errors: [{ path: ['callsUpdated', 'call'], extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
    });
    gateway.putCall({ id: 'c1', status: 'calling' });
    gateway.sandbox.control.heal();
    await gateway.pass(70 * SECOND);
    expect(sent(stream).slice(2).toSorted()).toEqual(['c1 CALLING', 'c2 QUEUED_FOR_CALLING']);
  });

  test('an outage is shown for each call after 30 s, and the next readings take it back (G8)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2'] });
    gateway.sandbox.control.fail('/call', { status: 503 });
    await gateway.pass(45 * SECOND);
    const stale = stream.events.slice(2);
    expect(stale.map(({ data }) => data.callsUpdated.callId).toSorted()).toEqual(['c1', 'c2']);
    for (const { errors, extensions } of stale)
      expect([errors, extensions?.live]).toMatchObject([
        undefined,
        { stale: true, code: 'UPSTREAM_UNAVAILABLE' },
      ]);
    gateway.sandbox.control.heal();
    await gateway.pass(70 * SECOND);
    expect(sent(stream).slice(4).toSorted()).toEqual([
      'c1 QUEUED_FOR_CALLING',
      'c2 QUEUED_FOR_CALLING',
    ]);
    for (const { extensions } of stream.events.slice(4))
      expect(extensions).toEqual({ live: { stale: false } });
  });

  test('subscriptions of other documents with the same calls cost no further request', async () => {
    const gateway = createGateway();
    const ids = ['c1', 'c2', 'c3'];
    await gateway.subscribe(CALLS_UPDATED, { ids });
    await gateway.subscribe('subscription { callUpdated(id: "c1") { status } }');
    await gateway.subscribe('subscription { callsEnded(ids: ["c2", "c3"]) { callId } }');
    expect(traffic(gateway)).toEqual(ids.map((id) => `GET /call/${id}`));
  });

  test('a stream until SETTLED follows each call for five minutes after its end', async () => {
    const gateway = createGateway();
    const attempt = gateway.sandbox.control.data(KEY_A).attempts[0]!;
    const endedBefore = (ms: number) => ({
      ...attempt,
      status: 'completed' as const,
      ended_at: new Date(gateway.now() - ms).toISOString(),
    });
    const put = (id: string, ms: number) =>
      gateway.putCall({ id, status: 'completed', call_attempts: [endedBefore(ms)] });
    put('c1', 250 * SECOND);
    put('c2', 100 * SECOND);
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids: ['c1', 'c2'], until: 'SETTLED' });
    await gateway.pass(130 * SECOND);
    expect([sent(stream), stream.isEnded()]).toEqual([['c1 COMPLETED', 'c2 COMPLETED'], false]);
    await gateway.pass(150 * SECOND);
    expect([sent(stream).length, stream.isComplete()]).toEqual([2, true]);
  });

  test('a hundred calls are followed by one stream, within LIVE_RATE', async () => {
    const gateway = createGateway();
    const ids = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    // Calls of no campaign: no list embeds them.
    for (const id of ids) gateway.putCall({ id, status: 'calling', campaign: null });
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids });
    // What is read is sent: the first calls do not wait for the last ones.
    expect(stream.events.length).toBeGreaterThan(3);
    await gateway.pass(10 * SECOND);
    expect(new Set(sent(stream))).toEqual(new Set(ids.map((id) => `${id} CALLING`)));
    expect(gateway.traffic().length).toBeLessThanOrEqual(10 + 10 * 10 + 1);
    expect(await gateway.metric('live_stretch')).toBeGreaterThan(3);
  });

  test('streams of two credentials share neither polls nor events (G13)', async () => {
    const gateway = createGateway({ REVOX_API_KEY: '' });
    gateway.putCall({ id: 'c1', status: 'scheduled' }, KEY_B);
    const subscribe = (key: string) =>
      gateway.subscribe(CALLS_UPDATED, { ids: ['c1'] }, { authorization: `Bearer ${key}` });
    const [one, other] = [await subscribe(KEY_A), await subscribe(KEY_B)];
    await gateway.pass(100);
    expect([sent(one), sent(other)]).toEqual([['c1 QUEUED_FOR_CALLING'], ['c1 SCHEDULED']]);
    gateway.putCall({ id: 'c1', status: 'completed' }, KEY_B);
    await gateway.pass(61 * SECOND);
    expect([sent(one), one.isEnded()]).toEqual([['c1 QUEUED_FOR_CALLING'], false]);
    expect([sent(other), other.isComplete()]).toEqual([['c1 SCHEDULED', 'c1 COMPLETED'], true]);
  });

  test.each([
    ['no id', [], '`ids` must contain at least one id.', 'BAD_USER_INPUT'],
    ['an impossible id', ['c1', '..'], 'cannot be an id', 'BAD_USER_INPUT'],
    ['too many ids', Array(101).fill('x'), 'MAX_IDS', 'OPERATION_TOO_COMPLEX'],
  ])('%s is rejected in one event, before any poll', async (_, ids, message, code) => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALLS_UPDATED, { ids });
    expect(stream.events).toMatchObject([{ errors: [{ extensions: { code } }] }]);
    expect(stream.events[0]?.errors?.[0]?.message).toContain(message);
    expect([stream.isComplete(), gateway.traffic()]).toEqual([true, []]);
  });
});
