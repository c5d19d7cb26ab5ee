import { onTestFinished } from 'vitest';
import { connectRedis } from '#redis/connect.ts';
import type { RedisConnection } from '#redis/redis-connection.ts';
import { monotonicNow, startTimer } from '#system-clock.ts';

/** A connection that is up, with a time limit of a second. It is closed at the end of the test. */
export async function openUpConnection(url: string): Promise<RedisConnection> {
  const up = Promise.withResolvers<void>();
  const options = { url, timeoutMs: 1_000, now: monotonicNow, startTimer, onStatusChange() {} };
  const connection = connectRedis(options, up.resolve);
  onTestFinished(() => connection.close());
  await up.promise;
  return connection;
}
