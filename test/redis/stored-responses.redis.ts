import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';
import { ANN, BOB, CALL, createTierInstance, PATH, toEntry, toOwner } from './tier-instance.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Responses in Redis', () => {
  const redis = shareRedis();

  test.each([
    toEntry(CALL, { ageMs: 120, freshForMs: 600_000 }),
    toEntry({ value: [CALL], total: 1 }, { isLive: true, freshForMs: 1_000 }),
    toEntry(null, { status: 404 }),
  ])(
    'another instance reads a stored response unchanged and frozen, with its age increased by the time in Redis: %j',
    async (entry) => {
      await using one = createTierInstance(redis.server.url);
      await using other = createTierInstance(redis.server.url);
      await one.storeAndRead(ANN, PATH, entry);

      const read = await other.read(toOwner('sk_live_ann'), PATH);

      expect(read).toEqual({ ...entry, ageMs: expect.any(Number) });
      expect(JSON.stringify(read?.value)).toBe(JSON.stringify(entry.value));
      if (entry.value === CALL)
        expect(
          Object.isFrozen((read as typeof entry & { value: typeof CALL }).value.transcript[0]),
        ).toBe(true);
      expect([...one.statusChanges, ...other.statusChanges]).toEqual([]);
    },
  );

  test('a later response replaces a stored one', async () => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    await other.read(ANN, PATH);
    other.write(ANN, PATH, toEntry(null, { status: 404 }), 60_000);
    await expect.poll(() => one.read(ANN, PATH)).toMatchObject({ status: 404, value: null });
  });

  test('of two responses to the same request the later one stays, even if the earlier one takes longer to seal', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    one.write(ANN, PATH, toEntry('x'.repeat(8 * 2 ** 20)), 60_000);
    one.write(ANN, PATH, toEntry(null, { status: 404 }), 60_000);
    await expect.poll(() => one.read(ANN, PATH)).toMatchObject({ status: 404 });
    one.write(ANN, '/last', toEntry('x'.repeat(8 * 2 ** 20)), 60_000);
    await one.readUntilStored(ANN, '/last');
    expect(await one.read(ANN, PATH)).toMatchObject({ status: 404 });
  });

  test.each([
    ['another credential', BOB, PATH, {}],
    [
      'the same credential under another secret',
      toOwner('sk_live_ann', 'the secret of another company'),
      PATH,
      {},
    ],
    ['another request', ANN, '/call/call-2', {}],
    ['a release with another contract version', ANN, PATH, { contractVersion: 'another' }],
  ])('a stored response is not read for %s', async (_name, owner, key, options) => {
    await using one = createTierInstance(redis.server.url);
    await using other = createTierInstance(redis.server.url, options);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    expect(await other.read(owner, key)).toBeUndefined();
    expect(await one.read(ANN, PATH)).toMatchObject({ value: CALL });
  });

  test('a stored response is not read under the name of another entry', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    const [ofAnn] = await redis.observer.entries();
    await one.storeAndRead(BOB, PATH, toEntry({ id: 'of-bob' }));
    await one.storeAndRead(ANN, '/call/call-2', toEntry({ id: 'call-2' }));

    for (const name of (await redis.observer.entries()).filter((each) => each !== ofAnn)) {
      await redis.observer.send('COPY', String(ofAnn), name, 'REPLACE');
    }
    // Not even if Redis holds the same epoch for both credentials.
    const [epochA, epochB] = (await redis.observer.keys()).filter((name) =>
      name.startsWith('revox:epoch:'),
    );
    await redis.observer.send('COPY', String(epochA), String(epochB), 'REPLACE');

    expect(await one.read(BOB, PATH)).toBeUndefined();
    expect(await one.read(ANN, '/call/call-2')).toBeUndefined();
  });

  test('the bytes in Redis reveal nothing of the response, its credential or its request', async () => {
    await using one = createTierInstance(redis.server.url);
    const page = Array.from({ length: 50 }, () => CALL);
    await one.storeAndRead(ANN, `${PATH}?page=1`, toEntry(page));
    await one.storeAndRead(BOB, PATH, toEntry(CALL));
    one.revoke(BOB, true);
    await expect.poll(async () => (await redis.observer.keys()).length).toBe(4);

    const words = [
      'transcript',
      'Dupont',
      '+33612345678',
      '612345678',
      'call-1',
      '/call',
      'page=1',
      'sk_live',
      '_ann',
      'isLive',
    ];
    expect(await wordsFound(words)).toEqual([]);
    for (const { fingerprint } of [ANN, BOB]) {
      expect((await redis.observer.keys()).filter((name) => name.includes(fingerprint))).toEqual([
        expect.stringMatching(
          new RegExp(`^revox:5\\.[0-9a-f]{12}:\\{${fingerprint}\\}:[\\w-]{43}$`),
        ),
        `revox:epoch:{${fingerprint}}`,
      ]);
    }

    await redis.observer.send('SET', 'a leak', `${PATH} +33612345678`);
    expect(await wordsFound(words)).not.toEqual([]);
  });

  test('a stored response expires, and everything in Redis expires in the end', async () => {
    await using one = createTierInstance(redis.server.url);
    const expiredKeys = async () =>
      /expired_keys:(\d+)/.exec(String(await redis.observer.send('INFO', 'stats')))?.[1];
    const before = Number(await expiredKeys());
    await one.read(ANN, PATH);
    one.write(ANN, PATH, toEntry(CALL), 40);
    await expect.poll(expiredKeys).toBe(String(before + 1));
    expect(await one.read(ANN, PATH)).toBeUndefined();
    expect(await redis.observer.entries()).toEqual([]);

    await one.storeAndRead(ANN, PATH, toEntry(CALL), Number.MAX_SAFE_INTEGER);
    one.revoke(BOB, true);
    await expect.poll(async () => (await redis.observer.keys()).length).toBe(3);
    for (const name of await redis.observer.keys()) {
      const ttlMs = await redis.observer.send<number>('PTTL', name);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(2 * 86_400_000);
    }
  });

  test('a response without remaining time is not stored', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(ANN, PATH);
    for (const ttlMs of [0, -5, Number.NaN]) one.write(ANN, `/${ttlMs}`, toEntry(CALL), ttlMs);
    await one.storeAndRead(ANN, PATH, toEntry(CALL));
    expect(await redis.observer.entries()).toHaveLength(1);
    expect(one.statusChanges).toEqual([]);
  });

  test('a response that is too large to be fetched in time is not stored', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(ANN, PATH);
    one.write(ANN, '/too-large', toEntry(randomBytes(3 * 2 ** 20).toString('latin1')), 60_000);
    await one.storeAndRead(ANN, '/fits', toEntry(randomBytes(2 ** 20).toString('latin1')));
    // A repetitive value of this size is small once sealed, and takes longer to seal than the one
    // that is too large.
    await one.storeAndRead(ANN, '/long', toEntry('x'.repeat(48 * 2 ** 20)));
    expect(await redis.observer.entries()).toHaveLength(2);
  });

  test('a response that JSON cannot represent is not stored and breaks nothing', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(ANN, PATH);
    one.write(ANN, PATH, toEntry(1n), 60_000);
    await one.storeAndRead(ANN, '/other', toEntry(CALL));
    expect(await one.read(ANN, PATH)).toBeUndefined();
  });

  test('an instance writes 64 responses at a time at most, and more when those are done', async () => {
    await using one = createTierInstance(redis.server.url);
    await one.read(ANN, PATH);
    for (let index = 0; index < 100; index += 1) one.write(ANN, `/${index}`, toEntry(CALL), 60_000);
    // Threads seal the responses, and end in any order.
    for (let index = 0; index < 64; index += 1) await one.readUntilStored(ANN, `/${index}`);
    await one.storeAndRead(ANN, '/late', toEntry(CALL));
    expect(await redis.observer.entries()).toHaveLength(65);
  });

  test.each(['garbage', ''])(
    'a stored response is absent when Redis holds %j in its place',
    async (garbage) => {
      await using one = createTierInstance(redis.server.url);
      await one.storeAndRead(ANN, PATH, toEntry(CALL));
      await redis.observer.send('SET', String((await redis.observer.entries())[0]), garbage);
      expect(await one.read(ANN, PATH)).toBeUndefined();
      expect(one.statusChanges).toEqual([]);
    },
  );

  describe('Age of responses in Redis', () => {
    test("the age of a stored response is its former age plus the time since then on Redis' clock", async () => {
      await using one = createTierInstance(redis.server.url);
      // An instance with an entirely different clock.
      await using other = createTierInstance(redis.server.url);
      other.clock.now = -1e12;
      const before = await redis.observer.time();
      await one.storeAndRead(ANN, PATH, toEntry(CALL, { ageMs: 300 }));
      const storedAt = await redis.observer.time();
      await redis.observer.pass(50);

      const requestedAt = await redis.observer.time();
      const age = (await other.read(ANN, PATH))?.ageMs ?? 0;
      const respondedAt = await redis.observer.time();

      expect(age).toBeGreaterThanOrEqual(300 + requestedAt - storedAt);
      expect(age).toBeLessThanOrEqual(300 + respondedAt - before);
    });

    test('the age of a stored response is never underestimated, because the time of the read counts', async () => {
      await using one = createTierInstance(redis.server.url);
      await one.storeAndRead(ANN, PATH, toEntry(CALL));
      // By the reader's clock the read takes 700 ms.
      let reads = 0;
      await using other = createTierInstance(redis.server.url, {
        now: () => (reads++ === 0 ? 0 : 700),
      });
      expect((await other.read(ANN, PATH))?.ageMs).toBeGreaterThanOrEqual(0);
      reads = 0;
      expect((await other.read(ANN, PATH))?.ageMs).toBeGreaterThanOrEqual(700);
    });

    test('the age of a stored response counts from the write, even if the write reaches Redis later', async () => {
      await using one = createTierInstance(redis.server.url);
      await one.storeAndRead(ANN, '/other', toEntry(CALL));
      redis.server.pause();
      const before = performance.now();
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      // There is no event to wait for: only time passes.
      await new Promise((resolve) => setTimeout(resolve, 80));
      const held = performance.now() - before;
      redis.server.resume();
      expect((await one.readUntilStored(ANN, PATH)).ageMs).toBeGreaterThanOrEqual(held - 1);
    });

    test('a stored response that seems to come from the future is not read', async () => {
      await using one = createTierInstance(redis.server.url);
      await one.storeAndRead(ANN, '/other', toEntry(CALL));
      // As after Redis' clock is set back; here the writer's clock jumps ahead.
      one.clock.now += 2_000;
      one.write(ANN, PATH, toEntry(CALL), 60_000);
      await expect.poll(redis.observer.entries).toHaveLength(2);
      await using other = createTierInstance(redis.server.url);
      expect(await other.read(ANN, PATH)).toBeUndefined();
      expect(await other.read(ANN, '/other')).toBeDefined();
    });
  });

  async function wordsFound(words: readonly string[]): Promise<string[]> {
    const dump = await redis.observer.dump();
    return words.filter((word) =>
      ['utf8', 'utf16le', 'base64', 'hex'].some((encoding) => {
        const encoded =
          encoding === 'utf16le'
            ? Buffer.from(word, 'utf16le')
            : Buffer.from(Buffer.from(word).toString(encoding as 'hex'));
        return dump.includes(encoded);
      }),
    );
  }
});
