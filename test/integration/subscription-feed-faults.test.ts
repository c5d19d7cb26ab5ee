import { describe, expect, test } from 'vitest';
import type { SandboxOptions } from '#sandbox/sandbox.ts';
import { attemptsOf, codes, createFeedGateway, FEED, ids, skips } from '../support/feed-gateway.ts';
import type { LiveGateway } from '../support/live-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe('A feed while the upstream fails', () => {
  test('is silent, and sends what was new during the outage without a gap', async () => {
    const gateway = createFeedGateway({ REVOX_PAGE_SIZE: '5' });
    const stream = await gateway.subscribe(FEED);
    gateway.sandbox.control.reset('/call?');
    const added = gateway.insert(8);
    await gateway.pass(3 * MINUTE);
    expect(stream.events).toEqual([]);
    expect(stream.text().match(/^:$/gm)?.length).toBeGreaterThan(10);
    gateway.sandbox.control.heal();
    await gateway.pass(2 * MINUTE);
    expect(ids(stream)).toEqual(added);
    expect(skips(stream)[0]).toBeUndefined();
  });

  test('a start during the outage gets an error after the deadline, and says what it may have skipped', async () => {
    const gateway = createFeedGateway({ REQUEST_DEADLINE_MS: '5000' });
    const { startCursor } = await gateway.page();
    gateway.sandbox.control.fail('/call?', { status: 503 });
    await gateway.pass(2 * SECOND);
    const stream = await gateway.subscribe(FEED);
    const afterPage = await gateway.subscribe(FEED, { after: startCursor });
    await gateway.pass(10 * SECOND);
    for (const each of [stream, afterPage]) {
      expect(codes(each)).toEqual(['UPSTREAM_UNAVAILABLE']);
      expect([each.events[0]?.data, each.events[0]?.id]).toEqual([null, undefined]);
    }
    const missed = gateway.insert();
    gateway.sandbox.control.heal();
    await gateway.pass(MINUTE);
    const added = gateway.insert();
    await gateway.pass(15 * SECOND);
    expect(ids(stream).slice(1)).toEqual(added);
    expect(skips(stream)).toEqual([undefined, true]);
    expect(ids(afterPage).slice(1)).toEqual([...missed, ...added]);
    expect(skips(afterPage)).toEqual([undefined, undefined, undefined]);
  });

  test('an outage of LIVE_GIVE_UP_MS interrupts it without complete', async () => {
    const gateway = createFeedGateway({ LIVE_GIVE_UP_MS: '120000' });
    const stream = await gateway.subscribe(FEED);
    gateway.sandbox.control.fail('/call?', { status: 503 });
    await gateway.pass(3 * MINUTE);
    expect(codes(stream)).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect([stream.isComplete(), stream.isEnded()]).toEqual([false, true]);
    gateway.traffic();
    await gateway.pass(MINUTE);
    expect(gateway.traffic()).toEqual([]);
  });

  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
  ])('a %i ends it with %s and complete', async (status, code) => {
    const gateway = createFeedGateway({ REVOX_API_KEY: '' });
    const headers = { authorization: `Bearer ${KEY_A}` };
    const stream = await gateway.subscribe(FEED, {}, headers);
    gateway.sandbox.control.fail('/call?', { status });
    await gateway.pass(6 * SECOND);
    expect([codes(stream), stream.isComplete(), stream.isEnded()]).toEqual([[code], true, true]);
  });

  test('a rate limit pauses its polls until it ends', async () => {
    const gateway = createFeedGateway();
    const stream = await gateway.subscribe(FEED);
    gateway.sandbox.control.fail('/call?', {
      status: 429,
      headers: { 'retry-after': '20' },
      times: 1,
    });
    await gateway.pass(6 * SECOND);
    const added = gateway.insert();
    gateway.traffic();
    await gateway.pass(15 * SECOND);
    expect(gateway.traffic()).toEqual([]);
    await gateway.pass(15 * SECOND);
    expect(ids(stream)).toEqual(added);
  });
});

