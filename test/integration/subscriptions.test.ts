import { describe, expect, test } from 'vitest';
import { createLiveGateway, type LiveGateway } from '../support/live-gateway.ts';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';

const CALL_UPDATED = `subscription Watch($id: ID!, $until: CallMilestone! = ENDED) {
  callUpdated(id: $id, until: $until) { id status callsCount callAttempts { status } }
}`;
const CALLS_ENDED = `subscription Ends($ids: [ID!]!) {
  callsEnded(ids: $ids) { callId call { status } }
}`;
const POLL = 'GET /call/c1';
const SECOND = 1_000;

const statuses = (stream: Awaited<ReturnType<LiveGateway['subscribe']>>) =>
  stream.events.map(({ data }) => data.callUpdated?.status);

function createGateway(settings: Record<string, string> = {}): LiveGateway {
  const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0', ...settings } });
  gateway.putCall({ id: 'c1', status: 'queued_for_calling' });
  gateway.traffic();
  return gateway;
}

describe('First event of a subscription', () => {
  test('the first event is the present state, and takes one upstream request (G1)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(stream.events.map(({ data }) => data)).toEqual([
      { callUpdated: { id: 'c1', status: 'QUEUED_FOR_CALLING', callsCount: 0, callAttempts: [] } },
    ]);
    expect(gateway.traffic()).toEqual([POLL]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('a state that a query has just read is the first event, without an upstream request (G1)', async () => {
    const gateway = createGateway();
    await gateway.execute('{ call(id: "c1") { id } }');
    gateway.traffic();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    expect(statuses(stream)).toEqual(['QUEUED_FOR_CALLING']);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a subscriber that joins later gets the state of that moment first, not the last event (G1)', async () => {
    const gateway = createGateway({ LIVE_CALL_MS: '20000', LIVE_WAITING_CALL_MS: '20000' });
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.putCall({ id: 'c1', status: 'calling' });
    gateway.traffic();
    const late = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(100);
    expect(statuses(late)).toEqual(['CALLING']);
    expect(gateway.traffic()).toEqual([POLL]);
  });

  test('a change between the last poll and the subscription is never missed (G1)', async () => {
    const gateway = createGateway();
    const release = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', release.promise, 1);
    const first = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.putCall({ id: 'c1', status: 'calling' });
    const second = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    release.resolve();
    await gateway.pass(3 * SECOND);
    expect(statuses(first).at(-1)).toBe('CALLING');
    expect(statuses(second).at(-1)).toBe('CALLING');
  });

  test('a failing upstream yields an error as the first event after the deadline, and then the state (G11)', async () => {
    const gateway = createGateway({ REQUEST_DEADLINE_MS: '5000' });
    gateway.sandbox.control.reset('/call/c1');
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(3 * SECOND);
    expect(stream.events).toEqual([]);
    await gateway.pass(4 * SECOND);
    expect(stream.events).toMatchObject([
      { data: { callUpdated: null }, errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }] },
    ]);
    gateway.sandbox.control.heal();
    await gateway.pass(70 * SECOND);
    expect(statuses(stream).at(-1)).toBe('QUEUED_FOR_CALLING');
    expect(stream.isEnded()).toBe(false);
  });

  test('an event may need ten upstream requests besides its poll, and no more (G11)', async () => {
    const gateway = createGateway({ MAX_UPSTREAM_REQUESTS_PER_EVENT: '1' });
    const { campaigns } = gateway.sandbox.control.data(KEY_A);
    const campaign = campaigns[0]!;
    gateway.putCall({ id: 'c1', status: 'calling', campaign: { id: campaign.id, name: 'x' } });
    const stream = await gateway.subscribe(
      `subscription { callUpdated(id: "c1") { campaign { status a: rows(first: 1, query: "a") { totalCount } b: rows(first: 1, query: "b") { totalCount } } } }`,
    );
    expect(stream.events[0]?.errors?.[0]?.extensions.code).toBe('UPSTREAM_BUDGET_EXCEEDED');
    expect(gateway.traffic()).toHaveLength(2);
  });
});

