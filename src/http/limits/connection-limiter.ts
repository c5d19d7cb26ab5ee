/** Of what is needed to know which connection is closed first when places run short. */
export interface EvictableConnection {
  /** The peer's address, or the network that it may choose addresses of. */
  readonly peer: string;
  /** Since when the gateway waits for the client to send something, ms; undefined: it does not. */
  readonly idleSince: number | undefined;
  /** Closes the connection. */
  close(): void;
}

export interface ConnectionLimiterOptions {
  readonly maxConnections: number;
  /** `Infinity`: the peer is a proxy. */
  readonly maxConnectionsPerPeer: number;
  /** A clock for durations, ms. */
  readonly monotonicNow: () => number;
}

export interface ConnectionLimiter {
  /** Takes a place, for which another connection may be closed. Returns the setting that is exceeded when there is none. */
  add(connection: EvictableConnection): 'MAX_CONNECTIONS' | 'MAX_CONNECTIONS_PER_ADDRESS' | undefined;
  /** A request has come on the connection: it is no longer the first to be closed. */
  markUsed(connection: EvictableConnection): void;
  /** The connection is closed. */
  remove(connection: EvictableConnection): void;
}

/** From this part of all places on, connections without a request are closed early. */
const EVICTION_THRESHOLD = 3 / 4;

/** A client with a request has sent it by then, ms. */
const MIN_IDLE_MS = 1_000;
/** The same when no place is free: about as long as it takes to answer a client on the other side of the world. */
const MIN_IDLE_WHEN_FULL_MS = 250;

/** All places are looked through at most so often, ms: that takes some 20 us for two thousand. */
const SWEEP_INTERVAL_MS = 100;

/**
 * Gives each connection a place. A connection on which no request has come is worth the least: when no place is free, the oldest of them is closed for
 * the next one, so connections that say nothing keep no client out. Next are those that wait for another request, the longest wait first.
 */
export function createConnectionLimiter({
  maxConnections,
  maxConnectionsPerPeer,
  monotonicNow,
}: ConnectionLimiterOptions): ConnectionLimiter {
  const connections = new Set<EvictableConnection>();
  /** Those without a request, the oldest first. */
  const unused = new Set<EvictableConnection>();
  const peers = new Map<string, { open: number; readonly unused: Set<EvictableConnection> }>();
  let lastSweepAt = Number.NEGATIVE_INFINITY;

  return {
    add(connection) {
      const peer = peers.get(connection.peer) ?? { open: 0, unused: new Set<EvictableConnection>() };
      // Connections over a bound are counted too, until they are refused.
      while (peer.open >= maxConnectionsPerPeer && evictOldest(peer.unused));
      while (connections.size >= maxConnections && evictOldest(unused));
      if (connections.size >= maxConnections) evictIdle();
      const exceededSetting =
        connections.size >= maxConnections
          ? 'MAX_CONNECTIONS'
          : peer.open >= maxConnectionsPerPeer
            ? 'MAX_CONNECTIONS_PER_ADDRESS'
            : undefined;
      connections.add(connection);
      // Here, since an eviction removes a peer that has no connection left.
      peers.set(connection.peer, peer);
      peer.open += 1;
      unused.add(connection);
      peer.unused.add(connection);
      if (isNearLimit()) evictUnused();
      return exceededSetting;
    },
    markUsed(connection) {
      unused.delete(connection);
      peers.get(connection.peer)?.unused.delete(connection);
    },
    remove,
  };

  function remove(place: EvictableConnection): void {
    if (!connections.delete(place)) return;
    unused.delete(place);
    const peer = peers.get(place.peer);
    if (!peer) return;
    peer.unused.delete(place);
    peer.open -= 1;
    if (peer.open === 0) peers.delete(place.peer);
  }

  function evict(connection: EvictableConnection): void {
    remove(connection);
    connection.close();
  }

  function evictOldest(candidates: Set<EvictableConnection>): boolean {
    const [oldest] = candidates;
    if (!oldest || !isIdleFor(oldest, MIN_IDLE_WHEN_FULL_MS)) return false;
    evict(oldest);
    return true;
  }

  function isNearLimit(): boolean {
    return connections.size > maxConnections * EVICTION_THRESHOLD;
  }

  function evictUnused(): void {
    for (const connection of unused) {
      if (!isNearLimit() || !isIdleFor(connection, MIN_IDLE_MS)) return;
      evict(connection);
    }
  }

  /** Closes connections that wait for another request, or for the rest of one, until places are no longer short. */
  function evictIdle(): void {
    const now = monotonicNow();
    if (now - lastSweepAt < SWEEP_INTERVAL_MS) return;
    lastSweepAt = now;
    const idle = [...connections]
      .filter((connection) => isIdleFor(connection, MIN_IDLE_MS))
      .sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0));
    for (const place of idle) {
      if (!isNearLimit()) return;
      evict(place);
    }
  }

  function isIdleFor({ idleSince }: EvictableConnection, ms: number): boolean {
    return idleSince !== undefined && monotonicNow() - idleSince >= ms;
  }
}

/** An IPv6 host chooses its addresses out of a network of 64 bits, so that network is the peer. */
export function toPeer(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^.*:/, '');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) while (groups.length + tailGroups.length < 8) groups.push('0');
  return [...groups, ...tailGroups].slice(0, 4).join(':');
}
