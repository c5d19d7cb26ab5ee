import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type RedisObserver, type RedisServer, startRedis } from './redis-server.ts';

export const SLOTS = 16_384;
const MASTERS = 3;
/** After this time, the others replace a silent master by its replica. */
const FAILOVER_NODE_TIMEOUT_MS = 1_000;
/** Without replicas, nodes that a busy machine delays must not count as failed. */
const NODE_TIMEOUT_MS = 5_000;

export interface ClusterNode {
  readonly server: RedisServer;
  readonly observer: RedisObserver;
}

/** Three masters that share the slots evenly, in this order, and their replicas. */
export interface RedisCluster extends AsyncDisposable {
  readonly masters: readonly ClusterNode[];
  /** A replica of each of the first masters. */
  readonly replicas: readonly ClusterNode[];
  /** All nodes. */
  readonly nodes: readonly ClusterNode[];
  /** Starts another node, which joins as a master without slots. */
  addNode(): Promise<ClusterNode>;
  /** Assigns the slots, which makes the nodes a cluster that serves. */
  form(): Promise<void>;
  /** The names of all keys of the masters, without epochs. */
  entries(): Promise<string[]>;
  /**
   * Resolves when all nodes know the same master of every slot, and none counts as failed. A node
   * learns of a change on another one by a message, up to some seconds later.
   */
  isAgreed(): Promise<void>;
  /** Takes slots from their owner, in the view of each node, so that no node serves them. */
  releaseSlots(owner: ClusterNode, slots: readonly number[]): Promise<void>;
  /** Makes `to` the owner of a slot that `from` owns, with its keys. */
  moveSlot(slot: number, from: ClusterNode, to: ClusterNode): Promise<void>;
  /** Starts the migration of a slot: keys that `from` does not have are redirected to `to`. */
  startMigration(slot: number, from: ClusterNode, to: ClusterNode): Promise<void>;
  /** Migrates keys of a slot whose migration has started. */
  migrateKeys(from: ClusterNode, to: ClusterNode, keys: readonly string[]): Promise<void>;
}

export interface RedisClusterOptions {
  /** @default 0 */
  readonly replicas?: number;
  /** For each node. */
  readonly flags?: readonly string[];
  /** The password that the flags set. */
  readonly password?: string;
  /** Whether the nodes serve from the start. @default true */
  readonly isFormed?: boolean;
}

