import { describe, expect, test } from 'vitest';
import { createUpstreamUsage } from '#context/upstream-usage.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const TRACED = { 'x-revox-trace': '1' };
const VARY = 'Authorization, Router-Authorization, Accept';

/** The `Vary` header of a response that may be compressed. */
const VARY_WHOLE = `${VARY}, Accept-Encoding`;

describe('extensions.upstream', () => {
  test('extensions.upstream lists every upstream lookup with its source and status', async () => {
    let elapsed = 0;
    const { execute, sandbox, clock } = createTimedGateway({
      settings: NO_RETRIES,
      gateway: { monotonicNow: () => (elapsed += 1.26) },
    });
    const { richCallId: id, retriedCallId } = sampleIds(sandbox);
    await execute(CALL, { id });
    const { extensions } = await execute(
      'query ($id: ID!, $other: ID!) { call(id: $id) { id } missing: call(id: "nowhere") { id } other: call(id: $other) { id } }',
      { id, other: retriedCallId },
      TRACED,
    );
    expect(extensions).toEqual({
      upstream: {
        requests: 2,
        cacheHits: 1,
        coalesced: 0,
        stale: 0,
        calls: [
          {
            method: 'GET',
            path: `/call/${id}`,
            status: 200,
            ms: expect.any(Number),
            source: 'cache',
          },
          {
            method: 'GET',
            path: '/call/nowhere',
            status: 404,
            ms: expect.any(Number),
            source: 'network',
          },
          {
            method: 'GET',
            path: `/call/${retriedCallId}`,
            status: 200,
            ms: expect.any(Number),
            source: 'network',
          },
        ],
      },
    });
    // Durations are in tenths of a millisecond of the monotonic clock.
    for (const { ms } of extensions.upstream.calls)
      expect(ms).toBe(Math.round(Math.round(ms / 1.26) * 12.6) / 10);

    clock.pass(600_000);
    sandbox.control.reset(() => true);
    const failing = await execute(CALL, { id: 'unseen' }, TRACED);
    expect(failing.extensions.upstream).toMatchObject({
      requests: 1,
      calls: [{ path: '/call/unseen', status: null, source: 'network' }],
    });
  });

  test('extensions.upstream lists pages with the query string that was sent', async () => {
    const { executeTraced } = createTimedGateway();
    const { sources } = await executeTraced(
      '{ callAttempts(first: 1, statuses: [COMPLETED, ERRORED]) { nodes { id } } }',
    );
    expect(sources).toEqual(['network /call?page=1&page_size=50&statuses=completed%2Cerrored']);
  });

  test('extensions.upstream is absent without the trace header and with UPSTREAM_TRACE=off', async () => {
    const { execute, sandbox } = createTimedGateway();
    const { richCallId: id } = sampleIds(sandbox);
    expect(await execute(CALL, { id })).toEqual({ data: { call: { id } } });
    expect(await execute(CALL, { id }, { 'x-revox-trace': '0' })).toEqual({
      data: { call: { id } },
    });
    const silent = createTimedGateway({ settings: { UPSTREAM_TRACE: 'off' } });
    expect(await silent.execute(CALL, { id }, TRACED)).toEqual({ data: { call: { id } } });
  });

  test('extensions.upstream lists at most 1,000 calls and counts all of them', () => {
    const account = createUpstreamUsage(() => 0);
    for (let n = 0; n < 1001; n += 1) {
      account.record(
        { method: 'GET', path: `/call/${n}`, status: 200, ms: 1, source: 'cache' },
        undefined,
        '/call/{id}',
      );
    }
    expect(account.counts.cache).toBe(1001);
    expect(account.lookups).toHaveLength(1000);
  });
});

