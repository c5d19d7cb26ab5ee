import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CacheState } from '#cache/cache-events.ts';
import { VERSION } from '#generated/version.ts';
import { createMetrics } from '#observability/metrics.ts';
import { createOperationNamer } from '#observability/operation-names.ts';
import { createServerObserver } from '#observability/server-observer.ts';
import type { UpstreamState } from '#rest/upstream-events.ts';
import { captureLog } from '../support/captured-log.ts';
import { createClock } from '../support/clock.ts';
import { parseMetrics, readMetrics, type Sample, sumSamples } from '../support/metrics.ts';
import { createTestGateway } from '../support/test-gateway.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The series of one metric, without the buckets of histograms: labels and value. */
function seriesOf(samples: readonly Sample[], name: string) {
  return samples
    .filter((sample) => sample.name === `revox_gateway_${name}`)
    .map(({ labels, value }) => ({ ...labels, value }));
}

describe('Operation metrics', () => {
  test('operations are counted by name and code, with their duration', async () => {
    const clock = createClock();
    const world = createTestGateway({
      gateway: { monotonicNow: clock.now },
      upstream: async (request) => {
        clock.pass(200);
        return world.sandbox.fetch(request);
      },
    });
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    await world.execute('{ call(id: ".") { id } }');
    const samples = await readMetrics(world);
    expect(seriesOf(samples, 'operation_duration_seconds_count')).toEqual([
      { operation: 'Voices', code: 'OK', value: 2 },
      { operation: 'anonymous', code: 'BAD_USER_INPUT', value: 1 },
    ]);
    expect(
      sumSamples(samples, 'operation_duration_seconds_sum', { operation: 'Voices' }),
    ).toBeCloseTo(0.2);
    expect(sumSamples(samples, 'operation_overhead_seconds_count')).toBe(3);
    expect(world.traffic()).toEqual(['GET /assistants']);
  });

  test.each([
    { fastPath: true, responseCache: true, counts: { yoga: 1, fast: 1, cached: 3 } },
    { fastPath: true, responseCache: false, counts: { yoga: 1, fast: 4 } },
    { fastPath: false, responseCache: true, counts: { yoga: 2, cached: 3 } },
    { fastPath: false, responseCache: false, counts: { yoga: 5 } },
  ])(
    'operations are counted by the pipeline that produced the response: $counts with fastPath $fastPath and responseCache $responseCache',
    async ({ counts, ...gateway }) => {
      const world = createTestGateway({ gateway });
      const json = { 'content-type': 'application/json' };
      // Yoga executes the new document. A second execution with cache hits only is stored.
      for (let times = 0; times < 5; times += 1)
        await world.execute(
          'query Voices { assistants(first: 1) { nodes { id } } }',
          undefined,
          json,
        );
      await world.execute('{ nope }', undefined, json);
      expect(seriesOf(await readMetrics(world), 'operations_total')).toEqual(
        Object.entries(counts).map(([pipeline, value]) => ({
          operation: 'Voices',
          pipeline,
          value,
        })),
      );
      expect(world.traffic()).toEqual(['GET /assistants']);
    },
  );

  test('operations are counted while they are in progress', async () => {
    const response = Promise.withResolvers<Response>();
    const received = Promise.withResolvers<void>();
    const world = createTestGateway({
      upstream: () => {
        received.resolve();
        return response.promise;
      },
    });
    const execution = world.execute('{ assistants(first: 1) { nodes { id } } }');
    await received.promise;
    expect(sumSamples(await readMetrics(world), 'operations_in_progress')).toBe(1);
    response.resolve(new Response(null, { status: 500 }));
    await execution;
    expect(sumSamples(await readMetrics(world), 'operations_in_progress')).toBe(0);
  });

  test('operations are counted under a hundred names at most, all of valid and served operations', async () => {
    const world = createTestGateway();
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Invalid${number} { nope }`);
    expect(seriesOf(await readMetrics(world), 'operation_duration_seconds_count')).toEqual([]);
    // The gateway has not verified the key of these requests, so their operations get no name.
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Stranger${number} { __typename }`);
    expect(seriesOf(await readMetrics(world), 'operation_duration_seconds_count')).toEqual([
      { operation: 'other', code: 'OK', value: 300 },
    ]);
    for (let number = 0; number < 300; number += 1)
      await world.execute(`query Valid${number} { assistants(first: 1) { nodes { id } } }`);
    await world.execute(`query ${'X'.repeat(5_000)} { assistants(first: 1) { nodes { id } } }`);
    await world.execute('{ __typename }');
    const series = seriesOf(await readMetrics(world), 'operation_duration_seconds_count');
    expect(series).toHaveLength(102);
    expect(series).toContainEqual({ operation: 'Valid0', code: 'OK', value: 1 });
    expect(series).toContainEqual({ operation: 'other', code: 'OK', value: 501 });
    expect(series).toContainEqual({ operation: 'anonymous', code: 'OK', value: 1 });
  });

  test('ten thousand operation names are reduced to a hundred', () => {
    const nameOperation = createOperationNamer(100);
    const names = new Set(
      Array.from({ length: 10_000 }, (_, number) => nameOperation(`Q${number}`, true)),
    );
    expect(names.size).toBe(101);
    // A caller chooses the name: 64 characters are counted.
    const nameAnother = createOperationNamer();
    expect([nameAnother('x'.repeat(64), true), nameAnother('x'.repeat(65), true)]).toEqual([
      'x'.repeat(64),
      'other',
    ]);
    expect([
      nameOperation('Q1', false),
      nameOperation('Q9999', true),
      nameOperation(undefined, true),
    ]).toEqual(['Q1', 'other', 'anonymous']);
  });
});