describe('Events of a subscription', () => {
  test('the last state is sent before the stream completes (G2)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.putCall({ id: 'c1', status: 'completed' });
    await gateway.pass(3 * SECOND);
    expect(statuses(stream)).toEqual(['QUEUED_FOR_CALLING', 'COMPLETED']);
    expect(stream.text()).toMatch(/COMPLETED.*\nid: .*\n\nevent: complete\ndata:\nid: over\n\n$/);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([true, true]);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('live_cohorts')).toBe(0);
  });

  test('a call that is over is sent once, and the stream completes (G2)', async () => {
    const gateway = createGateway();
    gateway.putCall({ id: 'c1', status: 'cancelled' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    expect(statuses(stream)).toEqual(['CANCELLED']);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([true, true]);
    expect(gateway.traffic()).toEqual([POLL]);
  });

  test('an unchanged state is not sent again, however often it is polled (G3)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    // A change that the selection does not show is no event either.
    gateway.putCall({ id: 'c1', status: 'queued_for_calling', to_phone_number: '+33100000000' });
    await gateway.pass(30 * SECOND);
    expect(gateway.traffic().length).toBeGreaterThan(5);
    expect(statuses(stream)).toEqual(['QUEUED_FOR_CALLING']);
  });

  test('changes within 250 ms are one event with the newest state (G5)', async () => {
    const gateway = createGateway(NO_CACHE as Record<string, string>);
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    for (const count of [1, 2, 3]) {
      gateway.putCall({ id: 'c1', status: 'calling', calls_count: count });
      await gateway.execute('{ call(id: "c1") { id } }');
      await gateway.pass(50);
    }
    expect(stream.events).toHaveLength(1);
    await gateway.pass(200);
    expect(stream.events.map(({ data }) => data.callUpdated.callsCount)).toEqual([0, 3]);
  });

  test('a stale response of a failing upstream is never an event (G6)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.fail('/call/c1', { status: 503 });
    gateway.putCall({ id: 'c1', status: 'calling' });
    await gateway.pass(20 * SECOND);
    // The query gets the cached response, which the subscription already has.
    const { data } = await gateway.execute('{ call(id: "c1") { status } }');
    expect(data.call.status).toBe('QUEUED_FOR_CALLING');
    expect(statuses(stream)).toEqual(['QUEUED_FOR_CALLING']);
    gateway.sandbox.control.heal();
    await gateway.pass(70 * SECOND);
    expect(statuses(stream).at(-1)).toBe('CALLING');
  });

  test('a field error is part of an event and does not end the stream (G7)', async () => {
    const gateway = createGateway();
    const campaign = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
    gateway.putCall({ id: 'c1', status: 'calling', campaign: { id: campaign.id, name: 'x' } });
    gateway.sandbox.control.fail(`/campaigns/${campaign.id}`, { status: 400 });
    const stream = await gateway.subscribe(
      'subscription { callUpdated(id: "c1") { status campaign { status } } }',
    );
    expect(stream.events).toMatchObject([
      {
        data: { callUpdated: { status: 'CALLING', campaign: { status: null } } },
        errors: [{ extensions: { code: 'UPSTREAM_REJECTED' } }],
      },
    ]);
    expect(stream.isEnded()).toBe(false);
    gateway.sandbox.control.heal();
    await gateway.pass(5 * SECOND);
    expect(stream.events.at(-1)?.errors).toBeUndefined();
  });

  test('a call that is just being ordered is found by the next polls (G10)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c2' });
    expect(stream.events).toEqual([]);
    await gateway.pass(500);
    gateway.putCall({ id: 'c2', status: 'initializing' });
    await gateway.pass(600);
    expect(statuses(stream)).toEqual(['INITIALIZING']);
    expect(gateway.traffic()).toEqual(['GET /call/c2', 'GET /call/c2']);
  });

  test('a call that does not exist is null after three polls, and the stream completes (G10)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'nowhere' });
    await gateway.pass(2_900);
    expect(stream.events).toEqual([]);
    await gateway.pass(200);
    expect(stream.events.map(({ data, errors }) => [data, errors])).toEqual([
      [{ callUpdated: null }, undefined],
    ]);
    expect(stream.isComplete()).toBe(true);
    expect(gateway.traffic()).toEqual(Array(3).fill('GET /call/nowhere'));
  });

  test('a call that is removed while it is watched is null at once, and the stream completes (G10)', async () => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.removeCall(KEY_A, 'c1');
    await gateway.pass(3 * SECOND);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: null });
    expect(stream.isComplete()).toBe(true);
    expect(gateway.traffic()).toEqual([POLL, POLL]);
  });

  test.each(['oldest', '0.0.2', 'later', '0.5.0'] as const)(
    'version %s of the API: each state is an event, and the end of the call completes the stream',
    async (version) => {
      const gateway = createGateway();
      gateway.sandbox.control.respondAs(version);
      const attempt = gateway.sandbox.control
        .data(KEY_A)
        .attempts.find(({ status }) => status === 'completed')!;
      const put = (status: 'calling' | 'completed', attemptStatus: 'ringing' | 'completed') => {
        const attempts = [{ ...attempt, id: 'a1', status: attemptStatus }];
        gateway.putCall({
          id: 'c1',
          status,
          is_completed: status === 'completed',
          call_attempts: attempts,
          last_call_attempt: attempts[0]!,
        });
      };
      put('calling', 'ringing');
      const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
      put('completed', 'completed');
      await gateway.pass(7 * SECOND);
      expect(stream.events.map(({ data }) => data.callUpdated.callAttempts)).toEqual([
        [{ status: 'RINGING' }],
        [{ status: 'COMPLETED' }],
      ]);
      expect(stream.isComplete()).toBe(true);
      expect(gateway.traffic()).toEqual([POLL, POLL]);
    },
  );

  test('a stream until SETTLED goes on for five minutes after the end of the call', async () => {
    const gateway = createGateway();
    const end = new Date(gateway.now()).toISOString();
    const attempt = {
      ...gateway.sandbox.control.data(KEY_A).attempts[0]!,
      id: 'a1',
      ended_at: end,
    };
    gateway.putCall({
      id: 'c1',
      status: 'completed',
      calls_count: 1,
      call_attempts: [{ ...attempt, status: 'completed' }],
    });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1', until: 'SETTLED' });
    await gateway.pass(280 * SECOND);
    expect(statuses(stream)).toEqual(['COMPLETED']);
    expect(stream.isEnded()).toBe(false);
    const early = gateway.traffic().length;
    expect(early).toBeGreaterThan(5);
    expect(early).toBeLessThan(15);
    await gateway.pass(90 * SECOND);
    expect([statuses(stream), stream.isComplete()]).toEqual([['COMPLETED'], true]);
  });
});

