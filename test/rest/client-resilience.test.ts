import { describe, expect, test, vi } from 'vitest';
import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { Credential } from '#rest/credential.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';
import type { Endpoint, UpstreamRequest } from '#rest/upstream-request.ts';
import {
  createBudget,
  createUpstreamContext,
  NO_UPSTREAM_EVENTS,
} from '../support/upstream-context.ts';
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

/**
 * A client of an upstream that performs the given acts in order and repeats the last one forever.
 * The test owns the clock and the timers.
 */
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
    acceptedCredentials: createAcceptedCredentials({
      keyHolder: 'gateway',
      monotonicNow: () => clock.now,
    }),
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
      // Some promises are inspected only after they have rejected.
      asked.catch(() => {});
      return asked;
    },
    /**
     * Runs everything that can run, advances the clock by `ms` and fires the timers of exactly
     * `ms`.
     */
    async pass(ms: number) {
      await idle();
      clock.now += ms;
      timers.elapse(ms);
      await idle();
    },
  };
}

function upstreamRequest(
  path: string,
  endpoint: Endpoint = '/call/{id}',
): UpstreamRequest<unknown> {
  return { endpoint, path, query: '', parse: (body) => body };
}

async function idle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

/** The current outcome of a promise. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.then(
      () => 'answered',
      (error: { code?: string }) => error.code ?? error,
    ),
    idle().then(() => 'waits'),
  ]);
}

describe('Retries', () => {
  test.each<[name: string, act: UpstreamAct]>([
    ['a lost connection', connectionLost],
    ...[408, 409, 500, 501, 502, 503, 504, 507, 520, 599].map(
      (code) => [`a ${code}`, status(code)] as [string, UpstreamAct],
    ),
  ])('a failed request is retried after %s', async (_name, act) => {
    const { ask, sent, pass } = createScene([act, found]);
    const asked = ask();
    await pass(250);
    expect(await outcomeOf(asked)).toBe('answered');
    expect(sent).toHaveLength(2);
  });

  test.each<[name: string, act: UpstreamAct]>([
    ...[
      300, 304, 400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 418, 422, 423, 425, 426, 431, 451,
    ].map((code) => [`a ${code}`, status(code)] as [string, UpstreamAct]),
    ['a body that is not JSON', () => new Response('<html>')],
    ['a body that is too large', () => new Response(' '.repeat(3_000))],
  ])('a failed request is not retried after %s', async (_name, act) => {
    const { ask, sent, timers } = createScene([act, found]);
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('a request that timed out is not retried, because a retry would double the load of a slow upstream', async () => {
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
  ])(
    'the client follows x-should-retry: %s of a response with status %i, and sends %i requests',
    async (word, code, requests) => {
      const { ask, sent, pass } = createScene([status(code, { 'x-should-retry': word }), found]);
      const asked = ask();
      await pass(250);
      expect(await outcomeOf(asked)).toMatch(requests === 2 ? 'answered' : /^[A-Z_]+$/);
      expect(sent).toHaveLength(requests);
    },
  );

  test('the client retries up to the configured number with doubling delays, and then reports the last failure', async () => {
    const { ask, sent, pass, timers } = createScene(
      [connectionLost, connectionLost, connectionLost, status(502)],
      {
        retries: 3,
      },
    );
    const asked = ask();
    for (const ms of [250, 500, 1_000]) {
      await idle();
      expect(timers.running).toEqual([ms]);
      await pass(ms);
    }
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', status: 502 });
    expect([sent.length, timers.running]).toEqual([4, []]);
  });

  test('full jitter delays a retry by a random time between zero and the bound', async () => {
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
    // Relative to the upstream's own `Date`, which may differ from the gateway's clock.
    [
      { 'retry-after': 'Thu, 01 Jan 1970 01:00:04 GMT', date: 'Thu, 01 Jan 1970 01:00:00 GMT' },
      4_000,
    ],
  ])(
    'the client waits before a retry for as long as the upstream asks: %j',
    async (headers: Record<string, string>, ms) => {
      const { ask, sent, pass, timers } = createScene([status(503, headers), found], {
        random: () => 0,
      });
      const asked = ask();
      await idle();
      expect(timers.running).toEqual([ms]);
      await pass(ms);
      expect(await outcomeOf(asked)).toBe('answered');
      expect(sent).toHaveLength(2);
    },
  );

  test('the client adds jitter to Retry-After, so that clients of one failure do not retry together', async () => {
    const { ask, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    void ask();
    await idle();
    expect(timers.running).toEqual([3_250]);
  });

  test('a request is not retried when its deadline ends before the retry may be sent', async () => {
    const { ask, sent, timers } = createScene([status(503, { 'retry-after': '3' }), found]);
    await expect(ask('/call/c', { deadlineAt: () => 3_000 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect([sent.length, timers.running]).toEqual([1, []]);
  });

  test('a request that waits for its retry is abandoned when its operation is aborted, and leaves no timer and no slot behind', async () => {
    const operation = new AbortController();
    const { ask, sent, timers, client } = createScene([connectionLost, found]);
    const asked = ask('/call/c', { signal: operation.signal });
    await idle();
    operation.abort();
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect([sent.length, timers.running, client.state.inFlight]).toEqual([1, [], 0]);
  });

  test('a request that waits for its retry holds no concurrency slot', async () => {
    const { ask, sent, pass } = createScene([connectionLost, found], { maxConcurrency: 1 });
    const failed = ask('/call/a');
    await idle();
    expect(await outcomeOf(ask('/call/b'))).toBe('answered');
    await pass(250);
    expect(await outcomeOf(failed)).toBe('answered');
    expect(sent).toEqual(['/call/a', '/call/b', '/call/a']);
  });

  test('an aborted request keeps its concurrency slot for as long as a response usually takes', async () => {
    const answers: (() => void)[] = [];
    const later: UpstreamAct = () =>
      new Promise((resolve) => answers.push(() => resolve(found() as Response)));
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

  test('a retry counts towards the request budget of its operation', async () => {
    const budget = createBudget({ maxRequests: 2 });
    const { ask, sent, pass } = createScene([connectionLost]);
    const asked = ask('/call/c', { budget });
    await pass(250);
    await expect(asked).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([sent.length, budget.sentRequests]).toEqual([2, 2]);
  });

  test('the retry budget keeps retries from doubling the load of a failing upstream', async () => {
    const { ask, sent, pass } = createScene([connectionLost]);
    const asked = Array.from({ length: 300 }, (_, n) => ask(`/call/${n}`));
    for (let turn = 0; turn < 40; turn += 1) await pass(turn % 2 === 0 ? 250 : 500);
    expect(new Set(await Promise.all(asked.map(outcomeOf)))).toEqual(
      new Set(['UPSTREAM_UNAVAILABLE']),
    );
    expect(sent.length).toBeGreaterThan(300);
    expect(sent.length).toBeLessThanOrEqual(300 * 1.2 + 10);
  });
});

describe('Rate-limit cooldown of the client', () => {
  const wait = (seconds: number) => status(429, { 'retry-after': String(seconds) });

  test('a 429 stops the requests of its credential for the cooldown and no requests of other credentials', async () => {
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

  test('after a cooldown one probe is sent, and all waiting requests follow when the probe succeeds', async () => {
    const answers: (() => void)[] = [];
    const later: UpstreamAct = () =>
      new Promise((resolve) => answers.push(() => resolve(found() as Response)));
    const { ask, sent, pass } = createScene([wait(7), later]);
    const asked = ['/call/a', '/call/b', '/call/c', '/call/d'].map((path) => ask(path));
    await idle();
    // The requests that were in flight already have received the 429 as well, or a response.
    expect(sent).toHaveLength(4);
    await pass(7_000);
    for (const answer of answers.splice(0)) answer();
    await idle();
    for (const answer of answers.splice(0)) answer();
    expect(await outcomeOf(Promise.all(asked))).toBe('answered');
    expect(sent).toHaveLength(5);
  });

  test('a request whose deadline ends before the cooldown is rejected without an upstream request', async () => {
    const { ask, sent } = createScene([wait(7), found]);
    void ask('/call/a');
    await idle();
    const error = await ask('/call/b', { deadlineAt: () => 6_999 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 7 } });
    expect(sent).toEqual(['/call/a']);
  });

  test('a 429 with a cooldown beyond the deadline of its request is reported as RATE_LIMITED with retryAfter', async () => {
    const { ask, sent, timers, pass } = createScene([wait(40)]);
    const error = await ask('/call/a', { deadlineAt: () => 30_000 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 40 } });
    expect([sent.length, timers.running]).toEqual([1, [40_000]]);
    await pass(40_000);
    await pass(60_000);
    expect(timers.running).toEqual([]);
  });

  test('a 429 with a cooldown beyond the deadline of its request is reported with its status and without a retry', async () => {
    const onRetry = vi.fn();
    const { ask } = createScene([wait(40)], { events: { ...NO_UPSTREAM_EVENTS, onRetry } });
    const error = await ask('/call/a', { deadlineAt: () => 30_000 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(onRetry).not.toHaveBeenCalled();
  });

  test('a request that receives only 429 responses is sent as often as the retries allow', async () => {
    const { ask, sent, pass } = createScene([status(429)]);
    const asked = ask();
    for (const ms of [1_000, 2_000]) await pass(ms);
    await expect(asked).rejects.toMatchObject({ code: 'RATE_LIMITED', details: { retryAfter: 4 } });
    expect(sent).toHaveLength(3);
  });

  test('each cooldown costs one probe however many requests wait, and a probe needs no retry budget', async () => {
    const { ask, sent, pass } = createScene([status(429)], { maxConcurrency: 1, retries: 5 });
    const asked = Array.from({ length: 50 }, (_, n) => ask(`/call/${n}`));
    for (const ms of [1_000, 2_000, 4_000]) await pass(ms);
    expect(sent).toHaveLength(4);
    expect(await outcomeOf(Promise.race(asked))).toBe('waits');
  });
});

describe('Circuit breaker of the client', () => {
  const NONE = { retries: 0, breaker: { failures: 4, openMs: 1_000 } };

  test('the client stops sending to a failing upstream, sends one probe, and resumes when the probe gets a response', async () => {
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
    expect(client.state.circuits.connection.state).toBe('open');
    await pass(1_000);
    expect(client.state.circuits.connection.state).toBe('half-open');
    // Any response shows that the upstream can be reached.
    expect(await outcomeOf(ask())).toBe('UPSTREAM_UNAVAILABLE');
    expect(client.state.circuits.connection.state).toBe('closed');
    expect(await outcomeOf(ask())).toBe('answered');
    expect(sent).toHaveLength(6);
  });

  test('requests that wait for a concurrency slot are not sent once the circuit breaker opens', async () => {
    const { ask, sent } = createScene([connectionRefused], { ...NONE, maxConcurrency: 1 });
    const asked = Array.from({ length: 20 }, () => ask());
    expect(new Set(await Promise.all(asked.map(outcomeOf)))).toEqual(
      new Set(['UPSTREAM_UNAVAILABLE']),
    );
    expect(sent).toHaveLength(4);
  });

  test('a request that the circuit breaker blocks does not count towards the budget of its operation', async () => {
    const budget = createBudget();
    const { ask, sent } = createScene([connectionLost], NONE);
    for (let n = 0; n < 10; n += 1) await outcomeOf(ask('/call/c', { budget }));
    expect([sent.length, budget.sentRequests]).toEqual([4, 4]);
  });

  test('a circuit breaker that is open for one credential does not block another credential', async () => {
    const { client, sent } = createScene(
      [status(500), status(500), status(500), status(500), found],
      NONE,
    );
    const [failing, fine] = [new Credential('sk_failing'), new Credential('sk_fine')];
    const ask = (credential: Credential) =>
      outcomeOf(client.send(createUpstreamContext({ credential }), upstreamRequest('/call/c')));
    for (let n = 0; n < 6; n += 1) expect(await ask(failing)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await ask(fine)).toBe('answered');
    expect(sent).toHaveLength(5);
    expect(client.state.circuits).toEqual({
      connection: { state: 'closed', openCount: 0 },
      endpoint: { state: 'open', openCount: 1 },
    });
  });
});

test('a request over the queue limit of its caller is RATE_LIMITED, is reported to the observer and costs no upstream request', async () => {
  const onQueueFull = vi.fn();
  const { ask, sent } = createScene([neverResponds], {
    maxConcurrency: 1,
    maxQueued: 1,
    events: { ...NO_UPSTREAM_EVENTS, onQueueFull },
  });
  for (const path of ['/call/a', '/call/b']) void ask(path);
  const error = await ask('/call/c').catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'RATE_LIMITED',
    details: { retryAfter: 1 },
    status: undefined,
  });
  expect([sent, onQueueFull.mock.calls.length]).toEqual([['/call/a'], 1]);
});

describe('Upstream events', () => {
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

  test('the observer is notified of every upstream request, of its outcome and of the reason for each retry', async () => {
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

  test('the observer is notified of a response that the parser rejects, and adds headers to the request', async () => {
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
    expect(client.state).toMatchObject({ queued: 0, inFlight: 0, coolingDown: 0 });
  });
});
