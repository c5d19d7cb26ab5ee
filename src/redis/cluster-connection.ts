import { SLOT_COUNT, type SlotRange, toSlot } from './cluster-slots.ts';
import { findSlotRanges } from './discovery.ts';
import { type ServerAddress, withAddress } from './query-server.ts';
import { Redirection } from './redirection.ts';
import type {
  Command,
  RedisConnection,
  RedisConnectionOptions,
  Replies,
  Reply,
} from './redis-connection.ts';
import { toErrorCode, UNSERVED_SLOTS } from './redis-errors.ts';
import { createServerConnection } from './server-connection.ts';
import type { ServerStatus, StatusReporter } from './status-reporter.ts';
import { withTimeout } from './with-timeout.ts';

export interface ClusterConnectionOptions extends RedisConnectionOptions {
  /** URLs of nodes that the gateway queries for the masters, until one of them replies. */
  readonly seeds: readonly string[];
  /** Called when a master becomes available, or serves other slots. */
  readonly onUp: () => void;
  readonly reporter: StatusReporter;
}

interface Master {
  readonly address: ServerAddress;
  readonly connection: RedisConnection;
  readonly status: ServerStatus;
  /** Whether the master is down. Another server may then take over its slots. */
  isDown: boolean;
}

/** Minimum time between two discoveries, in ms. */
const DISCOVERY_INTERVAL_MS = 1_000;
/**
 * Maximum redirections of one command. A command needs two if a failover ends while its slot
 * migrates.
 */
const MAX_REDIRECTIONS = 3;

/**
 * Connections to the masters of a Redis Cluster: one to each, and none to replicas. A query goes to
 * the master of the slot, and waits for no other server.
 *
 * The gateway learns which master serves a slot from `CLUSTER SLOTS`: at the start, after a
 * `MOVED`, and every second while a master is down or a slot has no master. It follows `MOVED` and
 * `ASK` within the time limit of the query.
 */
