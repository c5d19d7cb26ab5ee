import { describe, expect, test, vi } from 'vitest';
import { type FollowedCalls, followCalls } from './followed-calls.ts';
import { type Gaps, INTERVAL_MS } from './gateway-instances.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import { startSentinel } from './sentinel-server.ts';

expectRedisServer();

/** Time in which the instances notice that Redis is back, in ms. */
const RECOVERY_MS = 3_000;

describe.skipIf(!hasRedisServer)('Polls of three instances during outages of Redis', () => {
  test('polls at most double while Redis is paused and gone, and every end of a call reaches every instance', async () => {
    await using redis = await startRedis();
    await using calls = await followCalls({ REDIS_URL: redis.url });
    const { ids } = calls;
    const paused = await calls.during(3_000, async () => {
      redis.pause();
      await calls.change('completed', ids.slice(0, 10));
    });
    redis.resume();
    await calls.untilSeen();
    expectAtMostDouble(paused, 3_000);

    const gone = await calls.during(3_000, async () => {
      await redis.kill();
      await calls.change('completed', ids.slice(10, 20));
    });
    await calls.untilSeen();
    expectAtMostDouble(gone, 3_000);

    await redis.restart();
    await calls.during(RECOVERY_MS);
    await expectOnePoll(calls);
    await calls.change('completed');
    await calls.untilSeen();
  });

  test('a failover by Sentinel at most doubles the polls', async () => {
    await using master = await startRedis(['--repl-diskless-sync-delay', '0']);
    await using replica = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    await using observer = await replica.connect();
    await vi.waitUntil(
      async () => String(await observer.send('INFO', 'replication')).includes('link_status:up'),
      { timeout: 20_000, interval: 50 },
    );
    const sentinel = await startSentinel(master.port);
    await using calls = await followCalls({
      REDIS_URL: 'redis://mymaster',
      REDIS_SENTINELS: sentinel,
    });
    await expectFailover(calls, async () => {
      await master.kill();
    });
    expect(String(await observer.send('INFO', 'replication'))).toContain('role:master');
  });

  test('a failover in a cluster at most doubles the polls', { timeout: 120_000 }, async () => {
    await using cluster = await startRedisCluster({ replicas: 3 });
    const { masters } = cluster;
    await using calls = await followCalls({
      REDIS_URL: String(masters[0]?.server.url),
      REDIS_CLUSTER: 'on',
      REDIS_CLUSTER_NODES: masters.map(({ server }) => `127.0.0.1:${server.port}`).join(),
    });
    // The master of all keys of the credential.
    const counts = await Promise.all(masters.map(({ observer }) => observer.keys()));
    const index = counts.findIndex((keys) => keys.some((key) => key.startsWith('revox:claim:')));
    await expectFailover(calls, async () => {
      await masters[index]?.server.kill();
    });
  });
});

/** While a master is killed, and another one takes over. */
async function expectFailover(calls: FollowedCalls, fail: () => Promise<void>) {
  const failing = await calls.during(6_000, async () => {
    await fail();
    await calls.change('completed', calls.ids.slice(0, 10));
  });
  await calls.untilSeen();
  expectAtMostDouble(failing, 6_000);
  await calls.during(RECOVERY_MS);
  await expectOnePoll(calls);
  await calls.change('completed');
  await calls.untilSeen();
}

function expectAtMostDouble({ requests, paths }: Gaps, ms: number) {
  // Before the outage, each call was polled once in an interval.
  expect(requests).toBeLessThanOrEqual((2 * paths * ms) / INTERVAL_MS);
}

async function expectOnePoll(calls: FollowedCalls) {
  const gaps = await calls.during(3_000);
  expect(gaps.closerThan(0.8 * INTERVAL_MS)).toBe(0);
  expect(gaps.requests / gaps.paths / 3).toBeLessThanOrEqual(1.05);
}
