import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRedis } from '#redis/connect.ts';
import { monotonicNow, startTimer } from '#system-clock.ts';
import { expectRedisServer, hasRedisServer, shareRedis, startRedis } from './redis-server.ts';
import { ANN, CALL, createTierInstance, PATH, toEntry } from './tier-instance.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Connection of the background', () => {
  const redis = shareRedis();

  test('a response is stored, and a credential revoked, while the connection of clients is down', async () => {
    await using silent = await startRedis();
    silent.pause();
    await using one = createTierInstance(silent.url, {
      background: { connection: await connect(), timeoutMs: 1_000 },
    });
    await using other = createTierInstance(redis.server.url);
    expect(await one.read(ANN, PATH, true)).toBeUndefined();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    expect(await other.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    expect(await one.read(ANN, PATH, true)).toMatchObject({ value: CALL });

    one.revoke(ANN, true);
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
  });

  async function connect() {
    const up = Promise.withResolvers<void>();
    const { url } = redis.server;
    const options = { url, timeoutMs: 1_000, now: monotonicNow, startTimer, onStatusChange() {} };
    const connection = connectRedis(options, up.resolve);
    onTestFinished(() => connection.close());
    await up.promise;
    return connection;
  }
});
