import { describe, expect, test } from 'vitest';
import { type LiveGateway, putCallState } from '../support/live-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  CALL_UPDATED,
  createWebhookGateway,
  MOMENT,
  postWebhook,
  toCallInProgress,
  toWebhook,
} from '../support/webhooks.ts';

const SECOND = 1_000;

describe('Announced ends of calls', () => {
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
    const gateway = createWebhookGateway();
    expect(await countPolls(gateway, 'before')).toBeGreaterThanOrEqual(24);
    for (const id of ['c1', 'c2']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'too early')).toBeGreaterThanOrEqual(24);
    await endCall(gateway, 'c3', true);
    expect(await countPolls(gateway, 'after')).toBe(5);
  });

  test('the first end without a webhook restores the intervals', async () => {
    const gateway = createWebhookGateway();
    for (const id of ['c1', 'c2', 'c3']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'expected')).toBe(5);
    await endCall(gateway, 'silent', false);
    expect(await countPolls(gateway, 'restored')).toBeGreaterThanOrEqual(24);
    for (const id of ['d1', 'd2']) await endCall(gateway, id, true);
    expect(await countPolls(gateway, 'still too early')).toBeGreaterThanOrEqual(24);
  });

  test('a forged webhook restores the intervals of its call, and costs one poll', async () => {
    const gateway = createWebhookGateway();
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

  test('the announced ends of one credential do not change the intervals of another', async () => {
    const gateway = createWebhookGateway({ settings: { REVOX_API_KEY: '' } });
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
