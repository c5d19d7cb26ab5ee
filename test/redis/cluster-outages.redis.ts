import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CacheOwner } from '#cache/second-tier.ts';
import { toSlot } from '#redis/cluster-slots.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { freePort } from '../sockets/demo-process.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { type ClusterNode, SLOTS, startRedisCluster } from './redis-cluster.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
  CALL,
  createTierInstance,
  masterUnavailableMessage,
  PATH,
  probeUntil,
  storeUntilRead,
  toEntry,
  toOwner,
  unavailableMessage,
} from './tier-instance.ts';

/** The line of the log, which also has the duration. */
const LOGGED_AVAILABLE_AGAIN = expect.stringMatching(
  /^Redis is available again after .+\. The gateway uses it as the shared cache\.$/,
);

expectRedisServer();

const SLOW_MACHINE = { timeoutMs: 5_000 };
const CALL_QUERY = 'query ($id: ID!) { call(id: $id) { id toPhoneNumber } }';

/** A credential of the master with this index in a cluster whose slots have not moved. */
function toOwnerOf(index: number, name = 'sk'): CacheOwner {
  for (let number = 0; ; number += 1) {
    const owner = toOwner(`${name}_${number}`);
    if (Math.floor((toSlot(owner.fingerprint) * 3) / SLOTS) === index) return owner;
  }
}

/** Executes a query for a call of its own until the gateway needs no upstream request for it. */
async function untilShared(writer: RedisGateway, reader: RedisGateway, ids: string[]) {
  await vi.waitUntil(
    async () => {
      const variables = { id: String(ids.pop()) };
      await writer.execute({ query: CALL_QUERY, variables });
      await new Promise((resolve) => setTimeout(resolve, 100));
      reader.traffic();
      const { errors } = await reader.execute({ query: CALL_QUERY, variables });
      expect(errors).toBeUndefined();
      return reader.traffic().length === 0;
    },
    { timeout: 30_000, interval: 100 },
  );
}

