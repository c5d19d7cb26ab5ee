import { describe, expect, test } from 'vitest';
import { createUpstreamUsage } from '#context/upstream-usage.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id } }';
const TRACED = { 'x-revox-trace': '1' };
const VARY = 'Authorization, Router-Authorization, Accept';

/** Of what may be compressed. */
const VARY_WHOLE = `${VARY}, Accept-Encoding`;

describe('extensions.upstream', () => {
  test('tells every question, where its answer came from, and what was sent', async () => {
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
          { method: 'GET', path: `/call/${id}`, status: 200, ms: expect.any(Number), source: 'cache' },
          { method: 'GET', path: '/call/nowhere', status: 404, ms: expect.any(Number), source: 'network' },
          { method: 'GET', path: `/call/${retriedCallId}`, status: 200, ms: expect.any(Number), source: 'network' },
        ],
      },
    });
    // Tenths of a millisecond, by a clock that never goes back.
    for (const { ms } of extensions.upstream.calls) expect(ms).toBe(Math.round(Math.round(ms / 1.26) * 12.6) / 10);

    clock.pass(600_000);
    sandbox.control.reset(() => true);
    const failing = await execute(CALL, { id: 'unseen' }, TRACED);
    expect(failing.extensions.upstream).toMatchObject({
      requests: 1,
      calls: [{ path: '/call/unseen', status: null, source: 'network' }],
    });
  });

  test('tells pages with their numbers, by the query that was sent', async () => {
    const { executeTraced } = createTimedGateway();
    const { sources } = await executeTraced('{ callAttempts(first: 1, statuses: [COMPLETED, ERRORED]) { nodes { id } } }');
    expect(sources).toEqual(['network /call?page=1&page_size=50&statuses=completed%2Cerrored']);
  });

  test('is told nobody who does not ask, and nobody where it is off', async () => {
    const { execute, sandbox } = createTimedGateway();
    const { richCallId: id } = sampleIds(sandbox);
    expect(await execute(CALL, { id })).toEqual({ data: { call: { id } } });
    expect(await execute(CALL, { id }, { 'x-revox-trace': '0' })).toEqual({ data: { call: { id } } });
    const silent = createTimedGateway({ settings: { UPSTREAM_TRACE: 'off' } });
    expect(await silent.execute(CALL, { id }, TRACED)).toEqual({ data: { call: { id } } });
  });

  test('is bounded, though its counts are not', () => {
    const account = createUpstreamUsage(() => 0);
    for (let n = 0; n < 1001; n += 1) {
      account.record({ method: 'GET', path: `/call/${n}`, status: 200, ms: 1, source: 'cache' }, undefined, '/call/{id}');
    }
    expect(account.counts.cache).toBe(1001);
    expect(account.calls).toHaveLength(1000);
  });
});

