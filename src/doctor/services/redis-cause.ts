import type { Settings } from '#config/settings.ts';
import { explainFailure } from '#errors/describe-failure.ts';
import type { FailingServer } from '#errors/failing-server.ts';
import { toTransportCause } from '#errors/failure-cause.ts';
import { QUERY_TIMEOUT_MS } from '#redis/query-server.ts';
import { CONNECT_TIMEOUT_MS } from '#redis/redis-client.ts';
import { NoSlotsError, NotClusterError } from '#redis/redis-errors.ts';
import { NoMasterError } from '#redis/sentinels.ts';
import { toErrorReply } from './redis-commands.ts';
import { REDIS, type ServerName, toMasterName } from './redis-finding.ts';
import { CHECK_TIMEOUT } from './service-clock.ts';

/** A server that cannot be used, and how a sentence names it. */
export interface RedisServer extends FailingServer {
  readonly serverName: ServerName;
}

/** Explains why Redis cannot be used. The sentences contain no password. */
export function explainRedisError(error: unknown, server: RedisServer): string {
  const { subject } = server.serverName;
  if (error instanceof NoMasterError) {
    const { hostname } = new URL(server.url);
    return `No Sentinel of REDIS_SENTINELS is reachable and knows a master named ${hostname}: check the addresses, and the name in REDIS_URL.`;
  }
  if (error instanceof NotClusterError)
    return `${subject} is not a node of a Redis Cluster, as REDIS_CLUSTER=on requires.`;
  if (error instanceof NoSlotsError)
    return `${subject} knows no master of the Redis Cluster: create the cluster (redis-cli --cluster create), or let the node join it.`;
  const { code, text } = toErrorReply(error);
  switch (code) {
    case 'WRONGPASS':
      return `${subject} rejects the user name or the password of REDIS_URL (WRONGPASS).`;
    case 'NOAUTH':
      return `${subject} requires a password, and REDIS_URL has none (NOAUTH).`;
    case 'NOPERM':
      return `${subject} rejects the commands that open the connection (NOPERM): the user of REDIS_URL needs +select and +ping.`;
    case 'LOADING':
      return `${subject} is loading its data (LOADING): run the check again in a moment.`;
    case 'MASTERDOWN':
      return `${subject} is a replica that has lost its master (MASTERDOWN).`;
    case 'ERR':
      if (isClusterDatabase(error))
        return `${subject} is a node of a Redis Cluster, which requires REDIS_CLUSTER=on, and has no database but 0: remove the number at the end of REDIS_URL.`;
      if (text.includes('DB index'))
        return `${subject} has no database with the number at the end of REDIS_URL (ERR).`;
      if (text.includes('AUTH'))
        return `${subject} has no password for the default user, and REDIS_URL has one (ERR).`;
  }
  return explainFailure(toTransportCause(error), server);
}

/** A node of a cluster rejects `SELECT`: the URL has a database, and `REDIS_CLUSTER` is off. */
export function isClusterDatabase(error: unknown): boolean {
  const { code, text } = toErrorReply(error);
  return code === 'ERR' && text.includes('cluster mode');
}

/** The server of `REDIS_URL`. With Sentinels, the host of the URL is only a name. */
export function toRedisServer({ redisUrl = '', redisSentinels }: Settings['cache']): RedisServer {
  const { hostname } = new URL(redisUrl);
  return {
    ...toServer(redisUrl, 'REDIS_URL', CONNECT_TIMEOUT_MS, CHECK_TIMEOUT),
    serverName: REDIS,
    name: redisSentinels.length > 0 ? `Redis master ${hostname}` : undefined,
  };
}

/** A node that the gateway queries for the masters. */
export function toSeedServer(url: string, redisUrl: string | undefined): RedisServer {
  const { host } = new URL(url);
  const setting = url === redisUrl ? 'REDIS_URL' : 'REDIS_CLUSTER_NODES';
  return {
    ...toServer(url, setting, QUERY_TIMEOUT_MS, toSeconds(QUERY_TIMEOUT_MS)),
    serverName: { subject: `The node ${host}`, object: `the node ${host}`, isNode: true },
  };
}

/** A master, whose address no setting has: the cluster announces it. */
export function toMasterServer(url: string): RedisServer {
  const { host, hostname } = new URL(url);
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  const setting = isAddress ? 'cluster-announce-ip' : 'cluster-announce-hostname';
  return {
    ...toServer(url, setting, CONNECT_TIMEOUT_MS, CHECK_TIMEOUT),
    serverName: toMasterName(host),
  };
}

function toServer(
  url: string,
  urlSetting: string,
  connectTimeoutMs: number,
  response: string,
): FailingServer {
  return {
    url,
    urlSetting,
    caSetting: 'REDIS_TLS_CA_FILE',
    canUseProxy: false,
    timeouts: { connect: toSeconds(connectTimeoutMs), response },
  };
}

function toSeconds(ms: number): string {
  return `${ms / 1_000} s`;
}
