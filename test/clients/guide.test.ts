import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'graphql';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type CallState, createLiveGateway, putCallState } from '../support/live-gateway.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { createTestGateway, KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import { readAttempts } from './guide/read-attempts.ts';
import { createTokenFetch } from './guide/token-fetch.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/guides/clients.md'), 'utf8');

/** The operation of the page with this name. */
function operationOf(name: string): string {
  const operations = Array.from(PAGE.matchAll(/```graphql\n(.*?)```/gs), ([, code = '']) => code);
  const isNamed = (code: string) =>
    parse(code).definitions.some((each) => 'name' in each && each.name?.value === name);
  return operations.find(isNamed)!;
}

describe('The token of a page', () => {
  const open: ServedGateway[] = [];
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close();
  });

  async function createTokens(lifetimesSeconds: readonly number[]) {
    const key = await createKey('one');
    const gateway = await serveTestGateway({
      settings: { ...NO_CACHE, ...JWT_SETTINGS },
      gateway: { fetchKeys: toFetchKeys(createTokenIssuer(key)) },
    });
    open.push(gateway);
    const rest = lifetimesSeconds.map((lifetime) => Math.floor(Date.now() / 1000) + lifetime);
    const renewToken = vi.fn(async () => {
      const exp = rest.shift();
      if (exp === undefined) throw new Error('The user must sign in again.');
      return sign(key, { ...VALID_CLAIMS, exp });
    });
    const tokenFetch = createTokenFetch(renewToken);
    const ids = sampleIds(gateway.sandbox).twentyCallIds;
    return {
      gateway,
      renewToken,
      ids,
      async query(id: string): Promise<{ status: number; body: unknown }> {
        const response = await tokenFetch(gateway.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            query: 'query Card($id: ID!) { call(id: $id) { id } }',
            variables: { id },
          }),
        });
        return { status: response.status, body: await response.json() };
      },
    };
  }

  test('five requests with an expired token share one new token, and each then gets its data', async () => {
    const { gateway, query, renewToken, ids } = await createTokens([-3600, 3600]);
    const responses = await Promise.all(ids.slice(0, 5).map(query));
    expect(responses).toEqual(
      ids.slice(0, 5).map((id) => ({ status: 200, body: { data: { call: { id } } } })),
    );
    expect(renewToken).toHaveBeenCalledTimes(2);
    expect(gateway.traffic().sort()).toEqual(
      ids
        .slice(0, 5)
        .map((id) => `GET /call/${id}`)
        .sort(),
    );

    expect(await query(ids[5]!)).toMatchObject({ status: 200 });
    expect(renewToken).toHaveBeenCalledTimes(2);
    expect(gateway.traffic()).toEqual([`GET /call/${ids[5]}`]);
  });

  test('a request whose new token is rejected, too, gets 401 and sends nothing upstream', async () => {
    const { gateway, query, renewToken, ids } = await createTokens([-3600, -3600]);
    expect(await query(ids[0]!)).toMatchObject({
      status: 401,
      body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    expect(renewToken).toHaveBeenCalledTimes(2);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a request fails when the user must sign in again, and a later request asks for a token again', async () => {
    const { gateway, query, renewToken, ids } = await createTokens([]);
    await expect(query(ids[0]!)).rejects.toThrow('The user must sign in again.');
    await expect(query(ids[0]!)).rejects.toThrow('The user must sign in again.');
    expect(renewToken).toHaveBeenCalledTimes(2);
    expect(gateway.traffic()).toEqual([]);
  });
});