export function createClusterConnection(options: ClusterConnectionOptions): RedisConnection {
  const { url, tls, timeoutMs, now, startTimer, seeds, onUp, reporter } = options;
  const started = Promise.withResolvers<void>();
  const masters = new Map<string, Master>();
  /** The master of each slot. */
  const owners = new Array<Master | undefined>(SLOT_COUNT).fill(undefined);
  let replicas: readonly ServerAddress[] = [];
  const clusterStatus = reporter.addServer('redis');
  const slotStatus = reporter.addServer('clusterMaster');
  let state: 'starting' | 'started' | 'closed' = 'starting';
  /** Whether a query waits for the first discovery. False once a query has waited. */
  let waitsForDiscovery = true;
  let isDiscovering = false;
  /** Whether the owners may have changed since the latest discovery began. */
  let isStale = true;
  let lastDiscoveryAt = Number.NEGATIVE_INFINITY;
  let cancelDiscovery: (() => void) | undefined;

  requestDiscovery();

  function requestDiscovery(): void {
    isStale = true;
    if (state === 'closed' || isDiscovering || cancelDiscovery) return;
    if (now() - lastDiscoveryAt >= DISCOVERY_INTERVAL_MS) void discover();
    else
      cancelDiscovery = startTimer(DISCOVERY_INTERVAL_MS, () => {
        cancelDiscovery = undefined;
        void discover();
      });
  }

  async function discover(): Promise<void> {
    isDiscovering = true;
    isStale = false;
    lastDiscoveryAt = now();
    let ranges: readonly SlotRange[] = [];
    let reason: string | undefined;
    try {
      ranges = await findSlotRanges(candidateUrls(), tls);
    } catch (error) {
      reason = toErrorCode(error);
    }
    isDiscovering = false;
    if (state === 'closed') return;
    if (reason === undefined) {
      assignSlots(ranges);
      clusterStatus.onUp();
      onUp();
    } else {
      clusterStatus.onDown(reason);
      isStale = true;
    }
    state = 'started';
    started.resolve();
    if (isStale || [...masters.values()].some(({ isDown }) => isDown)) requestDiscovery();
  }

  /** The nodes that are most likely to reply come first. */
  function candidateUrls(): string[] {
    const upMasters = [...masters.values()].filter(({ connection }) => connection.isUp(''));
    const first = Math.floor(Math.random() * upMasters.length);
    // In turn, because the view of a single node may be outdated.
    const addresses = [...upMasters.slice(first), ...upMasters.slice(0, first)].map(
      ({ address }) => address,
    );
    return [...addresses, ...replicas].map((address) => withAddress(url, address)).concat(seeds);
  }

  function assignSlots(ranges: readonly SlotRange[]): void {
    owners.fill(undefined);
    for (const { first, last, master } of ranges) owners.fill(toMaster(master), first, last + 1);
    replicas = ranges.flatMap((range) => range.replicas);
    if (owners.includes(undefined)) {
      slotStatus.onDown(UNSERVED_SLOTS);
      isStale = true;
    } else slotStatus.onUp();
    const inUse = new Set(owners);
    for (const [name, master] of masters) {
      if (inUse.has(master)) continue;
      masters.delete(name);
      master.connection.close();
      reporter.removeServer(master.status);
    }
  }

  function toMaster(address: ServerAddress): Master {
    const name = `${address.host}:${address.port}`;
    const known = masters.get(name);
    if (known) return known;
    const status = reporter.addServer('clusterMaster');
    const connection = createServerConnection({
      ...options,
      url: withAddress(url, address),
      isClusterNode: true,
      isFirstConnectionAwaited: state === 'starting',
      status: {
        ...status,
        onDown(reason) {
          status.onDown(reason);
          master.isDown = true;
          requestDiscovery();
        },
        onUp() {
          status.onUp();
          master.isDown = false;
        },
      },
      onUp,
    });
    const master: Master = { address, connection, status, isDown: false };
    masters.set(name, master);
    return master;
  }

  async function run(
    method: 'query' | 'send',
    hashTag: string,
    commands: readonly Command[],
    master = owners[toSlot(hashTag)],
    remaining = MAX_REDIRECTIONS,
  ): Promise<Replies | undefined> {
    const replies = await master?.connection[method](hashTag, ...commands);
    if (!master || !replies?.some((reply) => reply instanceof Redirection)) return replies;

    const follow = async (redirection: Redirection, command: Command): Promise<Reply> => {
      const { address, slot, isAsk } = redirection;
      if (!isAsk) requestDiscovery();
      if (!address || remaining === 0 || state === 'closed') return undefined;
      // A redirection without a host means the host of the node that sent it.
      const target = toMaster({ ...address, host: address.host || master.address.host });
      if (!isAsk) owners[slot] = target;
      const forwarded: Command[] = isAsk ? [['ASKING'], command] : [command];
      return (await run(method, hashTag, forwarded, target, remaining - 1))?.at(-1);
    };
    const followed = await Promise.all(
      replies.map((reply, index) =>
        reply instanceof Redirection ? follow(reply, commands[index] as Command) : reply,
      ),
    );
    return followed.includes(undefined) ? undefined : followed;
  }

  return {
    isUp: (hashTag) => owners[toSlot(hashTag)]?.connection.isUp(hashTag) ?? false,
    async query(hashTag, ...commands) {
      if (state === 'starting' && waitsForDiscovery) {
        await withTimeout(started.promise, timeoutMs, startTimer);
        waitsForDiscovery = false;
      }
      return run('query', hashTag, commands);
    },
    send: (hashTag, ...commands) => run('send', hashTag, commands),
    time: (hashTag) =>
      owners[toSlot(hashTag)]?.connection.time(hashTag) ?? {
        earliest: Number.NaN,
        latest: Number.NaN,
      },
    close() {
      state = 'closed';
      started.resolve();
      cancelDiscovery?.();
      for (const { connection } of masters.values()) connection.close();
    },
  };
}
