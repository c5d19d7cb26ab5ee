import { createRedisTier } from '#cache/redis/redis-tier.ts';
import type { SecondTier } from '#cache/second-tier.ts';
import { readRedisTls } from '#config/ca-file.ts';
import type { Settings } from '#config/settings.ts';
import type { PollLeases } from '#live/poll-leases.ts';
import { connectRedis } from '#redis/connect.ts';
import { createInstanceChannel } from '#redis/instance-channel.ts';
import type { OnRedisStatusChange } from '#redis/status-reporter.ts';
import { createLimitSharing, type LimitSharing } from './limit-sharing.ts';
import { createPollLeases } from './poll-leases.ts';

export interface CoordinationOptions {
  readonly onStatusChange: OnRedisStatusChange;
  /** Called with a line for the operator. */
  readonly log: (message: string) => void;
  /** Key of what all credentials share. All instances have the same. */
  readonly secret: string;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** A monotonic clock, in ms: the wall clock may be set, which would date messages wrongly. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** What the instances of the gateway share over Redis. */
export interface Coordination {
  /** The shared cache. */
  readonly tier: SecondTier;
  /** Shares cooldowns and the limit of requests in flight. */
  readonly shareLimits: LimitSharing['shareLimits'];
  /** Who polls the objects that several instances watch. */
  readonly pollLeases: PollLeases;
  close(): Promise<void>;
}

/**
 * Time limit of a reply that no client waits for, in ms. It is longer than `REDIS_TIMEOUT_MS`,
 * because without the reply the instance sends upstream requests itself.
 */
const TIMEOUT_MS = 1_000;

const MESSAGES_FORBIDDEN =
  'The user of REDIS_URL has no permission for the channel revox:instances:1 (NOPERM), so the instances of the gateway do not notify each other: subscribers see a change that another instance has read up to 0.6 intervals later, a webhook has an effect only on the instance that receives it, each instance uses all of REVOX_MAX_CONCURRENCY, and it learns of a cooldown only with its next lookup in Redis. The user needs the permissions &revox:* +subscribe +publish.';

/**
 * Connects to the Redis of the settings. Commands between instances have a connection of their own:
 * they do not wait behind large cache entries, and a late reply to a read of the cache does not
 * stop them.
 * @returns undefined without `REDIS_URL`
 * @throws SettingsError if the CA file cannot be read
 */
export function createCoordination(
  { cache }: Settings,
  { onStatusChange, log, secret, now, monotonicNow, startTimer }: CoordinationOptions,
): Coordination | undefined {
  if (cache.redisUrl === undefined) return undefined;
  const redis = {
    now: monotonicNow,
    monotonicNow,
    startTimer,
    url: cache.redisUrl,
    sentinels: cache.redisSentinels,
    clusterNodes: cache.redisClusterNodes,
    tls: readRedisTls(cache.redisTls),
  };
  // The connection of the tier reports the status of Redis.
  const status = { timeoutMs: TIMEOUT_MS, onStatusChange() {} };
  const connection = connectRedis({ ...redis, ...status }, () => {});
  const channel = createInstanceChannel({
    ...redis,
    connection,
    onForbidden: () => log(MESSAGES_FORBIDDEN),
  });
  const limitSharing = createLimitSharing({ ...redis, connection, channel });
  const { piggyback, shareLimits } = limitSharing;
  const tier = createRedisTier({
    ...redis,
    wallNow: now,
    timeoutMs: cache.redisTimeoutMs,
    onStatusChange,
    background: { connection, timeoutMs: TIMEOUT_MS },
    piggyback,
    flights: { channel, monotonicNow },
  });

  return {
    tier,
    shareLimits,
    pollLeases: createPollLeases({ connection, channel, settled: tier.settled, secret }),
    async close() {
      limitSharing.close();
      channel.close();
      connection.close();
      await tier.close();
    },
  };
}
