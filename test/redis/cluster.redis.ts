import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CacheOwner } from '#cache/second-tier.ts';
import { toSlot } from '#redis/cluster-slots.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { type ClusterNode, type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer } from './redis-server.ts';
import {
  AVAILABLE_AGAIN,
  CALL,
  createTierInstance,
  masterUnavailableMessage,
  PATH,
  probeUntil,
  storeUntilRead,
  TIMEOUT_MS,
  toEntry,
  toOwner,
  untilRedisIsAwaited,
} from './tier-instance.ts';

expectRedisServer();

const SLOW_MACHINE = { timeoutMs: 5_000 };
const OTHER = toEntry({ id: 'call-2' });

/** Whether this node has a key of the credential. */
async function holds({ observer }: ClusterNode, { fingerprint }: CacheOwner): Promise<boolean> {
  return (await observer.keys()).some((key) => key.includes(fingerprint));
}

describe.skipIf(!hasRedisServer)('Redis Cluster that serves', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    // The test before may have moved slots.
    await cluster.isAgreed();
    for (const { observer } of cluster.masters) await observer.send('FLUSHALL');
  });
  const clusterSettings = () => ({
    REDIS_URL: (cluster.masters[0] as ClusterNode).server.url,
    REDIS_CLUSTER: 'on',
  });
  const createInstance = (options = {}) =>
    createTierInstance((cluster.masters[0] as ClusterNode).server.url, {
      clusterNodes: [],
      ...SLOW_MACHINE,
      ...options,
    });
  /** A credential whose keys are stored on this master. */
  const toOwnerOf = async (master: ClusterNode, name = 'sk'): Promise<CacheOwner> => {
    const id = String(await master.observer.send('CLUSTER', 'MYID'));
    const ranges = await master.observer.send<[number, number, [Buffer, number, Buffer]][]>(
      ...['CLUSTER', 'SLOTS'],
    );
    for (let number = 0; ; number += 1) {
      const owner = toOwner(`${name}_${number}`);
      const slot = toSlot(owner.fingerprint);
      if (
        ranges.some(([first, last, [, , of]]) => String(of) === id && first <= slot && slot <= last)
      )
        return owner;
    }
  };

  test('the slot of a key is the one that Redis computes', async () => {
    const [{ observer }] = cluster.masters as [ClusterNode];
    for (let number = 0; number < 100; number += 1) {
      const { fingerprint } = toOwner(`sk_${number}`);
      const key = `revox:epoch:{${fingerprint}}`;
      expect(toSlot(fingerprint)).toBe(await observer.send('CLUSTER', 'KEYSLOT', key));
    }
  });

  test('entries of a hundred credentials are stored on all masters, each credential on one, and other instances read them', async () => {
    await using one = createInstance();
    await using other = createInstance();
    const owners = Array.from({ length: 100 }, (_, number) => toOwner(`sk_${number}`));
    for (const owner of owners) await one.storeAndRead(owner, PATH, toEntry(CALL));
    for (const owner of owners) {
      expect(await other.read(owner, PATH)).toMatchObject({ value: CALL });
      const places = await Promise.all(cluster.masters.map((master) => holds(master, owner)));
      expect(places.filter(Boolean)).toHaveLength(1);
    }
    for (const { observer } of cluster.masters)
      expect((await observer.entries()).length).toBeGreaterThan(10);
    expect([...one.statusChanges, ...other.statusChanges]).toEqual([]);
    // One connection to each master.
    for (const { observer } of cluster.masters) expect(await observer.clients()).toHaveLength(2);
  });

  test.each(
    Array.from({ length: 6 }, (_, number) => `a secret of the instances, number ${number}`),
  )(
    'an operation that one gateway has paid for costs the other gateway no upstream request, with the secret "%s"',
    async (CACHE_SECRET) => {
      const sandbox = createSandbox();
      const settings = { ...clusterSettings(), CACHE_SECRET };
      await using one = createRedisGateway(sandbox, settings);
      await using other = createRedisGateway(sandbox, settings);
      const operation = { query: '{ assistants { nodes { id name } } campaigns { totalCount } }' };
      const first = await one.execute(operation);
      expect(one.traffic().sort()).toEqual(['GET /assistants', 'GET /campaigns']);
      await expect.poll(async () => (await cluster.entries()).length).toBe(2);
      expect(await other.execute(operation)).toEqual(first);
      expect(other.traffic()).toEqual([]);
      expect([...one.problems, ...other.problems]).toEqual([]);
    },
  );

  test("a gateway does not serve a credential from the cluster after another gateway's 401 for it", async () => {
    const sandbox = createSandbox();
    const passThrough = {
      ...clusterSettings(),
      REVOX_API_KEY: '',
      CREDENTIAL_RECHECK_MS: '600000',
    };
    const { richCallId: id } = sampleIds(sandbox);
    const operation = { query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { id } };
    await using one = createRedisGateway(sandbox, passThrough);
    await using other = createRedisGateway(sandbox, passThrough);
    await one.execute(operation, KEY_A);
    await expect.poll(async () => (await cluster.entries()).length).toBe(1);
    // Claims to requests come and go meanwhile: only the epochs say what a credential may read.
    const epochs = async () => {
      const all = await Promise.all(cluster.masters.map(({ observer }) => observer.epochs()));
      return all.flat();
    };
    const before = await epochs();
    expect(before).toHaveLength(1);
    sandbox.control.fail(({ path }) => path === '/assistants', { status: 401, times: 1 });
    await one.execute({ query: '{ assistants { totalCount } }' }, KEY_A);
    await expect.poll(epochs).not.toEqual(before);
    expect((await other.execute(operation, KEY_A)).data).toEqual({ call: { id } });
    expect(other.traffic()).toEqual([`GET /call/${id}`]);
  });

  test("two credentials that send the same operations through the cluster never receive a byte of each other's data", async () => {
    const sandbox = createSandbox();
    const ids = sampleIds(sandbox);
    const passThrough = { REVOX_API_KEY: '', CREDENTIAL_RECHECK_MS: '600000' };
    const executeAll = async (gateway: RedisGateway) => {
      const results: unknown[] = [];
      const paidFor = new Set<string>();
      for (const { query, variables } of operationCosts)
        for (const key of [KEY_A, KEY_B]) {
          results.push(await gateway.execute({ query, variables: variables?.(ids) }, key));
          for (const line of gateway.traffic()) paidFor.add(`${key} ${line}`);
        }
      return { results, paidFor };
    };
    await using alone = createRedisGateway(sandbox, passThrough);
    await using cold = createRedisGateway(sandbox, { ...clusterSettings(), ...passThrough });
    await using warm = createRedisGateway(sandbox, { ...clusterSettings(), ...passThrough });
    const { results } = await executeAll(alone);
    const first = await executeAll(cold);
    await expect.poll(async () => (await cluster.entries()).length).toBe(first.paidFor.size);
    const second = await executeAll(warm);
    expect([first.results, second.results]).toEqual([results, results]);
    expect(first.paidFor.size).toBeGreaterThan(50);
    // All ids are of the first key. For the second key, those objects are missing, which does not
    // prove that the key is still accepted.
    const isMissing = (line: string) => line.startsWith(KEY_B) && /\/[\w-]{20,}$/.test(line);
    expect([...second.paidFor].filter((line) => !isMissing(line))).toEqual([]);
    expect([...cold.problems, ...warm.problems]).toEqual([]);
  });

  test('a slot that another master has taken over is read and written there, without a missed read', async () => {
    const [from, to] = cluster.masters as [ClusterNode, ClusterNode];
    const owner = await toOwnerOf(from);
    const slot = toSlot(owner.fingerprint);
    await using one = createInstance();
    await using other = createInstance();
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    await other.read(owner, PATH);
    await cluster.moveSlot(slot, from, to);
    try {
      expect(await one.read(owner, PATH)).toMatchObject({ value: CALL });
      await one.storeAndRead(owner, '/other', OTHER);
      // A revocation is the first command of this instance that the old master redirects.
      other.revoke(owner, true);
      await vi.waitUntil(async () => !(await one.read(owner, PATH)), { timeout: 30_000 });
      expect(await holds(from, owner)).toBe(false);
      expect([...one.statusChanges, ...other.statusChanges]).toEqual([]);
    } finally {
      await cluster.moveSlot(slot, to, from);
    }
  });

  test('while a slot migrates, entries are read and written on both masters', async () => {
    const [from, , to] = cluster.masters as [ClusterNode, ClusterNode, ClusterNode];
    const owner = await toOwnerOf(from);
    const slot = toSlot(owner.fingerprint);
    await using one = createInstance();
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    await cluster.startMigration(slot, from, to);
    try {
      // A new key is written on the new master, although the epoch is still on the old one.
      await one.storeAndRead(owner, '/other', OTHER);
      expect(await to.observer.entries()).toHaveLength(1);
      expect(await one.read(owner, PATH)).toMatchObject({ value: CALL });
      // The epoch migrates before the entry.
      await cluster.migrateKeys(from, to, [`revox:epoch:{${owner.fingerprint}}`]);
      expect(await one.read(owner, PATH)).toMatchObject({ value: CALL });
      expect(await one.read(owner, '/other')).toMatchObject({ value: OTHER.value });
      expect(await one.read(owner, '/unknown')).toBeUndefined();
      // A revocation reaches the epoch on the new master.
      one.revoke(owner, true);
      await using other = createInstance();
      await vi.waitUntil(async () => !(await other.read(owner, PATH)), { timeout: 30_000 });
      await one.storeAndRead(owner, PATH, toEntry(CALL));
      expect([...one.statusChanges, ...other.statusChanges]).toEqual([]);
    } finally {
      await cluster.moveSlot(slot, from, to);
      await cluster.moveSlot(slot, to, from);
    }
  });

  test('an entry of another type, or one that is too long, counts as absent for its own key only', async () => {
    const master = cluster.masters[1] as ClusterNode;
    const owner = await toOwnerOf(master);
    await using one = createInstance();
    await one.storeAndRead(owner, PATH, toEntry(CALL));
    const [key = ''] = await master.observer.entries();
    await one.storeAndRead(owner, '/other', OTHER);
    for (const forgery of [
      ['LPUSH', key, 'forged'],
      ['SETRANGE', key, String(2 ** 22), 'x'],
    ]) {
      await master.observer.send('DEL', key);
      await master.observer.send(...forgery);
      expect(await one.read(owner, PATH)).toBeUndefined();
      expect(await one.read(owner, '/other')).toMatchObject({ value: OTHER.value });
    }
    expect(one.statusChanges).toEqual([]);
  });

  test('a slot without a master costs only its own credential upstream requests', async () => {
    const [first, second] = cluster.masters as [ClusterNode, ClusterNode];
    const [lost, served] = [await toOwnerOf(first, 'lost'), await toOwnerOf(second, 'served')];
    const sameMaster = await toOwnerOf(first, 'same');
    const slot = toSlot(lost.fingerprint);
    await using one = createInstance();
    for (const owner of [lost, served, sameMaster])
      await one.storeAndRead(owner, PATH, toEntry(CALL));
    await cluster.releaseSlots(first, [slot]);
    for (let reads = 0; reads < 10; reads += 1) {
      expect(await one.read(lost, PATH)).toBeUndefined();
      expect(await one.read(served, PATH)).toMatchObject({ value: CALL });
      expect(await one.read(sameMaster, PATH)).toMatchObject({ value: CALL });
    }
    await probeUntil(one, 1);
    await first.observer.send('CLUSTER', 'ADDSLOTS', String(slot));
    await cluster.isAgreed();
    await probeUntil(one, 2);
    await storeUntilRead(one, lost, PATH);
    expect(one.statusChanges).toEqual([
      masterUnavailableMessage('some slots have no master'),
      AVAILABLE_AGAIN,
    ]);
  });

  test('the gateway ignores a node that knows fewer slots than the other nodes, and does not report it', async () => {
    await using unformed = await startRedisCluster({ isFormed: false });
    const [outdated] = unformed.masters as [ClusterNode];
    await outdated.observer.send('CLUSTER', 'ADDSLOTS', '0');
    const [known] = cluster.masters as [ClusterNode];
    await using one = createTierInstance(outdated.server.url, {
      clusterNodes: [known.server.url],
      ...SLOW_MACHINE,
    });
    for (const master of cluster.masters)
      await one.storeAndRead(await toOwnerOf(master), PATH, toEntry(CALL));
    expect(one.statusChanges).toEqual([]);
    expect(await outdated.observer.clients()).toEqual([]);
  });

  test('a silent master costs the reads of its credentials one wait, and other credentials none', async () => {
    const [silent, responsive] = cluster.masters as [ClusterNode, ClusterNode];
    const [slow, quick] = [await toOwnerOf(silent), await toOwnerOf(responsive)];
    await using one = createInstance({ timeoutMs: TIMEOUT_MS });
    await one.storeAndRead(slow, PATH, toEntry(CALL));
    await one.storeAndRead(quick, PATH, toEntry(CALL));
    silent.server.pause();
    try {
      const waiting = one.read(slow, PATH);
      await untilRedisIsAwaited(one);
      expect(await one.read(quick, PATH)).toMatchObject({ value: CALL });
      one.timers.elapse(TIMEOUT_MS);
      expect(await waiting).toBeUndefined();
      for (let reads = 0; reads < 20; reads += 1)
        expect(await one.read(slow, PATH)).toBeUndefined();
      expect(one.timers.running.filter((ms) => ms === TIMEOUT_MS)).toEqual([]);
    } finally {
      silent.server.resume();
    }
    await cluster.isAgreed();
    await probeUntil(one, 2);
    expect(await one.read(slow, PATH)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([
      masterUnavailableMessage(`no reply within REDIS_TIMEOUT_MS (${TIMEOUT_MS} ms)`),
      AVAILABLE_AGAIN,
    ]);
  });
});
