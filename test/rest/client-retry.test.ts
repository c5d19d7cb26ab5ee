import { describe, expect, test } from 'vitest';
import { createBudget } from '../support/upstream-context.ts';
import {
  connectionLost,
  createScene,
  found,
  idle,
  neverResponds,
  outcomeOf,
  status,
  TIMEOUT_MS,
  type UpstreamAct,
} from './client-scene.ts';

describe('Retries', () => {
  test.each<[name: string, act: UpstreamAct]>([
    ['a lost connection', connectionLost],
    ...[408, 409, 500, 501, 502, 503, 504, 507, 520, 599].map(
      (code) => [`a ${code}`, status(code)] as [string, UpstreamAct],
    ),
  ])('a failed request is retried after %s', async (_name, act) => {
    const { send, sent, pass } = createScene([act, found]);
    const pending = send();
    await pass(250);
    expect(await outcomeOf(pending)).toBe('succeeded');
    expect(sent).toHaveLength(2);
  });

  test.each<[name: string, act: UpstreamAct]>([
    ...[
      300, 304, 400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 418, 422, 423, 425, 426, 431, 451,
    ].map((code) => [`a ${code}`, status(code)] as [string, UpstreamAct]),
    ['a body that is not JSON', () => new Response('oops')],
    ['a body that is too large', () => new Response(' '.repeat(3_000))],
  ])('a failed request is not retried after %s', async (_name, act) => {
    const { send, sent, timers } = createScene([act, found]);
    await expect(send()).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('a request that timed out is not retried, because a retry would double the load of a slow upstream', async () => {
    const { send, sent, pass, timers } = createScene([neverResponds, found]);
    const pending = send();
    await pass(TIMEOUT_MS);
    expect(await outcomeOf(pending)).toBe('UPSTREAM_TIMEOUT');
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test.each([
    ['true', 400, 2],
    ['True ', 404, 2],
    ['false', 503, 1],
    ['false', 429, 1],
    ['maybe', 503, 2],
    ['maybe', 400, 1],
  ])(
    'the client follows x-should-retry: %s of a response with status %i, and sends %i requests',
    async (word, code, requests) => {
      const { send, sent, pass } = createScene([status(code, { 'x-should-retry': word }), found]);
      const pending = send();
      await pass(250);
      expect(await outcomeOf(pending)).toMatch(requests === 2 ? 'succeeded' : /^[A-Z_]+$/);
      expect(sent).toHaveLength(requests);
    },
  );

  test('the client retries up to the configured number with doubling delays, and then reports the last failure', async () => {
    const { send, sent, pass, timers } = createScene(
      [connectionLost, connectionLost, connectionLost, status(502)],
      {
        retries: 3,
      },
    );
    const pending = send();
    for (const ms of [250, 500, 1_000]) {
      await idle();
      expect(timers.running).toEqual([ms]);
      await pass(ms);
    }
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', status: 502 });
    expect([sent.length, timers.running]).toEqual([4, []]);
  });

  test('the delay before a retry is 8 seconds at most', async () => {
    const { send, sent, pass, timers } = createScene([connectionLost], { retries: 8 });
    const pending = send();
    const waits: number[] = [];
    for (let retry = 1; retry <= 8; retry += 1) {
      await idle();
      const [ms = 0] = timers.running;
      waits.push(ms);
      await pass(ms);
    }
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    expect(sent).toHaveLength(9);
  });

  test('full jitter delays a retry by a random time between zero and the bound', async () => {
    for (const [random, waits] of [
      [0, []],
      [0.5, [125]],
    ] as const) {
      const { send, timers, sent } = createScene([connectionLost, found], { random: () => random });
      const pending = send();
      await idle();
      expect(timers.running).toEqual(waits);
      timers.elapse(125);
      await pending;
      expect(sent).toHaveLength(2);
    }
  });

  test.each([
    [{ 'retry-after': '3' }, 3_000],
    [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
    // Relative to the upstream's own `Date`, which may differ from the gateway's clock.
    [
      { 'retry-after': 'Thu, 01 Jan 1970 01:00:04 GMT', date: 'Thu, 01 Jan 1970 01:00:00 GMT' },
      4_000,
    ],
    // A `Date` that differs by more than a day is ignored.
    [
      { 'retry-after': 'Fri, 02 Jan 1970 00:00:04 GMT', date: 'Fri, 02 Jan 1970 00:00:00 GMT' },
      4_000,
    ],
    [
      { 'retry-after': 'Fri, 02 Jan 1970 00:00:05 GMT', date: 'Fri, 02 Jan 1970 00:00:01 GMT' },
      86_405_000,
    ],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:05 GMT', date: 'yesterday' }, 5_000],
  ])(
    'the client waits before a retry for as long as the upstream asks: %j',
    async (headers: Record<string, string>, ms) => {
      const { send, sent, pass, timers } = createScene([status(503, headers), found], {
        random: () => 0,
      });
      const pending = send();
      await idle();
      expect(timers.running).toEqual([ms]);
      await pass(ms);
      expect(await outcomeOf(pending)).toBe('succeeded');
      expect(sent).toHaveLength(2);
    },
  );

  test('the client adds jitter to Retry-After, so that clients of one failure do not retry together', async () => {
    const { send, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    void send();
    await idle();
    expect(timers.running).toEqual([3_250]);
  });

  test('a request is not retried when its deadline ends before the retry may be sent', async () => {
    const { send, sent, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    await expect(send('/call/c', { deadlineAt: () => 3_000 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('a request that waits for its retry is abandoned when its operation is aborted, and leaves no timer and no slot behind', async () => {
    const operation = new AbortController();
    const { send, sent, timers, client } = createScene([connectionLost, found]);
    const pending = send('/call/c', { signal: operation.signal });
    await idle();
    operation.abort();
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect([sent.length, timers.running, client.state.inFlight]).toEqual([1, [], 0]);
  });

  test('a request that waits for its retry holds no concurrency slot', async () => {
    const { send, sent, pass } = createScene([connectionLost, found], { maxConcurrency: 1 });
    const failed = send('/call/a');
    await idle();
    expect(await outcomeOf(send('/call/b'))).toBe('succeeded');
    await pass(250);
    expect(await outcomeOf(failed)).toBe('succeeded');
    expect(sent).toEqual(['/call/a', '/call/b', '/call/a']);
  });

  test('a retry counts towards the request budget of its operation', async () => {
    const budget = createBudget({ maxRequests: 2 });
    const { send, sent, pass } = createScene([connectionLost]);
    const pending = send('/call/c', { budget });
    await pass(250);
    await expect(pending).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([sent.length, budget.sentRequests]).toEqual([2, 2]);
  });

  test('the retry budget keeps retries from doubling the load of a failing upstream', async () => {
    const { send, sent, pass } = createScene([connectionLost]);
    const pending = Array.from({ length: 300 }, (_, n) => send(`/call/${n}`));
    for (let turn = 0; turn < 40; turn += 1) await pass(turn % 2 === 0 ? 250 : 500);
    expect(new Set(await Promise.all(pending.map(outcomeOf)))).toEqual(
      new Set(['UPSTREAM_UNAVAILABLE']),
    );
    // The balance of the credential was full when the first of them failed.
    expect(sent).toHaveLength(300 + 10);
  });
});
