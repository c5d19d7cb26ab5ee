import { createClusterConnection } from './cluster-connection.ts';
import type { RedisConnection, RedisConnectionOptions } from './redis-connection.ts';
import { createServerConnection } from './server-connection.ts';
import { createStatusReporter, type OnRedisStatusChange } from './status-reporter.ts';

export interface RedisOptions extends RedisConnectionOptions {
  /**
   * URLs of nodes of a Redis Cluster, of which `url` is one, too. User, password and TLS of `url`
   * apply to all nodes.
   * @default the Redis is not a cluster
   */
  readonly clusterNodes?: readonly string[] | undefined;
  readonly onStatusChange: OnRedisStatusChange;
}

/**
 * Connects to a server, or to the masters of a cluster.
 * @param onUp called when a server becomes available, for the first time or again
 */
export function connectRedis(
  { clusterNodes, onStatusChange, ...options }: RedisOptions,
  onUp: () => void,
): RedisConnection {
  const reporter = createStatusReporter(onStatusChange);
  if (!clusterNodes)
    return createServerConnection({ ...options, status: reporter.addServer('redis'), onUp });
  const seeds = [options.url, ...clusterNodes];
  return createClusterConnection({ ...options, seeds, reporter, onUp });
}