describe('callsEnded', () => {
  test('each call is sent once when it is over, and the stream completes with the last one', async () => {
    const gateway = createGateway();
    for (const id of ['c2', 'c3']) gateway.putCall({ id, status: 'calling' });
    gateway.putCall({ id: 'c3', status: 'completed' });
    const stream = await gateway.subscribe(CALLS_ENDED, { ids: ['c1', 'c2', 'c3', 'c1'] });
    const sent = () => stream.events.map(({ data }) => data.callsEnded);
    expect(sent()).toEqual([{ callId: 'c3', call: { status: 'COMPLETED' } }]);
    expect(gateway.traffic()).toEqual(['GET /call/c1', 'GET /call/c2', 'GET /call/c3']);
    gateway.putCall({ id: 'c1', status: 'errored' });
    await gateway.pass(4 * SECOND);
    expect(sent().slice(1)).toEqual([{ callId: 'c1', call: { status: 'ERRORED' } }]);
    expect(stream.isEnded()).toBe(false);
    gateway.traffic();
    await gateway.pass(10 * SECOND);
    expect(new Set(gateway.traffic())).toEqual(new Set(['GET /call/c2']));
    gateway.sandbox.control.removeCall(KEY_A, 'c2');
    await gateway.pass(15 * SECOND);
    expect(sent().slice(2)).toEqual([{ callId: 'c2', call: null }]);
    expect(stream.isComplete()).toBe(true);
  });

  test('a subscriber that joins later gets the calls that are over first', async () => {
    const gateway = createGateway();
    gateway.putCall({ id: 'c2', status: 'completed' });
    await gateway.subscribe(CALLS_ENDED, { ids: ['c1', 'c2'] });
    gateway.traffic();
    const late = await gateway.subscribe(CALLS_ENDED, { ids: ['c1', 'c2'] });
    expect(late.events.map(({ data }) => data.callsEnded.callId)).toEqual(['c2']);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    ['no id', [], '`ids` must contain at least one id.', 'BAD_USER_INPUT'],
    ['an impossible id', ['..'], 'cannot be an id', 'BAD_USER_INPUT'],
    ['too many ids', Array(101).fill('x'), 'MAX_IDS', 'OPERATION_TOO_COMPLEX'],
  ])('%s is rejected in one event, before any poll', async (_, ids, message, code) => {
    const gateway = createGateway();
    const stream = await gateway.subscribe(CALLS_ENDED, { ids });
    expect(stream.events).toMatchObject([{ errors: [{ extensions: { code } }] }]);
    expect(stream.events[0]?.errors?.[0]?.message).toContain(message);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([true, true]);
    expect(gateway.traffic()).toEqual([]);
  });
});
