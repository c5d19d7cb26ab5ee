/** What the limiter must know of a connection to decide which one is closed first. */
export interface EvictableConnection {
  /** The peer's address, or the network in which the peer can choose its address. */
  readonly peer: string;
  /**
   * Since when the gateway waits for the client to send something, in ms. Undefined if it does not
   * wait.
   */
  readonly idleSince: number | undefined;
  /** Closes the connection. */
  close(): void;
}

export interface ConnectionLimiterOptions {
  readonly maxConnections: number;
  /** `Infinity` if the peer is a proxy. */
  readonly maxConnectionsPerPeer: number;
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

export interface ConnectionLimiter {
  /**
   * Adds a connection, and may close another one for it. Returns the setting that is exceeded if
   * there is no connection to close.
   */
  add(
    connection: EvictableConnection,
  ): 'MAX_CONNECTIONS' | 'MAX_CONNECTIONS_PER_ADDRESS' | undefined;
  /**
   * To be called when a request arrives on the connection. The connection then counts as used: the
   * limiter closes unused connections first.
   */
  markUsed(connection: EvictableConnection): void;
  /** To be called when the connection is closed. */
  remove(connection: EvictableConnection): void;
}

/**
 * While more than this fraction of `maxConnections` is open, connections without a request are
 * closed early.
 */
const EVICTION_THRESHOLD = 3 / 4;

/**
 * Minimum idle time before a connection is closed early, in ms. A client with a request sends it
 * sooner.
 */
const MIN_IDLE_MS = 1_000;
/**
 * Minimum idle time before a connection is closed when the limit is reached, in ms: about one round
 * trip to the other side of the world.
 */
const MIN_IDLE_WHEN_FULL_MS = 250;

/**
 * Minimum interval between two passes over all connections. A pass takes some 20 µs for two
 * thousand connections.
 */
const SWEEP_INTERVAL_MS = 100;

/** The open connections of a peer, or of all peers. */
interface Peer {
  readonly connections: Set<EvictableConnection>;
  /** Connections without a request, the oldest first. */
  readonly unused: Set<EvictableConnection>;
  /** When the last pass over its connections began, in ms. */
  lastSweepAt: number;
}

/**
 * Limits the open connections, in total and for each peer. A connection that has sent no request
 * yet is closed first: at the limit, the oldest such connection is closed for the next one, so
 * silent connections keep no client out. Connections that wait for another request are closed next,
 * the longest wait first. At the limit of a peer, the limiter closes only connections of that peer.
 */
export function createConnectionLimiter({
  maxConnections,
  maxConnectionsPerPeer,
  monotonicNow,
}: ConnectionLimiterOptions): ConnectionLimiter {
  const all = createPeer();
  const peers = new Map<string, Peer>();

  return {
    add(connection) {
      const peer = peers.get(connection.peer) ?? createPeer();
      makeRoom(peer, maxConnectionsPerPeer);
      makeRoom(all, maxConnections);
      // Connections over a limit are counted too, until they are rejected.
      const exceededSetting =
        all.connections.size >= maxConnections
          ? 'MAX_CONNECTIONS'
          : peer.connections.size >= maxConnectionsPerPeer
            ? 'MAX_CONNECTIONS_PER_ADDRESS'
            : undefined;
      // After the evictions: they remove a peer that has no connection left.
      peers.set(connection.peer, peer);
      for (const { connections, unused } of [all, peer]) {
        connections.add(connection);
        unused.add(connection);
      }
      evictUnused();
      return exceededSetting;
    },
    markUsed(connection) {
      all.unused.delete(connection);
      peers.get(connection.peer)?.unused.delete(connection);
    },
    remove,
  };

  function remove(connection: EvictableConnection): void {
    if (!all.connections.delete(connection)) return;
    all.unused.delete(connection);
    const peer = peers.get(connection.peer);
    if (!peer) return;
    peer.connections.delete(connection);
    peer.unused.delete(connection);
    if (peer.connections.size === 0) peers.delete(connection.peer);
  }

  function evict(connection: EvictableConnection): void {
    remove(connection);
    connection.close();
  }

  function makeRoom(peer: Peer, max: number): void {
    while (peer.connections.size >= max && evictOldest(peer.unused));
    if (peer.connections.size >= max) evictIdle(peer, max);
  }

  function evictOldest(candidates: Set<EvictableConnection>): boolean {
    const [oldest] = candidates;
    if (!oldest || !isIdleFor(oldest, MIN_IDLE_WHEN_FULL_MS)) return false;
    evict(oldest);
    return true;
  }

  function evictUnused(): void {
    for (const connection of all.unused) {
      if (!isNearLimit(all, maxConnections) || !isIdleFor(connection, MIN_IDLE_MS)) return;
      evict(connection);
    }
  }

  /**
   * Closes connections that wait for another request, or for the rest of one, until the limit is no
   * longer near.
   */
  function evictIdle(peer: Peer, max: number): void {
    const now = monotonicNow();
    if (now - peer.lastSweepAt < SWEEP_INTERVAL_MS) return;
    peer.lastSweepAt = now;
    const idle = [...peer.connections]
      .filter((connection) => isIdleFor(connection, MIN_IDLE_MS))
      .sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    for (const connection of idle) {
      if (!isNearLimit(peer, max)) return;
      evict(connection);
    }
  }

  function isIdleFor({ idleSince }: EvictableConnection, ms: number): boolean {
    return idleSince !== undefined && monotonicNow() - idleSince >= ms;
  }
}

function createPeer(): Peer {
  return { connections: new Set(), unused: new Set(), lastSweepAt: Number.NEGATIVE_INFINITY };
}

function isNearLimit({ connections }: Peer, max: number): boolean {
  return connections.size > max * EVICTION_THRESHOLD;
}

/** An IPv6 host can choose any address in a network of 64 bits, so that network is the peer. */
export function toPeer(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^.*:/, '');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) while (groups.length + tailGroups.length < 8) groups.push('0');
  return [...groups, ...tailGroups].slice(0, 4).join(':');
}
