import { describe, expect, test } from 'vitest';
import { followCalls } from './followed-calls.ts';
import { gapsOf, INTERVAL_MS, type Instance } from './gateway-instances.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

/** A busy machine delays a request by this time. */
const NOISE_MS = 200;

describe.skipIf(!hasRedisServer)('Polls of three instances', () => {
  const redis = shareRedis();

  test('each call is polled once in each interval by one of them, and by another one after it was killed', async () => {
    await using calls = await followCalls({ REDIS_URL: redis.server.url });
    const { instances } = calls;
    const startedAt = Date.now();
    const gaps = await calls.during(6 * INTERVAL_MS);
    await calls.untilSeen();
    expect(gaps.closerThan(0.8 * INTERVAL_MS)).toBe(0);
    expect(gaps.requests / gaps.paths / 6).toBeLessThanOrEqual(1.05);
    expect(gaps.longest).toBeLessThanOrEqual(1.6 * INTERVAL_MS + NOISE_MS);

    const [busiest] = await byClaims(instances.all);
    await calls.kill(busiest as Instance);
    await calls.during(4 * INTERVAL_MS);
    await calls.change('completed');
    await calls.untilSeen();
    const whole = await gapsOf(instances.upstream, { from: startedAt, to: Date.now() });
    expect(whole.closerThan(0.8 * INTERVAL_MS)).toBe(0);
    expect(whole.longest).toBeLessThanOrEqual(2 * INTERVAL_MS);
  });

  test('each page of the rows of a campaign is requested once in each interval, and its calls are not polled singly', async () => {
    const settings = { REDIS_URL: redis.server.url, REVOX_FIRST_PAGE: '1' };
    await using calls = await followCalls(settings, 100, { isCampaign: true });
    const { instances } = calls;
    // Until each instance knows the pages of the list.
    await calls.during(2 * INTERVAL_MS);
    const span = { from: Date.now(), to: Date.now() + 6 * INTERVAL_MS };
    await calls.during(6 * INTERVAL_MS);
    await calls.untilSeen();
    const isPage = (path: string) => path.includes('/rows?');
    const pages = await gapsOf(instances.upstream, span, isPage);
    expect(pages.paths).toBe(2);
    expect(pages.closerThan(0.8 * INTERVAL_MS)).toBe(0);
    expect(pages.requests / pages.paths / 6).toBeLessThanOrEqual(1.2);
    expect(pages.longest).toBeLessThanOrEqual(1.6 * INTERVAL_MS + NOISE_MS);
    const single = await gapsOf(instances.upstream, span, (path) => !isPage(path));
    expect(single.requests).toBe(0);

    const [one] = instances.all as [Instance];
    await calls.kill(one);
    await calls.change('completed');
    await calls.untilSeen();
  });
});

/** The instances by the number of polls that they make, the largest first. */
async function byClaims(all: readonly Instance[]): Promise<readonly Instance[]> {
  const counts = new Map<Instance, number>();
  for (const instance of all)
    counts.set(instance, await instance.metric('live_claims_total{outcome="won"}'));
  return [...all].sort((one, other) => (counts.get(other) ?? 0) - (counts.get(one) ?? 0));
}
