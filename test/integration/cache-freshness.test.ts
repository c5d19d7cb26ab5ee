import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id status } }';
const ASSISTANT = 'query ($id: ID!) { assistant(id: $id) { name } }';
const CAMPAIGN = 'query ($id: ID!) { campaign(id: $id) { name status } }';
const PAGE = '{ callAttempts(first: 5, statuses: [COMPLETED]) { nodes { id } } }';
const NEVER_SEEN = 'a-call-without-cache-entry';

interface Kind {
  readonly name: string;
  readonly query: string;
  readonly id?: (gateway: ReturnType<typeof createTimedGateway>) => string;
  readonly freshForMs: number;
  /** Whether the gateway serves a stale entry for ten seconds while it revalidates the entry. */
  readonly isServedWhileRevalidating: boolean;
}

const byName = (name: string) => (gateway: ReturnType<typeof createTimedGateway>) =>
  (sampleIds(gateway.sandbox) as unknown as Record<string, string>)[name]!;

const KINDS: Kind[] = [
  {
    name: 'a call that ended a while ago',
    query: CALL,
    id: byName('richCallId'),
    freshForMs: 600_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'a call that just ended',
    query: CALL,
    id({ sandbox, clock }) {
      const call = structuredClone(
        sandbox.control.data(KEY_A).calls.find(({ id }) => id === sampleIds(sandbox).richCallId)!,
      );
      for (const attempt of [call.last_call_attempt!, ...call.call_attempts]) {
        (attempt as { ended_at: unknown }).ended_at = new Date(clock.now() - 200_000).toISOString();
      }
      sandbox.control.putCall(KEY_A, call);
      return call.id;
    },
    freshForMs: 5_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'a live call',
    query: CALL,
    id: byName('liveCallId'),
    freshForMs: 1_000,
    isServedWhileRevalidating: false,
  },
  {
    name: 'an assistant',
    query: ASSISTANT,
    id: byName('frenchAssistantId'),
    freshForMs: 30_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'a finished campaign',
    query: CAMPAIGN,
    id: byName('finishedCampaignId'),
    freshForMs: 60_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'a running campaign',
    query: CAMPAIGN,
    id: byName('largeCampaignId'),
    freshForMs: 10_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'all assistants',
    query: '{ assistants { nodes { id } } }',
    freshForMs: 30_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'all campaigns',
    query: '{ campaigns { nodes { id } } }',
    freshForMs: 10_000,
    isServedWhileRevalidating: true,
  },
  {
    name: 'a page of attempts that are over',
    query: PAGE,
    freshForMs: 1_000,
    isServedWhileRevalidating: false,
  },
  {
    name: 'a page with a live attempt',
    query: '{ callAttempts(first: 5) { nodes { id } } }',
    freshForMs: 1_000,
    isServedWhileRevalidating: false,
  },
];

