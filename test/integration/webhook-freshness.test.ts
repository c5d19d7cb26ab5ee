import { describe, expect, test } from 'vitest';
import {
  CALL_UPDATED,
  createWebhookGateway,
  MOMENT,
  postWebhook,
  toScheduledCall,
  toWebhook,
} from '../support/webhooks.ts';

const SECOND = 1_000;

describe('Webhooks and cached responses', () => {
  const QUERY = '{ call(id: "c1") { status } }';

  test('a query after the webhook of a watched call gets no response from before it', async () => {
    const gateway = createWebhookGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
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
    const gateway = createWebhookGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
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
    const gateway = createWebhookGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '1000' } });
    gateway.putCall(toScheduledCall('c1'));
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
    const gateway = createWebhookGateway({ settings: { FRESHNESS_LIVE_CALL_MS: '60000' } });
    gateway.putCall(toScheduledCall('c1'));
    await gateway.execute(QUERY);
    gateway.traffic();
    await postWebhook(gateway, toWebhook('c1'));
    await gateway.execute(QUERY);
    expect(gateway.traffic()).toEqual([]);
  });

  test('during an outage, the response from before the webhook is still served stale', async () => {
    const gateway = createWebhookGateway({ settings: { REVOX_RETRIES: '0' } });
    gateway.putCall(toScheduledCall('c1'));
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.sandbox.control.fail('/call/', { status: 503 });
    await postWebhook(gateway, toWebhook('c1'));
    gateway.traffic();
    expect((await gateway.execute(QUERY)).data).toEqual({ call: { status: 'SCHEDULED' } });
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
  });
});
