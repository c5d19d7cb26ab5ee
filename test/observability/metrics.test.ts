import { describe, expect, test } from 'vitest';
import { createServerObserver } from '#observability/server-observer.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';
import { captureLog } from '../support/captured-log.ts';
import { readMetrics, sumSamples } from '../support/metrics.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { ALL_CLOSED, createRecordedMetrics, seriesOf } from './recorded-metrics.ts';

test('HTTP responses are counted by route and status', async () => {
  const world = createTestGateway();
  await world.execute('{ __typename }');
  await world.fetch('/health');
  await world.fetch('/health', { method: 'POST' });
  for (let number = 0; number < 50; number += 1) await world.fetch(`/nothing/${number}`);
  const samples = await readMetrics(world);
  // The other two requests were not rejected.
  expect(seriesOf(samples, 'requests_rejected_total')).toEqual([
    { code: 'BAD_USER_INPUT', value: 51 },
  ]);
  expect(seriesOf(samples, 'http_responses_total')).toEqual([
    { route: '/graphql', status: '200', value: 1 },
    { route: '/health', status: '200', value: 1 },
    { route: '/health', status: '405', value: 1 },
    { route: 'other', status: '404', value: 50 },
  ]);
});

describe('Closed connections of clients', () => {
  test.each([
    ['unread', ['closed the connection of a client that does not read its response']],
    ['silent', []],
    ['evicted', []],
  ])('a connection that is closed as %s is counted, and logged as %j', async (reason, messages) => {
    const { metrics, read } = createRecordedMetrics();
    const kept = captureLog();
    const before = ['unread', 'silent', 'evicted'].map((each) => ({ reason: each, value: 0 }));
    expect(seriesOf(await read(), 'client_disconnects_total')).toEqual(before);
    createServerObserver(metrics, kept.log).onDisconnected(reason);
    expect(seriesOf(await read(), 'client_disconnects_total')).toEqual(
      before.map((series) => ({ ...series, value: series.reason === reason ? 1 : 0 })),
    );
    expect(kept.read().map(({ level, msg }) => [level, msg])).toEqual(
      messages.map((message) => ['info', message]),
    );
  });

  test('a request that the server rejects is counted and logged with its status and code', async () => {
    const { metrics, read } = createRecordedMetrics();
    const kept = captureLog();
    const observer = createServerObserver(metrics, kept.log);
    observer.onRejected({ status: 431, code: 'OPERATION_TOO_COMPLEX' });
    observer.onRejected({ status: 503, code: 'RATE_LIMITED', setting: 'MAX_CONNECTIONS' });
    const samples = await read();
    expect(seriesOf(samples, 'http_responses_total')).toEqual([
      { route: 'none', status: '431', value: 1 },
      { route: 'none', status: '503', value: 1 },
    ]);
    expect(seriesOf(samples, 'requests_rejected_total')).toEqual([
      { code: 'OPERATION_TOO_COMPLEX', value: 1 },
      { code: 'RATE_LIMITED', value: 1 },
    ]);
    expect(seriesOf(samples, 'limit_exceeded_total')).toEqual([
      { limit: 'MAX_CONNECTIONS', value: 1 },
    ]);
    expect(kept.read()).toMatchObject([
      { level: 'info', msg: 'rejected', status: 431, code: 'OPERATION_TOO_COMPLEX' },
      { level: 'info', msg: 'rejected', status: 503, code: 'RATE_LIMITED' },
    ]);
  });
});

