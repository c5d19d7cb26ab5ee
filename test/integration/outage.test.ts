import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = 'query ($id: ID!) { call(id: $id) { id status } }';
const EVERYTHING = `query ($id: ID!) { call(id: $id) { id status }
  callAttempts(first: 60) { nodes { id } pageInfo { hasNextPage } } assistants { nodes { name } } }`;
const ALL = () => true;
const STALE_AFTER_MS = 700_000;
/** At least as long as a request waits after a 429. */
const COOLDOWN_MS = 3_000;

type StartOutage = (sandbox: Sandbox) => void;
const respondingWith =
  (status: number, headers?: Record<string, string>): StartOutage =>
  ({ control }) =>
    control.fail(ALL, { status, ...(headers && { headers }) });

const OUTAGES: { name: string; breakIt: StartOutage; code: string }[] = [
  {
    name: 'resets connections',
    breakIt: ({ control }) => control.reset(ALL),
    code: 'UPSTREAM_UNAVAILABLE',
  },
  ...[500, 502, 503, 504, 599].map((status) => ({
    name: `responds with ${status}`,
    breakIt: respondingWith(status),
    code: 'UPSTREAM_UNAVAILABLE',
  })),
  {
    name: 'responds with 429',
    breakIt: respondingWith(429, { 'retry-after': '3' }),
    code: 'RATE_LIMITED',
  },
];

describe.each(OUTAGES)('Upstream that $name', ({ name, breakIt, code }) => {
  test(`while the upstream ${name}, cached data is served stale and other data is an error; after the outage all data is fresh`, async () => {
    const timers = createManualTimers();
    const { executeTraced, execute, traffic, clock, sandbox } = createTimedGateway({
      settings: NO_RETRIES,
      gateway: { startTimer: timers.startTimer },
    });
    /** Lets a cooldown of 3 s pass. */
    const waitAWhile = async () => {
      await untilIdle();
      clock.pass(3_000);
      timers.elapse(3_000);
    };
    const { richCallId: id, liveCallId } = sampleIds(sandbox);
    const before = await execute(EVERYTHING, { id });
    expect(before.errors).toBeUndefined();
    await execute(CALL, { id: liveCallId });
    traffic();
    clock.pass(STALE_AFTER_MS);

    breakIt(sandbox);
    // Pages, assistants, ended and live calls are all served stale, and the gateway reports no end
    // of a list that it has not seen.
    const during = await executeTraced(EVERYTHING, { id });
    expect(during).toMatchObject({
      data: before.data,
      extensions: { upstream: { cacheHits: 0, coalesced: 0, stale: 4 } },
    });
    expect(during.errors).toBeUndefined();
    expect(during.sources.every((source) => source.startsWith('stale '))).toBe(true);
    // A credential in a cooldown sends no more requests, and a request with a stale entry does not
    // wait.
    expect(traffic().length).toBeGreaterThanOrEqual(code === 'RATE_LIMITED' ? 1 : 4);
    expect((await executeTraced(CALL, { id: liveCallId })).extensions.upstream).toMatchObject({
      stale: 1,
    });

    const pending = executeTraced(CALL, { id: sampleIds(sandbox).retriedCallId });
    await waitAWhile();
    const unseen = await pending;
    expect(unseen.data).toEqual({ call: null });
    expect(unseen.errors).toMatchObject([{ path: ['call'], extensions: { code } }]);
    expect(unseen.sources).toEqual([`network /call/${sampleIds(sandbox).retriedCallId}`]);

    sandbox.control.heal();
    await waitAWhile();
    traffic();
    const after = await executeTraced(EVERYTHING, { id });
    expect(after).toMatchObject({
      data: before.data,
      extensions: { upstream: { requests: 4, stale: 0 } },
    });
    expect(traffic()).toHaveLength(4);
  });

  test(`while the upstream ${name}, stale data is served no longer than the grace period`, async () => {
    const { execute, pass, sandbox } = createLiveGateway({
      settings: { ...NO_RETRIES, GRACE_MS: '60000' },
    });
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id });
    breakIt(sandbox);
    await pass(600_000 + 60_000 - 1);
    expect((await execute(CALL, { id })).data.call).not.toBeNull();
    await pass(1);
    const pending = execute(CALL, { id });
    await pass(COOLDOWN_MS);
    expect(await pending).toMatchObject({
      data: { call: null },
      errors: [{ extensions: { code } }],
    });
  });
});

