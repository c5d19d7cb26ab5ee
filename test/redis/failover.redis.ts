import { connect, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { listenTcp, type RealServer } from '../rest/real-server.ts';
import {
  expectRedisServer,
  hasRedisServer,
  type RedisObserver,
  startRedis,
} from './redis-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
  BOB,
  CALL,
  createTierInstance,
  PATH,
  PROBE_DELAY_MS,
  type TierInstance,
  toEntry,
  unavailableMessage,
} from './tier-instance.ts';

expectRedisServer();

const READ_ONLY =
  'Redis rejects writes: READONLY. The gateway still reads from Redis, and stores new responses in its own memory only.';
const WRITABLE_AGAIN =
  'Redis accepts writes again. The gateway stores new responses in Redis, too.';
const TTL_MS = 60_000;

interface Forwarder extends RealServer {
  readonly url: string;
  /** The port that new connections lead to, as when a name resolves to another address. */
  target: number;
  /**
   * Sends a command to the servers on all open connections, and hides its reply, one line, from the
   * clients.
   * @returns when all replies have arrived
   */
  inject(command: string): Promise<void>;
}

/** A name of a Redis server: connections stay where they were made, new ones go to `target`. */
async function startForwarder(target: number): Promise<Forwarder> {
  const servers = new Set<Socket>();
  /** Called with the reply to the injected command. */
  const onReply = new Map<Socket, () => void>();
  const listener = await listenTcp((client) => {
    const server = connect(forwarder.target, '127.0.0.1');
    servers.add(server);
    server.on('error', () => client.destroy());
    server.on('data', (data) => {
      const resolve = onReply.get(server);
      // A chunk may hold further replies after the one line.
      client.write(resolve ? data.subarray(data.indexOf('\r\n') + 2) : data);
      onReply.delete(server);
      resolve?.();
    });
    client.pipe(server);
    server.once('close', () => {
      servers.delete(server);
      client.destroy();
    });
    client.once('close', () => server.destroy());
  });
  const forwarder: Forwarder = Object.assign(listener, {
    url: `redis://127.0.0.1:${listener.port}`,
    target,
    async inject(command: string) {
      await Promise.all(
        [...servers].map((server) => {
          const { promise, resolve } = Promise.withResolvers<void>();
          onReply.set(server, resolve);
          server.write(`${command}\r\n`);
          return promise;
        }),
      );
    },
  });
  return forwarder;
}