/** A real Redis Cluster on free ports of 127.0.0.1. It is killed at the end of the scope. */
export async function startRedisCluster({
  replicas: replicaCount = 0,
  flags = [],
  password,
  isFormed = true,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
  const nodeTimeoutMs = replicaCount > 0 ? FAILOVER_NODE_TIMEOUT_MS : NODE_TIMEOUT_MS;
  const isTls = flags.includes('--tls-cluster');
  const nodes: ClusterNode[] = [];
  const start = async (): Promise<ClusterNode> => {
    const server = await startRedis([
      ...['--cluster-enabled', 'yes', '--cluster-port', 'BUS', '--dir', folder],
      ...['--cluster-config-file', 'nodes-PORT.conf', '--repl-diskless-sync-delay', '0'],
      // Where a master is down, the others serve their slots.
      ...['--cluster-require-full-coverage', 'no'],
      ...['--cluster-node-timeout', String(nodeTimeoutMs)],
      ...['--cluster-allow-replica-migration', 'no', ...flags],
    ]);
    const node = { server, observer: await server.connect(password) };
    nodes.push(node);
    return node;
  };
  const dispose = async () => {
    for (const { observer, server } of nodes) {
      await observer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    }
    await rm(folder, { recursive: true });
  };
  for (let count = 0; count < MASTERS + replicaCount; count += 1) await start();
  const masters = nodes.slice(0, MASTERS);
  const replicas = nodes.slice(MASTERS);
  const [first] = nodes as [ClusterNode];
  const meet = ({ server }: ClusterNode) =>
    first.observer.send(
      ...['CLUSTER', 'MEET', '127.0.0.1', String(isTls ? server.tlsPort : server.port)],
      String(server.busPort),
    );
  const know = async (node: ClusterNode, count: number) =>
    vi.waitUntil(async () => (await linesOf(node)).length >= count, WAIT);

  const cluster: RedisCluster = {
    masters,
    replicas,
    nodes,
    async addNode() {
      const node = await start();
      await meet(node);
      await cluster.isAgreed();
      return node;
    },
    async form() {
      for (const [index, { observer }] of masters.entries()) {
        const [from, to] = [index, index + 1].map((n) => Math.ceil((n * SLOTS) / MASTERS));
        await observer.send('CLUSTER', 'ADDSLOTSRANGE', String(from), String(Number(to) - 1));
      }
      for (const node of nodes.slice(1)) await meet(node);
      for (const node of nodes) await know(node, nodes.length);
      for (const [index, { observer }] of replicas.entries())
        await observer.send('CLUSTER', 'REPLICATE', await idOf(masters[index] as ClusterNode));
      for (const { observer } of replicas) await vi.waitUntil(() => isSynchronized(observer), WAIT);
      await cluster.isAgreed();
    },
    async isAgreed() {
      await vi.waitFor(async () => expect(await problemsOf(nodes)).toEqual([]), WAIT);
    },
    async releaseSlots(owner, slots) {
      const others = nodes.filter((node) => node !== owner);
      for (const { observer } of [owner, ...others]) {
        // A message that the owner has sent before, and that a node reads later, would assign the
        // slots again: a reply shows that the node has read or sent what was pending.
        await observer.send('PING');
        await observer.send('CLUSTER', 'DELSLOTS', ...slots.map(String));
        await observer.send('PING');
      }
    },
    async entries() {
      const names = await Promise.all(masters.map(({ observer }) => observer.entries()));
      return names.flat();
    },
    async moveSlot(slot, from, to) {
      await cluster.startMigration(slot, from, to);
      const keys = await from.observer.send<Buffer[]>(
        ...['CLUSTER', 'GETKEYSINSLOT', String(slot), '1000'],
      );
      await cluster.migrateKeys(from, to, keys.map(String));
      const id = await idOf(to);
      // The new owner first: its claim has the higher epoch.
      for (const { observer } of [to, from])
        await observer.send('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
    },
    async startMigration(slot, from, to) {
      const [source, target] = [await idOf(from), await idOf(to)];
      await to.observer.send('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source);
      await from.observer.send('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target);
    },
    async migrateKeys(from, to, keys) {
      if (keys.length === 0) return;
      const address = ['127.0.0.1', String(to.server.port)];
      await from.observer.send('MIGRATE', ...address, '', '0', '5000', 'KEYS', ...keys);
    },
    [Symbol.asyncDispose]: dispose,
  };
  try {
    if (isFormed) await cluster.form();
    return cluster;
  } catch (error) {
    // Servers that still run would keep the test process alive.
    await dispose();
    throw error;
  }
}

const WAIT = { timeout: 30_000, interval: 50 };

async function linesOf({ observer }: ClusterNode): Promise<string[]> {
  return String(await observer.send('CLUSTER', 'NODES'))
    .split('\n')
    .filter((line) => line !== '' && !line.includes('handshake'));
}

async function idOf({ observer }: ClusterNode): Promise<string> {
  return String(await observer.send('CLUSTER', 'MYID'));
}

/** What keeps the nodes from agreeing on a cluster that serves all slots. */
async function problemsOf(nodes: readonly ClusterNode[]): Promise<string[]> {
  const problems: string[] = [];
  const views = new Set<string>();
  for (const node of nodes) {
    const name = `node ${node.server.port}`;
    const info = String(await node.observer.send('CLUSTER', 'INFO'));
    if (!info.includes('cluster_state:ok')) problems.push(`${name} does not serve`);
    if (!info.includes(`cluster_slots_ok:${SLOTS}`)) problems.push(`${name} knows too few slots`);
    const lines = (await linesOf(node)).map((line) => line.split(' '));
    if (lines.length !== nodes.length) problems.push(`${name} knows too few nodes`);
    const view = lines.map(([id, , flags = '', master, , , , , ...slots]) => {
      if (/fail|noaddr/.test(flags)) problems.push(`${name} regards ${id} as ${flags}`);
      return [id, flags.replace('myself,', ''), master, ...slots].join(' ');
    });
    views.add(view.sort().join('\n'));
  }
  if (views.size !== 1) problems.push(`${views.size} different views`);
  return problems;
}

async function isSynchronized(observer: RedisObserver): Promise<boolean> {
  return String(await observer.send('INFO', 'replication')).includes('master_link_status:up');
}
