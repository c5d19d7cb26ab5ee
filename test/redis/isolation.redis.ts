import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Credential } from '#rest/credential.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { type GraphQLResult, KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createRedisGateway, type RedisGateway, type TestOperation } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

/** As `test/integration/isolation.test.ts`, with Redis between the gateways and no memory before it. */
describe.skipIf(!hasRedisServer)('One caller’s data never reaches another through Redis', () => {
  const redis = shareRedis();

  const passThrough = () => ({ REDIS_URL: redis.server.url, REVOX_API_KEY: '', CREDENTIAL_RECHECK_MS: '600000' });

  test('two credentials ask the same, through gateways that know only what is in Redis: not one byte of the other’s data', async () => {
    const sandbox = createSandbox();
    const questions = temptations(sandbox);
    const alone = await askEach(questions, () => createRedisGateway(sandbox, { REVOX_API_KEY: '' }));
    expect(JSON.stringify(alone[KEY_A].answers)).not.toBe(JSON.stringify(alone[KEY_B].answers));

    const paidFor = new Set<string>();
    const isKept = async (key: string, traffic: readonly string[]) => {
      for (const line of traffic) paidFor.add(`${key} ${line}`);
      await expect.poll(async () => (await redis.observer.entries()).length, { interval: 5 }).toBe(paidFor.size);
    };
    const cold = await askEach(questions, () => createRedisGateway(sandbox, passThrough()), isKept);
    const warm = await askEach(questions, () => createRedisGateway(sandbox, passThrough()), isKept);

    for (const key of [KEY_A, KEY_B] as const) {
      expect(cold[key].answers).toEqual(alone[key].answers);
      expect(warm[key].answers).toEqual(alone[key].answers);
      // It came out of Redis, where the other's lay as well; but for pages that two gateways have read, whose order nobody knows, and for
      // what is not there, which does not prove that the key is still taken: an assistant's id is no call's.
      const isThere = placesOf(sandbox, key);
      const paid = warm[key].traffic.filter((line) => !line.includes('page=') && isThere.has(line));
      expect(paid).toEqual([]);
      expect(cold[key].traffic.filter((line) => isThere.has(line))).not.toEqual([]);
    }
    // Nor at the same time, through one gateway, and with memory in front.
    await using both = createRedisGateway(sandbox, passThrough());
    const together = await Promise.all(
      questions.flatMap((question, index) =>
        ([KEY_A, KEY_B, KEY_A] as const).map(async (key) => ({ index, key, answer: await both.execute(question, key) })),
      ),
    );
    for (const { index, key, answer } of together) expect(answer).toEqual(alone[key].answers[index]);
  });

  describe('isolation does not hang on the names of keys:', () => {
    afterEach(() => {
      vi.doUnmock('#rest/credential.ts');
      vi.resetModules();
    });

    test('with one fingerprint for all it holds, as long as each derives keys of its own', async () => {
      expect(
        await leaksWith(
          (actual) =>
            class extends actual {
              override readonly fingerprint = 'anybody';
            },
        ),
      ).toBe(false);
    });

    test('with one fingerprint and one derived key for all it does not, and this test would tell', async () => {
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

    /** Whether one gateway for each of two keys, with nothing between them but Redis, tells anything else than one that is alone. */
    async function leaksWith(toBroken: (actual: typeof Credential) => typeof Credential): Promise<boolean> {
      const sandbox = createSandbox();
      const questions = temptations(sandbox);
      const alone = await askEach(questions, () => createRedisGateway(sandbox, { REVOX_API_KEY: '' }));
      const actual = await vi.importActual<{ Credential: typeof Credential }>('#rest/credential.ts');
      vi.doMock('#rest/credential.ts', () => ({ ...actual, Credential: toBroken(actual.Credential) }));
      vi.resetModules();
      const broken = await import('./redis-gateway.ts');
      const through = await askEach(questions, () => broken.createRedisGateway(sandbox, passThrough()), redis.observer.isIdle);
      return JSON.stringify(through[KEY_B].answers) !== JSON.stringify(alone[KEY_B].answers);
    }
  });

  /** What both ask: ids of both organisations, so that each is tempted with the other's. */
  function temptations(sandbox: Sandbox): TestOperation[] {
    const ids = sampleIds(sandbox);
    const ofB = sandbox.control.data(KEY_B);
    return [
      ...operationCosts.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
      {
        query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } calls(ids: $ids) { id toPhoneNumber } }',
        variables: { ids: [ids.richCallId, ofB.calls[0]!.id, ids.frenchAssistantId, ofB.campaigns[0]!.id, 'nowhere'] },
      },
    ];
  }

  /** Every question by each credential, each time through a gateway that knows nothing yet. */
  async function askEach(
    questions: readonly TestOperation[],
    create: () => RedisGateway,
    isKept: (key: string, traffic: readonly string[]) => Promise<void> = async () => {},
  ) {
    const told = {
      [KEY_A]: { answers: [] as GraphQLResult[], traffic: [] as string[] },
      [KEY_B]: { answers: [] as GraphQLResult[], traffic: [] as string[] },
    };
    for (const question of questions) {
      for (const key of [KEY_A, KEY_B] as const) {
        await using gateway = create();
        told[key].answers.push(await gateway.execute(question, key));
        const traffic = gateway.traffic();
        told[key].traffic.push(...traffic);
        await isKept(key, traffic);
      }
    }
    return told;
  }

  /** What there is for a key, as its traffic is written; the pages of rows are beside that. */
  function placesOf(sandbox: Sandbox, key: string): Set<string> {
    const { calls, assistants, campaigns } = sandbox.control.data(key);
    const placesIn = (path: string, items: readonly { readonly id: string }[]) => items.map(({ id }) => `GET ${path}/${id}`);
    return new Set([
      'GET /assistants',
      'GET /campaigns',
      ...placesIn('/call', calls),
      ...placesIn('/assistants', assistants),
      ...placesIn('/campaigns', campaigns),
    ]);
  }
});
