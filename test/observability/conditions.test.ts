import { describe, expect, test } from 'vitest';
import { createManualTimers } from '../rest/real-server.ts';
import { captureLog } from '../support/captured-log.ts';
import { NO_CACHE, NO_RETRIES, type TestGatewayOptions } from '../support/test-gateway.ts';
import { createTimedGateway, untilIdle } from '../support/timed-gateway.ts';

const CALL = '{ call(id: "c") { id } }';

function createLoggedGateway({ settings, ...options }: TestGatewayOptions = {}) {
  const { log, read } = captureLog();
  const timers = createManualTimers();
  let count = 0;
  const gateway = createTimedGateway({
    settings: { ...NO_CACHE, ...NO_RETRIES, REVOX_BREAKER_FAILURES: '1000', ...settings },
    ...options,
    gateway: { log, startTimer: timers.startTimer, random: () => 1, ...options.gateway },
  });
  return {
    ...gateway,
    timers,
    /** The new lines of conditions, as level and message. */
    lines() {
      const lines = read().filter(({ condition }) => condition !== undefined);
      const fresh = lines.slice(count);
      count = lines.length;
      return fresh.map(({ level, msg }) => `${level} ${msg}`);
    },
    async ready() {
      const body = (await (await gateway.fetch('/ready')).json()) as { conditions: object };
      return body.conditions;
    },
    async fail(status: number, times: number) {
      gateway.sandbox.control.fail('/call/', { status, times });
      for (let failed = 0; failed < times; failed += 1) await gateway.execute(CALL);
    },
  };
}

const SERVER_ERROR =
  'error The Revox API fails: revox.test responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.';
const RECOVERED = (duration: string, count: number) =>
  `info The Revox API works again after ${duration}; ${count} upstream requests failed.`;

describe('Upstream condition', () => {
  test('after a success, two failures in a row begin no condition, and three begin one', async () => {
    const { execute, fail, lines, clock, traffic } = createLoggedGateway();
    await execute(CALL);
    await execute('{ assistants(first: 1) { nodes { id } } }');
    await fail(503, 2);
    await execute('{ assistants(first: 1) { nodes { id } } }');
    await fail(503, 2);
    expect(lines()).toEqual([]);
    clock.pass(5_000);
    await fail(503, 1);
    expect(lines()).toEqual([SERVER_ERROR]);
    clock.pass(40_000);
    await fail(503, 20);
    expect(lines()).toEqual([]);
    clock.pass(2_000);
    await execute('{ assistants(first: 1) { nodes { id } } }');
    expect(lines()).toEqual([RECOVERED('47 s', 23)]);
    expect(traffic()).toHaveLength(29);
  });

  test('a flapping upstream writes fewer and fewer lines', async () => {
    const { execute, fail, lines, clock, timers, ready } = createLoggedGateway();
    const flap = async () => {
      await fail(503, 3);
      clock.pass(1_000);
      await execute('{ assistants(first: 1) { nodes { id } } }');
    };
    await flap();
    expect(lines()).toEqual([SERVER_ERROR, RECOVERED('1 s', 3)]);

    // The second time the condition ends only after ten seconds without a failure.
    for (let times = 0; times < 50; times += 1) await flap();
    expect(lines()).toEqual([SERVER_ERROR]);
    expect(await ready()).toMatchObject({ upstream: { active: true, count: 150 } });
    clock.pass(10_000);
    timers.elapse(10_000);
    expect(lines()).toEqual([RECOVERED('50 s', 150)]);
    expect(await ready()).toMatchObject({ upstream: { active: false } });

    // The third time after twenty.
    await flap();
    timers.elapse(10_000);
    expect(lines()).toEqual([SERVER_ERROR]);
    timers.elapse(20_000);
    expect(lines()).toEqual([RECOVERED('1 s', 3)]);

    // A condition that begins after five minutes without one ends at once.
    clock.pass(300_000);
    await flap();
    expect(lines()).toEqual([SERVER_ERROR, RECOVERED('1 s', 3)]);
  });

  test('a response of any status ends a condition without responses', async () => {
    let isDown = true;
    const { execute, lines, traffic } = createLoggedGateway({
      upstream: async () => {
        if (isDown) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        return Response.json({}, { status: 404 });
      },
    });
    await execute(CALL);
    isDown = false;
    expect(await execute(CALL)).toEqual({ data: { call: null } });
    expect(lines()).toEqual([
      'error The Revox API fails: revox.test refuses connections (ECONNREFUSED). Check the host and the port of REVOX_BASE_URL, and whether the server runs.',
      'info The Revox API works again after 0 ms; 1 upstream request failed.',
    ]);
    expect(traffic()).toHaveLength(2);
  });

  test('an error of an embedded fetch function is logged by its name, without its message', async () => {
    const { execute, lines } = createLoggedGateway({
      upstream: () => Promise.reject(new TypeError('at https://user:password@db.internal')),
    });
    await execute(CALL);
    expect(lines()).toEqual([
      'error The Revox API fails: Requests to revox.test fail (TypeError). Nothing more is known.',
    ]);
  });
});

