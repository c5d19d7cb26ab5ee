import { describe, expect, test, vi } from 'vitest';
import { RepeatedBody } from '#rest/repeated-body.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const CALL_UPDATED = 'subscription ($id: ID!) { callUpdated(id: $id) { status } }';
const SECOND = 1_000;

describe('Upstream traffic of subscriptions', () => {
  test('the response of a query is an event, and postpones the next poll', async () => {
    const gateway = createLiveGateway();
    gateway.putCall({ id: 'c1', status: 'calling' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(1_500);
    gateway.putCall({ id: 'c1', status: 'scheduled', scheduled_at: null });
    gateway.traffic();
    await gateway.execute('{ call(id: "c1") { id } }');
    await gateway.pass(300);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'SCHEDULED' } });
    await gateway.pass(25 * SECOND);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(await gateway.metric('live_events_total{field="callUpdated",source="query"}')).toBe(1);
  });

  test('a poll that reads an unchanged call does not parse it again, and sends no event', async () => {
    const parse = vi.spyOn(RepeatedBody.prototype, 'parse');
    const gateway = createLiveGateway();
    gateway.putCall({ id: 'c1', status: 'calling' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.pass(10 * SECOND);
    const polls = gateway.traffic();
    const values = parse.mock.results.map(({ value }) => value as unknown);
    parse.mockRestore();
    expect(polls.length).toBeGreaterThan(2);
    expect(new Set(polls)).toEqual(new Set(['GET /call/c1']));
    expect(values.length).toBe(polls.length);
    expect(new Set(values).size).toBe(1);
    expect(stream.events.length).toBe(1);
  });

  test('a poll fills the cache of queries', async () => {
    const gateway = createLiveGateway();
    gateway.putCall({ id: 'c1', status: 'calling' });
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    gateway.traffic();
    const { data } = await gateway.execute('{ call(id: "c1") { status } }');
    expect(data).toEqual({ call: { status: 'CALLING' } });
    expect(gateway.traffic()).toEqual([]);
  });

  test('different selections of one call share its polls, and are executed separately', async () => {
    const gateway = createLiveGateway();
    gateway.putCall({ id: 'c1', status: 'calling' });
    gateway.traffic();
    await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    const other = await gateway.subscribe('subscription { callUpdated(id: "c1") { id } }');
    await gateway.pass(SECOND);
    expect(other.events.map(({ data }) => data)).toEqual([{ callUpdated: { id: 'c1' } }]);
    expect(gateway.traffic()).toEqual(['GET /call/c1']);
    expect(await gateway.metric('live_cohorts')).toBe(2);
    expect(await gateway.metric('live_watched{state="live"}')).toBe(1);
  });

  test('the requests of events count for the rate of the credential', async () => {
    const gateway = createLiveGateway({
      settings: { FRESHNESS_PAGE_MS: '0', LIVE_RATE: '5', REVOX_MAX_CONCURRENCY: '100' },
    });
    const { id, name } = gateway.sandbox.control.data(KEY_A).campaigns[0]!;
    gateway.putCall({ id: 'c1', status: 'initializing', campaign: { id, name } });
    const listsOf = (n: number) =>
      Array.from(
        { length: 8 },
        (_, k) => `r${k}: rows(first: 1, query: "${n} ${k}") { totalCount }`,
      );
    const query = (n: number) =>
      `subscription Lists${n} { callUpdated(id: "c1") { campaign { ${listsOf(n).join(' ')} } } }`;
    for (let n = 0; n < 5; n += 1) await gateway.subscribe(query(n));
    await gateway.pass(10 * SECOND);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    const requests = gateway.traffic();
    // Each poll causes one execution of each of the five documents.
    expect(requests.filter((path) => path === 'GET /call/c1').length).toBeGreaterThan(3);
    expect(requests.length).toBeLessThanOrEqual(60 * 5 + 5 * 8);
  });

  test('more calls than the rate permits are polled later, all alike, and the metric shows it', async () => {
    const gateway = createLiveGateway({
      settings: {
        LIVE_RATE: '5',
        REVOX_MAX_CONCURRENCY: '100',
        REVOX_MAX_CONCURRENCY_TOTAL: '100',
      },
    });
    const ids = Array.from({ length: 50 }, (_, index) => `live-${index}`);
    for (const id of ids) gateway.putCall({ id, status: 'initializing' });
    for (const id of ids) await gateway.subscribe(CALL_UPDATED, { id });
    await gateway.pass(20 * SECOND);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    const polls = gateway.traffic();
    expect(polls.length).toBeLessThanOrEqual(5 * 61);
    expect(polls.length).toBeGreaterThan(5 * 55);
    const counts = ids.map((id) => polls.filter((poll) => poll === `GET /call/${id}`).length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...counts)).toBeLessThanOrEqual(7);
    // 50 calls every 2 s are 25 polls a second.
    expect(await gateway.metric('live_stretch')).toBe(5);
  });

  test('a client that subscribes and leaves again and again stays within the rate', async () => {
    const gateway = createLiveGateway({ settings: { LIVE_RATE: '2' } });
    for (let index = 0; index < 40; index += 1) {
      gateway.putCall({ id: `c${index}`, status: 'calling' });
      const stream = await gateway.subscribe(CALL_UPDATED, { id: `c${index}` });
      await gateway.pass(50);
      stream.leave();
    }
    expect(gateway.traffic().length).toBeLessThanOrEqual(2 + 2 * 2);
  });

  test('a rate limit of the upstream pauses all polls of the credential until it ends', async () => {
    const gateway = createLiveGateway({ settings: { REVOX_RETRIES: '0' } });
    for (const id of ['c1', 'c2']) gateway.putCall({ id, status: 'calling' });
    const stream = await gateway.subscribe(CALL_UPDATED, { id: 'c1' });
    await gateway.subscribe(CALL_UPDATED, { id: 'c2' });
    gateway.sandbox.control.fail('/call/', {
      status: 429,
      headers: { 'retry-after': '20' },
      times: 1,
    });
    await gateway.pass(3 * SECOND);
    gateway.putCall({ id: 'c1', status: 'completed' });
    gateway.traffic();
    await gateway.pass(15 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    await gateway.pass(15 * SECOND);
    expect(stream.events.at(-1)?.data).toEqual({ callUpdated: { status: 'COMPLETED' } });
  });

  test('nothing is polled, counted or timed after the last subscriber has left', async () => {
    const gateway = createLiveGateway();
    const timers = gateway.pendingTimers();
    gateway.putCall({ id: 'c1', status: 'calling' });
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => gateway.subscribe(CALL_UPDATED, { id: 'c1' })),
    );
    for (const stream of streams) stream.leave();
    await gateway.pass(5 * SECOND);
    gateway.traffic();
    await gateway.pass(60 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    expect(await gateway.metric('live_cohorts')).toBe(0);
    expect(await gateway.metric('live_watched{state="live"}')).toBe(0);
    expect(await gateway.metric('live_ends_total{transport="sse",reason="client"}')).toBe(20);
    // The sweep of the memory cache remains.
    expect(gateway.pendingTimers()).toBeLessThanOrEqual(timers + 1);
  });
});
