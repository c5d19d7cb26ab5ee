import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway } from '#gateway.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { freePort } from '../sockets/demo-process.ts';
import { captureLog } from '../support/captured-log.ts';
import { type ClusterNode, type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import {
  ACL,
  check,
  ENCODED,
  linesOf,
  MEMORY,
  PASSWORD,
  takeCommands,
  timers,
  WITHOUT_REDIS,
} from './redis-doctor.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

const COMMANDS =
  'PING, TIME, GETRANGE, SET, PEXPIRE, DEL, PUBLISH, CLUSTER SLOTS, ASKING, SUBSCRIBE';
const CLUSTER_ACL =
  '~revox:* &revox:* +ping +time +getrange +set +pexpire +del +publish +cluster|slots +asking +subscribe';
const REQUIRES_CLUSTER =
  'finding redis-cluster: Redis is a node of a Redis Cluster, which requires REDIS_CLUSTER=on: the gateway then finds the masters of all slots.';
const NO_CLUSTER = `finding redis-cluster: Redis is not a node of a Redis Cluster: set REDIS_CLUSTER=off, and remove REDIS_CLUSTER_NODES if it is set. ${WITHOUT_REDIS}`;
const THIS_MASTER = 'The gateway caches the entries of this master in its own memory only.';

const isNotOk = (line: string) => !line.startsWith('ok ');

describe.skipIf(!hasRedisServer)('Redis Cluster checks of doctor', () => {
  let cluster: RedisCluster;
  let first: ClusterNode;
  let second: ClusterNode;
  let third: ClusterNode;
  beforeAll(async () => {
    cluster = await startRedisCluster({ flags: MEMORY });
    [first, second, third] = cluster.masters as [ClusterNode, ClusterNode, ClusterNode];
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  const hostOf = ({ server }: ClusterNode) => `127.0.0.1:${server.port}`;
  const on = () => ({ REDIS_URL: first.server.url, REDIS_CLUSTER: 'on' });
  const send = async (nodes: readonly ClusterNode[], ...command: string[]) => {
    for (const { observer } of nodes) await observer.send(...command);
  };
  const HEALTHY_CLUSTER = [
    'ok redis-cluster: The Redis Cluster has 3 masters for all 16,384 slots.',
    'ok redis-connection: Each master responds within 0.0 ms (p50 of 5).',
    expect.stringMatching(/^ok redis-version: The version of each master is \d+\.\d+\.\d+\.$/),
    `ok redis-permissions: Each master accepts every command that the gateway sends: ${COMMANDS}.`,
    'ok redis-role: The role of each master is master.',
    'ok redis-memory: Each master evicts entries when its 64 MiB are full (allkeys-lru).',
    'ok redis-clock: The clocks of each master and this machine agree within a second.',
  ];

  test('a healthy cluster passes every check in one line each, without a redirection, and the check changes nothing in it', async () => {
    const dirtyOf = ({ observer }: ClusterNode) =>
      observer
        .send('INFO', 'persistence')
        .then((info) => /rdb_changes_since_last_save:(\d+)/.exec(String(info))?.[1]);
    const before = await Promise.all(cluster.masters.map(dirtyOf));
    for (const { observer } of cluster.masters) await takeCommands(observer);

    expect(await linesOf(on())).toEqual(HEALTHY_CLUSTER);

    for (const { observer } of cluster.masters) {
      const stats = String(await observer.send('INFO', 'commandstats'));
      const errors = String(await observer.send('INFO', 'errorstats'));
      expect(await takeCommands(observer)).toMatchObject({
        ...{ ping: 6, time: 2, getrange: 1, set: 1, pexpire: 1, del: 1, publish: 1, asking: 1 },
      });
      expect(stats).toMatch(/cmdstat_cluster\|slots:/);
      expect(errors).not.toMatch(/errorstat_(MOVED|ASK|CROSSSLOT)/);
      expect(await observer.keys()).toEqual([]);
      await expect.poll(observer.clients).toEqual([]);
    }
    expect(await Promise.all(cluster.masters.map(dirtyOf))).toEqual(before);
  });

  test('the masters are found through REDIS_CLUSTER_NODES while the node of REDIS_URL is down', async () => {
    const port = await freePort();
    const settings = {
      REDIS_URL: `redis://127.0.0.1:${port}`,
      REDIS_CLUSTER: 'on',
      REDIS_CLUSTER_NODES: hostOf(second),
    };
    expect(await linesOf(settings)).toEqual([
      HEALTHY_CLUSTER[0],
      `finding redis-connection: 127.0.0.1:${port} refuses connections (ECONNREFUSED). Check the host and the port of REDIS_URL, and whether the server runs. The gateway finds the masters through another node.`,
      ...HEALTHY_CLUSTER.slice(1),
    ]);
  });

  test('a master that differs is named by its address, and the others share a line', async () => {
    await send([second], 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await send([third], 'CONFIG', 'SET', 'maxmemory', '1');
    try {
      const findings = await check(on());
      const lines = findings.map(
        (finding) => `${finding.verdict} ${finding.check}: ${finding.message}`,
      );
      expect(lines.filter((line) => /redis-(memory|permissions)/.test(line))).toEqual([
        `finding redis-permissions: The master ${hostOf(third)} is full and rejects writes (OOM): set maxmemory-policy to allkeys-lru, or raise maxmemory. The gateway stores new responses in its own memory only.`,
        `ok redis-permissions: Each other master accepts every command that the gateway sends: ${COMMANDS}.`,
        `ok redis-memory: The master ${hostOf(first)} evicts entries when its 64 MiB are full (allkeys-lru).`,
        `finding redis-memory: The maxmemory-policy of the master ${hostOf(second)} is noeviction: a full master rejects writes. Set maxmemory-policy to allkeys-lru or volatile-lru.`,
        `ok redis-memory: The master ${hostOf(third)} evicts entries when its 0 MiB are full (allkeys-lru).`,
      ]);
      expect(findings.find(({ message }) => message.includes('OOM'))?.details).toEqual({
        masters: [hostOf(third)],
      });
    } finally {
      await send(cluster.masters, 'CONFIG', 'SET', 'maxmemory', '64mb');
      await send(cluster.masters, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    }
  });

  test('clocks and latencies that differ equally on all masters are one line each', async () => {
    let now = 0;
    const lines = await linesOf(on(), {
      now: () => Date.now() + 90_000,
      monotonicNow: () => {
        now += 60;
        return now;
      },
    });
    expect(lines.filter(isNotOk)).toEqual([
      expect.stringMatching(
        /^finding redis-connection: Each master responds within \d+ ms \(p50 of 5\), and a lookup waits for REDIS_TIMEOUT_MS \(50 ms\) at most/,
      ),
      'note redis-clock: The clock of each master is 90 s behind the clock of this machine. The ages of cached responses allow for that, but one of the two clocks is wrong.',
    ]);
  });

  test('slots without a master are a finding, and so is a master that serves nothing for that reason', async () => {
    await send([second], 'CONFIG', 'SET', 'cluster-require-full-coverage', 'yes');
    await cluster.releaseSlots(first, [0, 1]);
    try {
      await vi.waitUntil(
        async () => String(await second.observer.send('CLUSTER', 'INFO')).includes('state:fail'),
        { timeout: 30_000, interval: 50 },
      );
      expect((await linesOf(on())).filter(isNotOk)).toEqual([
        'finding redis-cluster: The Redis Cluster has 3 masters for 16,382 of 16,384 slots: the gateway caches the entries of the other slots in its own memory only. Assign them to a master (redis-cli --cluster fix).',
        `finding redis-permissions: The master ${hostOf(second)} serves no keys, because the cluster is down (CLUSTERDOWN): too few masters are reachable, or a slot has no master and cluster-require-full-coverage is on.`,
      ]);
    } finally {
      await send([second], 'CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
      await send([first], 'CLUSTER', 'ADDSLOTS', '0', '1');
      await cluster.isAgreed();
    }
    expect(await linesOf(on())).toEqual(HEALTHY_CLUSTER);
  });

  test('with REDIS_CLUSTER off, a node of a cluster is a finding with the setting to paste', async () => {
    const settings = { REDIS_URL: first.server.url };
    expect((await linesOf(settings)).filter(isNotOk)).toEqual([REQUIRES_CLUSTER]);
    const findings = await check(settings);
    expect(findings.find(({ verdict }) => verdict === 'finding')?.settings).toEqual({
      REDIS_CLUSTER: 'on',
    });
    expect(await check({ REDIS_URL: `${first.server.url}/3` })).toMatchObject([
      {
        check: 'redis-cluster',
        verdict: 'finding',
        message: `Redis is a node of a Redis Cluster, which requires REDIS_CLUSTER=on, and has no database but 0: remove the number at the end of REDIS_URL. ${WITHOUT_REDIS}`,
        settings: { REDIS_CLUSTER: 'on' },
      },
    ]);
  });

  test('with REDIS_CLUSTER off, a node is recognized without INFO', async () => {
    await send(
      cluster.masters,
      'ACL',
      'SETUSER',
      'single',
      'on',
      `>${PASSWORD}`,
      ...ACL.split(' '),
    );
    // One of the masters serves the slot of the first test key.
    const results = await Promise.all(
      cluster.masters.map(({ server }) =>
        linesOf({ REDIS_URL: `redis://single:${ENCODED}@127.0.0.1:${server.port}` }),
      ),
    );
    expect(results.filter((lines) => lines.includes(REQUIRES_CLUSTER))).toHaveLength(3);
    const accepts = (lines: string[]) =>
      lines.some((line) => line.startsWith('ok redis-permissions'));
    expect(results.filter(accepts)).toHaveLength(1);
  });

  test('a user with exactly the documented permissions of a cluster passes, and its gateway reads and writes', async () => {
    const user = ['on', `>${PASSWORD}`, ...CLUSTER_ACL.split(' ')];
    await send(cluster.masters, 'ACL', 'SETUSER', 'gateway', ...user);
    const guide = readFileSync(new URL('../../docs/guides/caching.md', import.meta.url), 'utf8');
    expect(guide).toContain(`ACL SETUSER gateway on >password ${CLUSTER_ACL}\n`);
    const settings = {
      REDIS_URL: `redis://gateway:${ENCODED}@127.0.0.1:${first.server.port}`,
      REDIS_CLUSTER: 'on',
    };
    const [slots, connection, , permissions, , , clock] = HEALTHY_CLUSTER;
    expect(await linesOf(settings)).toEqual([
      slots,
      connection,
      'unknown redis-version: The user of REDIS_URL must not send INFO, so the version, the role and the memory of each master are unknown. The gateway does not need INFO.',
      permissions,
      clock,
    ]);
    const sandbox = createSandbox();
    await using one = createRedisGateway(sandbox, settings);
    await using other = createRedisGateway(sandbox, settings);
    const operation = { query: '{ assistants { nodes { id } } }' };
    const result = await one.execute(operation);
    expect(one.traffic()).toEqual(['GET /assistants']);
    await expect.poll(async () => (await cluster.entries()).length).toBe(1);
    expect(await other.execute(operation)).toEqual(result);
    expect([...other.traffic(), ...one.problems, ...other.problems]).toEqual([]);
    await send(cluster.masters, 'FLUSHALL');
  });

  test('missing permissions are named: CLUSTER SLOTS, and those of a single master', async () => {
    const user = ['reset', 'on', `>${PASSWORD}`, ...CLUSTER_ACL.split(' ')];
    const settings = {
      REDIS_URL: `redis://partial:${ENCODED}@127.0.0.1:${first.server.port}`,
      REDIS_CLUSTER: 'on',
    };
    const needs = `The gateway needs on each node: ACL SETUSER <user> ${CLUSTER_ACL}`;
    await send(cluster.masters, 'ACL', 'SETUSER', 'partial', ...user);
    await send([third], 'ACL', 'SETUSER', 'partial', '-asking', '-set');
    expect((await linesOf(settings)).filter((line) => !/^(ok|unknown) /.test(line))).toEqual([
      `finding redis-permissions: The user of REDIS_URL must not use the commands SET, ASKING on the master ${hostOf(third)} (NOPERM). ${needs}`,
    ]);
    await send(cluster.masters, 'ACL', 'SETUSER', 'partial', '-cluster|slots');
    expect(await linesOf(settings)).toEqual([
      `finding redis-permissions: The user of REDIS_URL must not use the command CLUSTER SLOTS on the node ${hostOf(first)} (NOPERM), so this node does not name the masters. ${needs}`,
    ]);
  });

  test('with REDIS_CLUSTER on, a server that is no node of a cluster is a finding with the setting to change', async () => {
    await using redis = await startRedis(MEMORY);
    const settings = { REDIS_URL: redis.url, REDIS_CLUSTER: 'on' };
    expect(await linesOf(settings)).toEqual([NO_CLUSTER]);
    expect(await check(settings)).toMatchObject([{ settings: { REDIS_CLUSTER: 'off' } }]);
    const REDIS_URL = `redis://:${ENCODED}@127.0.0.1:${redis.port}`;
    expect(await linesOf({ ...settings, REDIS_URL })).toEqual([
      `finding redis-connection: The node 127.0.0.1:${redis.port} has no password for the default user, and REDIS_URL has one (ERR). ${WITHOUT_REDIS}`,
    ]);
  });

  test('a silent cluster is given up after five seconds', async () => {
    for (const { server } of cluster.masters) server.pause();
    try {
      const pending = linesOf(on());
      await expect.poll(() => timers.running).not.toEqual([]);
      timers.elapse(5_000);
      expect(await pending).toEqual([
        `finding redis-connection: ${hostOf(first)} sends no complete response within 5 s. The server is slow, overloaded, or not reachable through its load balancer. ${WITHOUT_REDIS}`,
      ]);
    } finally {
      for (const { server } of cluster.masters) server.resume();
    }
    await cluster.isAgreed();
    expect((await linesOf(on())).filter(isNotOk)).toEqual([]);
  });
});

describe.skipIf(!hasRedisServer)('Broken Redis Cluster', () => {
  test('a cluster that has not been created, and a dead master, are findings', async () => {
    await using cluster = await startRedisCluster({ flags: MEMORY, isFormed: false });
    const [first, second] = cluster.masters as [ClusterNode, ClusterNode];
    const settings = { REDIS_URL: first.server.url, REDIS_CLUSTER: 'on' };
    const host = `127.0.0.1:${first.server.port}`;
    expect(await linesOf(settings)).toEqual([
      `finding redis-connection: The node ${host} knows no master of the Redis Cluster: create the cluster (redis-cli --cluster create), or let the node join it. ${WITHOUT_REDIS}`,
    ]);
    expect((await linesOf({ REDIS_URL: first.server.url })).filter(isNotOk)).toEqual([
      REQUIRES_CLUSTER,
    ]);
    await cluster.form();
    await second.server.kill();
    const lines = await linesOf(settings);
    expect(lines.filter(isNotOk)).toEqual([
      `finding redis-connection: 127.0.0.1:${second.server.port} refuses connections (ECONNREFUSED). Check the host and the port of cluster-announce-ip, and whether the server runs. ${THIS_MASTER}`,
    ]);
    expect(lines).toContain(
      'ok redis-connection: Each other master responds within 0.0 ms (p50 of 5).',
    );
  });

  test('the log classifies each problem of a cluster', async () => {
    await using cluster = await startRedisCluster({ isFormed: false });
    await using plain = await startRedis();
    const [first, , third] = cluster.masters as [ClusterNode, ClusterNode, ClusterNode];
    /** The cause and the message of the first condition. */
    const causeOf = async (settings: Record<string, string>) => {
      const { log, read } = captureLog();
      const gateway = createGateway(
        readSettings({
          REVOX_BASE_URL: 'http://revox.test/api',
          REDIS_TIMEOUT_MS: '10000',
          ...settings,
        }),
        { fetch: createSandbox().fetch, log },
      );
      try {
        await vi.waitUntil(() => read().some(({ condition }) => condition === 'redis'), {
          timeout: 30_000,
        });
        const line = read().find(({ condition }) => condition === 'redis');
        return `${line?.cause}: ${String(line?.msg).split('. ')[0]}`;
      } finally {
        await gateway.dispose();
      }
    };
    const on = (url: string) => ({ REDIS_URL: url, REDIS_CLUSTER: 'on' });

    expect(await causeOf(on(plain.url))).toBe(
      'invalid-response: Redis is unavailable: the server is not a node of a Redis Cluster, as REDIS_CLUSTER=on requires',
    );
    expect(await causeOf(on(first.server.url))).toBe(
      'not-serving: Redis is unavailable: no master serves the slots of the Redis Cluster',
    );
    await cluster.form();
    // The probe of the gateway reads a key of the slot 0, which the first master serves.
    expect(await causeOf({ REDIS_URL: third.server.url })).toMatch(
      /^redirect: Redis is unavailable: the server is a node of a Redis Cluster, which requires REDIS_CLUSTER=on/,
    );
    await cluster.releaseSlots(first, [0]);
    expect(await causeOf(on(first.server.url))).toBe(
      'not-serving: A master of the Redis Cluster is unavailable: some slots have no master',
    );
  });
});
