import { describe, expect, test } from 'vitest';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';
import {
  ANN,
  BOB,
  CALL,
  createTierInstance,
  PATH,
  PROBE_DELAY_MS,
  TIMEOUT_MS,
  type TierInstance,
  toEntry,
} from './tier-instance.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('A credential that was refused', () => {
  const redis = shareRedis();

  test('reads nothing of what was kept for it, by any instance, and that at once by the one it was refused to', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await one.storeAndRead(BOB, PATH, toEntry(CALL));

    const whileRefused = one.read(ANN, PATH);
    one.revoke(ANN, true);

    expect(await whileRefused).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
    expect(await other.read(BOB, PATH)).toMatchObject({ value: CALL });
  });

  test('is kept for again once it is taken again', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    one.revoke(ANN, true);
    await hasBegunAnotherEpoch();

    await other.storeAndRead(ANN, PATH, toEntry({ id: 'anew' }));
    expect(await one.read(ANN, PATH)).toMatchObject({ value: { id: 'anew' } });
    // From now on its epoch lasts as long as any.
    expect(await redis.observer.send<number>('PTTL', nameOfEpoch())).toBeGreaterThan(86_400_000);
  });

  test.each([
    ['of which nothing was kept before', []],
    ['of which something was kept before', ['/other']],
  ])('%s: an answer to what was asked before the refusal is read by nobody', async (_name, keptBefore) => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    for (const key of keptBefore) await one.storeAndRead(ANN, key, toEntry(CALL));
    await one.read(ANN, PATH);
    // It asks. Meanwhile another instance is told that the credential is no good.
    other.revoke(ANN, true);
    await hasBegunAnotherEpoch();
    one.write(ANN, PATH, toEntry(CALL), 60_000);
    await hasWritten(one);

    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect(await other.read(ANN, PATH)).toBeUndefined();
  });

  test('an answer to what was asked before the refusal is read by nobody, though its instance has heard of the refusal before it came', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    await one.read(ANN, PATH);
    other.revoke(ANN, true);
    await hasBegunAnotherEpoch();

    one.clock.now += 500;
    await one.read(ANN, '/other');
    one.write(ANN, PATH, toEntry(CALL, { ageMs: 500 }), 60_000);
    await hasWritten(one);
    expect(await other.read(ANN, PATH)).toBeUndefined();

    // What was asked since is.
    one.write(ANN, PATH, toEntry({ id: 'since' }), 60_000);
    expect(await other.readUntilStored(ANN, PATH)).toMatchObject({ value: { id: 'since' } });
  });

  test('an answer to what was asked longer ago than a refusal is remembered is not kept', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    one.clock.now += 600_001;
    await one.read(ANN, PATH);
    one.write(ANN, PATH, toEntry(CALL, { ageMs: 600_001 }), 60_000);
    await hasWritten(one);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('two that begin at the same time agree on one epoch', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await Promise.all([one.read(ANN, '/one'), other.read(ANN, '/other')]);
    one.write(ANN, '/one', toEntry(CALL), 60_000);
    other.write(ANN, '/other', toEntry(CALL), 60_000);
    const [first, second] = [
      await one.storeAndRead(ANN, '/one', toEntry(CALL)),
      await other.storeAndRead(ANN, '/other', toEntry(CALL)),
    ];
    expect([first.value, second.value]).toEqual([CALL, CALL]);
    expect(await one.read(ANN, '/other')).toMatchObject({ value: CALL });
    expect(await other.read(ANN, '/one')).toMatchObject({ value: CALL });
  });

  test('all that is answered at the same time for the first time is kept', async () => {
    await using one = createTierInstance(redis.server.url);
    const keys = Array.from({ length: 20 }, (_, index) => `/call/${index}`);
    await Promise.all(keys.map((key) => one.read(ANN, key)));
    for (const key of keys) one.write(ANN, key, toEntry(CALL), 60_000);
    await Promise.all(keys.map((key) => one.readUntilStored(ANN, key)));
  });

  test('is remembered for ten minutes where nothing is kept for it: anyone may have any number refused', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(BOB, PATH);
    one.revoke(ANN, true);
    await expect.poll(() => redis.observer.keys()).toEqual([nameOfEpoch()]);
    expect(await redis.observer.send<number>('PTTL', nameOfEpoch())).toBeLessThanOrEqual(600_000);
  });

  test('is not known to a Redis that has forgotten which epoch it is: nothing is read that was kept before', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await redis.observer.send('DEL', nameOfEpoch());
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('while Redis does not answer: Redis is told as soon as it does, and until then this instance reads nothing for it', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.server.pause();
    const late = one.read(ANN, PATH);
    await one.timers.elapse(TIMEOUT_MS);
    expect(await late).toBeUndefined();
    one.revoke(ANN, true);
    redis.server.resume();

    await isBack(one, 2);
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('is made unreadable by a Redis that has no room for anything new', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await redis.observer.send('CONFIG', 'SET', 'maxmemory', '1');
    try {
      one.revoke(ANN, true);
      await one.waitForTroubles(1);
      expect(one.troubles).toEqual(['Redis does not keep what it is given: OOM.']);
      expect(await other.read(ANN, PATH)).toBeUndefined();
      expect(await one.read(ANN, PATH)).toBeUndefined();
    } finally {
      await redis.observer.send('CONFIG', 'SET', 'maxmemory', '0');
    }
    // Asking for it tells Redis once more.
    await expect.poll(async () => [await one.read(ANN, PATH), one.troubles.length]).toEqual([undefined, 2]);
    expect(one.troubles[1]).toBe('Redis keeps what it is given again.');
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
  });

  const nameOfEpoch = () => `revox:epoch:${ANN.fingerprint}`;

  /** Once a refusal has reached Redis, its epoch is not one that lasts. */
  async function hasBegunAnotherEpoch(): Promise<void> {
    await expect
      .poll(async () => Math.abs((await redis.observer.send<number>('PTTL', nameOfEpoch())) - 300_000) <= 300_000)
      .toBe(true);
  }

  /** What was given to be written before is done with: this goes the same way, and takes longer. */
  async function hasWritten(instance: TierInstance): Promise<void> {
    await instance.storeAndRead(BOB, '/marker', toEntry(Array.from({ length: 50 }, () => CALL)));
  }

  /** Lets Redis' rest be over until it has proved itself. */
  async function isBack(instance: TierInstance, troubles: number): Promise<void> {
    await expect
      .poll(() => {
        instance.timers.elapse(PROBE_DELAY_MS);
        return instance.troubles.length;
      })
      .toBe(troubles);
  }
});
