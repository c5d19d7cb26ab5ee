import { describe, expect, test } from 'vitest';
import { createClock } from '../support/clock.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { seriesOf } from './recorded-metrics.ts';

describe('Metrics of a running gateway', () => {
  test('cache lookups and retries of a running gateway are counted by source and reason', async () => {
    const campaignsRequested = Promise.withResolvers<void>();
    const world = createTestGateway({
      // Retries take longer than an operation may join the request for assistants.
      gateway: { now: createClock().now },
      // The second operation joins the request for assistants while that is in flight: its own
      // request for campaigns shows that it is executed.
      upstream: async (request) => {
        if (request.url.includes('/campaigns')) campaignsRequested.resolve();
        else await campaignsRequested.promise;
        return world.sandbox.fetch(request);
      },
    });
    const voices = 'assistants(first: 1) { nodes { id } }';
    world.sandbox.control.fail('/campaigns', { status: 500 });
    await Promise.all([
      world.execute(`{ ${voices} }`),
      world.execute(`{ ${voices} campaigns(first: 1) { nodes { id } } }`),
    ]);
    await world.execute(`{ ${voices} }`);
    const samples = await readMetrics(world);
    expect(seriesOf(samples, 'upstream_lookups_total')).toEqual(
      expect.arrayContaining([
        { endpoint: '/assistants', source: 'network', value: 1 },
        { endpoint: '/assistants', source: 'coalesced', value: 1 },
        { endpoint: '/assistants', source: 'memory', value: 1 },
        { endpoint: '/campaigns', source: 'failed', value: 1 },
      ]),
    );
    const tries = world.traffic().filter((request) => request === 'GET /campaigns').length;
    expect(seriesOf(samples, 'upstream_retries_total')).toEqual([
      { endpoint: '/campaigns', reason: 'server-error', value: tries - 1 },
    ]);
    expect(sumSamples(samples, 'upstream_queue_wait_seconds_count')).toBe(1 + tries);
    expect(sumSamples(samples, 'cache_entries')).toBeGreaterThan(0);
    expect(sumSamples(samples, 'cache_bytes')).toBeGreaterThan(0);
  });

  test('queued and in-flight upstream requests are counted, and waiting for them is not overhead', async () => {
    const clock = createClock();
    const response = Promise.withResolvers<void>();
    const received = Promise.withResolvers<void>();
    const world = createTestGateway({
      settings: { REVOX_MAX_CONCURRENCY: '1' },
      gateway: { monotonicNow: clock.now },
      upstream: async (request) => {
        received.resolve();
        await response.promise;
        return world.sandbox.fetch(request);
      },
    });
    const execution = world.execute(
      '{ assistants(first: 1) { nodes { id } } campaigns(first: 1) { nodes { id } } }',
    );
    await received.promise;
    const meanwhile = await readMetrics(world);
    expect(
      ['upstream_in_flight', 'upstream_queued', 'upstream_coalescing_in_flight'].map((name) =>
        sumSamples(meanwhile, name),
      ),
    ).toEqual([1, 1, 2]);
    clock.pass(3_000);
    response.resolve();
    await execution;
    const samples = await readMetrics(world);
    expect(sumSamples(samples, 'operation_duration_seconds_sum')).toBe(3);
    expect(sumSamples(samples, 'operation_overhead_seconds_sum')).toBe(0);
    expect(sumSamples(samples, 'upstream_in_flight')).toBe(0);
  });

  test('a rate-limit cooldown shows in /metrics and in /ready', async () => {
    const world = createTestGateway();
    world.sandbox.control.fail('/assistants', { status: 429, headers: { 'retry-after': '60' } });
    await world.execute('{ assistants(first: 1) { nodes { id } } }');
    expect(sumSamples(await readMetrics(world), 'upstream_cooling_down_credentials')).toBe(1);
    expect(sumSamples(await readMetrics(world), 'upstream_rate_limited_total')).toBe(1);
    expect(await (await world.fetch('/ready')).json()).toEqual({
      status: 'ready',
      upstream: {
        breaker: 'closed',
        circuitsOpen: 0,
        queued: 0,
        inFlight: 0,
        coolingDown: 1,
        lastResponseAt: expect.stringMatching(/Z$/),
      },
      conditions: {
        'rate-limit': {
          active: true,
          cause: 'rate-limited',
          since: expect.stringMatching(/Z$/),
          count: 1,
        },
      },
    });
  });

  test.each([
    ['connection', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'open'],
    ['endpoint', new Error('the connection broke'), 'closed'],
  ])(
    'an open circuit of the scope %s shows in /metrics and in /ready, which still responds with 200',
    async (scope, error, breaker) => {
      const world = createTestGateway({
        settings: { REVOX_RETRIES: '0' },
        // The clock stands still, so that the circuit does not become half-open.
        gateway: { monotonicNow: createClock().now },
        upstream: () => Promise.reject(error),
      });
      expect(await (await world.fetch('/ready')).json()).toMatchObject({
        upstream: { breaker: 'closed', circuitsOpen: 0, lastResponseAt: null },
      });
      for (let times = 0; times < 30; times += 1)
        await world.execute(`{ call(id: "c${times}") { id } }`);
      const samples = await readMetrics(world);
      expect(
        seriesOf(samples, 'upstream_breaker_state').filter(({ value }) => value === 1),
      ).toContainEqual({ scope, state: 'open', value: 1 });
      expect(seriesOf(samples, 'upstream_circuit_opened_total')).toContainEqual({
        scope,
        value: 1,
      });
      expect(sumSamples(samples, 'upstream_circuit_opened_total')).toBe(1);
      expect(sumSamples(samples, 'upstream_circuits_open')).toBe(1);
      const response = await world.fetch('/ready');
      expect([response.status, await response.json()]).toMatchObject([
        200,
        { upstream: { breaker, circuitsOpen: 1, lastResponseAt: null } },
      ]);
    },
  );
});
