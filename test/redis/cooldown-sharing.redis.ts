import { describe, expect, test } from 'vitest';
import type { Environment } from '#config/settings.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createLimitedUpstream } from './limited-upstream.ts';
import { createRedisGateway, type RedisGateway } from './redis-gateway.ts';
import {
  countSubscribers,
  expectRedisServer,
  hasRedisServer,
  type RedisObserver,
  shareRedis,
} from './redis-server.ts';

expectRedisServer();

const INSTANCES = 5;
const RETRY_AFTER_S = 2;
/** Timers may fire early by the resolution of their clock. */
const TIMER_MS = 10;

describe.skipIf(!hasRedisServer)('Cooldowns of several gateways', () => {
  const redis = shareRedis();

  test('a 429 that one gateway receives pauses its key in all gateways, and then one of them sends one probe', async () => {
    await using scene = await createScene();
    const { gateways, upstream, observer } = scene;
    await using monitor = await redis.server.connect();
    const commands = await monitor.monitor();
    upstream.limitNext(KEY_A, RETRY_AFTER_S);
    const first = (gateways[0] as RedisGateway).execute(toQuery('limited'), KEY_A);
    await expect.poll(() => scene.newRequestsOf(KEY_A)[0]?.status).toBe(429);
    const release = upstream.hold(KEY_A);
    for (const gateway of gateways.slice(1))
      await expect.poll(() => gateway.metric('upstream_cooldowns_received_total')).toBe(1);
    const [limited] = scene.newRequestsOf(KEY_A);

    const others = gateways.flatMap((gateway, instance) =>
      [1, 2, 3].map((n) => gateway.execute(toQuery(`${instance}-${n}`), KEY_A)),
    );
    for (const gateway of gateways)
      expect((await gateway.execute(toQuery('other'), KEY_B)).errors).toBeUndefined();

    // Each gateway has requests to send, and has claimed the probe.
    await expect
      .poll(() => commands.filter((command) => /"SET" "revox:probe-claim:/.test(command)).length)
      .toBeGreaterThanOrEqual(INSTANCES);
    await expect.poll(() => scene.newRequestsOf(KEY_A).length).toBe(2);
    // The second request of all gateways is the probe: the cooldown delays all others.
    const probe = scene.newRequestsOf(KEY_A)[1];
    expect((probe?.at ?? 0) - (limited?.at ?? 0)).toBeGreaterThan(1_000 * RETRY_AFTER_S - TIMER_MS);
    release();
    for (const { errors } of await Promise.all([first, ...others])) expect(errors).toBeUndefined();
    // The first request is sent again; no other one is.
    expect(scene.newRequestsOf(KEY_A)).toHaveLength(2 + 3 * INSTANCES);
    expect(scene.newRequestsOf(KEY_A).filter(({ status }) => status === 429)).toHaveLength(1);
    await expect.poll(() => cooldownKeys(observer)).toEqual([]);
  });

  test('a request whose deadline is before the end of the cooldown of another gateway gets RATE_LIMITED without an upstream request', async () => {
    await using scene = await createScene({ REQUEST_DEADLINE_MS: '5000' });
    const [one, other] = scene.gateways as [RedisGateway, RedisGateway];
    scene.upstream.limitNext(KEY_A, 60);
    expect((await one.execute(toQuery('a'), KEY_A)).errors).toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
    await expect.poll(() => cooldownKeys(scene.observer)).toHaveLength(1);
    // A gateway that missed the message: it starts after it.
    await using late = createRedisGateway(scene.upstream, scene.settings);
    for (const gateway of [other, late]) {
      const { errors } = await gateway.execute(toQuery('b'), KEY_A);
      expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
      const retryAfter = Number(errors?.[0]?.extensions?.retryAfter);
      expect(retryAfter).toBeGreaterThan(30);
      expect(retryAfter).toBeLessThanOrEqual(61);
      expect((await gateway.execute(toQuery('b'), KEY_B)).errors).toBeUndefined();
    }
    expect(scene.newRequestsOf(KEY_A)).toHaveLength(1);
  });

  test('forged cooldowns, claims and messages, and the cooldown of another key, delay no request', async () => {
    await using scene = await createScene({ REQUEST_DEADLINE_MS: '5000' });
    const { gateways, upstream, observer } = scene;
    const [one] = gateways as [RedisGateway];
    upstream.limitNext(KEY_B, 60);
    await one.execute(toQuery('b'), KEY_B);
    await expect.poll(() => cooldownKeys(observer)).toHaveLength(1);
    const [keyOfB] = (await cooldownKeys(observer)) as [string];
    const genuine = await observer.send<Buffer>('GET', keyOfB);
    const end = (await observer.time()) + 60_000;
    for (const forged of [
      genuine,
      `${Math.ceil(end)}.${'A'.repeat(43)}`,
      String(genuine).replace(/^\d+/, String(Math.ceil(end) + 9_000)),
      'x'.repeat(100_000),
    ])
      for (const fingerprint of await fingerprints(observer)) {
        if (keyOfB.includes(fingerprint)) continue;
        await observer.send('SET', `revox:cooldown:{${fingerprint}}`, forged);
        await observer.send('SET', `revox:probe-claim:{${fingerprint}}`, '');
        await observer.send('PUBLISH', 'revox:instances:1', `cooldown forger ${fingerprint}`);
        const demand = `${fingerprint} forger 1000 ${Math.ceil(await observer.time())}`;
        for (const body of [demand, `${demand} ${'A'.repeat(43)}`, fingerprint, ''])
          await observer.send('PUBLISH', 'revox:instances:1', `demand forger ${body}`);
        const before = scene.newRequestsOf(KEY_A).length;
        for (const gateway of gateways)
          expect(
            (await gateway.execute(toQuery(`forged ${before}`), KEY_A)).errors,
          ).toBeUndefined();
      }
    for (const gateway of gateways) {
      expect(await gateway.metric('upstream_cooling_down_credentials')).toBe(1);
      expect(await gateway.metric('upstream_reduced_credentials')).toBe(0);
    }
    // The first of the gateways reads a 404 from the upstream, the others from Redis.
    expect(scene.newRequestsOf(KEY_A).length).toBeGreaterThanOrEqual(4);
    expect(scene.newRequestsOf(KEY_A).filter(({ status }) => status === 429)).toEqual([]);
  });

  test.each([
    ['gone', () => redis.server.kill(), () => redis.server.restart()],
    ['paused', () => redis.server.pause(), () => redis.server.resume()],
  ])(
    'while Redis is %s, a gateway with a cooldown probes by itself, and the others send their requests',
    async (_state, stop, start) => {
      await using scene = await createScene({ REDIS_TIMEOUT_MS: '1000' });
      const [one, other] = scene.gateways as [RedisGateway, RedisGateway];
      await stop();
      try {
        scene.upstream.limitNext(KEY_A, 1);
        const limited = one.execute(toQuery('a'), KEY_A);
        await expect.poll(() => scene.newRequestsOf(KEY_A).length).toBe(1);
        expect((await other.execute(toQuery('b'), KEY_A)).errors).toBeUndefined();
        expect((await limited).errors).toBeUndefined();
        expect(scene.newRequestsOf(KEY_A).map(({ status }) => status)).toEqual([429, 404, 404]);
        expect(await other.metric('upstream_cooldowns_received_total')).toBe(0);
      } finally {
        await start();
      }
    },
  );

  /** Gateways that have used both keys, and receive the messages of each other. */
  async function createScene(more: Environment = {}) {
    const upstream = createLimitedUpstream();
    const { observer } = redis;
    const settings: Environment = {
      REDIS_URL: redis.server.url,
      REVOX_API_KEY: '',
      FRESHNESS_NOT_FOUND_MS: '1',
      ...more,
    };
    const gateways = Array.from({ length: INSTANCES }, () =>
      createRedisGateway(upstream, settings),
    );
    // Each gateway sends requests with both keys: a response of another one would come from Redis.
    await expect.poll(() => countSubscribers(observer)).toBe(INSTANCES);
    for (const [instance, gateway] of gateways.entries())
      for (const key of [KEY_A, KEY_B]) {
        const id = upstream.callIdsOf(key)[instance] as string;
        expect((await gateway.execute(toQuery(id), key)).data.call).toEqual({ id });
      }
    const warmUps = new Set(upstream.requestsOf(KEY_A).concat(upstream.requestsOf(KEY_B)));
    return {
      upstream,
      gateways,
      observer,
      settings,
      newRequestsOf: (key: string) =>
        upstream.requestsOf(key).filter((request) => !warmUps.has(request)),
      async [Symbol.asyncDispose]() {
        for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
      },
    };
  }
});

function toQuery(id: string) {
  return { query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { id } };
}

async function cooldownKeys(observer: RedisObserver): Promise<string[]> {
  return (await observer.keys()).filter((key) => key.startsWith('revox:cooldown:'));
}

async function fingerprints(observer: RedisObserver): Promise<string[]> {
  const keys = (await observer.keys()).filter((key) => key.startsWith('revox:epoch:'));
  return keys.map((key) => key.slice('revox:epoch:{'.length, -1));
}
