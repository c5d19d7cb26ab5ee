import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

const SUBSCRIPTION = { query: 'subscription { callAttemptAdded { node { id } } }' };
const FRESHNESS_MS = 500;

test.skipIf(!hasRedisServer)(
  'a subscriber gets no attempt that was new before it subscribed, although an older page is in Redis',
  async () => {
    await using redis = await startRedis();
    const sandbox = createSandbox();
    const settings = {
      REDIS_URL: redis.url,
      LIVE_FEED_MS: '1000',
      FRESHNESS_PAGE_MS: String(FRESHNESS_MS),
    };
    const insert = () => sandbox.control.insertAttempts(KEY_A, { at: 0, count: 1 })[0]?.id;
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    const pages = () =>
      [one, other].map((gateway) => gateway.traffic().filter((line) => line.includes('/call?')));
    const first = await one.subscribe(SUBSCRIPTION);
    await expect.poll(() => one.metric('live_polls_total')).toBeGreaterThan(0);
    first.leave();
    // The page of the first subscriber becomes old.
    await delay(2 * FRESHNESS_MS);
    insert();
    pages();
    const second = await other.subscribe(SUBSCRIPTION);
    await expect.poll(() => other.metric('live_polls_total')).toBeGreaterThan(0);
    const added = insert();
    await expect.poll(() => second.events.length).toBeGreaterThan(0);
    expect(second.events.map(({ data }) => data.callAttemptAdded.node.id)).toEqual([added]);
    expect(pages().map(({ length }) => length > 0)).toEqual([false, true]);
    second.leave();
  },
);
