import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway, type LiveGateway, putCallState } from '../support/live-gateway.ts';
import { KEY_A, KEY_B, type TestGatewayOptions } from '../support/test-gateway.ts';
import { postWebhook, toCallInProgress, toWebhook, WEBHOOK_SECRET } from '../support/webhooks.ts';

const CALL_UPDATED = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
const SECOND = 1_000;
/** Longer than a pass of the scheduler, and shorter than every interval. */
const MOMENT = 50;

/** Without a moment, a scheduled call is polled every 30 s or less often. */
const scheduled = (id: string) => ({ id, status: 'scheduled', scheduled_at: null }) as const;

function createGateway({ settings, ...options }: TestGatewayOptions = {}): LiveGateway {
  return createLiveGateway({
    settings: { WEBHOOK_SECRETS: WEBHOOK_SECRET, ...settings },
    ...options,
  });
}

const statusesOf = (stream: EventStream) =>
  stream.events.map(({ data }) => data?.callUpdated.status as string);

describe('Webhooks of watched calls', () => {
  test('a webhook makes one poll due, whose result is the event', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.traffic();
    const { status } = await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    expect(status).toBe(204);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(statusesOf(stream)).toEqual(['SCHEDULED', 'COMPLETED']);
    expect([stream.isComplete(), stream.error()]).toEqual([true, undefined]);
    await gateway.pass(120 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('live_polls_total{reason="hint",result="read"}')).toBe(1);
    expect(await gateway.metric('webhooks_total{result="due"}')).toBe(1);
  });

  test('nothing of a webhook but the id is used: its status is not shown', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(20 * SECOND);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(statusesOf(stream)).toEqual(['SCHEDULED']);
  });

  test('without an order id, the call id counts; with one, it does not', async () => {
    const gateway = createGateway();
    for (const id of ['c1', 'c2']) {
      gateway.putCall(scheduled(id));
      await gateway.subscribe(CALL_UPDATED, { id });
    }
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await postWebhook(gateway, { call_id: 'c1' });
    await gateway.pass(MOMENT);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    await gateway.pass(2 * SECOND);
    await postWebhook(gateway, { call_order_id: 'c2', call_id: 'c1' });
    await gateway.pass(MOMENT);
    expect(gateway.traffic()).toEqual(['GET /call/c2']);
  });

  test('a call is polled at most once a second, however many webhooks name it', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    for (let n = 0; n < 200; n += 1) {
      await postWebhook(gateway, toWebhook('c1'));
      await gateway.pass(50);
    }
    const polls = gateway.traffic();
    expect(polls.length).toBeGreaterThanOrEqual(9);
    expect(polls.length).toBeLessThanOrEqual(11);
    await gateway.pass(20 * SECOND);
    expect(gateway.traffic().length).toBeLessThanOrEqual(1);
  });

  test('a webhook directly after a poll waits until a second has passed', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.traffic();
    await gateway.pass(400);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(550);
    expect(gateway.traffic()).toEqual([]);
    await gateway.pass(100);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('a webhook that arrives during a poll is followed by a second poll', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    const released = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', released.promise, 1);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(SECOND);
    expect(gateway.traffic()).toContain('GET /call/c1');
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(SECOND);
    expect(gateway.traffic()).toEqual([]);
    released.resolve();
    await gateway.pass(MOMENT);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    await gateway.pass(20 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    expect(statusesOf(stream)).toEqual(['SCHEDULED']);
  });

  test('a query that reads the call after the webhook replaces the poll', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(400);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.traffic();
    await gateway.execute('{ call(id: "c1") { id } }');
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(statusesOf(stream)).toEqual(['SCHEDULED', 'COMPLETED']);
  });

  test('a late or second webhook of a call that is over costs nothing', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.putCall({ id: 'c1', status: 'completed' });
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    gateway.traffic();
    const late = await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(60 * SECOND);
    expect(late.status).toBe(204);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('webhooks_total{result="unwatched"}')).toBe(1);
  });

  test('a subscriber that follows a call until it has settled gets what a webhook announces', async () => {
    const gateway = createGateway();
    gateway.putCall(toCallInProgress(gateway, 'c1', 'ongoing'));
    await gateway.subscribe('subscription { callUpdated(id: "c1", until: SETTLED) { status } }');
    await gateway.pass(5 * SECOND);
    const over = toCallInProgress(gateway, 'c1', 'completed');
    const endedAt = new Date(gateway.now() + 5 * SECOND).toISOString();
    const attempts =
      over.call_attempts?.map((attempt) => ({ ...attempt, ended_at: endedAt })) ?? [];
    gateway.putCall({ ...over, call_attempts: attempts, last_call_attempt: attempts[0] ?? null });
    await gateway.pass(40 * SECOND);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('while polls fail, a webhook does not shorten their delays', async () => {
    const polls = async (hasWebhooks: boolean) => {
      const gateway = createGateway({ settings: { REVOX_RETRIES: '0' } });
      gateway.putCall(scheduled('c1'));
      await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
      gateway.sandbox.control.fail('/call/', { status: 500 });
      await gateway.pass(40 * SECOND);
      gateway.traffic();
      for (let n = 0; n < 60; n += 1) {
        if (hasWebhooks) await postWebhook(gateway, toWebhook('c1'));
        await gateway.pass(2 * SECOND);
      }
      return gateway.traffic();
    };
    expect(await polls(true)).toEqual(await polls(false));
  });

  test('after a failed poll for a webhook, a response from before the webhook does not replace it', async () => {
    const gateway = createGateway({ settings: { REVOX_RETRIES: '0' } });
    gateway.putCall(scheduled('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    const early = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', early.promise, 1);
    const query = gateway.execute('{ call(id: "c1") { id } }');
    await expect.poll(() => gateway.traffic()).toEqual(['GET /call/c1']);
    await gateway.pass(100);
    gateway.sandbox.control.fail('/call/c1', { status: 500, times: 1 });
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(100);
    expect(await gateway.metric('live_polls_total{reason="hint",result="failed"}')).toBe(1);
    early.resolve();
    await query;
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.traffic();
    await gateway.pass(1_500);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(statusesOf(stream)).toEqual(['SCHEDULED', 'COMPLETED']);
  });

  test('a rate limit of the upstream pauses the polls of webhooks, too', async () => {
    const gateway = createGateway({ settings: { REVOX_RETRIES: '0' } });
    for (const id of ['c1', 'c2']) {
      gateway.putCall(scheduled(id));
      await gateway.subscribe(CALL_UPDATED, { id });
    }
    await gateway.pass(5 * SECOND);
    gateway.sandbox.control.fail('/call/c1', {
      status: 429,
      headers: { 'retry-after': '20' },
      times: 1,
    });
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(SECOND);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c2'));
    await gateway.pass(15 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    await gateway.pass(10 * SECOND);
    expect(gateway.traffic()).toContain('GET /call/c2');
  });

  test('a flood of webhooks for many calls stays within the rate, and starves no other call', async () => {
    const gateway = createGateway({ settings: { LIVE_RATE: '5' } });
    const ids = Array.from({ length: 20 }, (_, index) => `flooded-${index}`);
    for (const id of ids) {
      gateway.putCall(scheduled(id));
      await gateway.subscribe(CALL_UPDATED, { id });
    }
    gateway.putCall({ id: 'other', status: 'initializing' });
    await gateway.subscribe(CALL_UPDATED, { id: 'other' });
    await gateway.pass(20 * SECOND);
    gateway.traffic();
    // The webhooks demand 20 polls a second, and the other call half a poll: each waits four times longer.
    for (let n = 0; n < 60; n += 1) {
      for (const id of ids) await postWebhook(gateway, toWebhook(id));
      await gateway.pass(500);
    }
    const polls = gateway.traffic();
    expect(polls.length).toBeLessThanOrEqual(5 * 31);
    expect(polls.filter((path) => path === 'GET /call/other').length).toBeGreaterThanOrEqual(3);
  });
});

describe('Webhooks and credentials', () => {
  test('an unwatched call is never requested, and no made-up id costs anything', async () => {
    const gateway = createGateway();
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    const timers = gateway.pendingTimers();
    for (let n = 0; n < 90; n += 1) await postWebhook(gateway, toWebhook(`made-up-${n}`));
    for (const id of ['.', '..', '../c1', 'c1/../c1', '\ud800', ' c1', 'c1%2F'])
      expect((await postWebhook(gateway, { call_order_id: id })).status).toBe(204);
    expect(gateway.pendingTimers()).toBe(timers);
    await gateway.pass(20 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('webhooks_total{result="unwatched"}')).toBe(97);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test('each credential that watches a call polls it with its own key, and sees its own state', async () => {
    const sent: string[] = [];
    const gateway: LiveGateway = createGateway({
      settings: { REVOX_API_KEY: '' },
      upstream: (request) => {
        sent.push(`${request.headers.get('authorization')} ${new URL(request.url).pathname}`);
        return gateway.sandbox.fetch(request);
      },
    });
    const subscribe = async (key: string) => {
      putCallState(gateway.sandbox, scheduled('c1'), key);
      return gateway.subscribe(CALL_UPDATED, { id: 'c1' }, { authorization: `Bearer ${key}` });
    };
    const [streamA, streamB] = [await subscribe(KEY_A), await subscribe(KEY_B)];
    await gateway.pass(5 * SECOND);
    putCallState(gateway.sandbox, { id: 'c1', status: 'completed' }, KEY_A);
    putCallState(gateway.sandbox, { id: 'c1', status: 'cancelled' }, KEY_B);
    sent.splice(0);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    expect(sent.sort()).toEqual([`Bearer ${KEY_A} /api/call/c1`, `Bearer ${KEY_B} /api/call/c1`]);
    expect(statusesOf(streamA)).toEqual(['SCHEDULED', 'COMPLETED']);
    expect(statusesOf(streamB)).toEqual(['SCHEDULED', 'CANCELLED']);
  });

  test('a webhook of a call that one credential watches costs another credential nothing', async () => {
    const sent: (string | null)[] = [];
    const gateway: LiveGateway = createGateway({
      settings: { REVOX_API_KEY: '', FRESHNESS_LIVE_CALL_MS: '60000' },
      upstream: (request) => {
        sent.push(request.headers.get('authorization'));
        return gateway.sandbox.fetch(request);
      },
    });
    for (const key of [KEY_A, KEY_B]) putCallState(gateway.sandbox, scheduled('c1'), key);
    const [ofA, ofB] = [KEY_A, KEY_B].map((key) => ({ authorization: `Bearer ${key}` }));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' }, ofA);
    await gateway.execute('{ call(id: "c1") { status } }', {}, ofB);
    await gateway.pass(5 * SECOND);
    sent.splice(0);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(MOMENT);
    await gateway.execute('{ call(id: "c1") { status } }', {}, ofB);
    expect(sent).toEqual([`Bearer ${KEY_A}`]);
  });
});

describe('Webhooks and cached responses', () => {
  const QUERY = '{ call(id: "c1") { status } }';

  test('a query after the webhook of a watched call gets no response from before it', async () => {
    const gateway = createGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.execute(QUERY);
    await gateway.execute(QUERY);
    gateway.traffic();
    gateway.putCall({ id: 'c1', status: 'completed' });
    expect((await gateway.execute(QUERY)).data).toEqual({ call: { status: 'SCHEDULED' } });
    expect(gateway.traffic()).toEqual([]);
    await postWebhook(gateway, toWebhook('c1'));
    expect((await gateway.execute(QUERY)).data).toEqual({ call: { status: 'COMPLETED' } });
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });

  test('a query after the webhook does not join a poll that was sent before it', async () => {
    const gateway = createGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall({ id: 'c1', status: 'initializing' });
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(1_500);
    gateway.traffic();
    const released = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', released.promise, 1);
    await gateway.pass(550);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    released.resolve();
    await gateway.pass(MOMENT);
  });

  test('a poll that was sent before the webhook does not make its response fresh again', async () => {
    const gateway = createGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall({ id: 'c1', status: 'initializing' });
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(1_500);
    const released = Promise.withResolvers<void>();
    gateway.sandbox.control.delay('/call/c1', released.promise, 1);
    await gateway.pass(550);
    await postWebhook(gateway, toWebhook('c1'));
    released.resolve();
    await gateway.pass(100);
    gateway.traffic();
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    await gateway.pass(1_500);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a query that was sent before the webhook does not make its response fresh for others', async () => {
    const gateway = createGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '1000' } });
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    const [early, hinted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gateway.sandbox.control.delay('/call/c1', early.promise, 1);
    const earlyQuery = gateway.execute(QUERY);
    await expect.poll(() => gateway.traffic()).toEqual(['GET /call/c1']);
    await gateway.pass(100);
    gateway.sandbox.control.delay('/call/c1', hinted.promise, 1);
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(100);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    early.resolve();
    await earlyQuery;
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    hinted.resolve();
    await gateway.pass(100);
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual([]);
  });

  test('the cached response of an unwatched call stays fresh', async () => {
    const gateway = createGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall(scheduled('c1'));
    await gateway.execute(QUERY);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual([]);
  });

  test('during an outage, the response from before the webhook is still served stale', async () => {
    const gateway = createGateway({ settings: { REVOX_RETRIES: '0' } });
    gateway.putCall(scheduled('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.fail('/call/', { status: 503 });
    await postWebhook(gateway, toWebhook('c1'));
    gateway.traffic();
    expect((await gateway.execute(QUERY)).data).toEqual({ call: { status: 'SCHEDULED' } });
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });
});

describe('Webhooks that are seen to come', () => {
  /** Ends a call; the webhook arrives before its next poll, or not at all. */
  async function endCall(gateway: LiveGateway, id: string, hasWebhook: boolean): Promise<void> {
    gateway.putCall(toCallInProgress(gateway, id, 'ongoing'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id });
    await gateway.pass(4_500);
    gateway.putCall(toCallInProgress(gateway, id, 'completed'));
    if (hasWebhook) await postWebhook(gateway, toWebhook(id));
    await gateway.pass(15 * SECOND);
    expect(stream.isComplete()).toBe(true);
  }

  /** Polls of a call in progress in its first 50 s. */
  async function countPolls(gateway: LiveGateway, id: string): Promise<number> {
    gateway.putCall(toCallInProgress(gateway, id, 'ongoing'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id });
    gateway.traffic();
    await gateway.pass(50 * SECOND);
    stream.leave();
    await gateway.pass(MOMENT);
    return gateway.traffic().length;
  }

  test('after three announced ends in a row, calls in progress are polled every 10 s', async () => {
    const gateway = createGateway();
    expect(await countPolls(gateway, 'before')).toBeGreaterThanOrEqual(24);
    for (const id of ['c1', 'c2']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'too early')).toBeGreaterThanOrEqual(24);
    await endCall(gateway, 'c3', true);
    expect(await countPolls(gateway, 'after')).toBe(5);
  });

  test('the first end without a webhook restores the intervals', async () => {
    const gateway = createGateway();
    for (const id of ['c1', 'c2', 'c3']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'expected')).toBe(5);
    await endCall(gateway, 'silent', false);
    expect(await countPolls(gateway, 'restored')).toBeGreaterThanOrEqual(24);
    for (const id of ['d1', 'd2']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'still too early')).toBeGreaterThanOrEqual(24);
  });

  test('a forged webhook restores the intervals of its call, and costs one poll', async () => {
    const gateway = createGateway();
    for (const id of ['c1', 'c2', 'c3']) await endCall(gateway, id, true);
    gateway.putCall(toCallInProgress(gateway, 'forged', 'ongoing'));
    await gateway.subscribe(CALL_UPDATED, { id: 'forged' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('forged'));
    await gateway.pass(20 * SECOND + MOMENT);
    const polls = gateway.traffic().length;
    expect(polls).toBeGreaterThanOrEqual(10);
    expect(polls).toBeLessThanOrEqual(11);
  });

  test('what one credential has seen does not change the intervals of another', async () => {
    const gateway = createGateway({ settings: { REVOX_API_KEY: '' } });
    const polls = async (key: string, id: string) => {
      putCallState(gateway.sandbox, toCallInProgress(gateway, id, 'ongoing', KEY_A), key);
      const stream = await gateway.subscribe(
        CALL_UPDATED,
        { id },
        { authorization: `Bearer ${key}` },
      );
      await gateway.pass(4_500);
      gateway.traffic();
      await gateway.pass(30 * SECOND);
      const count = gateway.traffic().length;
      const over = toCallInProgress(gateway, id, 'completed', KEY_A);
      putCallState(gateway.sandbox, over, key);
      await postWebhook(gateway, toWebhook(id));
      await gateway.pass(15 * SECOND);
      expect(stream.isComplete()).toBe(true);
      return count;
    };
    for (const id of ['c1', 'c2', 'c3']) expect(await polls(KEY_A, id)).toBeGreaterThan(12);
    expect(await polls(KEY_A, 'c4')).toBeLessThanOrEqual(4);
    expect(await polls(KEY_B, 'c5')).toBeGreaterThan(12);
  });
});
