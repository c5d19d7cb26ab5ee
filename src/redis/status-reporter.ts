import { toReason } from './redis-errors.ts';

/** Redis does not reply, or it rejects writes. */
export type RedisCondition = 'redis' | 'redis-writes';

/**
 * Called once when a condition begins, with the code of its reason, and once when it ends, without
 * one. Neither the message nor the code contains an address or a password.
 */
export type OnRedisStatusChange = (
  message: string,
  condition: RedisCondition,
  code?: string,
) => void;

/** The changes of one server's status. Repeated calls report nothing. */
export interface ServerStatus {
  /** @param code the kind of an error, or a reason in words */
  onDown(code: string): void;
  onUp(): void;
  /** The server accepts reads, but rejects writes with this error. */
  onWritesRejected(code: string): void;
  onWritesAccepted(): void;
}

/** `redis`: the only server, or the cluster as a whole. */
export type ServerKind = 'redis' | 'clusterMaster';

/**
 * Reports the status of all servers as one: when the first of them becomes unavailable, and when
 * all are available again; the same for writes.
 */
export interface StatusReporter {
  addServer(kind: ServerKind): ServerStatus;
  /** Forgets a server that is no longer in use. */
  removeServer(status: ServerStatus): void;
}

const PROBLEMS: Record<
  ServerKind,
  Record<'unavailable' | 'unwritable', (reason: string) => string>
> = {
  redis: {
    unavailable: (reason) =>
      `Redis is unavailable: ${reason}. The gateway caches in its own memory only until Redis responds again.`,
    unwritable: (reason) =>
      `Redis rejects writes: ${reason}. The gateway still reads from Redis, and stores new responses in its own memory only.`,
  },
  clusterMaster: {
    unavailable: (reason) =>
      `A master of the Redis Cluster is unavailable: ${reason}. The gateway caches the entries of that master in its own memory only until the cluster serves them again.`,
    unwritable: (reason) =>
      `A master of the Redis Cluster rejects writes: ${reason}. The gateway still reads from it, and stores new responses in its own memory only.`,
  },
};
const AVAILABLE_AGAIN = 'Redis is available again. The gateway uses it as the shared cache.';
const WRITABLE_AGAIN =
  'Redis accepts writes again. The gateway stores new responses in Redis, too.';

export function createStatusReporter(onStatusChange: OnRedisStatusChange): StatusReporter {
  const unavailable = createProblem('redis', 'unavailable', AVAILABLE_AGAIN);
  const unwritable = createProblem('redis-writes', 'unwritable', WRITABLE_AGAIN);

  /** The servers with one kind of problem. */
  function createProblem(
    condition: RedisCondition,
    kindOfProblem: 'unavailable' | 'unwritable',
    endMessage: string,
  ) {
    const servers = new Set<ServerStatus>();
    return {
      servers,
      begin(kind: ServerKind, status: ServerStatus, code: string): void {
        if (servers.size === 0)
          onStatusChange(PROBLEMS[kind][kindOfProblem](toReason(code)), condition, code);
        servers.add(status);
      },
      end(status: ServerStatus): void {
        if (servers.delete(status) && servers.size === 0) onStatusChange(endMessage, condition);
      },
    };
  }

  return {
    addServer(kind) {
      const status: ServerStatus = {
        onDown: (code) => unavailable.begin(kind, status, code),
        onUp: () => unavailable.end(status),
        onWritesRejected: (code) => unwritable.begin(kind, status, code),
        onWritesAccepted: () => unwritable.end(status),
      };
      // While Redis is reported as unavailable, a new server counts as unavailable until its first
      // `onUp`.
      if (unavailable.servers.size > 0) unavailable.servers.add(status);
      return status;
    },
    removeServer(status) {
      unavailable.end(status);
      unwritable.end(status);
    },
  };
}