describe('Rejection metrics', () => {
  test('a rejected request is counted once, by its code', async () => {
    const world = createTestGateway();
    await world.execute('{ nope }');
    await world.execute('{ nope');
    await world.execute('query A { __typename } query B { __typename }');
    expect(seriesOf(await readMetrics(world), 'requests_rejected_total')).toEqual([
      { code: 'GRAPHQL_VALIDATION_FAILED', value: 1 },
      { code: 'GRAPHQL_PARSE_FAILED', value: 1 },
      { code: 'BAD_USER_INPUT', value: 1 },
    ]);
  });

  test.each([
    ['MAX_TOKENS', `{ ${'__typename '.repeat(6_000)} }`],
    [
      'MAX_DEPTH',
      `{ ${'calls(ids: []) { campaign { rows { nodes { call { '.repeat(5)} id ${'}}}}}'.repeat(5)} }`,
    ],
    ['MAX_DEPTH', `{ ${'a { '.repeat(500)} ${'} '.repeat(500)} }`],
    ['MAX_ALIASES', `{ ${'__typename '.repeat(200)} }`],
    ['MAX_DIRECTIVES', `{ __typename ${'@skip(if: false) '.repeat(200)} }`],
    ['MAX_IDS', `{ calls(ids: [${'"x" '.repeat(101)}]) { id } }`],
    [
      'MAX_COST',
      '{ campaigns(first: 100) { nodes { rows(first: 100) { nodes { call { campaign { rows(first: 100) { nodes { id } } } } } } } } }',
    ],
    ['MAX_BODY_BYTES', `{ __typename } #${'x'.repeat(2 ** 20)}`],
  ])('a request over a limit is counted by the setting of the limit: %s', async (limit, query) => {
    const world = createTestGateway();
    const { errors } = await world.execute(query);
    expect(errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_COMPLEX' } }]);
    expect(seriesOf(await readMetrics(world), 'limit_exceeded_total')).toEqual([
      { limit, value: 1 },
    ]);
    expect(world.traffic()).toEqual([]);
  });

  test('a response over its size limit is counted by the setting of the limit', async () => {
    const world = createTestGateway({ settings: { MAX_ANSWER_BYTES: '1024' } });
    await world.execute('{ assistants(first: 50) { nodes { id name } } }');
    expect(seriesOf(await readMetrics(world), 'limit_exceeded_total')).toEqual([
      { limit: 'MAX_ANSWER_BYTES', value: 1 },
    ]);
  });
});

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

describe('Metrics of a running gateway', () => {
  test('cache lookups and retries of a running gateway are counted by source and reason', async () => {
    const world = createTestGateway();
    const voices = '{ assistants(first: 1) { nodes { id } } }';
    await Promise.all([world.execute(voices), world.execute(voices)]);
    await world.execute(voices);
    world.sandbox.control.fail('/campaigns', { status: 500 });
    await world.execute('{ campaigns(first: 1) { nodes { id } } }');
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

describe('/metrics', () => {
  test('/metrics describes every metric once, and the documentation lists the same metrics', async () => {
    const world = createTestGateway();
    const text = await (await world.fetch('/metrics')).text();
    const names = Array.from(text.matchAll(/^# HELP (\S+) \S+/gm), ([, name = '']) => name);
    expect(new Set(names).size).toBe(names.length);
    const documented = Array.from(
      readFileSync(join(ROOT, 'docs/operations/monitoring.md'), 'utf8').matchAll(
        /^\| `(revox_gateway_\w+)`/gm,
      ),
      ([, name = '']) => name,
    );
    expect(documented.sort()).toEqual(names.sort());
  });

  test('/metrics contains nothing of another gateway in the same process', async () => {
    const [world, other] = [createTestGateway(), createTestGateway()];
    await other.execute('query Elsewhere { __typename }');
    expect(seriesOf(await readMetrics(world), 'operation_duration_seconds_count')).toEqual([]);
  });

  test('/metrics contains the metrics of the process when they are enabled', async () => {
    const world = createTestGateway({ gateway: { processMetrics: true } });
    const samples = await readMetrics(world);
    expect(samples.some(({ name }) => name === 'process_resident_memory_bytes')).toBe(true);
    const lags = samples.filter(({ name }) => name.startsWith('nodejs_eventloop_lag_'));
    expect(lags.map(({ name }) => name).sort()).toEqual(
      ['max_', 'mean_', 'min_', 'p50_', 'p90_', 'p99_', '', 'stddev_'].map(
        (part) => `nodejs_eventloop_lag_${part}seconds`,
      ),
    );
    expect(lags.find(({ name }) => name.includes('_p99_'))?.value).toBeGreaterThanOrEqual(0.01);
  });

  test('/metrics contains the versions of the gateway and of Node.js', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(VERSION).toBe(version);
    expect(seriesOf(await readMetrics(createTestGateway()), 'build_info')).toEqual([
      { version, node: process.version, value: 1 },
    ]);
  });

  test('/metrics needs no secret, accepts only GET and HEAD, and must not be cached', async () => {
    const world = createTestGateway({ settings: { ROUTER_SECRETS: 'a-secret-of-16-chars' } });
    for (const method of ['GET', 'HEAD'])
      expect((await world.fetch('/metrics', { method })).status).toBe(200);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await world.fetch('/metrics', { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
    const { headers } = await world.fetch('/metrics');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test('/metrics rejects other host names when the gateway requires no credential', async () => {
    expect((await createTestGateway().fetch('http://rebound.test/metrics')).status).toBe(403);
  });
});

const ALL_CLOSED: UpstreamState['circuits'] = {
  connection: { state: 'closed', openCount: 0 },
  endpoint: { state: 'closed', openCount: 0 },
};

function createRecordedMetrics(
  upstream: UpstreamState = { queued: 0, inFlight: 0, coolingDown: 0, circuits: ALL_CLOSED },
  cache: CacheState = { bytes: 0, entries: 0, inFlight: 0 },
) {
  const metrics = createMetrics({
    upstreamState: () => upstream,
    cacheState: () => cache,
  });
  return { metrics, read: async () => parseMetrics(await metrics.render()) };
}