test('unexpected errors are counted', async () => {
  const world = createTestGateway({
    gateway: {
      startTimer: () => {
        throw new Error('oops');
      },
    },
  });
  expect(await world.execute('{ __typename }')).toMatchObject({
    errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
  const samples = await readMetrics(world);
  expect([
    sumSamples(samples, 'unexpected_errors_total'),
    sumSamples(samples, 'requests_rejected_total', { code: 'INTERNAL_SERVER_ERROR' }),
  ]).toEqual([1, 1]);
});

describe('Upstream metrics', () => {
  test('upstream requests are counted by endpoint, status and outcome', async () => {
    const world = createTestGateway();
    await world.execute('{ assistants(first: 1) { nodes { id } } call(id: "unknown") { id } }');
    world.sandbox.control.fail(() => true, { status: 503 });
    await world.execute('{ campaigns(first: 1) { nodes { id } } }');
    const samples = await readMetrics(world);
    expect(seriesOf(samples, 'upstream_request_duration_seconds_count')).toEqual(
      expect.arrayContaining([
        { endpoint: '/assistants', status: '200', outcome: 'ok', value: 1 },
        { endpoint: '/call/{id}', status: '404', outcome: 'missing', value: 1 },
        {
          endpoint: '/campaigns',
          status: '503',
          outcome: 'server-error',
          value: expect.any(Number),
        },
      ]),
    );
  });

  test('queue waits, cooldowns, retries and circuit breaker openings are counted', async () => {
    const { metrics, read } = createRecordedMetrics();
    const { onRetry, onQueueWait, onRateLimited, onCircuitChange } = metrics.upstreamEvents;
    onRetry('/call', 'server-error');
    onRetry('/call', 'server-error');
    onQueueWait(40);
    onRateLimited(2_000);
    onCircuitChange('opened', 'endpoint');
    onCircuitChange('closed', 'endpoint');
    metrics.onUpstreamRequestEnd({
      endpoint: '/call',
      status: null,
      failure: 'timeout',
      ms: 1_500,
    });
    for (const status of [99, 100, 599, 600, 999])
      metrics.onUpstreamRequestEnd({ endpoint: '/call', status, failure: 'rejected', ms: 10 });
    const samples = await read();
    expect(seriesOf(samples, 'upstream_retries_total')).toEqual([
      { endpoint: '/call', reason: 'server-error', value: 2 },
    ]);
    expect(sumSamples(samples, 'upstream_queue_wait_seconds_count')).toBe(1);
    expect(sumSamples(samples, 'upstream_queue_wait_seconds_sum')).toBe(0.04);
    expect(sumSamples(samples, 'upstream_rate_limited_total')).toBe(1);
    expect(seriesOf(samples, 'upstream_circuit_opened_total')).toEqual([
      { scope: 'connection', value: 0 },
      { scope: 'endpoint', value: 1 },
    ]);
    expect(seriesOf(samples, 'upstream_request_duration_seconds_sum')).toEqual([
      { endpoint: '/call', status: 'none', outcome: 'timeout', value: 1.5 },
      { endpoint: '/call', status: 'invalid', outcome: 'rejected', value: 0.03 },
      { endpoint: '/call', status: '100', outcome: 'rejected', value: 0.01 },
      { endpoint: '/call', status: '599', outcome: 'rejected', value: 0.01 },
    ]);
  });

  test('the state of the upstream client is read at the time of the scrape', async () => {
    const state = {
      queued: 3,
      inFlight: 20,
      coolingDown: 1,
      reducedShares: 0,
      circuits: {
        connection: { state: 'half-open', openCount: 1 },
        endpoint: { state: 'open', openCount: 3 },
      } as UpstreamState['circuits'],
    };
    const { read } = createRecordedMetrics(state);
    const samples = await read();
    expect(sumSamples(samples, 'upstream_queued')).toBe(3);
    expect(sumSamples(samples, 'upstream_in_flight')).toBe(20);
    expect(sumSamples(samples, 'upstream_cooling_down_credentials')).toBe(1);
    const breaker = (scope: string, current: string) =>
      ['closed', 'half-open', 'open'].map((name) => ({
        scope,
        state: name,
        value: name === current ? 1 : 0,
      }));
    expect(seriesOf(samples, 'upstream_breaker_state')).toEqual([
      ...breaker('connection', 'half-open'),
      ...breaker('endpoint', 'open'),
    ]);
    expect(seriesOf(samples, 'upstream_circuits_open')).toEqual([
      { scope: 'connection', value: 1 },
      { scope: 'endpoint', value: 3 },
    ]);
    state.circuits = ALL_CLOSED;
    const later = await read();
    expect(seriesOf(later, 'upstream_breaker_state')).toEqual([
      ...breaker('connection', 'closed'),
      ...breaker('endpoint', 'closed'),
    ]);
    expect(sumSamples(later, 'upstream_circuits_open')).toBe(0);
  });
});

test('cache lookups are counted by source, and the size of the cache is reported', async () => {
  const { metrics, read } = createRecordedMetrics(undefined, {
    bytes: 1024,
    entries: 7,
    inFlight: 2,
  });
  metrics.cacheEvents.onLookup('/call/{id}', 'memory');
  metrics.cacheEvents.onLookup('/call/{id}', 'memory');
  metrics.cacheEvents.onLookup('/call/{id}', 'coalesced');
  const samples = await read();
  expect(seriesOf(samples, 'upstream_lookups_total')).toEqual([
    { endpoint: '/call/{id}', source: 'memory', value: 2 },
    { endpoint: '/call/{id}', source: 'coalesced', value: 1 },
  ]);
  expect(
    ['cache_bytes', 'cache_entries', 'upstream_coalescing_in_flight'].map((name) =>
      sumSamples(samples, name),
    ),
  ).toEqual([1024, 7, 2]);
});

test('drift is counted by kind, type and field', async () => {
  const world = createTestGateway({
    upstream: async () =>
      Response.json({
        call: { id: 'c', status: 'in progress', direction: 'sideways', call_attempts: [5] },
      }),
  });
  await world.execute('{ call(id: "c") { direction callAttempts { id } } }');
  await world.execute('{ call(id: "c") { direction callAttempts { id } } }');
  const drift = seriesOf(await readMetrics(world), 'drift_total');
  expect(drift).toContainEqual({
    kind: 'unrecognized',
    type: 'Call',
    field: 'direction',
    value: 2,
  });
  expect(drift).toContainEqual({ kind: 'dropped', type: 'Call', field: 'callAttempts', value: 2 });
  expect(JSON.stringify(drift)).not.toContain('sideways');
});