describe('Pages of a list', () => {
  test('the loop of the page reads each attempt with the statuses once, and then stops', async () => {
    // No page expires during the walk, even on a slow machine.
    await using gateway = await serveTestGateway({ settings: { FRESHNESS_PAGE_MS: '600000' } });
    const { calls, attempts } = gateway.sandbox.control.data(KEY_A);
    const completed = new Set(
      calls
        .filter(({ status }) => status === 'completed')
        .flatMap((call) => call.call_attempts.map(({ id }) => id)),
    );
    const expected = attempts.map(({ id }) => id).filter((id) => completed.has(id));
    const read: string[] = [];
    for await (const { id } of readAttempts(gateway.url, ['COMPLETED'])) read.push(id);
    expect(read.length).toBeGreaterThan(100);
    expect(read).toEqual(expected);
    const pages = gateway.traffic();
    expect(pages).toEqual([...new Set(pages)]);
    expect(gateway.unexpectedErrors).toEqual([]);
  });

  test.each([
    { name: 'more than 100 items', args: 'first: 101' },
    { name: 'no items', args: 'first: 0' },
    { name: 'items from both ends', args: 'first: 1, last: 1' },
    { name: 'items after a text that is no cursor', args: 'first: 1, after: "2"' },
  ])('a page of $name is an error at the list, and costs no upstream request', async ({ args }) => {
    const gateway = createTestGateway();
    const { data, errors } = await gateway.execute(`{ callAttempts(${args}) { nodes { id } } }`);
    expect(data).toEqual({ callAttempts: null });
    expect(errors).toMatchObject([
      { path: ['callAttempts'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    expect(gateway.traffic()).toEqual([]);
  });

  test('a cursor of the list with another filter is an error, and costs no upstream request', async () => {
    const gateway = createTestGateway();
    const query = `query Page($after: String, $statuses: [CallStatus!]) {
      callAttempts(first: 1, after: $after, statuses: $statuses) { pageInfo { endCursor } }
    }`;
    const { data } = await gateway.execute(query, { statuses: ['COMPLETED'] });
    const after = data.callAttempts.pageInfo.endCursor;
    expect(gateway.traffic()).toHaveLength(1);
    const { errors } = await gateway.execute(query, { after, statuses: ['ERRORED'] });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(gateway.traffic()).toEqual([]);
  });
});

test('progress of eight campaigns costs 17 upstream requests, and none while it is fresh', async () => {
  const gateway = createTimedGateway();
  const query = operationOf('CampaignProgress');
  const { data, errors } = await gateway.execute(query);
  expect(errors).toBeUndefined();
  const { rows } = gateway.sandbox.control.data(KEY_A);
  expect(data.campaigns.nodes).toHaveLength(8);
  for (const { id, all, completed } of data.campaigns.nodes) {
    expect(all.totalCount).toBe(rows[id]!.length);
    expect(completed.totalCount).toBe(
      rows[id]!.filter(({ call }) => call?.status === 'completed').length,
    );
  }
  expect(gateway.traffic()).toHaveLength(17);
  await gateway.execute(query);
  expect(gateway.traffic()).toEqual([]);
});

test('UNRECOGNIZED as a filter is an error, and costs no upstream request', async () => {
  const gateway = createTestGateway();
  const query =
    'query List($statuses: [CallStatus!]) { callAttempts(statuses: $statuses) { nodes { id } } }';
  const { errors } = await gateway.execute(query, { statuses: ['UNRECOGNIZED'] });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(gateway.traffic()).toEqual([]);
});

test('a query in an outage gets the last data, and learns that it is stale only with the trace header', async () => {
  const gateway = createTimedGateway({ settings: { REVOX_RETRIES: '0' } });
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const query = 'query Card($id: ID!) { call(id: $id) { id status } }';
  const { data } = await gateway.execute(query, { id });
  gateway.sandbox.control.fail('/call/', { status: 503 });
  gateway.clock.pass(30 * 60_000);
  gateway.traffic();
  expect(await gateway.execute(query, { id })).toEqual({ data });
  const traced = await gateway.executeTraced(query, { id });
  expect(traced).toMatchObject({ data, extensions: { upstream: { stale: 1 } } });
  expect(new Set(gateway.traffic())).toEqual(new Set([`GET /call/${id}`]));
});

test('the first list after a start shows the request for page 0 that finds the first page', async () => {
  const gateway = createTimedGateway({ settings: { REVOX_FIRST_PAGE: 'auto' } });
  const query = '{ callAttempts(first: 1) { nodes { id } } }';
  const { data, errors, extensions } = await gateway.executeTraced(query);
  expect([data.callAttempts.nodes.length, errors]).toEqual([1, undefined]);
  // Discovery confirms what it has found.
  expect(extensions.upstream.calls).toMatchObject([
    { path: '/call?page=0&page_size=50', status: 400, code: 'UPSTREAM_REJECTED' },
    { path: '/call?page=1&page_size=50', status: 200 },
    { path: '/call?page=0&page_size=50', status: 400, code: 'UPSTREAM_REJECTED' },
  ]);
  expect(gateway.traffic()).toHaveLength(3);
});

test.each([0, 0.25, 0.5, 0.75, 0.999])(
  'a live call is up to date at most 90 s after an outage (jitter %d)',
  async (jitter) => {
    const gateway = createLiveGateway({
      settings: { REVOX_RETRIES: '0' },
      gateway: { random: () => jitter },
    });
    gateway.putCall({ id: 'c1', status: 'calling' });
    const stream = await gateway.subscribe('subscription { callUpdated(id: "c1") { status } }');
    // The circuit of the endpoint opens, too.
    gateway.sandbox.control.fail('/call/', { status: 503 });
    for (let second = 0; second < 120; second += 1) {
      void gateway.execute('{ call(id: "c2") { id } }');
      await gateway.pass(1_000);
    }
    expect(stream.events.at(-1)).toMatchObject({ extensions: { live: { stale: true } } });
    gateway.sandbox.control.heal();
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.traffic();
    await gateway.pass(90_000);
    expect(stream.events.at(-1)).toMatchObject({
      data: { callUpdated: { status: 'COMPLETED' } },
      extensions: { live: { stale: false } },
    });
    expect(gateway.traffic()).toContain('GET /call/c1');
  },
);

describe('50 viewers of a live call for 20 seconds', () => {
  const VIEWERS = 50;
  const DURATION_MS = 20_000;
  const INTERVAL_MS = 2_000;
  const LIVE_ID = 'live-call';
  const CARD = 'query Card($id: ID!) { call(id: $id) { id status } }';
  const STATUS = { id: LIVE_ID, status: 'CALLING' };

  function toLiveCall({ control }: Sandbox): CallState {
    const attempt = {
      ...control.data(KEY_A).attempts[0]!,
      status: 'ongoing' as const,
      ended_at: null,
    };
    return { id: LIVE_ID, status: 'calling', last_call_attempt: attempt };
  }

  test.each([
    { name: 'at the same time', spreadMs: 0, polls: 500, upstream: 10 },
    { name: 'one after the other', spreadMs: INTERVAL_MS / VIEWERS, polls: 500, upstream: 20 },
  ])(
    'viewers that poll every two seconds, $name, send $polls requests, and the gateway $upstream',
    async ({ spreadMs, polls, upstream }) => {
      const gateway = createTimedGateway();
      putCallState(gateway.sandbox, toLiveCall(gateway.sandbox));
      let count = 0;
      for (let round = 0; round < DURATION_MS / INTERVAL_MS; round += 1) {
        for (let viewer = 0; viewer < VIEWERS; viewer += 1) {
          const { data } = await gateway.execute(CARD, { id: LIVE_ID });
          expect(data.call).toEqual(STATUS);
          count += 1;
          gateway.clock.pass(spreadMs);
        }
        gateway.clock.pass(INTERVAL_MS - VIEWERS * spreadMs);
      }
      expect(count).toBe(polls);
      expect(gateway.traffic()).toEqual(Array(upstream).fill(`GET /call/${LIVE_ID}`));
    },
  );

  test('viewers that subscribe send 50 requests, and the gateway 11', async () => {
    const gateway = createLiveGateway();
    gateway.putCall(toLiveCall(gateway.sandbox));
    const streams = [];
    for (let viewer = 0; viewer < VIEWERS; viewer += 1)
      streams.push(
        await gateway.subscribe(
          'subscription Watch($id: ID!) { callUpdated(id: $id) { id status } }',
          { id: LIVE_ID },
        ),
      );
    await gateway.pass(DURATION_MS);
    expect(gateway.traffic()).toEqual(Array(11).fill(`GET /call/${LIVE_ID}`));
    await Promise.all(streams.map((stream) => stream.leave()));
  });
});
