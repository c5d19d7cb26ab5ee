import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Credential } from '#rest/credential.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { type GraphQLResult, KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createRedisGateway, type RedisGateway, type TestOperation } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

/**
 * Like `test/integration/isolation.test.ts`, with Redis between the gateways and no memory cache
 * before it.
 */
describe.skipIf(!hasRedisServer)('Isolation of credentials in Redis', () => {
  const redis = shareRedis();

  const passThrough = () => ({
    REDIS_URL: redis.server.url,
    REVOX_API_KEY: '',
    CREDENTIAL_RECHECK_MS: '600000',
  });

  test("two credentials that send the same operations through Redis never receive a byte of each other's data", async () => {
    const sandbox = createSandbox();
    const operations = crossTenantOperations(sandbox);
    const alone = await executeEach(operations, () =>
      createRedisGateway(sandbox, { REVOX_API_KEY: '' }),
    );
    expect(JSON.stringify(alone[KEY_A].results)).not.toBe(JSON.stringify(alone[KEY_B].results));

    const paidFor = new Set<string>();
    const isStored = async (key: string, traffic: readonly string[]) => {
      for (const line of traffic) paidFor.add(`${key} ${line}`);
      await expect
        .poll(async () => (await redis.observer.entries()).length, { interval: 5 })
        .toBe(paidFor.size);
    };
    const cold = await executeEach(
      operations,
      () => createRedisGateway(sandbox, passThrough()),
      isStored,
    );
    const warm = await executeEach(
      operations,
      () => createRedisGateway(sandbox, passThrough()),
      isStored,
    );

    for (const key of [KEY_A, KEY_B] as const) {
      expect(cold[key].results).toEqual(alone[key].results);
      expect(warm[key].results).toEqual(alone[key].results);
      // The responses came out of Redis, which also held those of the other credential. Exceptions
      // are pages that two gateways have read, whose order is unknown, and missing objects, which
      // do not prove that the key is still accepted: an assistant's id is not the id of a call.
      const isThere = keysOf(sandbox, key);
      const paid = warm[key].traffic.filter((line) => !line.includes('page=') && isThere.has(line));
      expect(paid).toEqual([]);
      expect(cold[key].traffic.filter((line) => isThere.has(line))).not.toEqual([]);
    }
    // The same holds concurrently, through one gateway, and with a memory cache in front.
    await using both = createRedisGateway(sandbox, passThrough());
    const together = await Promise.all(
      operations.flatMap((operation, index) =>
        ([KEY_A, KEY_B, KEY_A] as const).map(async (key) => ({
          index,
          key,
          result: await both.execute(operation, key),
        })),
      ),
    );
    for (const { index, key, result } of together)
      expect(result).toEqual(alone[key].results[index]);
  });

  describe('Isolation without distinct fingerprints', () => {
    afterEach(() => {
      vi.doUnmock('#rest/credential.ts');
      vi.resetModules();
    });

    test('with one fingerprint for all credentials, isolation holds as long as each credential derives its own key', async () => {
      expect(
        await leaksWith(
          (actual) =>
            class extends actual {
              override readonly fingerprint = 'anybody';
            },
        ),
      ).toBe(false);
    });

    test('with one fingerprint and one derived key for all credentials, isolation fails and this test detects it', async () => {
      expect(
        await leaksWith(
          (actual) =>
            class extends actual {
              override readonly fingerprint = 'anybody';
              override deriveKey(): Buffer {
                return Buffer.alloc(32);
              }
            },
        ),
      ).toBe(true);
    });

    /**
     * Whether one gateway for each of two keys, connected only through Redis, returns anything else
     * than a single gateway.
     */
    async function leaksWith(
      toBroken: (actual: typeof Credential) => typeof Credential,
    ): Promise<boolean> {
      const sandbox = createSandbox();
      const operations = crossTenantOperations(sandbox);
      const alone = await executeEach(operations, () =>
        createRedisGateway(sandbox, { REVOX_API_KEY: '' }),
      );
      const actual = await vi.importActual<{ Credential: typeof Credential }>(
        '#rest/credential.ts',
      );
      vi.doMock('#rest/credential.ts', () => ({
        ...actual,
        Credential: toBroken(actual.Credential),
      }));
      vi.resetModules();
      const broken = await import('./redis-gateway.ts');
      const through = await executeEach(
        operations,
        () => broken.createRedisGateway(sandbox, passThrough()),
        redis.observer.isIdle,
      );
      return JSON.stringify(through[KEY_B].results) !== JSON.stringify(alone[KEY_B].results);
    }
  });

  /**
   * The operations of both keys, with ids of both organizations, so that each key requests objects
   * of the other.
   */
  function crossTenantOperations(sandbox: Sandbox): TestOperation[] {
    const ids = sampleIds(sandbox);
    const ofB = sandbox.control.data(KEY_B);
    return [
      ...operationCosts.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
      {
        query:
          'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } calls(ids: $ids) { id toPhoneNumber } }',
        variables: {
          ids: [
            ids.richCallId,
            ofB.calls[0]!.id,
            ids.frenchAssistantId,
            ofB.campaigns[0]!.id,
            'nowhere',
          ],
        },
      },
    ];
  }

  /** Every operation with each credential, each time through a gateway with an empty cache. */
  async function executeEach(
    operations: readonly TestOperation[],
    create: () => RedisGateway,
    isStored: (key: string, traffic: readonly string[]) => Promise<void> = async () => {},
  ) {
    const byKey = {
      [KEY_A]: { results: [] as GraphQLResult[], traffic: [] as string[] },
      [KEY_B]: { results: [] as GraphQLResult[], traffic: [] as string[] },
    };
    for (const operation of operations) {
      for (const key of [KEY_A, KEY_B] as const) {
        await using gateway = create();
        byKey[key].results.push(await gateway.execute(operation, key));
        const traffic = gateway.traffic();
        byKey[key].traffic.push(...traffic);
        await isStored(key, traffic);
      }
    }
    return byKey;
  }

  /** The objects and lists of a key, as written in its traffic, without the pages of rows. */
  function keysOf(sandbox: Sandbox, key: string): Set<string> {
    const { calls, assistants, campaigns } = sandbox.control.data(key);
    const keysIn = (path: string, items: readonly { readonly id: string }[]) =>
      items.map(({ id }) => `GET ${path}/${id}`);
    return new Set([
      'GET /assistants',
      'GET /campaigns',
      ...keysIn('/call', calls),
      ...keysIn('/assistants', assistants),
      ...keysIn('/campaigns', campaigns),
    ]);
  }
});
