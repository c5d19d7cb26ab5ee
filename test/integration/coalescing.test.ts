import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, KEY_B, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const ALL = () => true;

/** A gateway whose upstream hangs, with the number of upstream requests that were aborted. */
function createHangingGateway(settings = {}) {
  const gateway = createTimedGateway({ settings });
  const { richCallId: id } = sampleIds(gateway.sandbox);
  gateway.sandbox.control.hang(ALL);
  return {
    ...gateway,
    id,
    aborted: () => gateway.sandbox.log.filter(({ aborted }) => aborted).length,
    /** Sends the request as a client that can disconnect. */
    connect(headers: Record<string, string> = {}) {
      const client = new AbortController();
      const pending = gateway
        .fetch('/graphql', {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ query: CALL, variables: { id } }),
          signal: client.signal,
        })
        .then((response) => response.json())
        .catch((error: unknown) => ({ gone: error }));
      return { pending, leave: () => client.abort() };
    },
  };
}

describe('Coalescing of identical requests', () => {
  test.each([
    { name: 'with a cache', settings: {} },
    { name: 'without a cache', settings: NO_CACHE },
  ])(
    'fifty identical concurrent requests share one upstream request in a gateway $name',
    async ({ settings }) => {
      const gateway = createHangingGateway(settings);
      const pending = Array.from({ length: 50 }, () =>
        gateway.executeTraced(CALL, { id: gateway.id }),
      );
      await untilIdle();
      gateway.sandbox.control.heal();
      const results = await Promise.all(pending);
      expect(gateway.traffic()).toEqual([`GET /call/${gateway.id}`]);
      for (const { data } of results) expect(data).toEqual({ call: { id: gateway.id } });
      expect(results.map(({ sources }) => sources)).toEqual([
        [`network /call/${gateway.id}`],
        ...Array.from({ length: 49 }, () => [`coalesced /call/${gateway.id}`]),
      ]);
      expect(results.map(({ extensions }) => extensions.upstream.requests)).toEqual([
        1,
        ...Array.from({ length: 49 }, () => 0),
      ]);
    },
  );

  test('a failed upstream request fails for every caller that joined it', async () => {
    const gateway = createHangingGateway(NO_RETRIES);
    const pending = [
      gateway.execute(CALL, { id: gateway.id }),
      gateway.execute(CALL, { id: gateway.id }),
    ];
    await untilIdle();
    gateway.sandbox.control.fail(ALL, { status: 500 });
    gateway.sandbox.control.release();
    for (const result of await Promise.all(pending)) {
      expect(result.errors).toMatchObject([{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }]);
    }
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('a shared upstream request continues while one client is connected, and is aborted when the last one disconnects', async () => {
    const gateway = createHangingGateway();
    const [first, second, third] = [gateway.connect(), gateway.connect(), gateway.connect()];
    await untilIdle();
    expect(gateway.traffic()).toHaveLength(1);
    for (const client of [first, second]) {
      client.leave();
      await client.pending;
      await untilIdle();
      expect(gateway.aborted()).toBe(0);
    }
    third.leave();
    await third.pending;
    await untilIdle();
    expect(gateway.aborted()).toBe(1);

    gateway.sandbox.control.heal();
    expect(await gateway.connect().pending).toEqual({ data: { call: { id: gateway.id } } });
    expect(gateway.traffic()).toHaveLength(1);
  });

  test('a shared upstream request completes for the remaining client after the first client has disconnected', async () => {
    const gateway = createHangingGateway();
    const [first, second] = [gateway.connect(), gateway.connect()];
    await untilIdle();
    first.leave();
    await first.pending;
    gateway.sandbox.control.heal();
    expect(await second.pending).toEqual({ data: { call: { id: gateway.id } } });
    expect(gateway.traffic()).toHaveLength(1);
    expect(gateway.aborted()).toBe(0);
  });

  test('requests with different API keys never share an upstream request', async () => {
    const gateway = createHangingGateway({ REVOX_API_KEY: '' });
    const [ofA, ofB] = [KEY_A, KEY_B].map((key) =>
      gateway.connect({ authorization: `Bearer ${key}` }),
    );
    await untilIdle();
    expect(gateway.traffic()).toEqual([`GET /call/${gateway.id}`, `GET /call/${gateway.id}`]);
    gateway.sandbox.control.heal();
    expect(await ofA!.pending).toEqual({ data: { call: { id: gateway.id } } });
    expect(await ofB!.pending).toEqual({ data: { call: null } });
  });
});

describe('Upstream request budget', () => {
  test('cache hits and joined requests do not count towards the budget of an operation', async () => {
    const { execute, sandbox, traffic } = createTimedGateway({
      settings: { MAX_UPSTREAM_REQUESTS: '2' },
    });
    const ids = sandbox.control
      .data(KEY_A)
      .calls.slice(0, 4)
      .map(({ id }) => id);
    const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
    await execute(query, { ids: ids.slice(0, 2) });
    // Two calls are cached, two are in flight, and two need requests of this operation.
    sandbox.control.hang(ALL);
    const other = execute(query, { ids: ids.slice(2, 4) });
    await untilIdle();
    const more = sandbox.control
      .data(KEY_A)
      .calls.slice(4, 6)
      .map(({ id }) => id);
    const pending = execute(query, { ids: [...ids, ...more] });
    await untilIdle();
    sandbox.control.heal();
    expect(await other).toMatchObject({ data: { calls: ids.slice(2, 4).map((id) => ({ id })) } });
    expect(await pending).toEqual({ data: { calls: [...ids, ...more].map((id) => ({ id })) } });
    expect(traffic()).toHaveLength(6);
  });

  test('an operation that joins a request is not affected by the exhausted budget of the operation that started it', async () => {
    const { execute, sandbox, traffic } = createTimedGateway({
      settings: { MAX_UPSTREAM_REQUESTS: '1', REVOX_MAX_CONCURRENCY: '1' },
    });
    const [one, two] = sandbox.control.data(KEY_A).calls;
    const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
    const [both, second] = await Promise.all([
      execute(query, { ids: [one!.id, two!.id] }),
      execute(query, { ids: [two!.id] }),
    ]);
    expect(both).toMatchObject({
      data: { calls: [{ id: one!.id }, null] },
      errors: [{ path: ['calls', 1], extensions: { code: 'UPSTREAM_BUDGET_EXCEEDED' } }],
    });
    expect(second).toEqual({ data: { calls: [{ id: two!.id }] } });
    expect(traffic()).toEqual([`GET /call/${one!.id}`, `GET /call/${two!.id}`]);
  });

  test('background revalidation counts towards the budget of its operation and stops when the budget is used up', async () => {
    const { execute, executeTraced, clock, traffic, sandbox } = createTimedGateway({
      settings: { MAX_UPSTREAM_REQUESTS: '2' },
    });
    const ids = sandbox.control
      .data(KEY_A)
      .calls.filter(
        ({ status, call_attempts }) => status === 'completed' && call_attempts.length > 0,
      )
      .slice(0, 4)
      .map(({ id }) => id);
    const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
    await execute(query, { ids: ids.slice(0, 2) });
    await execute(query, { ids: ids.slice(2, 4) });
    traffic();
    clock.pass(600_000);
    expect(await executeTraced(query, { ids })).toMatchObject({
      data: { calls: ids.map((id) => ({ id })) },
      extensions: { upstream: { requests: 2, stale: 4 } },
    });
    await untilIdle();
    expect(traffic()).toHaveLength(2);
  });
});

test('background revalidation uses at most half of the concurrency limit, so a foreground request does not queue behind it', async () => {
  const { execute, executeTraced, clock, traffic, sandbox } = createTimedGateway({
    settings: { REVOX_MAX_CONCURRENCY: '4' },
  });
  const { twentyCallIds: ids, retriedCallId } = sampleIds(sandbox);
  const query = 'query ($ids: [ID!]!) { calls(ids: $ids) { id } }';
  await execute(query, { ids });
  traffic();
  clock.pass(600_000);
  sandbox.control.hang(({ path }) => ids.includes(path.replace('/call/', '')));
  expect((await executeTraced(query, { ids })).extensions.upstream).toMatchObject({
    requests: 2,
    stale: 20,
  });
  await untilIdle();
  expect(traffic()).toHaveLength(2);
  expect((await execute(CALL, { id: retriedCallId })).data.call.id).toBe(retriedCallId);
  sandbox.control.heal();
  await untilIdle();
  expect((await executeTraced(query, { ids })).extensions.upstream).toMatchObject({
    requests: 2,
    cacheHits: 2,
    stale: 18,
  });
});