describe('Cache-Control', () => {
  const QUERIES: { name: string; query: string; headers?: Record<string, string>; expected: string }[] = [
    { name: 'a call that ended a while ago', query: '{ call(id: "$rich") { id } }', expected: 'private, max-age=600' },
    { name: 'an assistant', query: '{ assistant(id: "$french") { name } }', expected: 'private, max-age=30' },
    {
      name: 'the least fresh of several things',
      query: '{ call(id: "$rich") { id } assistant(id: "$french") { name } campaign(id: "$large") { name } }',
      expected: 'private, max-age=10',
    },
    { name: 'a page', query: '{ callAttempts(statuses: [COMPLETED]) { nodes { id } } }', expected: 'private, max-age=1' },
    { name: 'what is not there', query: '{ call(id: "nowhere") { id } }', expected: 'private, max-age=2' },
    { name: 'nothing of the upstream', query: '{ __typename }', expected: 'private, max-age=0' },
    { name: 'a live call', query: '{ call(id: "$live") { id } assistant(id: "$french") { name } }', expected: 'no-store' },
    { name: 'a page with a live attempt', query: '{ callAttempts { nodes { id } } }', expected: 'no-store' },
    { name: 'an error', query: '{ call(id: "$rich") { id } assistant(id: "") { name } }', expected: 'no-store' },
    { name: 'a trace', query: '{ call(id: "$rich") { id } }', headers: TRACED, expected: 'no-store' },
    { name: 'no valid query', query: '{ nothing }', expected: 'no-store' },
    { name: 'no query at all', query: '', expected: 'no-store' },
  ];

  function fill(query: string, gateway: ReturnType<typeof createTimedGateway>): string {
    const { richCallId, frenchAssistantId, largeCampaignId, liveCallId } = sampleIds(gateway.sandbox);
    const ids: Record<string, string> = { rich: richCallId, french: frenchAssistantId, large: largeCampaignId, live: liveCallId };
    return query.replace(/\$(\w+)/g, (_, name: string) => ids[name]!);
  }

  test.each(QUERIES)('of $name: $expected', async ({ query, headers, expected }) => {
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
  });

  test('goes down as time goes by, and is none for what is served stale', async () => {
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

  test('of a gateway that remembers nothing lets nobody else remember', async () => {
    const gateway = createTimedGateway({ settings: NO_CACHE });
    const url = `/graphql?${new URLSearchParams({ query: fill('{ call(id: "$rich") { id } }', gateway) })}`;
    const { headers } = await gateway.fetch(url, { headers: { accept: 'application/json' } });
    expect(headers.get('cache-control')).toBe('private, max-age=0');
  });

  test.each([
    { name: 'without a key', settings: { REVOX_API_KEY: '' }, init: {}, status: 401 },
    {
      name: 'of no JSON',
      settings: {},
      init: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
      status: 415,
    },
    {
      name: 'of too large a body',
      settings: { MAX_BODY_BYTES: '1024' },
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(2000)}"` },
      status: 413,
    },
    { name: 'of no answer that we have', settings: {}, init: { headers: { accept: 'image/png' } }, status: 406 },
  ])('of a request $name that is refused: no-store', async ({ settings, init, status }) => {
    const { fetch } = createTimedGateway({ settings });
    const response = await fetch('/graphql?query={__typename}', init);
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toBe(VARY_WHOLE);
  });

  test.each([
    { name: 'that comes as events', accept: 'text/event-stream', query: '{ assistants { nodes { id } } }' },
    { name: 'that comes as events, of no valid query', accept: 'text/event-stream', query: '{ nothing }' },
    { name: 'that comes in parts', accept: 'multipart/mixed', query: '{ assistants { nodes { id } } }' },
  ])('of an answer $name: no-store', async ({ accept, query }) => {
    const response = await createTimedGateway().fetch(`/graphql?${new URLSearchParams({ query })}`, { headers: { accept } });
    expect(response.headers.get('content-type')).toContain(accept);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toBe(VARY);
  });

  test('is none for the GraphiQL page; but what stands at its address depends on Accept', async () => {
    const { headers } = await createTimedGateway().fetch('/graphql', { headers: { accept: 'text/html' } });
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('cache-control')).toBeNull();
    expect(headers.get('vary')).toBe(VARY_WHOLE);
  });

  test('a live call in the list of a campaign’s rows is one too', async () => {
    const gateway = createTimedGateway();
    const { largeCampaignId, liveCallId } = sampleIds(gateway.sandbox);
    const control = gateway.sandbox.control;
    const live = control.data('sk_demo_a').calls.find(({ id }) => id === liveCallId)!;
    control.transform(/\/rows/, (body) => ({ ...body, rows: [{ ...body.rows[0], call: live }, ...body.rows.slice(1)] }));
    const url = `/graphql?${new URLSearchParams({ query: `{ campaign(id: "${largeCampaignId}") { rows { nodes { id } } } }` })}`;
    const { headers } = await gateway.fetch(url, { headers: { accept: 'application/json' } });
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
