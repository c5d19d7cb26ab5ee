import { describe, expect, onTestFinished, test } from 'vitest';
import { contractVersion } from '#generated/contract-version.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { freePort, startGateway } from '../sockets/demo-process.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createRedisGateway } from './redis-gateway.ts';
import { expectRedisServer, hasRedisServer, shareRedis } from './redis-server.ts';

expectRedisServer();

describe.skipIf(!hasRedisServer)('Two gateways with one Redis', () => {
  const redis = shareRedis();
  const settings = () => ({ REDIS_URL: redis.server.url });

  test.each(operationCosts)(
    'an operation that one gateway has paid for costs the other gateway no upstream request: $name',
    async ({ query, variables, requests }) => {
      const sandbox = createSandbox();
      const operation = { query, variables: variables?.(sampleIds(sandbox)) };
      await using one = createRedisGateway(sandbox, settings());
      await using other = createRedisGateway(sandbox, settings());

      const first = await one.execute(operation);
      expect(one.traffic()).toHaveLength(requests.first);
      await untilStored(requests.first);
      const result = await other.execute(operation);

      expect(result).toEqual(first);
      expect(first.errors).toBeUndefined();
      expect(other.traffic()).toEqual([]);
      expect([...one.problems, ...other.problems]).toEqual([]);
    },
  );

  test('numbers that JavaScript cannot hold come out of Redis with the same digits', async () => {
    const sandbox = createSandbox();
    await using one = createRedisGateway(sandbox, settings());
    await using other = createRedisGateway(sandbox, settings());
    const { id } = sandbox.control.data(KEY_A).calls[0]!;
    const metadata = '{"order":750727362669608961,"list":[1e400,-0,0.12345678901234567891]}';
    sandbox.control.rewrite('/call/', (json) => {
      const { call } = JSON.parse(json);
      return JSON.stringify({ call: { ...call, metadata: 'MARK' } }).replace('"MARK"', metadata);
    });
    const operation = { query: `{ call(id: "${id}") { metadata } }` };
    const expected = `{"data":{"call":{"metadata":${metadata}}}}`;
    expect(await one.executeText(operation)).toBe(expected);
    await untilStored(1);
    expect(await other.executeText(operation)).toBe(expected);
    expect([one.traffic(), other.traffic()]).toEqual([[`GET /call/${id}`], []]);
    expect([...one.problems, ...other.problems]).toEqual([]);
  });

  test('a 404 that one gateway has received costs the other gateway no upstream request', async () => {
    const sandbox = createSandbox();
    await using one = createRedisGateway(sandbox, settings());
    await using other = createRedisGateway(sandbox, settings());
    const operation = { query: '{ call(id: "nowhere") { id } }' };
    expect(await one.execute(operation)).toEqual({ data: { call: null } });
    await untilStored(1);
    expect(await other.execute(operation)).toEqual({ data: { call: null } });
    expect(other.traffic()).toEqual([]);
  });

  test('the first query of a second process costs no upstream request', async () => {
    const sandbox = createSandbox();
    const upstream = await listenOnFreePort((port) =>
      serveSandbox(sandbox, { host: '127.0.0.1', port }),
    );
    onTestFinished(() => upstream.close());
    const environment = {
      ...settings(),
      REVOX_BASE_URL: upstream.url,
      REVOX_API_KEY: KEY_A,
      CACHE_SECRET: 'a secret that the instances share',
      REDIS_TIMEOUT_MS: '10000',
      FRESHNESS_PAGE_MS: '600000',
      REVOX_FIRST_PAGE: '1',
      FRESHNESS_LIVE_CALL_MS: '600000',
    };
    const query = `query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber assistant { name } callAttempts { result } }
      callAttempts(first: 50) { nodes { id } pageInfo { hasNextPage } } }`;
    const body = JSON.stringify({ query, variables: { ids: sampleIds(sandbox).twentyCallIds } });
    const results: unknown[] = [];
    // Twenty calls and two pages.
    for (const expected of [22, 0]) {
      sandbox.control.clearLog();
      const port = await freePort();
      await using gateway = startGateway([], { ...environment, PORT: String(port) });
      expect(await gateway.firstLine).toContain(`:${port}/graphql`);
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      results.push(await response.json());
      expect(sandbox.log.map(({ path }) => path)).toHaveLength(expected);
      await untilStored(22);
    }
    expect(results[0]).toMatchObject({ data: { calls: { length: 20 } } });
    expect(results[1]).toEqual(results[0]);
  });

  test('a gateway neither reads nor changes the entries of a release with another contract version', async () => {
    const sandbox = createSandbox();
    const operation = { query: '{ assistants { nodes { id name } } }' };
    await using one = createRedisGateway(sandbox, settings());
    await one.execute(operation);
    await untilStored(1);
    const [name] = await redis.observer.entries();
    const nameOfOther = String(name).replace(contractVersion, 'fedcba987654');
    await redis.observer.send('RENAME', String(name), nameOfOther);

    await using other = createRedisGateway(sandbox, settings());
    expect((await other.execute(operation)).errors).toBeUndefined();
    expect(other.traffic()).toEqual(['GET /assistants']);
    await untilStored(2);
    expect(await redis.observer.entries()).toContain(nameOfOther);
  });

  describe('in pass-through mode', () => {
    const passThrough = () => ({
      ...settings(),
      REVOX_API_KEY: '',
      CREDENTIAL_RECHECK_MS: '600000',
    });

    test("a gateway does not serve a credential from Redis after another gateway's 401 for it", async () => {
      const sandbox = createSandbox();
      const { richCallId: id } = sampleIds(sandbox);
      const operation = { query: 'query ($id: ID!) { call(id: $id) { id } }', variables: { id } };
      await using one = createRedisGateway(sandbox, passThrough());
      await using other = createRedisGateway(sandbox, passThrough());
      await one.execute(operation, KEY_A);
      await one.execute(operation, KEY_B);
      await untilStored(2);

      sandbox.control.fail(({ path }) => path === '/assistants', { status: 401, times: 1 });
      await one.execute({ query: '{ assistants { totalCount } }' }, KEY_A);
      await expect.poll(async () => (await epochTtls()).some((ms) => ms <= 600_000)).toBe(true);

      expect((await other.execute(operation, KEY_A)).data).toEqual({ call: { id } });
      expect(other.traffic()).toEqual([`GET /call/${id}`]);
    });
  });

  async function untilStored(entries: number): Promise<void> {
    await expect.poll(async () => (await redis.observer.entries()).length).toBe(entries);
  }

  async function epochTtls(): Promise<number[]> {
    const names = (await redis.observer.keys()).filter((name) => name.startsWith('revox:epoch:'));
    return Promise.all(names.map((name) => redis.observer.send<number>('PTTL', name)));
  }
});
