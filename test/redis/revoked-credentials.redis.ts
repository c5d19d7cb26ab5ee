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

describe.skipIf(!hasRedisServer)('Revoked credential in Redis', () => {
  const redis = shareRedis();

  test('after a revocation no instance reads the entries of the credential, and the revoking instance stops at once', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await one.storeAndRead(BOB, PATH, toEntry(CALL));

    const whileRejected = one.read(ANN, PATH);
    one.revoke(ANN, true);

    expect(await whileRejected).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
    expect(await other.read(BOB, PATH)).toMatchObject({ value: CALL });
  });

  test('entries are stored again once the upstream accepts a revoked credential again', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    one.revoke(ANN, true);
    await untilNextEpoch();

    await other.storeAndRead(ANN, PATH, toEntry({ id: 'new' }));
    expect(await one.read(ANN, PATH)).toMatchObject({ value: { id: 'new' } });
    // After this the epoch of the credential expires as late as that of any other credential.
    expect(await redis.observer.send<number>('PTTL', nameOfEpoch())).toBeGreaterThan(86_400_000);
  });

  test.each([
    ['a credential without entries', []],
    ['a credential with entries', ['/other']],
  ])(
    'a response requested before the revocation of %s is never read',
    async (_name, storedBefore) => {
      await using one = createTierInstance(redis.server.url);
      await using other = createTierInstance(redis.server.url);
      for (const key of storedBefore) await one.storeAndRead(ANN, key, toEntry(CALL));
      await one.read(ANN, PATH);
      // The instance sends its request. Meanwhile another instance receives a 401 for the credential.
      other.revoke(ANN, true);
      await untilNextEpoch();
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      await untilWritten(one);

      expect(await one.read(ANN, PATH)).toBeUndefined();
      expect(await other.read(ANN, PATH)).toBeUndefined();
    },
  );

  test('a response requested before a revocation is never read, even if its instance has learned of the revocation since', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    await one.read(ANN, PATH);
    other.revoke(ANN, true);
    await untilNextEpoch();

    one.clock.now += 500;
    await one.read(ANN, '/other');
    one.write(ANN, PATH, toEntry(CALL, { ageMs: 500 }), 60_000);
    await untilWritten(one);
    expect(await other.read(ANN, PATH)).toBeUndefined();

    // A response requested since then is read.
    one.write(ANN, PATH, toEntry({ id: 'since' }), 60_000);
    expect(await other.readUntilStored(ANN, PATH)).toMatchObject({ value: { id: 'since' } });
  });

  test('a response requested longer ago than revocations are kept is not stored', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    one.clock.now += 600_001;
    await one.read(ANN, PATH);
    one.write(ANN, PATH, toEntry(CALL, { ageMs: 600_001 }), 60_000);
    await untilWritten(one);
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('two instances that start an epoch concurrently agree on one', async () => {
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

  test('all responses that arrive concurrently for a new credential are stored', async () => {
    await using one = createTierInstance(redis.server.url);
    const keys = Array.from({ length: 20 }, (_, index) => `/call/${index}`);
    await Promise.all(keys.map((key) => one.read(ANN, key)));
    for (const key of keys) one.write(ANN, key, toEntry(CALL), 60_000);
    await Promise.all(keys.map((key) => one.readUntilStored(ANN, key)));
  });

  test('the revocation of a credential without entries is kept for ten minutes, because callers may invent any number of them', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(BOB, PATH);
    one.revoke(ANN, true);
    await expect.poll(() => redis.observer.keys()).toEqual([nameOfEpoch()]);
    expect(await redis.observer.send<number>('PTTL', nameOfEpoch())).toBeLessThanOrEqual(600_000);
  });

  test('entries are not read after Redis has lost the epoch of their credential', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await redis.observer.send('DEL', nameOfEpoch());
    expect(await one.read(ANN, PATH)).toBeUndefined();
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('a revocation while Redis is silent takes effect at once in this instance, and in Redis as soon as it responds', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    redis.server.pause();
    const late = one.read(ANN, PATH);
    await one.timers.elapse(TIMEOUT_MS);
    expect(await late).toBeUndefined();
    one.revoke(ANN, true);
    redis.server.resume();

    await untilProbePasses(one, 2);
    await expect.poll(() => other.read(ANN, PATH)).toBeUndefined();
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('a revocation takes effect even when Redis has no memory left', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await redis.observer.send('CONFIG', 'SET', 'maxmemory', '1');
    try {
      one.revoke(ANN, true);
      await one.waitForStatusChanges(1);
      expect(one.statusChanges).toEqual([
        'Redis rejects writes: OOM. The gateway still reads from Redis, and stores new responses in its own memory only.',
      ]);
      expect(await other.read(ANN, PATH)).toBeUndefined();
      expect(await one.read(ANN, PATH)).toBeUndefined();
    } finally {
      await redis.observer.send('CONFIG', 'SET', 'maxmemory', '0');
    }
    // A read sends the revocation to Redis once more.
    await expect
      .poll(async () => [await one.read(ANN, PATH), one.statusChanges.length])
      .toEqual([undefined, 2]);
    expect(one.statusChanges[1]).toBe(
      'Redis accepts writes again. The gateway stores new responses in Redis, too.',
    );
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
  });

  const nameOfEpoch = () => `revox:epoch:{${ANN.fingerprint}}`;

  /** Resolves when a revocation has reached Redis: its epoch then has a short TTL. */
  async function untilNextEpoch(): Promise<void> {
    await expect
      .poll(
        async () =>
          Math.abs((await redis.observer.send<number>('PTTL', nameOfEpoch())) - 300_000) <= 300_000,
      )
      .toBe(true);
  }

  /**
   * Resolves when earlier writes have completed: this write takes the same path and takes longer.
   */
  async function untilWritten(instance: TierInstance): Promise<void> {
    await instance.storeAndRead(BOB, '/marker', toEntry(Array.from({ length: 50 }, () => CALL)));
  }

  /** Fires the probe delay until Redis has passed its probe. */
  async function untilProbePasses(instance: TierInstance, statusChanges: number): Promise<void> {
    await expect
      .poll(() => {
        instance.timers.elapse(PROBE_DELAY_MS);
        return instance.statusChanges.length;
      })
      .toBe(statusChanges);
  }
});
