import { describe, expect, test, vi } from 'vitest';
import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { Credential } from '#rest/credential.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Endpoint, UpstreamRequest } from '#rest/upstream-request.ts';
import { createBudget, createUpstreamContext, NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import { createManualTimers } from './real-server.ts';

const TIMEOUT_MS = 10_000;

/** What the upstream does with a request. */
type UpstreamAct = () => Response | Promise<Response>;

const found: UpstreamAct = () => Response.json({ call: { id: 'c' } });
const status =
  (code: number, headers: Record<string, string> = {}): UpstreamAct =>
  () =>
    new Response(null, { status: code, headers });
const connectionLost: UpstreamAct = () => {
  throw new TypeError('fetch failed');
};
const connectionRefused: UpstreamAct = () => {
  throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
};
const neverResponds: UpstreamAct = () => new Promise<Response>(() => {});

/** A client of an upstream that does one thing after the other, and the last of them for ever; the clock and the timers are the test's. */
function createScene(acts: readonly UpstreamAct[], options: Partial<RestClientOptions> = {}) {
  const timers = createManualTimers();
  const clock = { now: 0 };
  const sent: string[] = [];
  const client = createRestClient({
    transport: createFetchTransport(async (request) => {
      sent.push(new URL(request.url).pathname.slice(4));
      return (acts[Math.min(sent.length, acts.length) - 1] ?? found)();
    }),
    baseUrl: 'http://revox.test/api',
    timeoutMs: TIMEOUT_MS,
    maxConcurrency: 20,
    maxConcurrencyTotal: 100,
    maxQueued: 1_000,
    maxResponseBytes: 2_000,
    retries: 2,
    breaker: { failures: 1_000, openMs: 1_000 },
    keyHolder: 'caller',
    acceptedCredentials: createAcceptedCredentials({ keyHolder: 'gateway', monotonicNow: () => clock.now }),
    events: NO_UPSTREAM_EVENTS,
    now: () => clock.now,
    monotonicNow: () => clock.now,
    random: () => 1,
    ...timers,
    ...options,
  });
  return {
    client,
    clock,
    timers,
    sent,
    ask(path = '/call/c', errand: Partial<UpstreamContext> = {}) {
      const asked = client.send(createUpstreamContext(errand), upstreamRequest(path));
      // Some are looked at only after they have failed.
      asked.catch(() => {});
      return asked;
    },
    /** Lets everything run that can, and then the timers of so many ms. */
    async pass(ms: number) {
      await idle();
      clock.now += ms;
      timers.elapse(ms);
      await idle();
    },
  };
}

function upstreamRequest(path: string, endpoint: Endpoint = '/call/{id}'): UpstreamRequest<unknown> {
  return { endpoint, path, query: '', parse: (body) => body };
}

async function idle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

/** How a promise has ended by now. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.then(
      () => 'answered',
      (error: { code?: string }) => error.code ?? error,
    ),
    idle().then(() => 'waits'),
  ]);
}

describe('A request that failed', () => {
  test.each<[name: string, act: UpstreamAct]>([
    ['a connection that is lost', connectionLost],
    ...[408, 409, 500, 501, 502, 503, 504, 507, 520, 599].map((code) => [`a ${code}`, status(code)] as [string, UpstreamAct]),
  ])('is sent again after %s', async (_name, act) => {
    const { ask, sent, pass } = createScene([act, found]);
    const asked = ask();
    await pass(250);
    expect(await outcomeOf(asked)).toBe('answered');
    expect(sent).toHaveLength(2);
  });

  test.each<[name: string, act: UpstreamAct]>([
    ...[300, 304, 400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 418, 422, 423, 425, 426, 431, 451].map(
      (code) => [`a ${code}`, status(code)] as [string, UpstreamAct],
    ),
    ['no JSON', () => new Response('<html>')],
    ['too much', () => new Response(' '.repeat(3_000))],
  ])('is not sent again after %s', async (_name, act) => {
    const { ask, sent, timers } = createScene([act, found]);
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('is not sent again when it took too long: that would be twice as much for who is slow', async () => {
    const { ask, sent, pass, timers } = createScene([neverResponds, found]);
    const asked = ask();
    await pass(TIMEOUT_MS);
    expect(await outcomeOf(asked)).toBe('UPSTREAM_TIMEOUT');
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test.each([
    ['true', 400, 2],
    ['True ', 404, 2],
    ['false', 503, 1],
    ['false', 429, 1],
    ['maybe', 503, 2],
    ['maybe', 400, 1],
  ])('is sent again as the upstream says: x-should-retry: %s with %i', async (word, code, requests) => {
    const { ask, sent, pass } = createScene([status(code, { 'x-should-retry': word }), found]);
    const asked = ask();
    await pass(250);
    expect(await outcomeOf(asked)).toMatch(requests === 2 ? 'answered' : /^[A-Z_]+$/);
    expect(sent).toHaveLength(requests);
  });

  test('is sent again so often, each time after up to twice as long; then the last failure is told', async () => {
    const { ask, sent, pass, timers } = createScene([connectionLost, connectionLost, connectionLost, status(502)], {
      retries: 3,
    });
    const asked = ask();
    for (const ms of [250, 500, 1_000]) {
      await idle();
      expect(timers.running).toEqual([ms]);
      await pass(ms);
    }
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', status: 502 });
    expect([sent.length, timers.running]).toEqual([4, []]);
  });

  test('waits by chance, from not at all to its bound', async () => {
    for (const [random, waits] of [
      [0, []],
      [0.5, [125]],
    ] as const) {
      const { ask, timers, sent } = createScene([connectionLost, found], { random: () => random });
      const asked = ask();
      await idle();
      expect(timers.running).toEqual(waits);
      timers.elapse(125);
      await asked;
      expect(sent).toHaveLength(2);
    }
  });

  test.each([
    [{ 'retry-after': '3' }, 3_000],
    [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
    // By the upstream's own clock, which is not ours.
    [{ 'retry-after': 'Thu, 01 Jan 1970 01:00:04 GMT', date: 'Thu, 01 Jan 1970 01:00:00 GMT' }, 4_000],
  ])('waits as long as the upstream asks: %j', async (headers: Record<string, string>, ms) => {
    const { ask, sent, pass, timers } = createScene([status(503, headers), found], { random: () => 0 });
    const asked = ask();
    await idle();
    expect(timers.running).toEqual([ms]);
    await pass(ms);
    expect(await outcomeOf(asked)).toBe('answered');
    expect(sent).toHaveLength(2);
  });

  test('waits a little longer, by chance: those who were told together do not come back together', async () => {
    const { ask, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    void ask();
    await idle();
    expect(timers.running).toEqual([3_250]);
  });

  test('is not sent again when nobody waits that long', async () => {
    const { ask, sent, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    await expect(ask('/call/c', { deadlineAt: () => 3_000 })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('is given up while it waits when nobody waits any more, and leaves nothing behind', async () => {
    const operation = new AbortController();
    const { ask, sent, timers, client } = createScene([connectionLost, found]);
    const asked = ask('/call/c', { signal: operation.signal });
    await idle();
    operation.abort();
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect([sent.length, timers.running, client.state.inFlight]).toEqual([1, [], 0]);
  });

  test('holds no place while it waits', async () => {
    const { ask, sent, pass } = createScene([connectionLost, found], { maxConcurrency: 1 });
    const failed = ask('/call/a');
    await idle();
    expect(await outcomeOf(ask('/call/b'))).toBe('answered');
    await pass(250);
    expect(await outcomeOf(failed)).toBe('answered');
    expect(sent).toEqual(['/call/a', '/call/b', '/call/a']);
  });

  test('keeps its place, when nobody waits any more, as long as an answer usually takes', async () => {
    const answers: (() => void)[] = [];
    const later: UpstreamAct = () => new Promise((resolve) => answers.push(() => resolve(found() as Response)));
    const { ask, sent, clock, pass, timers } = createScene([later], { maxConcurrency: 1 });
    const known = ask('/call/known');
    await idle();
    clock.now += 400;
    answers[0]!();
    await known;

    const client = new AbortController();
    const given = ask('/call/given-up', { signal: client.signal });
    const next = ask('/call/next');
    await idle();
    clock.now += 100;
    client.abort();
    expect(await outcomeOf(given)).toBe('UPSTREAM_TIMEOUT');
    expect(sent).toEqual(['/call/known', '/call/given-up']);
    expect(timers.running).toContain(300);
    await pass(300);
    expect(sent.at(-1)).toBe('/call/next');
    answers.at(-1)!();
    expect(await outcomeOf(next)).toBe('answered');
  });

  test('is one of those that the operation may send', async () => {
    const budget = createBudget({ maxRequests: 2 });
    const { ask, sent, pass } = createScene([connectionLost]);
    const asked = ask('/call/c', { budget });
    await pass(250);
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([sent.length, budget.sentRequests]).toEqual([2, 2]);
  });

  test('never doubles the load of an upstream that struggles', async () => {
    const { ask, sent, pass } = createScene([connectionLost]);
    const asked = Array.from({ length: 300 }, (_, n) => ask(`/call/${n}`));
    for (let turn = 0; turn < 40; turn += 1) await pass(turn % 2 === 0 ? 250 : 500);
    expect(new Set(await Promise.all(asked.map(outcomeOf)))).toEqual(new Set(['UPSTREAM_UNAVAILABLE']));
    expect(sent.length).toBeGreaterThan(300);
    expect(sent.length).toBeLessThanOrEqual(300 * 1.2 + 10);
  });
});

describe('An upstream that asks for patience', () => {
  const wait = (seconds: number) => status(429, { 'retry-after': String(seconds) });

  test('is left alone by all requests of that credential, and by no others', async () => {
    const [mine, others] = [new Credential('sk_mine'), new Credential('sk_other')];
    const { ask, sent, pass, client } = createScene([wait(7), found]);
    const first = ask('/call/a', { credential: mine });
    await idle();
    const second = ask('/call/b', { credential: mine });
    expect(await outcomeOf(ask('/call/c', { credential: others }))).toBe('answered');
    expect(await outcomeOf(second)).toBe('waits');
    expect(client.state).toMatchObject({ coolingDown: 1, queued: 2 });
    await pass(7_000);
    expect(await outcomeOf(Promise.all([first, second]))).toBe('answered');
    expect(sent).toEqual(['/call/a', '/call/c', '/call/a', '/call/b']);
    expect(client.state).toMatchObject({ coolingDown: 0, queued: 0, inFlight: 0 });
  });

  test('is asked by one request when the time is over, and by all when that is answered', async () => {
    const answers: (() => void)[] = [];
    const later: UpstreamAct = () => new Promise((resolve) => answers.push(() => resolve(found() as Response)));
    const { ask, sent, pass } = createScene([wait(7), later]);
    const asked = ['/call/a', '/call/b', '/call/c', '/call/d'].map((path) => ask(path));
    await idle();
    // Those that were under way already have been told, too, or answered.
    expect(sent).toHaveLength(4);
    await pass(7_000);
    for (const answer of answers.splice(0)) answer();
    await idle();
    for (const answer of answers.splice(0)) answer();
    expect(await outcomeOf(Promise.all(asked))).toBe('answered');
    expect(sent).toHaveLength(5);
  });

  test('is not waited for by who cannot: that costs no request', async () => {
    const { ask, sent } = createScene([wait(7), found]);
    void ask('/call/a');
    await idle();
    const error = await ask('/call/b', { deadlineAt: () => 6_999 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 7 } });
    expect(sent).toEqual(['/call/a']);
  });

  test('says so to the one it has told, when that one cannot wait', async () => {
    const { ask, sent, timers, pass } = createScene([wait(40)]);
    const error = await ask('/call/a', { deadlineAt: () => 30_000 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 40 } });
    expect([sent.length, timers.running]).toEqual([1, [40_000]]);
    await pass(40_000);
    await pass(60_000);
    expect(timers.running).toEqual([]);
  });

  test('is told of as what it is: who cannot wait has been answered, and nothing is sent again', async () => {
    const onRetry = vi.fn();
    const { ask } = createScene([wait(40)], { events: { ...NO_UPSTREAM_EVENTS, onRetry } });
    const error = await ask('/call/a', { deadlineAt: () => 30_000 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(onRetry).not.toHaveBeenCalled();
  });

  test('is asked so often and no more', async () => {
    const { ask, sent, pass } = createScene([status(429)]);
    const asked = ask();
    for (const ms of [1_000, 2_000]) await pass(ms);
    await expect(asked).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 4 } });
    expect(sent).toHaveLength(3);
  });

  test('is asked with one request a pause, however many wait: no budget is needed for that', async () => {
    const { ask, sent, pass } = createScene([status(429)], { maxConcurrency: 1, retries: 5 });
    const asked = Array.from({ length: 50 }, (_, n) => ask(`/call/${n}`));
    for (const ms of [1_000, 2_000, 4_000]) await pass(ms);
    expect(sent).toHaveLength(4);
    expect(await outcomeOf(Promise.race(asked))).toBe('waits');
  });
});

describe('An upstream that fails', () => {
  const NONE = { retries: 0, breaker: { failures: 4, openMs: 1_000 } };

  test('is left alone, then tried with one request, and asked again when that is answered', async () => {
    const answers: UpstreamAct[] = [
      connectionRefused,
      connectionRefused,
      connectionRefused,
      connectionRefused,
      status(500),
      found,
    ];
    const { ask, sent, pass, client } = createScene(answers, NONE);
    for (let n = 0; n < 10; n += 1) expect(await outcomeOf(ask())).toBe('UPSTREAM_UNAVAILABLE');
    expect(sent).toHaveLength(4);
    expect(client.state.breaker).toBe('open');
    await pass(1_000);
    expect(client.state.breaker).toBe('half-open');
    // Any answer shows that there is a way.
    expect(await outcomeOf(ask())).toBe('UPSTREAM_UNAVAILABLE');
    expect(client.state.breaker).toBe('closed');
    expect(await outcomeOf(ask())).toBe('answered');
    expect(sent).toHaveLength(6);
  });

  test('is not asked by those who wait for their turn when it is found to fail', async () => {
    const { ask, sent } = createScene([connectionRefused], { ...NONE, maxConcurrency: 1 });
    const asked = Array.from({ length: 20 }, () => ask());
    expect(new Set(await Promise.all(asked.map(outcomeOf)))).toEqual(new Set(['UPSTREAM_UNAVAILABLE']));
    expect(sent).toHaveLength(4);
  });

  test('counts nothing of what was not sent on the budget of an operation', async () => {
    const budget = createBudget();
    const { ask, sent } = createScene([connectionLost], NONE);
    for (let n = 0; n < 10; n += 1) await outcomeOf(ask('/call/c', { budget }));
    expect([sent.length, budget.sentRequests]).toEqual([4, 4]);
  });

  test('for one credential is asked with the others', async () => {
    const { client, sent } = createScene([status(500), status(500), status(500), status(500), found], NONE);
    const [failing, fine] = [new Credential('sk_failing'), new Credential('sk_fine')];
    const ask = (credential: Credential) =>
      outcomeOf(client.send(createUpstreamContext({ credential }), upstreamRequest('/call/c')));
    for (let n = 0; n < 6; n += 1) expect(await ask(failing)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await ask(fine)).toBe('answered');
    expect([sent.length, client.state.breaker]).toEqual([5, 'partly-open']);
  });
});

test('Of a caller of whom too many requests wait no more are taken: that is told, and costs no request', async () => {
  const onQueueFull = vi.fn();
  const { ask, sent } = createScene([neverResponds], {
    maxConcurrency: 1,
    maxQueued: 1,
    events: { ...NO_UPSTREAM_EVENTS, onQueueFull },
  });
  for (const path of ['/call/a', '/call/b']) void ask(path);
  const error = await ask('/call/c').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 1 }, status: undefined });
  expect([sent, onQueueFull.mock.calls.length]).toEqual([['/call/a'], 1]);
});

describe('Whoever listens', () => {
  function createListener() {
    const heard: unknown[] = [];
    const events: UpstreamEvents = {
      onSend: ({ endpoint, retryCount, trace }) => {
        heard.push(['sent', endpoint, retryCount, trace]);
        return {
          headers: { traceparent: `00-${retryCount}` },
          onEnd: ({ status: code, failure, ms }) => heard.push(['over', code, failure, ms]),
        };
      },
      onRetry: (endpoint, reason) => heard.push(['again', endpoint, reason]),
      onQueueWait: (waitedMs) => heard.push(['turn', waitedMs]),
      onRateLimited: (ms) => heard.push(['pause', ms]),
      onQueueFull: () => heard.push(['overflow']),
      onCircuitChange: (change) => heard.push([change]),
    };
    return { heard, events };
  }

  test('hears of every request, how it ended, and why it is sent again', async () => {
    const { heard, events } = createListener();
    const { ask, pass, clock } = createScene(
      [
        () => {
          clock.now += 12;
          return status(502)() as Response;
        },
        status(429, { 'retry-after': '2' }),
        found,
      ],
      { events },
    );
    const asked = ask('/call/secret-id', { trace: 'of the operation' });
    await pass(250);
    await pass(2_000);
    await asked;
    expect(heard).toEqual([
      ['turn', 0],
      ['sent', '/call/{id}', 0, 'of the operation'],
      ['over', 502, 'server-error', 12],
      ['again', '/call/{id}', 'server-error'],
      ['turn', 0],
      ['sent', '/call/{id}', 1, 'of the operation'],
      ['over', 429, 'rate-limited', 0],
      ['pause', 2_000],
      ['again', '/call/{id}', 'rate-limited'],
      ['turn', 2_000],
      ['sent', '/call/{id}', 2, 'of the operation'],
      ['over', 200, undefined, 0],
    ]);
    expect(JSON.stringify(heard)).not.toContain('secret-id');
  });

  test('hears of an answer that is none, and gives headers for the way', async () => {
    const { heard, events } = createListener();
    const received = vi.fn();
    const { client } = createScene([], {
      events,
      transport: createFetchTransport(async ({ headers }) => {
        received(headers.get('traceparent'));
        return Response.json({});
      }),
    });
    const asked = client.send(createUpstreamContext(), {
      ...upstreamRequest('/call/c'),
      parse() {
        throw new Error('a bug of ours');
      },
    });
    await expect(asked).rejects.toThrow('a bug of ours');
    expect(received).toHaveBeenCalledExactlyOnceWith('00-0');
    expect(heard.at(-1)).toEqual(['over', null, 'invalid', 0]);
    expect(client.state).toEqual({ queued: 0, inFlight: 0, coolingDown: 0, breaker: 'closed' });
  });
});