describe.skipIf(!hasRedisServer)('Redis Cluster that fails', () => {
  test('two gateways serve all queries while a master is killed, and share responses again after the failover', async () => {
    await using cluster = await startRedisCluster({ replicas: 3 });
    const settings = {
      REDIS_URL: (cluster.masters[0] as ClusterNode).server.url,
      REDIS_CLUSTER: 'on',
      REDIS_CLUSTER_NODES: `127.0.0.1:${cluster.masters[1]?.server.port}`,
      REDIS_TIMEOUT_MS: '1000',
    };
    const sandbox = createSandbox();
    const ids = sandbox.control.data(KEY_A).calls.map(({ id }) => id);
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    await untilShared(one, other, ids);

    // The master of the key of the gateways.
    const held = await Promise.all(cluster.masters.map(({ observer }) => observer.entries()));
    const index = held.findIndex((entries) => entries.length > 0);
    await cluster.masters[index]?.server.kill();
    for (const gateway of [one, other]) {
      gateway.traffic();
      const start = performance.now();
      for (let count = 0; count < 20; count += 1) {
        const id = String(ids.pop());
        expect(await gateway.execute({ query: CALL_QUERY, variables: { id } })).toMatchObject({
          data: { call: { id } },
        });
        expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
      }
      // Twenty queries that wait for Redis wait for 20 s.
      expect(performance.now() - start).toBeLessThan(15_000);
    }
    await untilShared(one, other, ids);
    const { observer } = cluster.replicas[index] as ClusterNode;
    expect(String(await observer.send('INFO', 'replication'))).toContain('role:master');
    expect((await observer.entries()).length).toBeGreaterThan(1);
    for (const gateway of [one, other])
      await expect
        .poll(() => gateway.problems)
        .toEqual([
          expect.stringMatching(/^A master of the Redis Cluster is unavailable: \w+\. /),
          LOGGED_AVAILABLE_AGAIN,
        ]);
  });

  test('a revocation whose master is down reaches the new master, and other revocations do not wait for it', async () => {
    await using cluster = await startRedisCluster({ replicas: 1 });
    const [first, second] = cluster.masters as [ClusterNode, ClusterNode];
    const replica = cluster.replicas[0] as ClusterNode;
    await using one = createTierInstance(second.server.url, { clusterNodes: [], ...SLOW_MACHINE });
    const [lost, served] = [toOwnerOf(0), toOwnerOf(1)];
    for (const owner of [lost, served]) await one.storeAndRead(owner, PATH, toEntry(CALL));
    const epochOf = async ({ observer }: ClusterNode, { fingerprint }: CacheOwner) =>
      String(await observer.send('GET', `revox:epoch:{${fingerprint}}`));
    await replica.observer.send('READONLY');
    const before = [await epochOf(first, lost), await epochOf(second, served)] as const;
    await expect.poll(() => epochOf(replica, lost)).toBe(before[0]);

    await first.server.kill();
    await one.waitForStatusChanges(1);
    one.revoke(lost, true);
    one.revoke(served, true);
    await expect.poll(() => epochOf(second, served)).not.toBe(before[1]);
    expect(await one.read(lost, PATH)).toBeUndefined();
    await probeUntil(one, 2);
    await expect.poll(() => epochOf(replica, lost)).not.toBe(before[0]);
    await using other = createTierInstance(second.server.url, {
      clusterNodes: [],
      ...SLOW_MACHINE,
    });
    expect(await other.read(lost, PATH)).toBeUndefined();
    expect(await other.read(served, PATH)).toBeUndefined();
  });

  test('a master that is silent is replaced by its replica, although its connections stay open', async () => {
    await using cluster = await startRedisCluster({ replicas: 1 });
    const [first, second] = cluster.masters as [ClusterNode, ClusterNode];
    const owner = toOwnerOf(0);
    await using one = createTierInstance(second.server.url, {
      clusterNodes: [],
      timeoutMs: 1_000,
    });
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    first.server.pause();
    try {
      const waiting = one.read(owner, PATH);
      await vi.waitUntil(() => one.timers.running.filter((ms) => ms === 1_000).length >= 2, {
        timeout: 30_000,
      });
      one.timers.elapse(1_000);
      expect(await waiting).toBeUndefined();
      await probeUntil(one, 2);
      await storeUntilRead(one, owner, '/other');
      expect(one.statusChanges).toEqual([
        masterUnavailableMessage('no reply within REDIS_TIMEOUT_MS (1000 ms)'),
        AVAILABLE_AGAIN,
      ]);
    } finally {
      first.server.resume();
    }
  });

  test('a slot that migrates to a new node is served by both, before the gateway knows the node', async () => {
    await using cluster = await startRedisCluster();
    const [from] = cluster.masters as [ClusterNode];
    const owner = toOwnerOf(0);
    const slot = toSlot(owner.fingerprint);
    await using one = createTierInstance(from.server.url, { clusterNodes: [], ...SLOW_MACHINE });
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    const to = await cluster.addNode();
    await cluster.startMigration(slot, from, to);
    // The redirection leads to a node that has no slots yet: the gateway connects to it.
    await storeUntilRead(one, owner, '/other');
    expect(await to.observer.entries()).toHaveLength(1);
    await cluster.moveSlot(slot, from, to);
    for (const path of [PATH, '/other'])
      expect(await one.readUntilStored(owner, path)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([]);
  });

  test('a cluster that is down at the start is used as soon as it serves', async () => {
    await using cluster = await startRedisCluster({ isFormed: false });
    const sandbox = createSandbox();
    const [id, ...ids] = sandbox.control.data(KEY_A).calls.map((call) => call.id);
    const settings = {
      REDIS_CLUSTER: 'on',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      REDIS_CLUSTER_NODES: `127.0.0.1:${cluster.masters[1]?.server.port}`,
    };
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    for (const gateway of [one, other]) {
      expect(await gateway.execute({ query: CALL_QUERY, variables: { id } })).toMatchObject({
        data: { call: { id } },
      });
      expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
    }
    await expect.poll(() => one.problems.length).toBe(1);
    await cluster.form();
    await untilShared(one, other, ids);
    // The gateways share responses as soon as they reach the master of their own key.
    await expect
      .poll(() => one.problems)
      .toEqual([
        unavailableMessage('no master serves the slots of the Redis Cluster'),
        LOGGED_AVAILABLE_AGAIN,
      ]);
  });

  test('a whole cluster that is killed is reported once, costs no waiting, and is used again after its restart', async () => {
    await using cluster = await startRedisCluster();
    const [, second] = cluster.masters as [ClusterNode, ClusterNode];
    await using one = createTierInstance(second.server.url, { clusterNodes: [], ...SLOW_MACHINE });
    for (const index of [0, 1, 2]) await one.storeAndRead(toOwnerOf(index), PATH, toEntry(CALL));
    for (const { server } of cluster.masters) await server.kill();
    await one.waitForStatusChanges(1);
    await vi.waitUntil(
      async () => {
        for (const index of [0, 1, 2])
          expect(await one.read(toOwnerOf(index), PATH)).toBeUndefined();
        return one.timers.running.every((ms) => ms === 1_000);
      },
      { timeout: 30_000 },
    );
    for (const { server } of cluster.masters) await server.restart();
    await cluster.isAgreed();
    await probeUntil(one, 2);
    for (const index of [0, 1, 2]) await storeUntilRead(one, toOwnerOf(index), PATH);
    expect(one.statusChanges).toEqual([
      expect.stringMatching(/^A master of the Redis Cluster is unavailable: \w+\. /),
      AVAILABLE_AGAIN,
    ]);
  });

  test('a closed tier leaves no connection to the cluster, also while it searches for masters', async () => {
    await using cluster = await startRedisCluster();
    const [first] = cluster.masters as [ClusterNode];
    const one = createTierInstance(first.server.url, { clusterNodes: [], ...SLOW_MACHINE });
    await one.storeAndRead(toOwnerOf(0), PATH, toEntry(CALL));
    const two = createTierInstance(first.server.url, { clusterNodes: [], ...SLOW_MACHINE });
    const pending = two.read(ANN, PATH);
    await one.close();
    await two.close();
    expect(await pending).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect([...one.timers.running, ...two.timers.running]).toEqual([]);
    for (const { observer } of cluster.masters)
      await expect.poll(() => observer.clients()).toEqual([]);
  });
});

describe.skipIf(!hasRedisServer)('Redis Cluster with wrong settings', () => {
  test('a Redis that is no cluster, with REDIS_CLUSTER=on, is reported once with the right setting', async () => {
    await using redis = await startRedis();
    await using one = createTierInstance(redis.url, { clusterNodes: [], ...SLOW_MACHINE });
    await one.waitForStatusChanges(1);
    for (let probes = 0; probes < 3; probes += 1) {
      one.clock.now += 1_000;
      one.timers.elapse(1_000);
      expect(await one.read(ANN, PATH)).toBeUndefined();
    }
    expect(one.statusChanges).toEqual([
      unavailableMessage(
        'the server is not a node of a Redis Cluster, as REDIS_CLUSTER=on requires',
      ),
    ]);
  });

  test('a node of a cluster, without REDIS_CLUSTER=on, is reported once with the right setting', async () => {
    await using cluster = await startRedisCluster();
    for (const { server, observer } of cluster.masters) {
      await using one = createTierInstance(server.url, SLOW_MACHINE);
      await expect
        .poll(async () => {
          for (const index of [0, 1, 2]) await one.read(toOwnerOf(index), PATH);
          return one.statusChanges.length;
        })
        .toBeGreaterThan(0);
      for (let probes = 0; probes < 3; probes += 1) {
        one.timers.elapse(1_000);
        await observer.time();
      }
      expect(one.statusChanges).toEqual([
        unavailableMessage(
          'the server is a node of a Redis Cluster, which requires REDIS_CLUSTER=on',
        ),
      ]);
    }
  });

  test('a cluster behind a password is used only with its password', async () => {
    const flags = ['--requirepass', 'secret', '--masterauth', 'secret'];
    await using cluster = await startRedisCluster({ flags, password: 'secret' });
    const { port } = (cluster.masters[0] as ClusterNode).server;
    for (const [login, reason] of [
      ['', 'NOAUTH'],
      [':wrong@', 'WRONGPASS'],
    ]) {
      await using wrong = createTierInstance(`redis://${login}127.0.0.1:${port}`, {
        clusterNodes: [],
        ...SLOW_MACHINE,
      });
      await wrong.waitForStatusChanges(1);
      expect(wrong.statusChanges).toEqual([unavailableMessage(String(reason))]);
    }
    await using one = createTierInstance(`redis://:secret@127.0.0.1:${port}`, {
      clusterNodes: [],
      ...SLOW_MACHINE,
    });
    for (const index of [0, 1, 2]) await one.storeAndRead(toOwnerOf(index), PATH, toEntry(CALL));
    expect(one.statusChanges).toEqual([]);
  });

  test('a user of the cluster needs CLUSTER SLOTS and ASKING besides the commands of the tier', async () => {
    await using cluster = await startRedisCluster();
    const [from, to] = cluster.masters as [ClusterNode, ClusterNode];
    const url = `redis://gateway:secret@127.0.0.1:${from.server.port}`;
    const commands = ['+ping', '+time', '+getrange', '+set', '+del', '+pexpire', '+asking'];
    const user = ['ACL', 'SETUSER', 'gateway', 'on', '>secret', '~revox:*', ...commands];
    for (const { observer } of cluster.masters) await observer.send(...user);
    await using one = createTierInstance(url, { clusterNodes: [], ...SLOW_MACHINE });
    await one.waitForStatusChanges(1);
    for (const { observer } of cluster.masters) await observer.send(...user, '+cluster|slots');
    await probeUntil(one, 2);
    const owner = toOwnerOf(0);
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    await cluster.startMigration(toSlot(owner.fingerprint), from, to);
    await one.storeAndRead(owner, '/other', toEntry(CALL));
    expect(await to.observer.entries()).toHaveLength(1);
    expect(one.statusChanges).toEqual([unavailableMessage('NOPERM'), AVAILABLE_AGAIN]);
  });

  test.skipIf(!existsSync('/usr/bin/openssl'))(
    'all nodes of a cluster behind TLS are used with the CA file, and none without',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-tls-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const [key, certificate] = [join(folder, 'redis.key'), join(folder, 'redis.pem')];
      execFileSync(
        '/usr/bin/openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
          ...['-keyout', key, '-out', certificate, '-subj', '/CN=127.0.0.1'],
          ...['-addext', 'subjectAltName=IP:127.0.0.1'],
        ],
        { stdio: 'ignore' },
      );
      const flags = [
        ...['--port', 'PORT', '--tls-port', 'TLS', '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', certificate, '--tls-key-file', key],
        ...['--tls-ca-cert-file', certificate, '--tls-cluster', 'yes'],
      ];
      await using cluster = await startRedisCluster({ flags });
      const url = `rediss://127.0.0.1:${cluster.masters[0]?.server.tlsPort}`;
      const options = { clusterNodes: [], ...SLOW_MACHINE };
      await using untrusting = createTierInstance(url, options);
      await untrusting.waitForStatusChanges(1);
      expect(untrusting.statusChanges).toEqual([unavailableMessage('DEPTH_ZERO_SELF_SIGNED_CERT')]);
      const tls = { ca: readFileSync(certificate, 'utf8'), isVerified: true };
      await using one = createTierInstance(url, { ...options, tls });
      for (const index of [0, 1, 2]) await one.storeAndRead(toOwnerOf(index), PATH, toEntry(CALL));
      for (const { observer } of cluster.masters) expect(await observer.entries()).toHaveLength(1);
      expect(one.statusChanges).toEqual([]);
    },
  );
});
