import { afterEach, describe, expect, test } from 'vitest';
import type { Environment } from '#config/settings.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import { countSubscribers, expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

const INSTANCES = 10;
const sandbox = createSandbox();

describe.skipIf(!hasRedisServer)('Single-flight over several gateways', () => {
  const redis = shareRedis();
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  test('ten cold gateways send one request for the same call, and all of them respond with it', async () => {
    const scene = await createScene();
    const release = scene.upstream.hold();
    const results = await scene.executeAll();
    await scene.untilAwaited();
    expect(scene.upstream.requests).toHaveLength(1);
    release();
    for (const result of await Promise.all(results)) expect(result).toEqual(scene.expected());
    expect(scene.upstream.requests).toHaveLength(1);
    expect(await scene.claimKeys()).toEqual([]);
    expect(scene.problems()).toEqual([]);
  });

  test.each([
    // The gateway whose request fails sends it again, and each other one sends its own.
    ['a 500', 500, INSTANCES + 1, 0],
    ['a 401', 401, INSTANCES, 1],
    ['a 403', 403, INSTANCES, 1],
  ])(
    'after %s to the first request, each other gateway sends its own, and responds with the call',
    async (_what, status, requests, failures) => {
      const scene = await createScene();
      scene.upstream.respondNext(new Response('{}', { status }));
      const release = scene.upstream.hold();
      const results = await scene.executeAll();
      await scene.untilAwaited();
      release();
      await scene.untilAllSent(requests);
      const settled = await Promise.all(results);
      expect(settled.filter(({ errors }) => errors)).toHaveLength(failures);
      for (const result of settled) if (!result.errors) expect(result).toEqual(scene.expected());
      expect(scene.upstream.requests).toHaveLength(requests);
    },
  );

  test('a 404 of the first request is the response of all gateways', async () => {
    const scene = await createScene();
    scene.upstream.respondNext(new Response('{}', { status: 404 }));
    const release = scene.upstream.hold();
    const results = await scene.executeAll();
    await scene.untilAwaited();
    release();
    for (const result of await Promise.all(results))
      expect(result).toEqual({ data: { call: null } });
    expect(scene.upstream.requests).toHaveLength(1);
  });

  test('after a 429 to the first request all gateways wait for the end of the cooldown, and there is no second 429', async () => {
    const scene = await createScene();
    const release = scene.upstream.hold();
    const results = await scene.executeAll();
    await scene.untilAwaited();
    scene.upstream.limitFor(1_000);
    release();
    for (const result of await Promise.all(results)) expect(result).toEqual(scene.expected());
    // The look that follows the end of the first request reads the cooldown.
    expect(scene.upstream.statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(scene.upstream.requests).toHaveLength(INSTANCES + 1);
  });

  test('while the first request hangs, the other gateways respond after their wait', async () => {
    const scene = await createScene();
    const release = scene.upstream.holdNext();
    const results = await scene.executeAll();
    const settled: unknown[] = [];
    for (const result of results) void result.then((value) => settled.push(value));
    await scene.untilAllSent();
    await expect.poll(() => settled.length).toBe(INSTANCES - 1);
    for (const result of settled) expect(result).toEqual(scene.expected());
    expect(scene.upstream.requests).toHaveLength(INSTANCES);
    release();
    await Promise.all(results);
    expect(scene.problems()).toEqual([]);
  });

  test('a gateway that ends during its request delays the others by no more than their wait', async () => {
    const scene = await createScene();
    scene.upstream.holdNext();
    const first = (scene.gateways[0] as RedisGateway).execute(scene.operation, KEY_A);
    first.catch(() => {});
    await expect.poll(() => scene.upstream.requests.length).toBe(1);
    const others = scene.gateways
      .slice(1)
      .map((gateway) => gateway.execute(scene.operation, KEY_A));
    await scene.untilAwaited();
    await scene.gateways[0]?.[Symbol.asyncDispose]();
    await scene.untilAllSent();
    for (const result of await Promise.all(others)) expect(result).toEqual(scene.expected());
    expect(scene.upstream.requests).toHaveLength(INSTANCES);
  });

  test.each([
    ['killed', () => redis.server.kill(), () => redis.server.restart()],
    ['paused', () => redis.server.pause(), () => redis.server.resume()],
  ])(
    'when Redis is %s while gateways wait, each of them sends its own request',
    async (_state, stop, start) => {
      const scene = await createScene({ REDIS_TIMEOUT_MS: '1000' });
      const release = scene.upstream.holdNext();
      const results = await scene.executeAll();
      await scene.untilAwaited();
      await stop();
      try {
        await expect.poll(() => scene.upstream.requests.length).toBe(INSTANCES);
        release();
        for (const result of await Promise.all(results)) expect(result).toEqual(scene.expected());
        expect(scene.upstream.requests).toHaveLength(INSTANCES);
      } finally {
        await start();
      }
    },
  );

  test('a Redis that rejects writes still serves the lookups, and each gateway sends its own requests', async () => {
    const scene = await createScene();
    const [first, second] = scene.gateways as [RedisGateway, RedisGateway];
    expect(await first.execute(scene.operation)).toEqual(scene.expected());
    await redis.observer.isIdle();
    await redis.observer.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await redis.observer.send('CONFIG', 'SET', 'maxmemory', '1');
    try {
      for (const gateway of scene.gateways)
        expect(await gateway.execute(scene.operation)).toEqual(scene.expected());
      expect(scene.upstream.requests).toHaveLength(1);
      const list = { query: '{ assistants { nodes { id } } }' };
      for (const { errors } of await Promise.all([first.execute(list), second.execute(list)]))
        expect(errors).toBeUndefined();
      expect(scene.upstream.requests).toHaveLength(3);
      expect(scene.commands.filter((each) => each.includes('flight-'))).toEqual([]);
    } finally {
      await redis.observer.send('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  test('two keys never share a request, and a key that was never accepted claims nothing', async () => {
    const scene = await createScene({ REVOX_API_KEY: '' });
    const keys = [KEY_A, KEY_B];
    // Both keys have entries: a gateway that starts knows that by its first lookup.
    for (const key of keys) {
      const warmUp = { query: '{ campaigns { nodes { id } } }' };
      expect((await scene.gateways[0]?.execute(warmUp, key))?.errors).toBeUndefined();
    }
    await redis.observer.isIdle();
    scene.upstream.requests.length = 0;
    const release = scene.upstream.hold();
    const list = { query: '{ assistants { nodes { id } } }' };
    const results = keys.map((key) => scene.gateways.map((gateway) => gateway.execute(list, key)));
    await scene.untilAwaited(keys.length * (INSTANCES - 1));
    release();
    const ids: string[] = [];
    for (const ofKey of results) {
      const [first, ...others] = await Promise.all(ofKey);
      for (const other of others) expect(other).toEqual(first);
      ids.push(...(first?.data.assistants.nodes ?? []).map((node: { id: string }) => node.id));
    }
    expect(ids.length).toBeGreaterThanOrEqual(keys.length);
    expect(new Set(ids).size).toBe(ids.length);
    expect(scene.upstream.requests.map(({ key }) => key).sort()).toEqual(keys.toSorted());

    const rejected = await Promise.all(
      scene.gateways.map((gateway) => gateway.execute(scene.operation, 'sk_made_up')),
    );
    for (const { errors } of rejected)
      expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    await redis.observer.send('GET', 'the last command');
    await expect.poll(() => scene.commands.at(-1)).toContain('the last command');
    const claims = scene.commands.filter((each) => /"SET" "revox:flight:/.test(each));
    const fingerprints = claims.map((each) => each.match(/\{(.*)\}/)?.[1]);
    expect(new Set(fingerprints).size).toBe(keys.length);
    expect(scene.upstream.requests).toHaveLength(keys.length + INSTANCES);
  });

  /** Gateways that are connected, and have read nothing. */
  async function createScene(more: Environment = {}) {
    const upstream = createUpstream();
    const id = sandbox.control.data(KEY_A).calls[0]?.id as string;
    const gateways = Array.from({ length: INSTANCES }, () =>
      createRedisGateway(upstream, {
        REDIS_URL: redis.server.url,
        REVOX_API_KEY: KEY_A,
        ...more,
      }),
    );
    for (const gateway of gateways) cleanups.push(() => gateway[Symbol.asyncDispose]());
    await expect.poll(() => countSubscribers(redis.observer)).toBe(INSTANCES);
    const monitor = await redis.server.connect();
    cleanups.push(() => monitor[Symbol.asyncDispose]());
    const commands = await monitor.monitor();
    const isService = more.REVOX_API_KEY === undefined;
    const operation = {
      query: 'query ($id: ID!) { call(id: $id) { id } }',
      variables: { id },
    };
    return {
      upstream,
      gateways,
      commands,
      operation,
      expected: () => ({ data: { call: { id } } }),
      /** Each gateway executes the operation; the first one has sent its request before. */
      async executeAll() {
        const [first, ...others] = gateways as [RedisGateway, ...RedisGateway[]];
        const key = isService ? undefined : KEY_A;
        const result = first.execute(operation, key);
        await expect.poll(() => upstream.requests.length).toBe(1);
        return [result, ...others.map((gateway) => gateway.execute(operation, key))];
      },
      /** Resolves when all other gateways wait. */
      untilAwaited: (count = INSTANCES - 1) =>
        expect
          .poll(() => commands.filter((each) => each.includes('flight-awaited')).length)
          .toBe(count),
      /**
       * Resolves when this number of requests has arrived. The upstream holds the later ones until
       * then: a gateway that looks a moment later would read the response of another one in Redis.
       */
      async untilAllSent(count = INSTANCES) {
        const release = upstream.hold();
        // Each gateway waits for a second at most, and not for one gateway after the other.
        await expect.poll(() => upstream.requests.length, { timeout: 5_000 }).toBe(count);
        release();
      },
      claimKeys: async () =>
        (await redis.observer.keys()).filter((key) => key.startsWith('revox:flight:')),
      problems: () => gateways.flatMap(({ problems }) => problems),
    };
  }
});

/** The sandbox with responses that are held or replaced. */
function createUpstream() {
  const requests: { readonly path: string; readonly key: string }[] = [];
  const replaced: Response[] = [];
  let held: Promise<void> | undefined;
  let isNextOnly = false;
  let limitedUntil = 0;
  const statuses: number[] = [];
  const hold = (nextOnly: boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    isNextOnly = nextOnly;
    return () => {
      held = undefined;
      resolve();
    };
  };
  return {
    requests,
    statuses,
    hold: () => hold(false),
    holdNext: () => hold(true),
    respondNext: (response: Response) => void replaced.push(response),
    /** Responds with a 429 for this time, in ms. */
    limitFor(ms: number) {
      limitedUntil = performance.now() + ms;
    },
    async fetch(request: Request) {
      const key = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
      requests.push({ path: new URL(request.url).pathname, key });
      const response = replaced.shift();
      const wait = held;
      if (isNextOnly) held = undefined;
      await wait;
      const isLimited = performance.now() < limitedUntil;
      const final = isLimited
        ? new Response(null, { status: 429, headers: { 'retry-after': '1' } })
        : (response ?? (await sandbox.fetch(request)));
      statuses.push(final.status);
      return final;
    },
  };
}
