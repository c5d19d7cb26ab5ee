import { describe, expect, test } from 'vitest';
import { type LiveGateway, putCallState } from '../support/live-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  CALL_UPDATED,
  createWebhookGateway,
  MOMENT,
  postWebhook,
  statusesOf,
  toScheduledCall,
  toWebhook,
} from '../support/webhooks.ts';

const SECOND = 1_000;

describe('Webhooks and credentials', () => {
  test('an unwatched call is never requested, and no made-up id costs anything', async () => {
    const gateway = createWebhookGateway();
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway: LiveGateway = createWebhookGateway({
      settings: { REVOX_API_KEY: '' },
      upstream: (request) => {
        sent.push(`${request.headers.get('authorization')} ${new URL(request.url).pathname}`);
        return gateway.sandbox.fetch(request);
      },
    });
    const subscribe = async (key: string) => {
      putCallState(gateway.sandbox, toScheduledCall('c1'), key);
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
    const gateway: LiveGateway = createWebhookGateway({
      settings: { REVOX_API_KEY: '', FRESHNESS_LIVE_CALL_MS: '60000' },
      upstream: (request) => {
        sent.push(request.headers.get('authorization'));
        return gateway.sandbox.fetch(request);
      },
    });
    for (const key of [KEY_A, KEY_B]) putCallState(gateway.sandbox, toScheduledCall('c1'), key);
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
