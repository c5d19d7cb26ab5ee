import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  expectRedisServer,
  hasRedisServer,
  type RedisObserver,
  type RedisServer,
  startRedis,
} from './redis-server.ts';
import {
  ANN,
  AVAILABLE_AGAIN,
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

/** Time that other processes on this machine may take, in ms. */
const BUSY_MS = 4_000;
const SILENT_MESSAGE = unavailableMessage(`no reply within REDIS_TIMEOUT_MS (${TIMEOUT_MS} ms)`);

describe.skipIf(!hasRedisServer)('Failing Redis connection', () => {
  let redis: RedisServer;
  let observer: RedisObserver;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    // The last test may have left Redis in any state.
    await redis.restart();
    observer = await redis.connect();
    return () => observer[Symbol.asyncDispose]();
  });
  /** How often Redis has received TIME: once for each lookup, and once for each probe. */
  const countCommands = async () =>
    Number(
      /cmdstat_time:calls=(\d+)/.exec(String(await observer.send('INFO', 'commandstats')))?.[1],
    );

  test('no read waits for a killed Redis, a restarted Redis is used again, and both changes are reported once', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    await redis.kill();
    await one.waitForStatusChanges(1);
    // No timer fires in this test: a read that waits for one would wait forever.
    for (let reads = 0; reads < 100; reads += 1) expect(await one.read(ANN, PATH)).toBeUndefined();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    expect(one.timers.running.filter((ms) => ms === TIMEOUT_MS)).toEqual([]);

    await redis.restart();
    await one.waitForStatusChanges(2);
    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect(await one.storeAndRead(ANN, PATH, toEntry(CALL))).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([
      expect.stringMatching(/^Redis is unavailable: \w+\. /),
      AVAILABLE_AGAIN,
    ]);
  });

  test('reads that wait for Redis return at once when Redis is killed', async () => {
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

  test('when Redis stops responding, only the reads in flight wait, and each of them waits once', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));

    const before = await countCommands();
    redis.pause();
    const waiting = [one.read(ANN, PATH), one.read(ANN, PATH)];
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    await expectNoWaitForRedis(one);

    // After the probe delay Redis gets one probe, for which no read waits, and no further one until
    // that one is settled.
    for (const ms of [PROBE_DELAY_MS, TIMEOUT_MS, PROBE_DELAY_MS]) {
      expect(one.timers.running).toEqual([ms]);
      one.timers.elapse(ms);
      await expectNoWaitForRedis(one);
    }
    expect(one.timers.running).toEqual([]);
    expect(one.statusChanges).toEqual([SILENT_MESSAGE]);

    redis.resume();
    await expect.poll(countCommands).toBe(before + 3);
    await afterProbeDelay(one, 2);
    expect(one.statusChanges).toEqual([SILENT_MESSAGE, AVAILABLE_AGAIN]);
    // Late responses were not attributed to other commands.
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    expect(await one.read(ANN, '/other')).toBeUndefined();
  });

  test('a slow Redis is probed after each delay until it responds in time', async () => {
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.pause();
    const waiting = one.read(ANN, PATH);
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    await waiting;
    one.timers.elapse(PROBE_DELAY_MS);
    expect(one.timers.running).toEqual([TIMEOUT_MS]);
    // The response arrives, but too late.
    one.timers.elapse(TIMEOUT_MS);
    redis.resume();
    await expect.poll(() => one.timers.running).toEqual([PROBE_DELAY_MS]);
    expect(await one.read(ANN, PATH)).toBeUndefined();

    one.timers.elapse(PROBE_DELAY_MS);
    await one.waitForStatusChanges(2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    expect(one.statusChanges).toEqual([SILENT_MESSAGE, AVAILABLE_AGAIN]);
  });

  test('thousands of concurrent reads neither queue up nor leave listeners behind when Redis stops responding', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    await using one = createTierInstance(redis.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.pause();
    const reads = Promise.all(Array.from({ length: 20_000 }, () => one.read(ANN, PATH)));
    await untilRedisIsAwaited(one);
    one.timers.elapse(TIMEOUT_MS);
    expect(new Set(await reads)).toEqual(new Set([undefined]));
    redis.resume();
    await afterProbeDelay(one, 2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  test('a read waits for a silent Redis exactly as long as configured, by the wall clock', async () => {
    const timers = createWallTimers();
    await using one = createTierInstance(redis.url, {
      timeoutMs: 200,
      startTimer: timers.startTimer,
    });
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    timers.start();
    redis.pause();
    const start = performance.now();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    const first = performance.now();
    for (let reads = 0; reads < 1_000; reads += 1)
      expect(await one.read(ANN, PATH)).toBeUndefined();
    const rest = performance.now();
    redis.resume();
    expect(first - start).toBeGreaterThan(190);
    expect(first - start).toBeLessThan(200 + BUSY_MS);
    // A thousand waiting reads would take 200 seconds.
    expect(rest - first).toBeLessThan(BUSY_MS);
    await one.waitForStatusChanges(2);
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
  });

  test('a response that arrives while the event loop is blocked past the timeout is still used', async () => {
    const timers = createWallTimers();
    await using one = createTierInstance(redis.url, { startTimer: timers.startTimer });
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    timers.start();
    const read = one.read(ANN, PATH);
    // The commands are sent, and then the event loop is blocked for longer than the timeout, and
    // until Redis has replied: it replies to this process before a later client.
    await new Promise(setImmediate);
    const until = performance.now() + 5 * TIMEOUT_MS;
    waitForReply(redis.port);
    while (performance.now() < until);
    await read;
    expect(one.statusChanges).toEqual([]);
  });

  test.each([
    [
      'a connected Redis',
      async (one: TierInstance) => void (await one.storeAndRead(ANN, PATH, toEntry(CALL))),
    ],
    ['a Redis that is not connected yet', async () => {}],
    [
      'a silent Redis',
      async (one: TierInstance) => {
        await one.storeAndRead(ANN, PATH, toEntry(CALL));
        redis.pause();
      },
    ],
    [
      'a Redis that is known to be silent',
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
      'a Redis that was killed',
      async (one: TierInstance) => {
        await one.storeAndRead(ANN, PATH, toEntry(CALL));
        await redis.kill();
        await one.waitForStatusChanges(1);
      },
    ],
  ])(
    'closing the tier with %s ends all its work, and later reads return nothing',
    async (_name, reachOutage) => {
      await using other = createTierInstance(redis.url);
      await other.storeAndRead(ANN, '/other', toEntry(CALL));
      const one = createTierInstance(redis.url);
      await reachOutage(one);
      const statusChanges = one.statusChanges.length;
      const pending = one.read(ANN, PATH);
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      await one.close();
      await one.close();
      expect(await pending).toBeUndefined();
      expect(await one.read(ANN, PATH)).toBeUndefined();
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      one.revoke(ANN, true);
      expect(one.timers.running).toEqual([]);
      expect(one.statusChanges).toHaveLength(statusChanges);

      // Of the two instances only the other one is connected, or reconnects.
      redis.resume();
      await redis.restart();
      await other.waitForStatusChanges(2);
      expect(await observer.clients()).toHaveLength(1);
    },
  );
});

/** Blocks the event loop until Redis has replied to another process. */
function waitForReply(port: number): void {
  const program = `const socket = require('node:net').connect(${port}, '127.0.0.1');
    socket.once('data', () => process.exit()).write('PING\\r\\n');`;
  execFileSync(process.execPath, ['--eval', program], { env: {} });
}

/** Fires the probe delay repeatedly until the given number of status changes is reported. */
async function afterProbeDelay(instance: TierInstance, statusChanges: number): Promise<void> {
  await expect
    .poll(() => {
      instance.timers.elapse(PROBE_DELAY_MS);
      return instance.statusChanges.length;
    })
    .toBe(statusChanges);
}
