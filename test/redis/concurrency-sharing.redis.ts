import { describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { countSubscribers, expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

const INSTANCES = 5;
const LIMIT = 10;
/** Concurrent operations of each gateway: each gateway alone could use the whole limit. */
const OPERATIONS = 3 * LIMIT;
const LATENCY_MS = 20;

describe.skipIf(!hasRedisServer)('Requests in flight of several gateways', () => {
  const redis = shareRedis();

  test('five busy gateways share the limit of a key equally, and those that stay busy get the shares of the others', async () => {
    await using scene = await createScene();
    const { gateways, load } = scene;
    load.start(...gateways);
    await expectLimitKept(load);

    const steady = load.record();
    await expect.poll(() => steady.requests()).toBeGreaterThan(500);
    expect(steady.maxInFlight()).toBe(LIMIT);
    expect(gateways.map((gateway) => steady.maxInFlightOf(gateway))).toEqual(
      gateways.map(() => LIMIT / INSTANCES),
    );

    load.stop(...gateways.slice(2));
    const [one, other] = gateways as [RedisGateway, RedisGateway];
    await expect.poll(() => load.inFlightOf(one) + load.inFlightOf(other)).toBe(LIMIT);
    const two = load.record();
    await expect.poll(() => two.requests()).toBeGreaterThan(200);
    expect(two.maxInFlight()).toBe(LIMIT);
    expect(two.maxInFlightOf(one)).toBe(LIMIT / 2);

    load.stop(other);
    await expect.poll(() => load.inFlightOf(one)).toBe(LIMIT);
    await expect.poll(() => one.metric('upstream_reduced_credentials')).toBe(0);
    expect(await load.stopped()).toEqual([]);
  });

  test.each([
    ['killed', () => redis.server.kill(), () => redis.server.restart()],
    ['paused', () => redis.server.pause(), () => redis.server.resume()],
  ])(
    'while Redis is %s, each gateway has the whole limit of a key, and then they share it again',
    async (_state, stop, start) => {
      await using scene = await createScene();
      const { load } = scene;
      const gateways = scene.gateways.slice(0, 2);
      load.start(...gateways);
      await expectLimitKept(load);
      await stop();
      await expect.poll(() => load.inFlight()).toBe(2 * LIMIT);
      await start();
      await expectLimitKept(load);
      const steady = load.record();
      await expect.poll(() => steady.requests()).toBeGreaterThan(200);
      expect(steady.maxInFlight()).toBe(LIMIT);
      expect(await load.stopped()).toEqual([]);
    },
  );

  test('a gateway that sends few requests publishes nothing', async () => {
    await using scene = await createScene();
    await using monitor = await redis.server.connect();
    const commands = await monitor.monitor();
    const [one] = scene.gateways as [RedisGateway];
    for (let turn = 0; turn < 50; turn += 1) await scene.load.execute(one);
    expect(scene.load.requestsOf(one)).toBe(50);
    await monitor[Symbol.asyncDispose]();
    expect(commands.filter((command) => /"SET"/.test(command)).length).toBeGreaterThan(0);
    expect(commands.filter((command) => /"PUBLISH"/.test(command))).toEqual([]);
  });

  async function createScene() {
    const load = createLoad();
    const gateways = Array.from({ length: INSTANCES }, () =>
      load.createGateway({
        REDIS_URL: redis.server.url,
        REVOX_MAX_CONCURRENCY: String(LIMIT),
        FRESHNESS_NOT_FOUND_MS: '1',
      }),
    );
    await expect.poll(() => countSubscribers(redis.observer)).toBe(INSTANCES);
    return {
      load,
      gateways,
      async [Symbol.asyncDispose]() {
        await load.stopped();
        for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
      },
    };
  }
});

/** Waits until each gateway has messages of all others, and their earlier requests have ended. */
async function expectLimitKept(load: ReturnType<typeof createLoad>) {
  const maxOfSome = async () => {
    const record = load.record();
    await expect.poll(() => record.requests()).toBeGreaterThan(100);
    return record.maxInFlight();
  };
  await expect.poll(maxOfSome).toBe(LIMIT);
}

/** Operations of several gateways on one upstream, each of a call of its own. */
function createLoad() {
  const sandbox = createSandbox();
  const counts = new Map<RedisGateway, { inFlight: number; requests: number }>();
  const records: ReturnType<typeof createRecord>[] = [];
  const busy = new Set<RedisGateway>();
  const clients: Promise<void>[] = [];
  const errors: unknown[] = [];
  let lastId = 0;
  const inFlightOf = (gateway: RedisGateway) => counts.get(gateway)?.inFlight ?? 0;
  const inFlight = () => [...counts.values()].reduce((sum, count) => sum + count.inFlight, 0);

  async function execute(gateway: RedisGateway) {
    lastId += 1;
    const result = await gateway.execute({
      query: 'query ($id: ID!) { call(id: $id) { id } }',
      variables: { id: `absent-${lastId}` },
    });
    if (result.errors) errors.push(result.errors);
  }

  function createRecord() {
    const max = new Map<RedisGateway | undefined, number>();
    let requests = 0;
    const raise = (of: RedisGateway | undefined, value: number) =>
      max.set(of, Math.max(max.get(of) ?? 0, value));
    return {
      add(gateway: RedisGateway) {
        requests += 1;
        raise(gateway, inFlightOf(gateway));
        raise(undefined, inFlight());
      },
      requests: () => requests,
      maxInFlight: () => max.get(undefined) ?? 0,
      maxInFlightOf: (gateway: RedisGateway) => max.get(gateway) ?? 0,
    };
  }

  return {
    createGateway(settings: Readonly<Record<string, string>>): RedisGateway {
      const count = { inFlight: 0, requests: 0 };
      const gateway = createRedisGateway(
        {
          async fetch(request) {
            count.inFlight += 1;
            count.requests += 1;
            for (const record of records) record.add(gateway);
            await new Promise((resolve) => setTimeout(resolve, LATENCY_MS));
            count.inFlight -= 1;
            return sandbox.fetch(request);
          },
        },
        settings,
      );
      counts.set(gateway, count);
      return gateway;
    },
    execute,
    start(...gateways: readonly RedisGateway[]) {
      for (const gateway of gateways) {
        busy.add(gateway);
        for (let n = 0; n < OPERATIONS; n += 1)
          clients.push(
            (async () => {
              while (busy.has(gateway)) await execute(gateway);
            })(),
          );
      }
    },
    stop(...gateways: readonly RedisGateway[]) {
      for (const gateway of gateways) busy.delete(gateway);
    },
    /** @returns the errors of all operations */
    async stopped() {
      busy.clear();
      await Promise.all(clients);
      return errors;
    },
    inFlight,
    inFlightOf,
    requestsOf: (gateway: RedisGateway) => counts.get(gateway)?.requests,
    /** Records the requests from now on. */
    record() {
      const record = createRecord();
      records.push(record);
      return record;
    },
  };
}
