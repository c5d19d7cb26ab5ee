/** Of what is needed to know which connection is closed first when places run short. */
export interface Place {
  /** The peer's address, or the network that it may choose addresses of. */
  readonly peer: string;
  /** Since when the gateway waits for the client to send something, ms; undefined: it does not. */
  readonly waitsSince: number | undefined;
  /** Closes the connection. */
  close(): void;
}

export interface ConnectionPlacesOptions {
  readonly maxConnections: number;
  /** `Infinity`: the peer is a proxy. */
  readonly maxConnectionsPerPeer: number;
  /** A clock for durations, ms. */
  readonly elapsed: () => number;
}

export interface ConnectionPlaces {
  /** Takes a place, for which another connection may be closed. Returns the setting that is exceeded when there is none. */
  take(place: Place): 'MAX_CONNECTIONS' | 'MAX_CONNECTIONS_PER_ADDRESS' | undefined;
  /** A request has come on the connection: it is no longer the first to be closed. */
  use(place: Place): void;
  /** The connection is closed. */
  leave(place: Place): void;
}

/** From this part of all places on, connections without a request are closed early. */
const SHORT_FROM = 3 / 4;

/** A client with a request has sent it by then, ms. */
const MIN_WAIT_MS = 1_000;
/** The same when no place is free: about as long as it takes to answer a client on the other side of the world. */
const MIN_WAIT_WHEN_FULL_MS = 250;

/** All places are looked through at most so often, ms: that takes some 20 us for two thousand. */
const SWEEP_EVERY_MS = 100;

/**
 * Gives each connection a place. A connection on which no request has come is worth the least: when no place is free, the oldest of them is closed for
 * the next one, so connections that say nothing keep no client out. Next are those that wait for another request, the longest wait first.
 */
export function createConnectionPlaces({
  maxConnections,
  maxConnectionsPerPeer,
  elapsed,
}: ConnectionPlacesOptions): ConnectionPlaces {
  const taken = new Set<Place>();
  /** Those without a request, the oldest first. */
  const unused = new Set<Place>();
  const ofPeers = new Map<string, { open: number; readonly unused: Set<Place> }>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  return {
    take(place) {
      const peer = ofPeers.get(place.peer) ?? { open: 0, unused: new Set<Place>() };
      // Connections over a bound are counted too, until they are refused.
      while (peer.open >= maxConnectionsPerPeer && evictOldest(peer.unused));
      while (taken.size >= maxConnections && evictOldest(unused));
      if (taken.size >= maxConnections) sweep();
      const excess =
        taken.size >= maxConnections
          ? 'MAX_CONNECTIONS'
          : peer.open >= maxConnectionsPerPeer
            ? 'MAX_CONNECTIONS_PER_ADDRESS'
            : undefined;
      taken.add(place);
      // Here, since an eviction removes a peer that has no connection left.
      ofPeers.set(place.peer, peer);
      peer.open += 1;
      unused.add(place);
      peer.unused.add(place);
      if (isShort()) closeUnused();
      return excess;
    },
    use(place) {
      unused.delete(place);
      ofPeers.get(place.peer)?.unused.delete(place);
    },
    leave,
  };

  function leave(place: Place): void {
    if (!taken.delete(place)) return;
    unused.delete(place);
    const peer = ofPeers.get(place.peer);
    if (!peer) return;
    peer.unused.delete(place);
    peer.open -= 1;
    if (peer.open === 0) ofPeers.delete(place.peer);
  }

  function evict(place: Place): void {
    leave(place);
    place.close();
  }

  function evictOldest(places: Set<Place>): boolean {
    const [oldest] = places;
    if (!oldest || !hasWaited(oldest, MIN_WAIT_WHEN_FULL_MS)) return false;
    evict(oldest);
    return true;
  }

  function isShort(): boolean {
    return taken.size > maxConnections * SHORT_FROM;
  }

  function closeUnused(): void {
    for (const place of unused) {
      if (!isShort() || !hasWaited(place, MIN_WAIT_MS)) return;
      evict(place);
    }
  }

  /** Closes connections that wait for another request, or for the rest of one, until places are no longer short. */
  function sweep(): void {
    const now = elapsed();
    if (now - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now;
    const waiting = [...taken]
      .filter((place) => hasWaited(place, MIN_WAIT_MS))
      .sort((a, b) => (a.waitsSince ?? 0) - (b.waitsSince ?? 0));
    for (const place of waiting) {
      if (!isShort()) return;
      evict(place);
    }
  }

  function hasWaited({ waitsSince }: Place, ms: number): boolean {
    return waitsSince !== undefined && elapsed() - waitsSince >= ms;
  }
}

/** An IPv6 host chooses its addresses out of a network of 64 bits, so that network is the peer. */
export function toPeer(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address.replace(/^.*:/, '');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) while (groups.length + rest.length < 8) groups.push('0');
  return [...groups, ...rest].slice(0, 4).join(':');
}
