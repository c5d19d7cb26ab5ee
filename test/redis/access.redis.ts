import { describe, expect, test } from 'vitest';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
  CALL,
  createTierInstance,
  PATH,
  toEntry,
  unavailableMessage,
} from './tier-instance.ts';

expectRedisServer();

const PASSWORD = 'p@ss word/%';
const ENCODED = encodeURIComponent(PASSWORD);

describe.skipIf(!hasRedisServer)('Redis access control', () => {
  test('the gateway authenticates with the name and password of the URL and needs only the commands of the tier', async () => {
    await using redis = await startRedis();
    await using observer = await redis.connect();
    const commands = ['+select', '+ping', '+time', '+getrange', '+set', '+del', '+pexpire'];
    await observer.send('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, '~revox:*', ...commands);
    await using one = createTierInstance(`redis://gateway:${ENCODED}@127.0.0.1:${redis.port}/3`);

    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    one.revoke(ANN, true);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    expect(one.statusChanges).toEqual([]);
    expect(await observer.keys()).toEqual([]);
    await observer.send('SELECT', '3');
    expect(await observer.keys()).toHaveLength(2);
    expect(await observer.clients()).toEqual([expect.stringContaining('user=gateway')]);
  });

  test.each([
    ['a wrong password', (port: number) => `redis://:wrong-secret@127.0.0.1:${port}`, 'WRONGPASS'],
    ['no password', (port: number) => `redis://127.0.0.1:${port}`, 'NOAUTH'],
    [
      'an unknown user',
      (port: number) => `redis://absent:wrong-secret@127.0.0.1:${port}`,
      'WRONGPASS',
    ],
    ['a missing database', (port: number) => `redis://:${ENCODED}@127.0.0.1:${port}/99`, 'ERR'],
  ])(
    'the connection to Redis with %s is reported once without a name or password, and causes no other error',
    async (_name, toUrl, reason) => {
      await using redis = await startRedis(['--requirepass', PASSWORD]);
      await using one = createTierInstance(toUrl(redis.port));
      const first = one.read(ANN, PATH);
      await one.waitForStatusChanges(1);
      expect(await first).toBeUndefined();
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      one.revoke(ANN, true);
      expect(await one.read(ANN, PATH)).toBeUndefined();
      expect(one.statusChanges).toEqual([unavailableMessage(reason)]);
    },
  );

  test('the gateway uses Redis as soon as Redis accepts its credentials', async () => {
    await using redis = await startRedis();
    await using observer = await redis.connect();
    await using one = createTierInstance(`redis://gateway:${ENCODED}@127.0.0.1:${redis.port}`);
    await one.waitForStatusChanges(1);
    await observer.send('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, '~*', '+@all');
    await one.waitForStatusChanges(2);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    expect(one.statusChanges).toEqual([expect.stringContaining('WRONGPASS'), AVAILABLE_AGAIN]);
  });
});