describe.each(KINDS)(
  'Freshness of $name',
  ({ name, query, id, freshForMs, isServedWhileRevalidating }) => {
    function start() {
      const gateway = createTimedGateway();
      return { ...gateway, variables: { id: id?.(gateway) } };
    }

    test(`${name} is served from the cache for exactly ${freshForMs} ms`, async () => {
      const { execute, executeTraced, traffic, clock, variables } = start();
      const first = await execute(query, variables);
      expect(first.errors).toBeUndefined();
      expect(traffic()).toHaveLength(1);

      clock.pass(freshForMs - 1);
      const cached = await executeTraced(query, variables);
      expect(cached.data).toEqual(first.data);
      expect(cached.extensions.upstream).toMatchObject({ requests: 0, cacheHits: 1, stale: 0 });
      expect(traffic()).toEqual([]);

      clock.pass(1);
      await execute(query, variables);
      await untilIdle();
      expect(traffic()).toHaveLength(1);
    });

    test(`${name} is ${isServedWhileRevalidating ? 'served stale, and reported so,' : 'never served stale'} during revalidation`, async () => {
      const { execute, executeTraced, traffic, clock, sandbox, variables } = start();
      await execute(query, variables);
      traffic();
      clock.pass(freshForMs);
      sandbox.control.hang(() => true);
      const pending = executeTraced(query, variables);
      await untilIdle();
      expect(traffic()).toHaveLength(1);
      if (isServedWhileRevalidating) {
        expect((await pending).extensions.upstream).toMatchObject({
          requests: 1,
          cacheHits: 0,
          stale: 1,
        });
        // A second operation during the revalidation sends no request.
        expect((await executeTraced(query, variables)).extensions.upstream).toMatchObject({
          requests: 0,
          stale: 1,
        });
        sandbox.control.heal();
        await untilIdle();
        expect((await executeTraced(query, variables)).extensions.upstream).toMatchObject({
          requests: 0,
          cacheHits: 1,
          stale: 0,
        });
      } else {
        sandbox.control.heal();
        expect((await pending).extensions.upstream).toMatchObject({
          requests: 1,
          cacheHits: 0,
          stale: 0,
        });
      }
      expect(traffic()).toEqual([]);
    });

    test(`${name} is not served stale ten seconds after it has expired`, async () => {
      const { execute, executeTraced, traffic, clock, variables } = start();
      await execute(query, variables);
      traffic();
      clock.pass(freshForMs + 10_000);
      expect((await executeTraced(query, variables)).extensions.upstream).toMatchObject({
        requests: 1,
        stale: 0,
      });
      expect(traffic()).toHaveLength(1);
    });

    test(`${name} is not cached when caching is off`, async () => {
      const gateway = createTimedGateway({ settings: NO_CACHE });
      const variables = { id: id?.(gateway) };
      for (let time = 0; time < 2; time += 1) {
        await gateway.execute(query, variables);
        expect(gateway.traffic()).toHaveLength(1);
      }
    });
  },
);

test('a large stale response is revalidated by one request that outlives the operation that started it', async () => {
  let version = 0;
  let held = Promise.resolve();
  const upstream = async () => {
    version += 1;
    await held;
    return Response.json({
      assistant: { id: 'large', name: `version ${version}`, prompt: 'x'.repeat(2 ** 20) },
    });
  };
  const { execute, clock, traffic, unexpectedErrors } = createTimedGateway({ upstream });
  const fetchName = async () => (await execute(ASSISTANT, { id: 'large' })).data.assistant.name;
  expect(await fetchName()).toBe('version 1');
  clock.pass(30_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  expect(await fetchName()).toBe('version 1');
  await untilIdle();
  resolve();
  await untilIdle();
  expect([await fetchName(), await fetchName()]).toEqual(['version 2', 'version 2']);
  expect(traffic()).toEqual(['GET /assistants/large', 'GET /assistants/large']);
  expect(unexpectedErrors).toEqual([]);
});

describe('Freshness of a 404', () => {
  test('a 404 is cached for two seconds', async () => {
    const { execute, traffic, clock, sandbox } = createTimedGateway();
    for (const requests of [1, 0]) {
      expect(await execute(CALL, { id: NEVER_SEEN })).toEqual({ data: { call: null } });
      expect(traffic()).toHaveLength(requests);
    }
    const call = sandbox.control.data(KEY_A).calls[0]!;
    sandbox.control.putCall(KEY_A, { ...call, id: NEVER_SEEN });
    clock.pass(2_000);
    expect((await execute(CALL, { id: NEVER_SEEN })).data.call.id).toBe(NEVER_SEEN);
    expect(traffic()).toEqual([`GET /call/${NEVER_SEEN}`]);
  });

  test('a 404 replaces the cached object, also for requests during an upstream failure', async () => {
    const { execute, clock, sandbox, traffic } = createTimedGateway({ settings: NO_RETRIES });
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id });
    sandbox.control.removeCall(KEY_A, id);
    clock.pass(620_000);
    expect(await execute(CALL, { id })).toEqual({ data: { call: null } });
    clock.pass(2_000);
    sandbox.control.fail('/call/', { status: 503 });
    const { data, errors } = await execute(CALL, { id });
    expect(data).toEqual({ call: null });
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }]);
    expect(traffic()).toHaveLength(3);
  });

  test('a 404 removes the cached object even when 404s are not cached', async () => {
    const { execute, clock, sandbox } = createTimedGateway({
      settings: { FRESHNESS_NOT_FOUND_MS: '0' },
    });
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id });
    sandbox.control.removeCall(KEY_A, id);
    clock.pass(620_000);
    expect(await execute(CALL, { id })).toEqual({ data: { call: null } });
    sandbox.control.fail('/call/', { status: 503 });
    expect((await execute(CALL, { id })).errors).toMatchObject([
      { extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ]);
  });

  test('a 404 for a page of a list is never cached because it may be the end of the list', async () => {
    const { execute, sandbox, traffic } = createTimedGateway();
    await execute('{ assistants { nodes { id } } }');
    traffic();
    sandbox.control.fail('/call', { status: 404 });
    for (let time = 0; time < 2; time += 1) {
      await execute(PAGE);
      expect(traffic()).toHaveLength(1);
    }
  });
});

