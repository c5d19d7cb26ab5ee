import { describe, expect, onTestFinished, test } from 'vitest';
import { createPollLeases } from '#coordination/poll-leases.ts';
import { CLAIM_SHARE } from '#live/poll-leases.ts';
import type { RedisConnection } from '#redis/redis-connection.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';
import { openUpConnection } from './up-connection.ts';

expectRedisServer();

const TARGET = { fingerprint: 'f', path: '/call/c', deriveKey: () => Buffer.alloc(32) } as never;
const EVENTS = { onPolled() {}, onHint() {} };
const REQUEST = { intervalMs: 60_000, isUrgent: false };

describe.skipIf(!hasRedisServer)('Claims in Redis', () => {
  const redis = shareRedis();

  test('a claim of another type counts as held, and the connection stays in use', async () => {
    const connection = await openUpConnection(redis.server.url);
    const lease = openLease(connection);
    expect(await lease.claim(REQUEST)).toMatchObject({ outcome: 'won' });
    const held = await lease.claim(REQUEST);
    expect(held).toMatchObject({ outcome: 'lost' });
    expect(held.heldMs + held.endsInMs).toBeCloseTo(CLAIM_SHARE * REQUEST.intervalMs);

    const [key = ''] = await redis.observer.keys();
    await redis.observer.send('DEL', key);
    await redis.observer.send('RPUSH', key, 'forged');
    expect(await lease.claim(REQUEST)).toEqual({
      outcome: 'lost',
      heldMs: Number.POSITIVE_INFINITY,
      endsInMs: 0,
    });
    expect(connection.isUp('f')).toBe(true);
  });

  test('a value of another type under the key of the probe does not keep Redis down', async () => {
    await redis.observer.send('RPUSH', 'revox:probe:{}', 'forged');
    const connection = await openUpConnection(redis.server.url);
    expect(connection.isUp('f')).toBe(true);
  });

  test('a full Redis grants no claims, and the connection stays in use for messages', async () => {
    const connection = await openUpConnection(redis.server.url);
    const lease = openLease(connection);
    await redis.observer.send('CONFIG', 'SET', 'maxmemory', '1');
    onTestFinished(async () => {
      await redis.observer.send('CONFIG', 'SET', 'maxmemory', '0');
    });
    expect(await lease.claim(REQUEST)).toMatchObject({ outcome: 'alone' });
    expect(connection.isUp('f')).toBe(true);
    expect(await connection.send('f', ['PUBLISH', 'channel', 'message'])).toEqual([0]);
    await redis.observer.send('CONFIG', 'SET', 'maxmemory', '0');
    expect(await lease.claim(REQUEST)).toMatchObject({ outcome: 'won' });
  });
});

function openLease(connection: RedisConnection) {
  const leases = createPollLeases({
    connection,
    channel: { publish() {}, onMessage() {} },
    settled: async () => {},
    secret: 'secret',
  });
  return leases.open(TARGET, EVENTS);
}
