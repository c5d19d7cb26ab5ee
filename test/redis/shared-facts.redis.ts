import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createFactStore } from '#cache/redis/fact-store.ts';
import { contractVersion } from '#generated/contract-version.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';
import { ANN, BOB, createTierInstance, type TierInstance, toOwner } from './tier-instance.ts';

expectRedisServer();

const FIRST_PAGE_FACT = { value: 1, trustMs: 60_000 } as const;

describe.skipIf(!hasRedisServer)('First page fact in Redis', () => {
  const redis = shareRedis();
  const createOne = () => createTierInstance(redis.server.url);

  test('another instance reads a first page fact for the same credential, with its age', async () => {
    await using one = createOne();
    await using other = createOne();
    await writeFact(one);
    expect(await createFactStore(other, toOwner('sk_live_ann')).readFirstPage('/call')).toEqual({
      ...FIRST_PAGE_FACT,
      ageMs: expect.any(Number),
    });
  });

  test('a first page fact is absent for another credential, another upstream and another endpoint', async () => {
    await using one = createOne();
    await writeFact(one);
    const ofAnotherUpstream = toOwner(
      'sk_live_ann',
      'a secret that the instances share, and another URL',
    );
    for (const owner of [BOB, ofAnotherUpstream]) {
      expect(await createFactStore(one, owner).readFirstPage('/call')).toBeUndefined();
    }
    expect(await createFactStore(one, ANN).readFirstPage('/campaigns/{id}/rows')).toBeUndefined();
  });

  test('a first page fact is absent when it is forged, damaged, or copied from another endpoint or credential', async () => {
    await using one = createOne();
    const name = await writeFact(one);
    const sealed = await redis.observer.send<Buffer>('GET', name);
    const nameOfRows = await writeFact(one, ANN, '/campaigns/{id}/rows');
    const nameOfBob = await writeFact(one, BOB);

    const damaged = Buffer.from(sealed);
    damaged[damaged.length >> 1]! ^= 1;
    const others = await Promise.all(
      [nameOfRows, nameOfBob].map((from) => redis.observer.send<Buffer>('GET', from)),
    );
    const forged = ['1', '0', JSON.stringify(FIRST_PAGE_FACT), '', damaged, ...others];
    for (const bytes of forged) {
      await redis.observer.send('SET', name, bytes);
      expect(await createFactStore(one, ANN).readFirstPage('/call'), String(bytes)).toBeUndefined();
    }
    // The same bytes under their own name are read, which proves that the test can fail.
    await redis.observer.send('SET', name, sealed);
    expect(await createFactStore(one, ANN).readFirstPage('/call')).toMatchObject(FIRST_PAGE_FACT);
  });

  test('a first page fact is absent when it is put back after its expiry', async () => {
    await using one = createOne();
    const name = await writeFact(one, ANN, '/call', { value: 1, trustMs: 5_000 });
    const sealed = await redis.observer.send<Buffer>('GET', name);
    await expect.poll(() => redis.observer.send('EXISTS', name)).toBe(0);
    await redis.observer.send('SET', name, sealed);
    expect(await createFactStore(one, ANN).readFirstPage('/call')).toBeUndefined();
  });

  test('a first page fact is absent when its value is anything but a number and a time', async () => {
    await using one = createOne();
    for (const value of [
      null,
      1,
      '1',
      { value: 2, trustMs: 1 },
      { value: 1 },
      { value: 1, trustMs: '1' },
    ]) {
      await one.storeAndRead(ANN, 'first page of /call', {
        value,
        status: 200,
        ageMs: 0,
        freshForMs: 1,
        isLive: false,
      });
      expect(
        await createFactStore(one, ANN).readFirstPage('/call'),
        JSON.stringify(value),
      ).toBeUndefined();
    }
  });

  describe('between gateways', () => {
    const FIRST_ATTEMPT = { query: '{ callAttempts(first: 1) { nodes { id } } }' };
    const settings = () => ({
      REDIS_URL: redis.server.url,
      REVOX_FIRST_PAGE: 'auto',
      FRESHNESS_PAGE_MS: '0',
    });

    test('a first page fact in Redis saves another gateway the discovery', async () => {
      const sandbox = createSandbox();
      await using one = createRedisGateway(sandbox, settings());
      await one.execute(FIRST_ATTEMPT);
      expect(pagesOf(one.traffic())).toEqual(['0', '1', '0']);
      await untilFactStored();
      await using other = createRedisGateway(sandbox, settings());
      expect((await other.execute(FIRST_ATTEMPT)).errors).toBeUndefined();
      expect(pagesOf(other.traffic())).toEqual(['1']);
    });

    test('an instance that detects a contradiction replaces the first page fact, and the next instance reads the right number', async () => {
      const upstream = createRenumberedUpstream();
      await using one = createRedisGateway(upstream.sandbox, settings());
      const before = await one.execute(FIRST_ATTEMPT);
      await untilFactStored();
      const [name] = await redis.observer.entries();
      const note = await redis.observer.send<Buffer>('GET', name!);

      upstream.numberFrom(0);
      await using other = createRedisGateway(upstream.sandbox, settings());
      expect(await other.execute(FIRST_ATTEMPT)).toEqual(before);
      expect(pagesOf(other.traffic())).toEqual(['1', '0', '0', '1']);
      await expect
        .poll(async () => note.equals(await redis.observer.send<Buffer>('GET', name!)), {
          timeout: 30_000,
        })
        .toBe(false);

      await using third = createRedisGateway(upstream.sandbox, settings());
      expect(await third.execute(FIRST_ATTEMPT)).toEqual(before);
      expect(pagesOf(third.traffic())).toEqual(['0']);
    });

    test('an unsealed first page fact of an earlier release has no effect', async () => {
      const sandbox = createSandbox({ firstPage: 0 });
      const name = createHash('sha256')
        .update('first page of /call at http://revox.test/api')
        .digest('base64url');
      await redis.observer.send('SET', `revox:1.${contractVersion}:note:${name}`, '1');
      await using one = createRedisGateway(sandbox, settings());
      await one.execute(FIRST_ATTEMPT);
      expect(pagesOf(one.traffic())).toEqual(['0', '1']);
    });

    async function untilFactStored(): Promise<void> {
      await expect.poll(async () => (await redis.observer.entries()).length).toBe(1);
    }
  });

  /** @returns the name of the fact in Redis */
  async function writeFact(
    one: TierInstance,
    owner = ANN,
    endpoint = '/call',
    note: { value: 0 | 1; trustMs: number } = FIRST_PAGE_FACT,
  ) {
    const before = new Set(await redis.observer.entries());
    const factStore = createFactStore(one, owner);
    // An instance writes only for a credential that it has looked up.
    await factStore.readFirstPage(endpoint);
    factStore.writeFirstPage(endpoint, note, note.trustMs);
    await expect.poll(() => factStore.readFirstPage(endpoint)).toMatchObject(note);
    return (await redis.observer.entries()).find((name) => !before.has(name))!;
  }
});

/** An upstream with one attempt whose pages are numbered from 1 until `numberFrom` is called. */
function createRenumberedUpstream() {
  let firstPage = 1;
  const sandbox = createSandbox();
  const only = sandbox.control.data('sk_demo_a').attempts.slice(0, 1);
  return {
    numberFrom(number: 0 | 1) {
      firstPage = number;
    },
    sandbox: {
      ...sandbox,
      async fetch(request: Request) {
        const page = Number(new URL(request.url).searchParams.get('page'));
        if (page < firstPage) return Response.json({ error: 'page' }, { status: 400 });
        if (page > firstPage) return Response.json({ error: 'page' }, { status: 404 });
        return Response.json({ calls: only.map(({ id }) => ({ id })) });
      },
    } satisfies Sandbox,
  };
}

function pagesOf(traffic: readonly string[]): (string | undefined)[] {
  return traffic.map((line) => /[?&]page=(\d+)/.exec(line)?.[1]);
}
