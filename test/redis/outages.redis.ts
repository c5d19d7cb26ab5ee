import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, type RedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

const TIMEOUT_MS = 250;
const CLIENTS = 10;
/** What this machine may need for a query when Redis is well and the other clients ask as well: it may be busy with other tests. */
const BUSY_MS = 1_000;
const QUERY = 'query ($id: ID!) { call(id: $id) { id toPhoneNumber campaign { id name } } }';

interface TimedOperation {
  readonly answer: unknown;
  readonly id: string;
  readonly ms: number;
}

describe.skipIf(!hasRedisServer)('Under load, with queries going on all the time', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());

  test('Redis is killed, started again, falls silent and comes back: no query fails, and none takes longer than Redis may take', async () => {
    const sandbox = createSandbox();
    // What is in memory does not ask Redis: so there is none, and every query asks it.
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
    await expectProblemCount(gateway, 4);
    await load.queries(500);
    await load.stop();

    for (const { answer, id } of load.asked) expect(answer).toMatchObject({ data: { call: { id } } });
    expect(load.asked.filter(({ answer }) => 'errors' in (answer as object))).toEqual([]);
    // It was of use, before and after.
    expect(load.asked.length - gateway.traffic().length).toBeGreaterThan(500);

    const slow = load.asked.filter(({ ms }) => ms > TIMEOUT_MS * 0.9);
    expect(Math.max(...load.asked.map(({ ms }) => ms))).toBeLessThan(TIMEOUT_MS + BUSY_MS);
    // Only those waited who asked when it fell silent: one query of each client.
    expect(slow.length).toBeLessThanOrEqual(CLIENTS);
    expect(gateway.problems).toEqual([
      expect.stringContaining('Redis cannot be used'),
      'Redis is back.',
      'Redis cannot be used: it does not answer in time. What is remembered stays in the process.',
      'Redis is back.',
    ]);
  });

  test('Redis is away from the start: all is answered as without it, and as soon as it is there it is used', async () => {
    await redis.kill();
    const sandbox = createSandbox();
    await using gateway = createRedisGateway(sandbox, { REDIS_URL: redis.url });
    const [id, ...others] = sandbox.control.data(KEY_A).calls.map((call) => call.id);
    const start = performance.now();
    for (const each of [id, ...others.slice(0, 50)]) {
      expect(await gateway.execute({ query: QUERY, variables: { id: each } })).toMatchObject({ data: { call: { id: each } } });
    }
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(gateway.traffic()).toHaveLength(51);

    await redis.restart();
    await expectProblemCount(gateway, 2);
    await using observer = await redis.connect();
    await gateway.execute({ query: QUERY, variables: { id: others[60] } });
    await expect.poll(async () => (await observer.keys()).length).toBe(2);
  });
});

/** Clients that ask one query after the other, each a call of its own choice. */
function startLoad(gateway: RedisGateway, ids: readonly string[]) {
  const asked: TimedOperation[] = [];
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = 0; !isOver; turn += 1) {
      const id = ids[(client * 13 + turn * 7) % 200] as string;
      const at = performance.now();
      const answer = await gateway.execute({ query: QUERY, variables: { id } });
      asked.push({ answer, id, ms: performance.now() - at });
      // The upstream is in this process: without a pause for it, nothing that comes over a socket would ever be heard.
      await new Promise(setImmediate);
    }
  });
  return {
    asked,
    /** Waits until so many more have been answered. */
    async queries(count: number): Promise<void> {
      const target = asked.length + count;
      while (asked.length < target) await new Promise(setImmediate);
    },
    async stop(): Promise<void> {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

/** Until a query costs nothing. */
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
  await expect.poll(() => gateway.problems.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
}