describe('Circuit breaker condition', () => {
  test('a circuit is logged once when it opens, is half-open, and is closed again', async () => {
    let isDown = true;
    const { execute, lines, clock, traffic, ready } = createLoggedGateway({
      settings: { REVOX_BREAKER_FAILURES: '10', REVOX_BREAKER_OPEN_MS: '1000' },
      upstream: async () => {
        if (isDown) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        return Response.json({ call: { id: 'c' } });
      },
    });
    for (let count = 0; count < 30; count += 1) await execute(CALL);
    expect(traffic()).toHaveLength(10);
    expect(lines().slice(1)).toEqual([
      'warn The circuit breaker of all connections to the Revox API is open: the gateway sends no request until a probe succeeds.',
    ]);
    for (const ms of [1_000, 2_000, 4_000]) {
      clock.pass(ms);
      await execute(CALL);
    }
    expect(lines()).toEqual([
      'warn The circuit breaker of all connections to the Revox API is half-open: the gateway sends a probe.',
    ]);
    isDown = false;
    clock.pass(8_000);
    expect(await execute(CALL)).toEqual({ data: { call: { id: 'c' } } });
    expect(lines()).toEqual([
      'info The circuit breaker of all connections to the Revox API is closed again after 15 s.',
      RECOVERED('15 s', 13),
    ]);
    expect(traffic()).toHaveLength(4);
    expect(await ready()).toMatchObject({
      'circuit-connection': { active: false, cause: 'half-open' },
    });
  });

  test('the condition of endpoint circuits ends when the last of them has expired', async () => {
    const { execute, fail, lines, clock, ready } = createLoggedGateway({
      settings: { REVOX_BREAKER_FAILURES: '3' },
    });
    await fail(503, 3);
    expect(lines()).toEqual([
      SERVER_ERROR,
      'warn A circuit breaker of one caller and endpoint of the Revox API is open: the gateway sends no request until a probe succeeds.',
    ]);
    clock.pass(30_000);
    await execute('{ assistants(first: 1) { nodes { id } } }');
    expect(lines()).toEqual([RECOVERED('30 s', 3)]);
    clock.pass(60_000);
    expect(await ready()).toMatchObject({ 'circuit-endpoint': { active: false } });
    expect(lines()).toEqual([
      'info All circuit breakers of the Revox API are closed again after 90 s.',
    ]);
  });
});

