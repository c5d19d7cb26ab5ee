import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectRedisServer, hasRedisServer, type RedisObserver, type RedisServer, startRedis } from './redis-server.ts';
import {
  ANN,
  CALL,
  createTierInstance,
  createWallTimers,
  expectNoWaitForRedis,
  PATH,
  PROBE_DELAY_MS,
  TIMEOUT_MS,
  type TierInstance,
  toEntry,
  unavailableMessage,
  untilRedisIsAwaited,
} from './tier-instance.ts';

expectRedisServer();

/** What this machine may be busy with besides. */
const BUSY_MS = 1_000;
const AVAILABLE_AGAIN = 'Redis is back.';
const SILENT_MESSAGE = unavailableMessage('it does not answer in time');

describe.skipIf(!hasRedisServer)('When Redis is', () => {
  let redis: RedisServer;
  let observer: RedisObserver;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    // Whatever state the last test has left it in.
    await redis.restart();
    observer = await redis.connect();
    return () => observer[Symbol.asyncDispose]();
  });
  /** How often Redis has been asked for the time: once with each question, and by itself when it has to prove itself. */
  const timesAsked = async () =>
    Number(/cmdstat_time:calls=(\d+)/.exec(String(await observer.send('INFO', 'commandstats')))?.[1]);

  test('killed, nobody waits; started again, it is of use again, and both are told once', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    await redis.kill();
    await one.waitForTroubles(1);
    // No timer goes off in this world: what waited for one would wait for ever.
    for (let reads = 0; reads < 100; reads += 1) expect(await one.read(ANN, PATH)).toBeUndefined();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    expect(one.timers.running.filter((ms) => ms === TIMEOUT_MS)).toEqual([]);

    await redis.restart();
    await one.waitForTroubles(2);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    expect(one.troubles).toEqual([expect.stringMatching(/^Redis cannot be used: \w+\. /), AVAILABLE_AGAIN]);
  });

  test('killed while it is asked, those who ask hear of it at once', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.pause();
    const reads = Promise.all([one.read(ANN, PATH), one.read(ANN, '/other')]);
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    await untilRedisIsAwaited(one);
    await redis.kill();
    expect(await reads).toEqual([undefined, undefined]);
    await redis.restart();
  });

  test('silent, those who ask when it falls silent wait once, and nobody else', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    const before = await timesAsked();
    redis.pause();
    const waiting = [one.read(ANN, PATH), one.read(ANN, PATH)];
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    await expectNoWaitForRedis(one);

    // After its rest it is asked once, by nobody who waits, and not again as long as that is not answered.
    for (const ms of [PROBE_DELAY_MS, TIMEOUT_MS, PROBE_DELAY_MS]) {
      expect(one.timers.running).toEqual([ms]);
      one.timers.elapse(ms);
      await expectNoWaitForRedis(one);
    }
    expect(one.timers.running).toEqual([]);
    expect(one.troubles).toEqual([SILENT_MESSAGE]);

    redis.resume();
    await expect.poll(timesAsked).toBe(before + 3);
    await afterProbeDelay(one, 2);
    expect(one.troubles).toEqual([SILENT_MESSAGE, AVAILABLE_AGAIN]);
    // The answers that came late were not taken for others.
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    expect(await one.read(ANN, '/other')).toBeUndefined();
  });

  test('slow, it is asked again after each rest until it answers in time', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.pause();
    const waiting = one.read(ANN, PATH);
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    await waiting;
    one.timers.elapse(PROBE_DELAY_MS);
    expect(one.timers.running).toEqual([TIMEOUT_MS]);
    // Its answer comes, but after the time.
    one.timers.elapse(TIMEOUT_MS);
    redis.resume();
    await expect.poll(() => one.timers.running).toEqual([PROBE_DELAY_MS]);
    expect(await one.read(ANN, PATH)).toBeUndefined();

    one.timers.elapse(PROBE_DELAY_MS);
    await one.waitForTroubles(2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    expect(one.troubles).toEqual([SILENT_MESSAGE, AVAILABLE_AGAIN]);
  });

  test('silent, a crowd that asks all at once is not queued up, and nothing piles up', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.pause();
    const crowd = Promise.all(Array.from({ length: 20_000 }, () => one.read(ANN, PATH)));
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(new Set(await crowd)).toEqual(new Set([undefined]));
    redis.resume();
    await afterProbeDelay(one, 2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('silent, the wait is as long as was agreed, by the clock on the wall', async () => {
    const timers = createWallTimers();
    await using one = createTierInstance(redis.url, { timeoutMs: 200, startTimer: timers.startTimer });
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    timers.start();
    redis.pause();
    const start = performance.now();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    const first = performance.now();
    for (let reads = 0; reads < 1_000; reads += 1) expect(await one.read(ANN, PATH)).toBeUndefined();
    const rest = performance.now();
    redis.resume();
    expect(first - start).toBeGreaterThan(190);
    expect(first - start).toBeLessThan(200 + BUSY_MS);
    // A thousand that waited would take 200 seconds.
    expect(rest - first).toBeLessThan(BUSY_MS);
    await one.waitForTroubles(2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
  });

  test('there, what this process is too busy to hear in time is heard nevertheless', async () => {
    const timers = createWallTimers();
    await using one = createTierInstance(redis.url, { startTimer: timers.startTimer });
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    timers.start();
    const read = one.read(ANN, PATH);
    // The commands are sent, and then this process does something else for longer than it would wait.
    await new Promise(setImmediate);
    const until = performance.now() + 5 * TIMEOUT_MS;
    while (performance.now() < until);
    await read;
    expect(one.troubles).toEqual([]);
  });

  test.each([
    ['in the middle of things', async (one: TierInstance) => void (await one.storeAndRead(ANN, PATH, toEntry(CALL)))],
    ['before it is connected', async () => {}],
    [
      'silent',
      async (one: TierInstance) => {
        await one.storeAndRead(ANN, PATH, toEntry(CALL));
        redis.pause();
      },
    ],
    [
      'silent, and known to be',
      async (one: TierInstance) => {
        await one.storeAndRead(ANN, PATH, toEntry(CALL));
        redis.pause();
        const read = one.read(ANN, PATH);
        await untilRedisIsAwaited(one);
        one.timers.elapse(TIMEOUT_MS);
        await read;
        one.timers.elapse(PROBE_DELAY_MS);
      },
    ],
    [
      'away',
      async (one: TierInstance) => {
        await one.storeAndRead(ANN, PATH, toEntry(CALL));
        await redis.kill();
        await one.waitForTroubles(1);
      },
    ],
  ])('%s, closing ends it all, and whoever asks afterwards hears nothing', async (_name, goThere) => {
    await using other = createTierInstance(redis.url);
    await other.storeAndRead(ANN, '/other', toEntry(CALL));
    const one = createTierInstance(redis.url);
    await goThere(one);
    const troubles = one.troubles.length;
    const underWay = one.read(ANN, PATH);
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    await one.close();
    await one.close();
    expect(await underWay).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    one.revoke(ANN, true);
    expect(one.timers.running).toEqual([]);
    expect(one.troubles).toHaveLength(troubles);

    // Of the two, only the other one is there, or comes back.
    redis.resume();
    await redis.restart();
    await other.waitForTroubles(2);
    expect(await observer.clients()).toHaveLength(1);
  });
});

/** Lets one rest after the other go by, until so much has been said. */
async function afterProbeDelay(instance: TierInstance, troubles: number): Promise<void> {
  await expect
    .poll(() => {
      instance.timers.elapse(PROBE_DELAY_MS);
      return instance.troubles.length;
    })
    .toBe(troubles);
}
