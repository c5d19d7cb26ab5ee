import { describe, expect, test } from 'vitest';
import { expectRedisServer, hasRedisServer, shareRedis, startRedis } from './redis-server.ts';
import { ANN, CALL, createTierInstance, PATH, toEntry } from './tier-instance.ts';
import { openUpConnection } from './up-connection.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Connection of the background', () => {
  const redis = shareRedis();

  test('a response is stored, and a credential revoked, while the connection of clients is down', async () => {
    await using silent = await startRedis();
    silent.pause();
    await using one = createTierInstance(silent.url, {
      background: { connection: await openUpConnection(redis.server.url), timeoutMs: 1_000 },
    });
    await using other = createTierInstance(redis.server.url);
    expect(await one.read(ANN, PATH, true)).toBeUndefined();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    expect(await other.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    expect(await one.read(ANN, PATH, true)).toMatchObject({ value: CALL });

    one.revoke(ANN, true);
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
  });
});