describe('Cache-Control', () => {
  const QUERIES: {
    name: string;
    query: string;
    headers?: Record<string, string>;
    expected: string;
  }[] = [
    {
      name: 'a call that ended a while ago',
      query: '{ call(id: "$rich") { id } }',
      expected: 'private, max-age=600',
    },
    {
      name: 'an assistant',
      query: '{ assistant(id: "$french") { name } }',
      expected: 'private, max-age=30',
    },
    {
      name: 'the least fresh of several things',
      query:
        '{ call(id: "$rich") { id } assistant(id: "$french") { name } campaign(id: "$large") { name } }',
      expected: 'private, max-age=10',
    },
    {
      name: 'a page',
      query: '{ callAttempts(statuses: [COMPLETED]) { nodes { id } } }',
      expected: 'private, max-age=1',
    },
    {
      name: 'a call that does not exist',
      query: '{ call(id: "nowhere") { id } }',
      expected: 'private, max-age=2',
    },
    {
      name: 'a response without upstream data',
      query: '{ __typename }',
      expected: 'private, max-age=0',
    },
    {
      name: 'a live call',
      query: '{ call(id: "$live") { id } assistant(id: "$french") { name } }',
      expected: 'no-store',
    },
    {
      name: 'a page with a live attempt',
      query: '{ callAttempts { nodes { id } } }',
      expected: 'no-store',
    },
    {
      name: 'an error',
      query: '{ call(id: "$rich") { id } assistant(id: "") { name } }',
      expected: 'no-store',
    },
    {
      name: 'a trace',
      query: '{ call(id: "$rich") { id } }',
      headers: TRACED,
      expected: 'no-store',
    },
    { name: 'an invalid query', query: '{ nothing }', expected: 'no-store' },
    { name: 'an empty query', query: '', expected: 'no-store' },
  ];

  function fill(query: string, gateway: ReturnType<typeof createTimedGateway>): string {
    const { richCallId, frenchAssistantId, largeCampaignId, liveCallId } = sampleIds(
      gateway.sandbox,
    );
    const ids: Record<string, string> = {
      rich: richCallId,
      french: frenchAssistantId,
      large: largeCampaignId,
      live: liveCallId,
    };
    return query.replace(/\$(\w+)/g, (_, name: string) => ids[name]!);
  }

  test.each(QUERIES)(
    'the Cache-Control of $name is $expected',
    async ({ query, headers, expected }) => {
      const gateway = createTimedGateway();
      const body = JSON.stringify({ query: fill(query, gateway) });
      const post = await gateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      expect(post.headers.get('cache-control')).toBe(expected);
      expect(post.headers.get('vary')).toBe(VARY_WHOLE);
      expect(await post.json()).not.toHaveProperty('extensions.http');
    },
  );

  test('max-age decreases with the age of the entry, and a stale response is no-store', async () => {
    const gateway = createTimedGateway();
    const get = async () => {
      const url = `/graphql?${new URLSearchParams({ query: fill('{ call(id: "$rich") { id } }', gateway) })}`;
      const response = await gateway.fetch(url, { headers: { accept: 'application/json' } });
      expect((await response.json()).data.call.id).toBe(sampleIds(gateway.sandbox).richCallId);
      return response.headers.get('cache-control');
    };
    expect(await get()).toBe('private, max-age=600');
    gateway.clock.pass(598_500);
    expect(await get()).toBe('private, max-age=1');
    gateway.clock.pass(1_400);
    expect(await get()).toBe('private, max-age=0');
    gateway.clock.pass(100);
    expect(await get()).toBe('no-store');
  });

  test('a response of a gateway without a cache has max-age=0', async () => {
    const gateway = createTimedGateway({ settings: NO_CACHE });
    const url = `/graphql?${new URLSearchParams({ query: fill('{ call(id: "$rich") { id } }', gateway) })}`;
    const { headers } = await gateway.fetch(url, { headers: { accept: 'application/json' } });
    expect(headers.get('cache-control')).toBe('private, max-age=0');
  });

  test.each([
    { name: 'without an API key', settings: { REVOX_API_KEY: '' }, init: {}, status: 401 },
    {
      name: 'of another content type',
      settings: {},
      init: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
      status: 415,
    },
    {
      name: 'with a body over the limit',
      settings: { MAX_BODY_BYTES: '1024' },
      init: {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `"${'x'.repeat(2000)}"`,
      },
      status: 413,
    },
    {
      name: 'that accepts only an unsupported type',
      settings: {},
      init: { headers: { accept: 'image/png' } },
      status: 406,
    },
  ])(
    'the Cache-Control of a rejected request $name is no-store',
    async ({ settings, init, status }) => {
      const { fetch } = createTimedGateway({ settings });
      const response = await fetch('/graphql?query={__typename}', init);
      expect(response.status).toBe(status);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('vary')).toBe(VARY_WHOLE);
    },
  );

  test.each([
    {
      name: 'an event stream',
      accept: 'text/event-stream',
      query: '{ assistants { nodes { id } } }',
    },
    {
      name: 'an event stream for an invalid query',
      accept: 'text/event-stream',
      query: '{ nothing }',
    },
    {
      name: 'a multipart response',
      accept: 'multipart/mixed',
      query: '{ assistants { nodes { id } } }',
    },
  ])('the Cache-Control of $name is no-store', async ({ accept, query }) => {
    const response = await createTimedGateway().fetch(
      `/graphql?${new URLSearchParams({ query })}`,
      { headers: { accept } },
    );
    expect(response.headers.get('content-type')).toContain(accept);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toBe(VARY);
  });

  test('the GraphiQL page has no Cache-Control header and varies by Accept', async () => {
    const { headers } = await createTimedGateway().fetch('/graphql', {
      headers: { accept: 'text/html' },
    });
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('cache-control')).toBeNull();
    expect(headers.get('vary')).toBe(VARY_WHOLE);
  });

  test('a response with a live call in a campaign row is no-store', async () => {
    const gateway = createTimedGateway();
    const { largeCampaignId, liveCallId } = sampleIds(gateway.sandbox);
    const control = gateway.sandbox.control;
    const live = control.data('sk_demo_a').calls.find(({ id }) => id === liveCallId)!;
    control.transform(/\/rows/, (body) => ({
      ...body,
      rows: [{ ...body.rows[0], call: live }, ...body.rows.slice(1)],
    }));
    const url = `/graphql?${new URLSearchParams({ query: `{ campaign(id: "${largeCampaignId}") { rows { nodes { id } } } }` })}`;
    const { headers } = await gateway.fetch(url, { headers: { accept: 'application/json' } });
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