/** Writes until the entry is in this Redis. */
async function writeUntilStored(instance: TierInstance, observer: RedisObserver): Promise<void> {
  await vi.waitUntil(
    async () => {
      await instance.read(ANN, PATH);
      instance.write(ANN, PATH, toEntry(CALL), TTL_MS);
      return (await observer.entries()).length > 0;
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** Fires the probe delay until this number of status changes is reported. */
async function probeUntil(instance: TierInstance, statusChanges: number): Promise<void> {
  await expect
    .poll(
      () => {
        instance.timers.elapse(PROBE_DELAY_MS);
        return instance.statusChanges.length;
      },
      { timeout: 30_000 },
    )
    .toBe(statusChanges);
}

describe.skipIf(!hasRedisServer)('Failover of Redis', () => {
  test('after a failover the gateway writes to the new master, although its old connection is still open', async () => {
    await using old = await startRedis();
    await using next = await startRedis();
    await using oldObserver = await old.connect();
    await using nextObserver = await next.connect();
    await using forwarder = await startForwarder(old.port);
    await using one = createTierInstance(forwarder.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    await oldObserver.send('REPLICAOF', '127.0.0.1', String(next.port));
    forwarder.target = next.port;
    await writeUntilStored(one, nextObserver);

    expect(await one.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([READ_ONLY, WRITABLE_AGAIN]);
    expect(forwarder.connections).toBe(2);
    await expect
      .poll(async () =>
        (await oldObserver.clients()).filter((client) => !client.includes('flags=M')),
      )
      .toEqual([]);
  });

  test('a replica that stays one is read, and gets a new connection only now and then', async () => {
    await using master = await startRedis(['--repl-diskless-sync-delay', '0']);
    await using writer = createTierInstance(master.url);
    await writer.storeAndRead(ANN, PATH, toEntry(CALL));
    await using replica = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    await using observer = await replica.connect();
    await expect.poll(async () => (await observer.entries()).length).toBe(1);
    await using forwarder = await startForwarder(replica.port);
    await using reader = createTierInstance(forwarder.url);
    expect(await reader.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });

    for (const seconds of [0, 0, 1, 1, 2, 4]) {
      reader.clock.now += 1_000 * seconds;
      for (let writes = 0; writes < 10; writes += 1) {
        await reader.readUntilStored(ANN, PATH);
        reader.write(ANN, PATH, toEntry(CALL), TTL_MS);
      }
      await expect.poll(() => reader.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    }
    expect(reader.statusChanges).toEqual([READ_ONLY]);
    // After 0, 1, 3 and 7 seconds.
    expect(forwarder.connections).toBeLessThanOrEqual(5);
    await expect.poll(() => forwarder.connections).toBeGreaterThanOrEqual(2);
  });

  test('a revocation that a replica has refused reaches the new master', async () => {
    await using old = await startRedis();
    await using next = await startRedis();
    await using oldObserver = await old.connect();
    await using nextObserver = await next.connect();
    await using forwarder = await startForwarder(old.port);
    await using one = createTierInstance(forwarder.url);
    await one.storeAndRead(BOB, PATH, toEntry(CALL));
    await oldObserver.send('REPLICAOF', '127.0.0.1', String(next.port));
    forwarder.target = next.port;

    one.revoke(BOB, true);
    await vi.waitUntil(
      async () => {
        expect(await one.read(BOB, PATH)).toBeUndefined();
        return (await nextObserver.keys()).includes(`revox:epoch:{${BOB.fingerprint}}`);
      },
      { timeout: 30_000, interval: 20 },
    );
    expect(one.statusChanges).toEqual([READ_ONLY, WRITABLE_AGAIN]);
  });
});

describe.skipIf(!hasRedisServer)('Redis that does not serve', () => {
  test('a connection that has lost its user authenticates again', async () => {
    await using redis = await startRedis(['--requirepass', 'secret']);
    await using forwarder = await startForwarder(redis.port);
    await using one = createTierInstance(`redis://:secret@127.0.0.1:${forwarder.port}`);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    await forwarder.inject('RESET');
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await probeUntil(one, 2);
    expect(await one.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([unavailableMessage('NOAUTH'), AVAILABLE_AGAIN]);
    expect(forwarder.connections).toBe(2);
  });

  test('a replica without its master is reported once, and used again when it serves', async () => {
    await using redis = await startRedis();
    await using observer = await redis.connect();
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    await observer.send('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    await observer.send('REPLICAOF', '127.0.0.1', '1');
    expect(await one.read(ANN, PATH)).toBeUndefined();
    // Redis responds to TIME all the while.
    for (let probes = 0; probes < 5; probes += 1) {
      one.timers.elapse(PROBE_DELAY_MS);
      await observer.time();
      expect(await one.read(ANN, PATH)).toBeUndefined();
    }
    expect(one.statusChanges).toEqual([unavailableMessage('MASTERDOWN')]);

    await observer.send('REPLICAOF', 'NO', 'ONE');
    await probeUntil(one, 2);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    expect(one.statusChanges).toEqual([unavailableMessage('MASTERDOWN'), AVAILABLE_AGAIN]);
  });

  test('a Redis that loads its data is reported once, and used again when it has loaded them', async () => {
    await using redis = await startRedis([
      '--enable-debug-command',
      'yes',
      '--loading-process-events-interval-bytes',
      '1024',
    ]);
    await using observer = await redis.connect();
    await using other = await redis.connect();
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await observer.send('DEBUG', 'POPULATE', '2000');
    // Redis loads for a minute, or until the delay ends.
    await observer.send('CONFIG', 'SET', 'key-load-delay', '30000');

    const loaded = observer.send('DEBUG', 'RELOAD');
    await vi.waitUntil(
      async () => {
        await one.read(ANN, PATH);
        return one.statusChanges.length > 0;
      },
      { timeout: 30_000, interval: 5 },
    );
    for (let probes = 0; probes < 5; probes += 1) {
      one.timers.elapse(PROBE_DELAY_MS);
      await new Promise(setImmediate);
    }
    expect(one.statusChanges).toHaveLength(1);
    await other.send('CONFIG', 'SET', 'key-load-delay', '0');
    await loaded;
    await probeUntil(one, 2);
    expect(await one.readUntilStored(ANN, PATH)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([unavailableMessage('LOADING'), AVAILABLE_AGAIN]);
  });
});
