import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, type RedisServer, startRedis } from './redis-server.ts';
import { unavailableMessage } from './tier-instance.ts';

expectRedisServer();

/** Below the five seconds after which the client closes a silent connection. */
const TIMEOUT_MS = 3_000;
const CLIENTS = 10;
/**
 * The time that a query may take with a healthy Redis and ten clients, in ms: other tests may keep
 * the machine busy.
 */
const BUSY_MS = 2_500;
const QUERY = 'query ($id: ID!) { call(id: $id) { id toPhoneNumber campaign { id name } } }';

const AVAILABLE_AFTER = expect.stringMatching(
  /^Redis is available again after \d+ (ms|s)\. The gateway uses it as the shared cache\.$/,
);

interface TimedOperation {
  readonly result: unknown;
  readonly id: string;
  readonly ms: number;
}

describe.skipIf(!hasRedisServer)('Redis outages under load', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  test('no query fails or exceeds the Redis timeout while Redis is killed, restarted, paused and resumed', async () => {
    const sandbox = createSandbox();
    // Memory hits would not use Redis: the memory cache is disabled, so that every query reads
    // Redis.
    await using gateway = createRedisGateway(sandbox, {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: String(TIMEOUT_MS),
      CACHE_MAX_BYTES: '0',
    });
    const ids = sandbox.control.data(KEY_A).calls.map(({ id }) => id);
    await expectCacheInUse(gateway, ids[0] as string);
    const load = startLoad(gateway, ids);

    await load.queries(500);
    await redis.kill();
    await load.queries(500);
    await redis.restart();
    await expectProblemCount(gateway, 2);
    await load.queries(500);
    redis.pause();
    await load.queries(500);
    redis.resume();
    await load.queries(500);
    await load.stop();
    // The condition has begun twice, so it ends only after ten seconds without a failure.
    await expectProblemCount(gateway, 4);

    for (const { result, id } of load.operations)
      expect(result).toMatchObject({ data: { call: { id } } });
    expect(load.operations.filter(({ result }) => 'errors' in (result as object))).toEqual([]);
    // Redis was used before and after the outages.
    expect(load.operations.length - gateway.traffic().length).toBeGreaterThan(500);

    const slow = load.operations.filter(({ ms }) => ms > TIMEOUT_MS * 0.9);
    expect(Math.max(...load.operations.map(({ ms }) => ms))).toBeLessThan(TIMEOUT_MS + BUSY_MS);
    // Only the queries in flight at the pause waited: one of each client.
    expect(slow.length).toBeLessThanOrEqual(CLIENTS);
    expect(gateway.problems).toEqual([
      expect.stringContaining('Redis is unavailable'),
      AVAILABLE_AFTER,
      unavailableMessage(`no reply within REDIS_TIMEOUT_MS (${TIMEOUT_MS} ms)`),
      AVAILABLE_AFTER,
    ]);
  });

  test('a Redis that becomes read-only is logged once over many writes, and its end once', async () => {
    const sandbox = createSandbox();
    await using gateway = createRedisGateway(sandbox, {
      REDIS_URL: redis.url,
      CACHE_MAX_BYTES: '0',
    });
    await using observer = await redis.connect();
    const ids = sandbox.control.data(KEY_A).calls.map(({ id }) => id);
    const executeAll = () =>
      Promise.all(
        ids.slice(0, 20).map((id) => gateway.execute({ query: QUERY, variables: { id } })),
      );
    await expectCacheInUse(gateway, ids[0] as string);
    await observer.send('FLUSHALL');
    await observer.send('REPLICAOF', '127.0.0.1', '1');
    for (let round = 0; round < 5; round += 1) await executeAll();
    await expectProblemCount(gateway, 1);
    await observer.send('REPLICAOF', 'NO', 'ONE');
    await expect
      .poll(async () => {
        await executeAll();
        return gateway.problems.length;
      })
      .toBe(2);
    expect(gateway.problems).toEqual([
      'Redis rejects writes: READONLY. The gateway still reads from Redis, and stores new responses in its own memory only.',
      expect.stringMatching(
        /^Redis accepts writes again after \d+ (ms|s)\. The gateway stores new responses in Redis, too\.$/,
      ),
    ]);
    expect(gateway.traffic().length).toBeGreaterThan(20);
  });

  test('a gateway without a reachable Redis serves all queries, and uses Redis as soon as it is available', async () => {
    await redis.kill();
    const sandbox = createSandbox();
    await using gateway = createRedisGateway(sandbox, { REDIS_URL: redis.url });
    const [id, ...others] = sandbox.control.data(KEY_A).calls.map((call) => call.id);
    const start = performance.now();
    for (const each of [id, ...others.slice(0, 50)]) {
      expect(await gateway.execute({ query: QUERY, variables: { id: each } })).toMatchObject({
        data: { call: { id: each } },
      });
    }
    // A single query that waits for Redis waits for REDIS_TIMEOUT_MS.
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(gateway.traffic()).toHaveLength(51);

    await redis.restart();
    await expectProblemCount(gateway, 2);
    await using observer = await redis.connect();
    await gateway.execute({ query: QUERY, variables: { id: others[60] } });
    await expect.poll(async () => (await observer.keys()).length).toBe(2);
  });
});

/** Clients that send one query after the other, each for a call of its own choice. */
function startLoad(gateway: RedisGateway, ids: readonly string[]) {
  const operations: TimedOperation[] = [];
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = 0; !isOver; turn += 1) {
      const id = ids[(client * 13 + turn * 7) % 200] as string;
      const at = performance.now();
      const result = await gateway.execute({ query: QUERY, variables: { id } });
      operations.push({ result, id, ms: performance.now() - at });
      // The upstream runs in this process: without yielding to the event loop no socket would ever
      // be read.
      await new Promise(setImmediate);
    }
  });
  return {
    operations,
    /** Resolves when `count` more queries have completed. */
    async queries(count: number): Promise<void> {
      const target = operations.length + count;
      while (operations.length < target) await new Promise(setImmediate);
    },
    async stop(): Promise<void> {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

/** Polls until a query costs no upstream request. */
async function expectCacheInUse(gateway: RedisGateway, id: string): Promise<void> {
  await expect
    .poll(async () => {
      gateway.traffic();
      await gateway.execute({ query: QUERY, variables: { id } });
      return gateway.traffic();
    })
    .toEqual([]);
}

async function expectProblemCount(gateway: RedisGateway, count: number): Promise<void> {
  await expect.poll(() => gateway.problems.length).toBeGreaterThanOrEqual(count);
}
