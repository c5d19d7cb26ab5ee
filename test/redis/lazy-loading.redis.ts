import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
  CALL,
  createTierInstance,
  expectNoWaitForRedis,
  PATH,
  PROBE_DELAY_MS,
  toEntry,
} from './tier-instance.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Redis client that cannot be loaded', () => {
  test('the client is loaded again after a delay, and Redis is then used', async () => {
    await using redis = await startRedis();
    const module = '@redis/client';
    let attempts = 0;
    vi.doMock(module, () => {
      attempts += 1;
      throw Object.assign(new Error('open /srv/node_modules'), { code: 'EMFILE' });
    });
    onTestFinished(() => void vi.doUnmock(module));
    await using one = createTierInstance(redis.url);
    const waiting = one.read(ANN, PATH);
    await one.waitForStatusChanges(1);
    expect(await waiting).toBeUndefined();
    await expectNoWaitForRedis(one);
    expect(attempts).toBe(1);
    one.clock.now += PROBE_DELAY_MS;
    one.timers.elapse(PROBE_DELAY_MS);
    await expect.poll(() => attempts).toBe(2);

    vi.doUnmock(module);
    // Attempts become rarer, so that a lack of file handles does not become worse.
    one.clock.now += 2 * PROBE_DELAY_MS;
    await expect.poll(() => one.timers.running).toContain(PROBE_DELAY_MS);
    one.timers.elapse(PROBE_DELAY_MS);
    await one.waitForStatusChanges(2);
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([
      expect.stringMatching(/^Redis is unavailable: its client cannot be loaded \([\w ]+\)\. /),
      AVAILABLE_AGAIN,
    ]);
  });
});
