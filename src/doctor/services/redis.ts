import { createRedisClient, type RedisClient } from '#cache/redis/redis-client.ts';
import { readRedisTls } from '#config/ca-file.ts';
import { isLoopbackUrl } from '#config/groups/listening.ts';
import { type Settings, SettingsError } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { explainRedisError } from './redis-cause.ts';
import { readInfo, type SendCommand, toSendCommand } from './redis-commands.ts';
import { checkMemory, checkRole, checkVersion } from './redis-info.ts';
import { checkPermissions } from './redis-permissions.ts';
import { limitTime, type ServiceClock, toClockOffset, toMilliseconds } from './service-clock.ts';

/** What every failure of Redis means: Redis is never a reason for an error. */
const CONSEQUENCE = 'The gateway works without Redis, and caches in its own memory only.';

const LATENCY_SAMPLES = 5;
/** The clocks agree within this difference, in ms. */
const MAX_CLOCK_DIFFERENCE_MS = 1_000;

/**
 * Checks the Redis of `REDIS_URL`: the connection, permissions, memory, role, clock and latency.
 * Leaves nothing in Redis.
 */
export async function checkRedis(
  { cache }: Settings,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  if (cache.redisUrl === undefined) return [];
  const url = new URL(cache.redisUrl);
  const fromSettings = [...checkSecret(cache.secret), ...checkTls(url, cache)];
  try {
    const tls = readRedisTls(cache.redisTls);
    const client = await openClient({ url: url.href, sentinels: cache.redisSentinels, tls }, clock);
    try {
      return [...(await checkServer(client, cache, clock)), ...fromSettings];
    } finally {
      client.destroy();
    }
  } catch (error) {
    // The gateway does not start without this file.
    if (error instanceof SettingsError)
      return [{ check: 'redis-tls', verdict: 'failure', message: error.problems.join(' ') }];
    const message = `${explainRedisError(error, url, cache)} ${CONSEQUENCE}`;
    // Without a connection, nothing of it is in order.
    const problems = fromSettings.filter(({ verdict }) => verdict !== 'ok');
    return [{ check: 'redis-connection', verdict: 'finding', message }, ...problems];
  }
}

/** Connects once. Rejects with the first error. */
async function openClient(
  options: Parameters<typeof createRedisClient>[0],
  clock: ServiceClock,
): Promise<RedisClient> {
  const ready = Promise.withResolvers<RedisClient>();
  // The client may still be looking for the master when the time is over.
  let isOver = false;
  const client = createRedisClient(options, {
    onError: (_, error) => ready.reject(error),
    onConnect: (source) => isOver && source.destroy(),
    onReady: ready.resolve,
  });
  try {
    return await limitTime(
      client.then(() => ready.promise),
      clock,
    );
  } catch (error) {
    isOver = true;
    client.then((unusable) => unusable.destroy()).catch(() => {});
    throw error;
  }
}

async function checkServer(
  client: RedisClient,
  cache: Settings['cache'],
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  const send = toSendCommand(client);
  const findings = async () => {
    const info = await readInfo(send);
    return [
      ...(await checkLatency(send, cache.redisTimeoutMs, clock)),
      ...checkVersion(info),
      ...(await checkPermissions(send)),
      ...checkRole(info),
      ...checkMemory(info),
      ...(await checkClock(send, clock)),
    ];
  };
  return limitTime(findings(), clock);
}

async function checkLatency(
  send: SendCommand,
  timeoutMs: number,
  { monotonicNow }: ServiceClock,
): Promise<readonly Finding[]> {
  const samples: number[] = [];
  for (let sample = 0; sample < LATENCY_SAMPLES; sample += 1) {
    const sentAt = monotonicNow();
    const result = await send('PING');
    // Redis serves this connection no command.
    if (result.code !== undefined && result.code !== 'NOPERM') throw new Error(result.text);
    samples.push(monotonicNow() - sentAt);
  }
  const p50 = samples.sort((a, b) => a - b)[Math.floor(LATENCY_SAMPLES / 2)] ?? 0;
  const details = { latencyMs: Math.round(p50 * 100) / 100 };
  const text = `Redis responds within ${toMilliseconds(p50)} (p50 of ${LATENCY_SAMPLES})`;
  if (p50 <= timeoutMs)
    return [{ check: 'redis-connection', verdict: 'ok', message: `${text}.`, details }];
  return [
    {
      check: 'redis-connection',
      verdict: 'finding',
      message: `${text}, and a lookup waits for REDIS_TIMEOUT_MS (${timeoutMs} ms) at most: it then goes to the upstream. Use a Redis that is closer, or raise REDIS_TIMEOUT_MS.`,
      settings: { REDIS_TIMEOUT_MS: String(Math.ceil(p50 * 2)) },
      details,
    },
  ];
}

async function checkClock(send: SendCommand, clock: ServiceClock): Promise<readonly Finding[]> {
  const sentAt = clock.now();
  const result = await send('TIME');
  // The check of the permissions reports the error.
  if (result.code !== undefined) return [];
  const [seconds, microseconds] = result.reply as readonly unknown[];
  const redisNow = Number(seconds) * 1000 + Number(microseconds) / 1000;
  const differenceMs = redisNow - (sentAt + clock.now()) / 2;
  if (Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS) {
    const message = 'The clocks of Redis and this machine agree within a second.';
    return [{ check: 'redis-clock', verdict: 'ok', message }];
  }
  return [
    {
      check: 'redis-clock',
      verdict: 'note',
      message: `The clock of Redis is ${toClockOffset(differenceMs)}. The ages of cached responses allow for that, but one of the two clocks is wrong.`,
      details: { differenceMs: Math.round(differenceMs) },
    },
  ];
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

function checkTls(url: URL, { redisTls, redisSentinels }: Settings['cache']): readonly Finding[] {
  const check = 'redis-tls';
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
  if (isLoopbackUrl(url) && redisSentinels.length === 0) return [];
  const sent = url.password === '' ? 'cached responses are sealed' : 'the password is readable';
  return [
    {
      check,
      verdict: url.password === '' ? 'note' : 'finding',
      message: `REDIS_URL begins with redis://: the connection is not encrypted, and ${sent} on the network. Use rediss:// unless the network is trusted.`,
    },
  ];
}