describe('Cache entries from other responses', () => {
  test('a complete call in a campaign row is cached as a call', async () => {
    const { execute, sandbox, traffic } = createTimedGateway();
    const { largeCampaignId: id } = sampleIds(sandbox);
    const { data } = await execute(
      'query ($id: ID!) { campaign(id: $id) { rows(first: 50) { nodes { call { id status toPhoneNumber } } } } }',
      { id },
    );
    traffic();
    const calls = data.campaign.rows.nodes.flatMap(({ call }: { call: unknown }) => call ?? []);
    expect(calls.length).toBeGreaterThan(10);
    const again = await execute(
      'query ($ids: [ID!]!) { calls(ids: $ids) { id status toPhoneNumber } }',
      {
        ids: calls.map((call: { id: string }) => call.id),
      },
    );
    expect(again.data.calls).toEqual(calls);
    expect(traffic()).toEqual([]);
  });

  test.each([
    {
      list: '{ assistants(first: 100) { nodes { id name } } }',
      one: 'query ($id: ID!) { found: assistant(id: $id) { id name } }',
    },
    {
      list: '{ campaigns(first: 100) { nodes { id name } } }',
      one: 'query ($id: ID!) { found: campaign(id: $id) { id name } }',
    },
  ])(
    'every object of a complete list is cached for the single-object query $one',
    async ({ list, one }) => {
      const { execute, traffic } = createTimedGateway();
      const { nodes } = Object.values<{ nodes: { id: string }[] }>((await execute(list)).data)[0]!;
      expect(traffic()).toHaveLength(1);
      for (const node of nodes)
        expect((await execute(one, { id: node.id })).data.found).toEqual(node);
      expect(traffic()).toEqual([]);
    },
  );

  test('an assistant embedded in a call is not cached as an assistant because the call may have its own version', async () => {
    const { execute, sandbox, traffic } = createTimedGateway();
    const { richCallId } = sampleIds(sandbox);
    const { data } = await execute('query ($id: ID!) { call(id: $id) { assistant { id } } }', {
      id: richCallId,
    });
    traffic();
    await execute(ASSISTANT, { id: data.call.assistant.id });
    expect(traffic()).toEqual([`GET /assistants/${data.call.assistant.id}`]);
  });

  test('a list response that arrives late does not replace an object that was read later', async () => {
    const { execute, sandbox, traffic, clock } = createTimedGateway();
    const { frenchAssistantId: id } = sampleIds(sandbox);
    const { promise: late, resolve: arrive } = Promise.withResolvers<void>();
    // The upstream reads the list, then its response is delayed.
    let listed: string | undefined;
    sandbox.control.transform(/^\/assistants$/, (body) => {
      listed = JSON.stringify(body);
      return body;
    });
    sandbox.control.delay(/^\/assistants$/, late, 1);
    const list = execute('{ assistants { nodes { id } } }');
    await untilIdle();
    clock.pass(5);
    sandbox.control.transform(`/assistants/${id}`, (body) => ({ ...body, name: 'renamed since' }));
    expect((await execute(ASSISTANT, { id })).data.assistant.name).toBe('renamed since');
    arrive();
    await list;
    expect(listed).not.toContain('renamed since');
    traffic();
    expect((await execute(ASSISTANT, { id })).data.assistant.name).toBe('renamed since');
    expect(traffic()).toEqual([]);
  });
});
