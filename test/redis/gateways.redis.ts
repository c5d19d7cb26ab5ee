import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { contractVersion } from '#generated/contract-version.ts';
import type { Credential } from '#rest/credential.ts';
import { landmarks } from '#sandbox/landmarks.ts';
import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { namedOperations } from '../kit/named-operations.ts';
import { onFreePort } from '../kit/served.ts';
import { type Answer, KEY_A, KEY_B } from '../kit/world.ts';
import { freePort, startGateway } from '../wire/demo-process.ts';
import { createGatewayOfMany, type GatewayOfMany, type Question } from './gateway-world.ts';
import { expectRedisServer, hasRedisServer, type RedisObserver, type RedisServer, startRedis } from './redis-server.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Two gateways and one Redis', () => {
  let redis: RedisServer;
  let observer: RedisObserver;
  let settings: Record<string, string>;
  beforeAll(async () => {
    redis = await startRedis();
    observer = await redis.connect();
    settings = { REDIS_URL: redis.url };
  });
  afterAll(async () => {
    await observer?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach(() => observer.send('FLUSHALL'));

  test.each(namedOperations)('what one has paid for costs the other nothing: $name', async ({ query, variables, requests }) => {
    const sandbox = createSandbox();
    const question = { query, variables: variables?.(landmarks(sandbox)) };
    await using one = createGatewayOfMany(sandbox, settings);
    await using other = createGatewayOfMany(sandbox, settings);

    const paid = await one.ask(question);
    expect(one.traffic()).toHaveLength(requests.first);
    await hasKept(requests.first);
    const answer = await other.ask(question);

    expect(answer).toEqual(paid);
    expect(paid.errors).toBeUndefined();
    expect(other.traffic()).toEqual([]);
    expect([...one.complaints, ...other.complaints]).toEqual([]);
  });

  test('what one has looked for in vain, the other knows is not there', async () => {
    const sandbox = createSandbox();
    await using one = createGatewayOfMany(sandbox, settings);
    await using other = createGatewayOfMany(sandbox, settings);
    const question = { query: '{ call(id: "nowhere") { id } }' };
    expect(await one.ask(question)).toEqual({ data: { call: null } });
    await hasKept(1);
    expect(await other.ask(question)).toEqual({ data: { call: null } });
    expect(other.traffic()).toEqual([]);
  });

  test('two processes, too: the first query of the second one costs nothing', async () => {
    const sandbox = createSandbox();
    const upstream = await onFreePort((port) => serveSandbox(sandbox, { host: '127.0.0.1', port }));
    onTestFinished(() => upstream.close());
    const environment = {
      ...settings,
      REVOX_BASE_URL: upstream.url,
      REVOX_API_KEY: KEY_A,
      CACHE_SECRET: 'a secret that the instances share',
      REDIS_TIMEOUT_MS: '10000',
      FRESHNESS_PAGE_MS: '600000',
      FRESHNESS_LIVE_CALL_MS: '600000',
    };
    const query = `query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber assistant { name } callAttempts { result } }
      callAttempts(first: 50) { nodes { id } pageInfo { hasNextPage } } }`;
    const body = JSON.stringify({ query, variables: { ids: landmarks(sandbox).twentyCallIds } });
    const answers: unknown[] = [];
    // Twenty calls, two pages, and the first page's number: that is found out once, and told to the others.
    for (const expected of [23, 0]) {
      sandbox.control.clearLog();
      const port = await freePort();
      await using gateway = startGateway([], { ...environment, PORT: String(port) });
      expect(await gateway.firstLine).toContain(`:${port}/graphql`);
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      answers.push(await response.json());
      expect(sandbox.log.map(({ path }) => path)).toHaveLength(expected);
      await hasKept(22);
    }
    expect(answers[0]).toMatchObject({ data: { calls: { length: 20 } } });
    expect(answers[1]).toEqual(answers[0]);
  });

  test('what another release has kept, which reads another shape, is neither read nor disturbed', async () => {
    const sandbox = createSandbox();
    const question = { query: '{ assistants { nodes { id name } } }' };
    await using one = createGatewayOfMany(sandbox, settings);
    await one.ask(question);
    await hasKept(1);
    const [name] = await namesOfEntries();
    const nameOfOther = String(name).replace(contractVersion, 'fedcba987654');
    await observer.send('RENAME', String(name), nameOfOther);

    await using other = createGatewayOfMany(sandbox, settings);
    expect((await other.ask(question)).errors).toBeUndefined();
    expect(other.traffic()).toEqual(['GET /assistants']);
    await hasKept(2);
    expect(await namesOfEntries()).toContain(nameOfOther);
  });

  describe('in pass-through mode', () => {
    const passThrough = () => ({ ...settings, REVOX_API_KEY: '', CREDENTIAL_RECHECK_MS: '600000' });

    test('two credentials ask the same, through gateways that know only what is in Redis: not one byte of the other’s data', async () => {
      const sandbox = createSandbox();
      const questions = temptations(sandbox);
      const alone = await askEach(questions, () => createGatewayOfMany(sandbox, { REVOX_API_KEY: '' }));
      expect(JSON.stringify(alone[KEY_A].answers)).not.toBe(JSON.stringify(alone[KEY_B].answers));

      const cold = await askEach(questions, () => createGatewayOfMany(sandbox, passThrough()));
      const warm = await askEach(questions, () => createGatewayOfMany(sandbox, passThrough()));

      for (const key of [KEY_A, KEY_B] as const) {
        expect(cold[key].answers).toEqual(alone[key].answers);
        expect(warm[key].answers).toEqual(alone[key].answers);
        // It came out of Redis, where the other's lay as well; but for pages that two gateways have read, whose order nobody knows, and for
        // what is not there, which does not prove that the key is still taken.
        const strange = idsOf(sandbox, key === KEY_A ? KEY_B : KEY_A).add('nowhere');
        const paid = warm[key].traffic.filter((line) => !line.includes('page=') && !strange.has(line.split('/')[2] ?? ''));
        expect(paid).toEqual([]);
      }
      // Nor at the same time, through one gateway, and with memory in front.
      await using both = createGatewayOfMany(sandbox, passThrough());
      const together = await Promise.all(
        questions.flatMap((question, index) =>
          ([KEY_A, KEY_B, KEY_A] as const).map(async (key) => ({ index, key, answer: await both.ask(question, key) })),
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
        const alone = await askEach(questions, () => createGatewayOfMany(sandbox, { REVOX_API_KEY: '' }));
        const actual = await vi.importActual<{ Credential: typeof Credential }>('#rest/credential.ts');
        vi.doMock('#rest/credential.ts', () => ({ ...actual, Credential: toBroken(actual.Credential) }));
        vi.resetModules();
        const broken = await import('./gateway-world.ts');
        const through = await askEach(questions, () => broken.createGatewayOfMany(sandbox, passThrough()));
        return JSON.stringify(through[KEY_B].answers) !== JSON.stringify(alone[KEY_B].answers);
      }
    });

    test('a credential that one was refused, the other does not serve from Redis', async () => {
      const sandbox = createSandbox();
      const { richCallId: id } = landmarks(sandbox);
      const question = { query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { id } };
      await using one = createGatewayOfMany(sandbox, passThrough());
      await using other = createGatewayOfMany(sandbox, passThrough());
      await one.ask(question, KEY_A);
      await one.ask(question, KEY_B);
      await hasKept(2);

      sandbox.control.fail(({ path }) => path === '/assistants', { status: 401, times: 1 });
      await one.ask({ query: '{ assistants { totalCount } }' }, KEY_A);
      await expect.poll(async () => (await epochTtls()).some((ms) => ms <= 600_000)).toBe(true);

      expect((await other.ask(question, KEY_A)).data).toEqual({ call: { id } });
      expect(other.traffic()).toEqual([`GET /call/${id}`]);
    });
  });

  /** What both ask: ids of both organisations, so that each is tempted with the other's. */
  function temptations(sandbox: Sandbox): Question[] {
    const ids = landmarks(sandbox);
    const ofB = sandbox.control.data(KEY_B);
    return [
      ...namedOperations.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
      {
        query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } calls(ids: $ids) { id toPhoneNumber } }',
        variables: { ids: [ids.richCallId, ofB.calls[0]!.id, ids.frenchAssistantId, ofB.campaigns[0]!.id, 'nowhere'] },
      },
    ];
  }

  /** Every question by each credential, each time through a gateway that knows nothing yet. */
  async function askEach(questions: readonly Question[], create: () => GatewayOfMany) {
    const told = {
      [KEY_A]: { answers: [] as Answer[], traffic: [] as string[] },
      [KEY_B]: { answers: [] as Answer[], traffic: [] as string[] },
    };
    for (const question of questions) {
      for (const key of [KEY_A, KEY_B] as const) {
        await using gateway = create();
        told[key].answers.push(await gateway.ask(question, key));
        told[key].traffic.push(...gateway.traffic());
        await everythingIsKept();
      }
    }
    return told;
  }

  function idsOf(sandbox: Sandbox, key: string): Set<string> {
    const { calls, assistants, campaigns } = sandbox.control.data(key);
    return new Set([...calls, ...assistants, ...campaigns].map(({ id }) => id));
  }

  async function hasKept(entries: number): Promise<void> {
    await expect.poll(async () => (await namesOfEntries()).length, { timeout: 10_000 }).toBe(entries);
  }

  /** Until nothing more comes. */
  async function everythingIsKept(): Promise<void> {
    let before = -1;
    await expect
      .poll(
        async () => {
          const [last, now] = [before, (await observer.keys()).length];
          before = now;
          return now - last;
        },
        { interval: 25 },
      )
      .toBe(0);
  }

  async function namesOfEntries(): Promise<string[]> {
    return (await observer.keys()).filter((name) => !/^revox:epoch:|:note:/.test(name));
  }

  async function epochTtls(): Promise<number[]> {
    const names = (await observer.keys()).filter((name) => name.startsWith('revox:epoch:'));
    return Promise.all(names.map((name) => observer.send<number>('PTTL', name)));
  }
});
