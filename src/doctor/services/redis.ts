import { readRedisTls } from '#config/ca-file.ts';
import { isLoopbackUrl } from '#config/groups/listening.ts';
import { type Settings, SettingsError } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import type { RedisTls } from '#redis/redis-client.ts';
import { explainRedisError, isClusterDatabase, toRedisServer } from './redis-cause.ts';
import { checkCluster } from './redis-cluster.ts';
import { toServerCommands } from './redis-commands.ts';
import { REDIS, toFinding } from './redis-finding.ts';
import { checkServer } from './redis-server.ts';
import type { ServiceClock } from './service-clock.ts';

/** What every failure of Redis means: Redis is never a reason for an error. */
const CONSEQUENCE = 'The gateway works without Redis, and caches in its own memory only.';

/**
 * Checks the Redis of `REDIS_URL`, or all masters of its cluster: the connection, permissions,
 * memory, role, clock and latency. Leaves nothing in Redis.
 */
export async function checkRedis(
  { cache }: Settings,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  if (cache.redisUrl === undefined) return [];
  const fromSettings = [...checkSecret(cache.secret), ...checkTls(cache.redisUrl, cache)];
  try {
    const tls = readRedisTls(cache.redisTls);
    const findings = await (cache.redisClusterNodes
      ? checkCluster(cache, tls, CONSEQUENCE, clock)
      : checkSingleServer(cache.redisUrl, cache, tls, clock));
    const isUsable = findings.some(({ verdict }) => verdict === 'ok');
    return [...findings, ...(isUsable ? fromSettings : fromSettings.filter(isProblem))];
  } catch (error) {
    // The gateway does not start without this file.
    if (error instanceof SettingsError)
      return [{ check: 'redis-tls', verdict: 'failure', message: error.problems.join(' ') }];
    return [toConnectionFinding(error, cache), ...fromSettings.filter(isProblem)];
  }
}

/** Without a connection, nothing of it is in order. */
function isProblem({ verdict }: Finding): boolean {
  return verdict !== 'ok';
}

async function checkSingleServer(
  url: string,
  { redisSentinels, redisTimeoutMs }: Settings['cache'],
  tls: RedisTls | undefined,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  const findings = await checkServer({
    connect: { url: new URL(url).href, sentinels: redisSentinels, tls },
    commands: toServerCommands(),
    isClusterOn: false,
    redisTimeoutMs,
    clock,
  });
  return findings.map((finding) => toFinding(finding, REDIS));
}

function toConnectionFinding(error: unknown, cache: Settings['cache']): Finding {
  const message = `${explainRedisError(error, toRedisServer(cache))} ${CONSEQUENCE}`;
  return isClusterDatabase(error)
    ? { check: 'redis-cluster', verdict: 'finding', message, settings: { REDIS_CLUSTER: 'on' } }
    : { check: 'redis-connection', verdict: 'finding', message };
}

function checkSecret(secret: string | undefined): readonly Finding[] {
  if (secret !== undefined) return [];
  return [
    {
      check: 'redis-cache-secret',
      verdict: 'finding',
      message:
        'CACHE_SECRET is not set: a reader of the Redis can test guessed API keys. Set the same CACHE_SECRET for all instances, for example the output of `openssl rand -hex 32`.',
    },
  ];
}

function checkTls(
  redisUrl: string,
  { redisTls, redisSentinels, redisClusterNodes = [] }: Settings['cache'],
): readonly Finding[] {
  const check = 'redis-tls';
  const url = new URL(redisUrl);
  if (url.protocol === 'rediss:') {
    return redisTls.isVerified
      ? [
          {
            check,
            verdict: 'ok',
            message: 'The connection is encrypted, and the certificate is verified.',
          },
        ]
      : [
          {
            check,
            verdict: 'finding',
            message:
              'REDIS_TLS_VERIFY is off: the connection is encrypted, but any server can pretend to be the Redis. Set REDIS_TLS_CA_FILE to the certificate of its authority instead, if there is one.',
          },
        ];
  }
  const urls = [url, ...redisClusterNodes.map((node) => new URL(node))];
  if (urls.every(isLoopbackUrl) && redisSentinels.length === 0) return [];
  const sent = url.password === '' ? 'cached responses are sealed' : 'the password is readable';
  return [
    {
      check,
      verdict: url.password === '' ? 'note' : 'finding',
      message: `REDIS_URL begins with redis://: the connection is not encrypted, and ${sent} on the network. Use rediss:// unless the network is trusted.`,
    },
  ];
}
