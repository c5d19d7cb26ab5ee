import { describe, expect, test } from 'vitest';
import {
  CALL_UPDATED,
  createWebhookGateway,
  MOMENT,
  postWebhook,
  statusesOf,
  toCallInProgress,
  toScheduledCall,
  toWebhook,
} from '../support/webhooks.ts';

const SECOND = 1_000;

describe('Webhooks of watched calls', () => {
  test('a webhook makes one poll due, whose result is the event', async () => {
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.pass(20 * SECOND);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(statusesOf(stream)).toEqual(['SCHEDULED']);
  });

  test('without an order id, the call id counts; with one, it does not', async () => {
    const gateway = createWebhookGateway();
    for (const id of ['c1', 'c2']) {
      gateway.putCall(toScheduledCall(id));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway();
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
      const gateway = createWebhookGateway({ settings: { REVOX_RETRIES: '0' } });
      gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway({ settings: { REVOX_RETRIES: '0' } });
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway({ settings: { REVOX_RETRIES: '0' } });
    for (const id of ['c1', 'c2']) {
      gateway.putCall(toScheduledCall(id));
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
    const gateway = createWebhookGateway({ settings: { LIVE_RATE: '5' } });
    const ids = Array.from({ length: 20 }, (_, index) => `flooded-${index}`);
    for (const id of ids) {
      gateway.putCall(toScheduledCall(id));
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
