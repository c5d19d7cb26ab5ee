import { describe, expect, test, vi } from 'vitest';
import { freePort } from '../sockets/demo-process.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import { startSentinel } from './sentinel-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
  CALL,
  createTierInstance,
  PATH,
  PROBE_DELAY_MS,
  probeUntil,
  storeUntilRead,
  toEntry,
  unavailableMessage,
} from './tier-instance.ts';

expectRedisServer();

const NO_MASTER = unavailableMessage('no Sentinel knows its master');

describe.skipIf(!hasRedisServer)('Redis with Sentinel', () => {
  test('the gateway finds the master by its name, and the new master after a failover', async () => {
    await using master = await startRedis(['--repl-diskless-sync-delay', '0']);
    await using replica = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    await using replicaObserver = await replica.connect();
    await vi.waitUntil(
      async () =>
        String(await replicaObserver.send('INFO', 'replication')).includes('link_status:up'),
      { timeout: 30_000, interval: 50 },
    );
    const sentinel = await startSentinel(master.port);
    await using one = createTierInstance('redis://mymaster', {
      sentinels: ['redis://127.0.0.1:1', sentinel],
      timeoutMs: 1_000,
    });
    await probeUntil(one, 0);
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    // The Sentinel must know the replica before the master fails.
    await vi.waitUntil(
      async () => {
        const { createClient } = await import('@redis/client');
        const client = createClient({ url: sentinel, RESP: 2 });
        client.on('error', () => {});
        await client.connect();
        const replicas = await client.sendCommand<unknown[]>(['SENTINEL', 'REPLICAS', 'mymaster']);
        client.destroy();
        return replicas.length === 1;
      },
      { timeout: 30_000, interval: 200 },
    );

    await master.kill();
    await one.waitForStatusChanges(1);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await probeUntil(one, 2);

    await storeUntilRead(one, ANN, PATH);
    expect(one.statusChanges.at(-1)).toBe(AVAILABLE_AGAIN);
    expect(String(await replicaObserver.send('INFO', 'replication'))).toContain('role:master');
    expect(await replicaObserver.clients()).not.toEqual([]);
  });

  test('a gateway without a Sentinel that knows the master reports that once, and finds it later', async () => {
    await using redis = await startRedis();
    const sentinel = await startSentinel(redis.port);
    await using unknown = createTierInstance('redis://another', { sentinels: [sentinel] });
    await unknown.waitForStatusChanges(1);
    expect(await unknown.read(ANN, PATH)).toBeUndefined();
    expect(unknown.statusChanges).toEqual([NO_MASTER]);

    const sentinels = ['redis://127.0.0.1:1'];
    await using one = createTierInstance('redis://mymaster', { sentinels, timeoutMs: 1_000 });
    await one.waitForStatusChanges(1);
    sentinels.push(sentinel);
    await probeUntil(one, 2);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    expect(one.statusChanges).toEqual([NO_MASTER, AVAILABLE_AGAIN]);
  });

  test('a gateway that starts while the master is down uses the master as soon as it is there', async () => {
    const port = await freePort();
    const sentinel = await startSentinel(port);
    await using one = createTierInstance('redis://mymaster', {
      sentinels: [sentinel],
      timeoutMs: 1_000,
    });
    // The Sentinel names the address of the master, although no server listens there.
    await one.waitForStatusChanges(1);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect(one.timers.running.filter((ms) => ms === 1_000)).toEqual([PROBE_DELAY_MS]);
    await using _master = await startRedis([], port);
    await probeUntil(one, 2);
    await storeUntilRead(one, ANN, PATH);
    expect(one.statusChanges).toEqual([unavailableMessage('ECONNREFUSED'), AVAILABLE_AGAIN]);
  });
});