describe('A slow reader of a feed', () => {
  /** A client that reads the first bytes of its stream and then stops. */
  async function openAndStall(gateway: LiveGateway) {
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: FEED }),
    });
    const reader = response.body!.getReader();
    await reader.read();
    await gateway.pass(0);
    return reader;
  }

  test('is disconnected with more than 100 unread edges, and others are not', async () => {
    const gateway = createFeedGateway();
    await openAndStall(gateway);
    const stream = await gateway.subscribe(FEED);
    const slowEnds = () => gateway.metric('live_ends_total{transport="sse",reason="slow"}');
    gateway.insert(60);
    await gateway.pass(5 * SECOND);
    gateway.insert(30);
    await gateway.pass(5 * SECOND);
    expect(await slowEnds()).toBe(0);
    gateway.insert(20);
    await gateway.pass(5 * SECOND);
    expect(await slowEnds()).toBe(1);
    expect(ids(stream)).toHaveLength(110);
    expect(stream.isEnded()).toBe(false);
  });

  test('that reads on in time gets every edge, however many one poll has found', async () => {
    const gateway = createFeedGateway();
    const reader = await openAndStall(gateway);
    gateway.insert(150);
    await gateway.pass(10 * SECOND);
    let text = '';
    while (text.split('event: next').length <= 150)
      text += Buffer.from((await reader.read()).value ?? []).toString();
    expect(new Set(text.match(/"id":"[^"]+"/g)).size).toBe(150);
    expect(await gateway.metric('live_ends_total{transport="sse",reason="slow"}')).toBe(0);
  });
});

describe('A feed of an upstream with other pages', () => {
  test.each<[string, SandboxOptions]>([
    ['that are numbered from 0', { firstPage: 0 }],
    ['that are numbered from 1', { firstPage: 1 }],
    ['whose numbers are clamped', { firstPage: 1, clampsPageNumber: true }],
    ['that the upstream caps', { maxPageSize: 3 }],
    ['of one fixed size', { fixedPageSize: 4 }],
    ['with the oldest attempts first', { oldestFirst: true }],
    [
      'with the oldest attempts first, from 0, with a cap',
      { oldestFirst: true, firstPage: 0, maxPageSize: 4 },
    ],
  ])('%s sends each new attempt once, and starts after a cursor', async (_name, sandbox) => {
    const settings = { REVOX_FIRST_PAGE: 'auto', REVOX_PAGE_SIZE: '6' };
    const gateway = createFeedGateway(settings, sandbox);
    const edges = sandbox.oldestFirst ? 'last' : 'first';
    const { data } = await gateway.execute(
      `{ callAttempts(${edges}: 3) { pageInfo { startCursor endCursor } } }`,
    );
    const { startCursor, endCursor } = data.callAttempts.pageInfo;
    const between = gateway.insert(2);
    await gateway.pass(2 * SECOND);
    const now = await gateway.subscribe(FEED);
    const stream = await gateway.subscribe(FEED, {
      after: sandbox.oldestFirst ? endCursor : startCursor,
    });
    await gateway.pass(3 * SECOND);
    expect([ids(now), ids(stream)]).toEqual([[], between]);
    const expected: string[] = [];
    for (const count of [1, 5, 0, 9, 2]) {
      expected.push(...gateway.insert(count));
      const { id } = attemptsOf(gateway)[7]!;
      gateway.sandbox.control.removeAttempts(KEY_A, expected.includes(id) ? [] : [id]);
      await gateway.pass(6 * SECOND);
    }
    expect(ids(now)).toEqual(expected);
    expect(ids(stream)).toEqual([...between, ...expected]);
    expect(skips(stream).filter(Boolean)).toEqual([]);
    gateway.traffic();
    await gateway.pass(10 * SECOND);
    expect(gateway.traffic().length).toBeLessThanOrEqual(sandbox.oldestFirst ? 4 : 2);
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});
