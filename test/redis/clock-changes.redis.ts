import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

const HOUR_MS = 3_600_000;

afterEach(() => vi.useRealTimers());

test.skipIf(!hasRedisServer)(
  'gateways share responses also after their wall clock was set back by an hour',
  async () => {
    await using redis = await startRedis();
    vi.useFakeTimers({ toFake: ['Date'] });
    const sandbox = createSandbox();
    const [before = '', after = ''] = sandbox.control
      .data(KEY_A)
      .calls.filter(({ status }) => status === 'completed')
      .map(({ id }) => id);
    await using one = createRedisGateway(sandbox, { REDIS_URL: redis.url });
    await using other = createRedisGateway(sandbox, { REDIS_URL: redis.url });
    await using observer = await redis.connect();
    const entries = async () =>
      (await observer.keys()).filter((key) => key.startsWith('revox:5.')).length;
    const expectShared = async (id: string, count: number) => {
      const operation = { query: `{ call(id: "${id}") { status } }` };
      expect((await one.execute(operation)).errors).toBeUndefined();
      expect(one.traffic()).toEqual([`GET /call/${id}`]);
      // `expect.poll` ends by the wall clock, which stands still.
      for (let tries = 0; tries < 200 && (await entries()) < count; tries += 1) await delay(20);
      expect(await entries()).toBe(count);
      expect((await other.execute(operation)).errors).toBeUndefined();
      expect(other.traffic()).toEqual([]);
    };
    await expectShared(before, 1);
    vi.setSystemTime(Date.now() - HOUR_MS);
    await expectShared(after, 2);
  },
);