test('a cached response is served stale when the upstream times out', async () => {
  const timers = createManualTimers();
  const { execute, executeTraced, clock, sandbox, traffic } = createTimedGateway({
    gateway: { startTimer: timers.startTimer },
  });
  const { richCallId: id } = sampleIds(sandbox);
  await execute(CALL, { id });
  clock.pass(STALE_AFTER_MS);
  sandbox.control.hang(ALL);
  traffic();
  const pending = executeTraced(CALL, { id });
  await untilIdle();
  timers.elapse(10_000);
  expect(await pending).toMatchObject({
    data: { call: { id } },
    extensions: { upstream: { requests: 1, stale: 1 } },
  });
  expect(traffic()).toEqual([`GET /call/${id}`]);
});

test('an operation that reaches its deadline returns stale data', async () => {
  const timers = createManualTimers();
  const { execute, clock, sandbox } = createTimedGateway({
    gateway: { startTimer: timers.startTimer },
    settings: { REQUEST_DEADLINE_MS: '777' },
  });
  const { richCallId: id } = sampleIds(sandbox);
  await execute(CALL, { id });
  clock.pass(STALE_AFTER_MS);
  sandbox.control.hang(ALL);
  const pending = execute(CALL, { id });
  await untilIdle();
  timers.elapse(777);
  expect(await pending).toMatchObject({ data: { call: { id } } });
});

describe('Upstream responses without stale-if-error', () => {
  test.each<[name: string, breakIt: StartOutage, code: string | undefined]>([
    ['a 400', respondingWith(400), 'UPSTREAM_REJECTED'],
    ['a 422', respondingWith(422), 'UPSTREAM_REJECTED'],
    ['a 409', respondingWith(409), 'UPSTREAM_REJECTED'],
    ['a 404', respondingWith(404), undefined],
    ['a 410', respondingWith(410), undefined],
    [
      'a redirect',
      respondingWith(302, { location: 'http://elsewhere.test/' }),
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'a body that is not JSON',
      ({ control }) => control.corrupt(ALL, 'oops'),
      'UPSTREAM_INVALID_RESPONSE',
    ],
    [
      'a body without a call',
      ({ control }) => control.corrupt(ALL, '{}'),
      'UPSTREAM_INVALID_RESPONSE',
    ],
  ])('stale data is not served in place of %s', async (_name, breakIt, code) => {
    const { execute, clock, sandbox, traffic } = createTimedGateway({ settings: NO_RETRIES });
    const { richCallId: id } = sampleIds(sandbox);
    await execute(CALL, { id });
    clock.pass(STALE_AFTER_MS);
    breakIt(sandbox);
    const { data, errors } = await execute(CALL, { id });
    expect(data).toEqual({ call: null });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(code && [code]);
    expect(traffic()).toHaveLength(2);
  });

  test('a failed upstream response is never cached', async () => {
    const { execute, pass, sandbox, traffic } = createLiveGateway({ settings: NO_RETRIES });
    const { richCallId: id } = sampleIds(sandbox);
    for (const status of [400, 500, 429, 403]) {
      sandbox.control.fail(ALL, { status, times: 1 });
      const pending = execute(CALL, { id });
      await pass(COOLDOWN_MS);
      expect((await pending).errors).toHaveLength(1);
    }
    expect((await execute(CALL, { id })).data.call.id).toBe(id);
    expect(traffic()).toHaveLength(5);
  });
});

test('a failed background revalidation keeps the stale entry and causes no unexpected error', async () => {
  const { execute, executeTraced, clock, sandbox, unexpectedErrors } = createTimedGateway({
    settings: NO_RETRIES,
  });
  const { richCallId: id } = sampleIds(sandbox);
  await execute(CALL, { id });
  clock.pass(600_000);
  sandbox.control.reset(ALL);
  for (let time = 0; time < 3; time += 1) {
    expect((await executeTraced(CALL, { id })).extensions.upstream).toMatchObject({
      requests: 1,
      stale: 1,
    });
    await untilIdle();
  }
  expect(unexpectedErrors).toEqual([]);
});