describe('Rate-limit condition', () => {
  test.each([
    ['service mode', {}, 'REVOX_API_KEY'],
    ['pass-through mode', { REVOX_API_KEY: '' }, 'the key of a caller'],
  ])(
    'a cooldown in %s is logged once when it begins, and once when it is over',
    async (_name, settings, key) => {
      const { execute, lines, clock, timers, sandbox, traffic } = createLoggedGateway({ settings });
      const headers = { authorization: 'Bearer sk_demo_a' };
      const read = () => execute('{ assistants(first: 1) { nodes { id } } }', {}, headers);
      sandbox.control.fail('/assistants', {
        status: 429,
        headers: { 'retry-after': '60' },
        times: 1,
      });
      for (let count = 0; count < 5; count += 1)
        expect(await read()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
      expect(traffic()).toHaveLength(1);
      expect(lines()).toEqual([
        `warn revox.test limits the rate of ${key} (status 429). The gateway sends no request with that key for 60 s. Ask for a higher limit, lower REVOX_MAX_CONCURRENCY, or raise the FRESHNESS_… settings.`,
      ]);
      clock.pass(60_000);
      timers.elapse(60_000);
      await untilIdle();
      expect(await read()).not.toHaveProperty('errors');
      expect(lines()).toEqual([
        'info The rate limit of the Revox API is over after 60 s; 1 response had status 429.',
      ]);
      expect(traffic()).toHaveLength(1);
    },
  );
});

test('the duration of a rate limit does not include the time without requests after it', async () => {
  const { execute, lines, clock, timers, sandbox, ready, traffic } = createLoggedGateway();
  const read = () => execute('{ assistants(first: 1) { nodes { id } } }');
  sandbox.control.fail('/assistants', { status: 429, headers: { 'retry-after': '60' }, times: 1 });
  await read();
  const before = (await ready()) as Ready;
  clock.pass(3 * 3_600_000);
  timers.elapse(60_000);
  await untilIdle();
  expect(await read()).not.toHaveProperty('errors');
  expect(lines().slice(1)).toEqual([
    'info The rate limit of the Revox API is over after 60 s; 1 response had status 429.',
  ]);
  const after = (await ready()) as Ready;
  const { since, endedAt = '' } = after['rate-limit'];
  expect(since).toBe(before['rate-limit'].since);
  expect(Date.parse(endedAt) - Date.parse(since)).toBe(60_000);
  expect(traffic()).toHaveLength(2);
});

interface Ready {
  readonly 'rate-limit': { readonly since: string; readonly endedAt?: string };
}

describe('Trace of a failed upstream request', () => {
  const CALLS = (result: { extensions?: { upstream: { calls: object[] } } }) =>
    result.extensions?.upstream.calls;

  test('a trace entry carries the code of the error, and of the error behind a stale response', async () => {
    const { executeTraced, sandbox, clock, traffic } = createLoggedGateway({
      settings: { FRESHNESS_ASSISTANT_MS: '1000' },
    });
    const read = () => executeTraced('{ assistants(first: 1) { nodes { id } } }');
    const fresh = await read();
    expect(CALLS(fresh)).toEqual([expect.not.objectContaining({ code: expect.anything() })]);

    sandbox.control.fail(() => true, { status: 503 });
    const failed = await executeTraced('{ call(id: "c") { id } }');
    expect(CALLS(failed)).toMatchObject([
      { path: '/call/c', status: 503, code: 'UPSTREAM_UNAVAILABLE', source: 'network' },
    ]);
    clock.pass(900_000);
    const stale = await read();
    expect(stale.errors).toBeUndefined();
    expect(CALLS(stale)).toMatchObject([
      { path: '/assistants', status: 200, code: 'UPSTREAM_UNAVAILABLE', source: 'stale' },
    ]);
    expect(traffic()).toHaveLength(3);
  });

  test('a trace entry of a request without a response has a code and no status', async () => {
    const { executeTraced, traffic } = createLoggedGateway({
      upstream: () =>
        Promise.reject(Object.assign(new Error('late'), { code: 'UND_ERR_HEADERS_TIMEOUT' })),
    });
    expect(CALLS(await executeTraced(CALL))).toMatchObject([
      { path: '/call/c', status: null, code: 'UPSTREAM_TIMEOUT', source: 'network' },
    ]);
    expect(traffic()).toHaveLength(1);
  });
});
