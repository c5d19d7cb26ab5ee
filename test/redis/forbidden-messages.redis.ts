import { describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { putCallState } from '../support/live-gateway.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

const ID = 'followed';
const SUBSCRIPTION = { query: `subscription { callUpdated(id: "${ID}") { toPhoneNumber } }` };

describe.skipIf(!hasRedisServer)('A user of Redis without messages', () => {
  test('claims still share the polls of two gateways, and each says once that messages are missing', async () => {
    await using redis = await startRedis();
    await using observer = await redis.connect();
    const commands = ['+select', '+ping', '+time', '+getrange', '+set', '+del', '+pexpire'];
    const user = ['ACL', 'SETUSER', 'gateway', 'on', '>secret', '~revox:*'];
    await observer.send(...user, 'resetchannels', ...commands);
    const sandbox = createSandbox();
    const settings = {
      REDIS_URL: `redis://gateway:secret@127.0.0.1:${redis.port}`,
      REDIS_TIMEOUT_MS: '1000',
      LIVE_CALL_MS: '1000',
      FRESHNESS_LIVE_CALL_MS: '500',
    };
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    const put = (toPhoneNumber: string) =>
      putCallState(sandbox, { id: ID, status: 'calling', to_phone_number: toPhoneNumber });
    put('+33600000000');
    const startedAt = performance.now();
    const streams = [await one.subscribe(SUBSCRIPTION), await other.subscribe(SUBSCRIPTION)];
    for (let version = 1; version <= 4; version += 1) {
      for (const { events } of streams)
        await expect.poll(() => events.length, { interval: 20 }).toBe(version);
      put(`+3360000000${version}`);
    }
    const intervals = (performance.now() - startedAt) / 1_000;
    const polls = [one, other].flatMap((gateway) => gateway.traffic());
    expect(polls.length).toBeLessThanOrEqual(2 + intervals / 0.9);
    for (const { problems } of [one, other])
      expect(problems).toEqual([expect.stringContaining('the channel revox:instances:1 (NOPERM)')]);
    for (const stream of streams) stream.leave();
  });
});
