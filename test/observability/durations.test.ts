import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createManualTimers } from '../rest/real-server.ts';
import { captureLog } from '../support/captured-log.ts';
import { createClock } from '../support/clock.ts';
import { readMetrics, type Sample } from '../support/metrics.ts';
import { createTestGateway, type TestGatewayOptions } from '../support/test-gateway.ts';
import { untilIdle } from '../support/timed-gateway.ts';

/** How long the upload of a request takes: time of the gateway, not of the upstream. */
const UPLOAD_MS = 30.04;

const TWO =
  'query Two { assistants(first: 1) { nodes { id } } campaigns(first: 1) { nodes { id } } }';
const ONE = 'query One { assistants(first: 1) { nodes { id } } }';

/** A gateway whose clocks, timers and upstream responses the test controls. */
function createScene({ gateway, ...options }: TestGatewayOptions = {}) {
  const clock = createClock();
  const [timers, kept, exporter] = [createManualTimers(), captureLog(), new InMemorySpanExporter()];
  // The clocks of OpenTelemetry.
  const spies = [
    vi.spyOn(Date, 'now').mockImplementation(clock.now),
    vi.spyOn(performance, 'now').mockImplementation(() => clock.now() - performance.timeOrigin),
  ];
  onTestFinished(() => spies.forEach((spy) => void spy.mockRestore()));
  const responders: (() => void)[] = [];
  const world = createTestGateway({
    ...options,
    upstream: async (request) => {
      await new Promise<void>((resolve) => responders.push(resolve));
      return world.sandbox.fetch(request);
    },
    gateway: {
      log: kept.log,
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: timers.startTimer,
      random: () => 1,
      tracerProvider: new TracerProvider({
        spanProcessors: [new SimpleSpanProcessor({ exporter })],
      }),
      ...gateway,
    },
  });
  return {
    ...world,
    clock,
    timers,
    /** The log lines of the operations. */
    lines: () => kept.read('/graphql'),
    /** The name and the duration of each span, in ms. */
    spans: () =>
      exporter
        .getFinishedSpans()
        .map(({ name, duration: [s, ns] }) => [name, Math.round(s * 1e5 + ns / 1e4) / 100]),
    attributes: () => exporter.getFinishedSpans().map(({ attributes }) => attributes),
    /** Uploads an operation, which takes this time. */
    async upload(query: string, ms = UPLOAD_MS) {
      const body = new ReadableStream({
        pull(controller) {
          clock.pass(ms);
          controller.enqueue(Buffer.from(JSON.stringify({ query })));
          controller.close();
        },
      });
      const response = await world.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-revox-trace': '1' },
        body,
        duplex: 'half',
      } as RequestInit);
      return response.json();
    },
    /** Lets time pass, and then responds to the oldest upstream request. */
    async respondAfter(ms: number) {
      while (responders.length === 0) await new Promise(setImmediate);
      clock.pass(ms);
      responders.shift()?.();
      await untilIdle();
    },
  };
}

/** The sums of a histogram in ms, by the given label. */
function sumsOf(samples: readonly Sample[], name: string, label?: string) {
  return Object.fromEntries(
    samples
      .filter((sample) => sample.name === `revox_gateway_${name}_seconds_sum`)
      .map(({ labels, value }) => [label ? labels[label] : '', Math.round(value * 1e5) / 100]),
  );
}

/** The upper bound of the bucket of a single observation, in seconds. */
function bucketOf(samples: readonly Sample[], name: string, labels: Record<string, string>) {
  return samples.find(
    (sample) =>
      sample.name === `revox_gateway_${name}_seconds_bucket` &&
      sample.value === 1 &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.labels.le;
}

describe('Durations of an operation', () => {
  test('the time in the queue counts for the operation and its lookup, and not for the upstream request', async () => {
    const scene = createScene({ settings: { REVOX_MAX_CONCURRENCY: '1' } });
    const pending = scene.upload(TWO);
    await scene.respondAfter(200);
    await scene.respondAfter(1_500.26);
    const { data, extensions } = await pending;
    expect([data.assistants.nodes.length, data.campaigns.nodes.length]).toEqual([1, 1]);
    expect(extensions.upstream.calls).toMatchObject([
      { path: '/assistants', ms: 200 },
      { path: '/campaigns', ms: 1_700.3 },
    ]);
    expect(scene.lines()).toMatchObject([
      { operation: 'Two', durationMs: 1_730.3, overheadMs: 30, upstreamRequests: 2 },
    ]);
    const samples = await readMetrics(scene);
    expect(sumsOf(samples, 'operation_duration', 'operation')).toEqual({ Two: 1_730.3 });
    expect(sumsOf(samples, 'operation_overhead')).toEqual({ '': 30.04 });
    expect(sumsOf(samples, 'upstream_queue_wait')).toEqual({ '': 200 });
    expect(sumsOf(samples, 'upstream_request_duration', 'endpoint')).toEqual({
      '/assistants': 200,
      '/campaigns': 1_500.26,
    });
    expect([
      bucketOf(samples, 'operation_duration', {}),
      bucketOf(samples, 'operation_overhead', {}),
      bucketOf(samples, 'upstream_request_duration', { endpoint: '/assistants' }),
      bucketOf(samples, 'upstream_request_duration', { endpoint: '/campaigns' }),
      bucketOf(samples, 'upstream_queue_wait', {}),
    ]).toEqual(['2.5', '0.05', '0.25', '2.5', '0.001']);
    expect(scene.spans()).toEqual([
      ['GET /assistants', 200],
      ['GET /campaigns', 1_500.26],
      ['query Two', 1_730.3],
    ]);
    expect(scene.traffic()).toEqual(['GET /assistants', 'GET /campaigns']);
  });

  test('time in which several requests wait for the upstream counts once', async () => {
    const scene = createScene();
    const pending = scene.upload(TWO);
    await scene.respondAfter(200);
    await scene.respondAfter(1_300.26);
    const { extensions } = await pending;
    expect(extensions.upstream.calls).toMatchObject([
      { path: '/assistants', ms: 200 },
      { path: '/campaigns', ms: 1_500.3 },
    ]);
    expect(scene.lines()).toMatchObject([{ durationMs: 1_530.3, overheadMs: 30 }]);
    const samples = await readMetrics(scene);
    expect(sumsOf(samples, 'operation_overhead')).toEqual({ '': 30.04 });
    expect(sumsOf(samples, 'upstream_queue_wait')).toEqual({ '': 0 });
    expect(scene.traffic()).toEqual(['GET /assistants', 'GET /campaigns']);
  });

  test('the delay of a retry counts for the lookup and not for the upstream requests', async () => {
    const scene = createScene();
    scene.sandbox.control.fail('/assistants', { status: 503, times: 1 });
    const pending = scene.upload(ONE);
    await scene.respondAfter(100);
    scene.clock.pass(250);
    scene.timers.elapse(250);
    await scene.respondAfter(300);
    const { extensions } = await pending;
    expect(extensions.upstream.calls).toMatchObject([{ ms: 650, retries: 1, status: 200 }]);
    expect(scene.lines()).toMatchObject([{ durationMs: 680, overheadMs: 30 }]);
    expect(sumsOf(await readMetrics(scene), 'upstream_request_duration', 'status')).toEqual({
      503: 100,
      200: 300,
    });
    expect(scene.spans()).toEqual([
      ['GET /assistants', 100],
      ['GET /assistants', 300],
      ['query One', 680.04],
    ]);
    expect(scene.traffic()).toEqual(['GET /assistants', 'GET /assistants']);
  });

  test('a lookup that joins a request takes as long as it waits, and a cache hit takes no time', async () => {
    const scene = createScene();
    const first = scene.upload(ONE);
    await untilIdle();
    scene.clock.pass(120);
    const second = scene.upload(ONE);
    await untilIdle();
    await scene.respondAfter(80);
    const third = async () => {
      await Promise.all([first, second]);
      return scene.upload(ONE);
    };
    const results = [await first, await second, await third()];
    expect(results.map(({ extensions }) => extensions.upstream.calls)).toMatchObject([
      // The upload of the second request lies within the time of the first.
      [{ source: 'network', ms: 230 }],
      [{ source: 'coalesced', ms: 80 }],
      [{ source: 'cache', ms: 0 }],
    ]);
    expect(scene.lines().map(({ durationMs, overheadMs }) => [durationMs, overheadMs])).toEqual([
      [110, 30],
      [260.1, 30],
      [30, 30],
    ]);
    expect(scene.traffic()).toEqual(['GET /assistants']);
  });

  test.each([
    { fastPath: true, responseCache: true, pipeline: 'cached' },
    { fastPath: true, responseCache: false, pipeline: 'fast' },
    { fastPath: false, responseCache: false, pipeline: 'yoga' },
  ])('the durations of the pipeline $pipeline are right', async ({ pipeline, ...gateway }) => {
    const scene = createScene({ gateway });
    const first = scene.upload(ONE);
    await scene.respondAfter(200);
    await first;
    for (let times = 0; times < 3; times += 1) await scene.upload(ONE);
    const untraced = { 'content-type': 'application/json' };
    for (let times = 0; times < 3; times += 1) await scene.execute(ONE, undefined, untraced);
    expect(scene.lines().map(({ durationMs, overheadMs }) => [durationMs, overheadMs])).toEqual([
      [230, 30],
      ...Array(3).fill([30, 30]),
      ...Array(3).fill([0, 0]),
    ]);
    const samples = await readMetrics(scene);
    expect(samples).toContainEqual({
      name: 'revox_gateway_operations_total',
      labels: { operation: 'One', pipeline },
      value: expect.any(Number),
    });
    expect(sumsOf(samples, 'operation_duration', 'operation')).toEqual({ One: 320.16 });
    expect(sumsOf(samples, 'operation_overhead')).toEqual({ '': 120.16 });
    expect(scene.traffic()).toEqual(['GET /assistants']);
  });

  test('the duration of an operation ends when its client disconnects, and its overhead is unknown', async () => {
    const scene = createScene();
    const client = new AbortController();
    const left = scene.fetch(`/graphql?query=${encodeURIComponent(ONE)}`, {
      signal: client.signal,
    });
    const rejection = expect(left).rejects.toThrow();
    await untilIdle();
    scene.clock.pass(75.25);
    client.abort();
    await rejection;
    await untilIdle();
    expect(scene.lines()).toMatchObject([{ status: 499, durationMs: 75.3 }]);
    expect(scene.lines()[0]).not.toHaveProperty('overheadMs');
    const samples = await readMetrics(scene);
    expect(sumsOf(samples, 'operation_duration', 'code')).toEqual({
      CLIENT_CLOSED_REQUEST: 75.25,
    });
    expect(sumsOf(samples, 'upstream_request_duration', 'outcome')).toEqual({ aborted: 75.25 });
    expect(scene.spans()).toEqual(
      expect.arrayContaining([
        ['GET /assistants', 75.25],
        ['query other', 75.25],
      ]),
    );
    expect(scene.attributes()).toContainEqual(
      expect.objectContaining({
        'graphql.operation.name': 'other',
        'revox.upstream_requests': 0,
        'error.type': 'CLIENT_CLOSED_REQUEST',
      }),
    );
    expect(sumsOf(samples, 'operation_overhead')).toEqual({ '': 0 });
    expect(scene.traffic()).toEqual(['GET /assistants']);
  });

  test('a request that reaches its timeout took as long as the timeout', async () => {
    const timeoutMs = 1_234;
    const scene = createScene({ settings: { REVOX_TIMEOUT_MS: String(timeoutMs) } });
    const pending = scene.upload(ONE);
    await untilIdle();
    scene.clock.pass(timeoutMs);
    scene.timers.elapse(timeoutMs);
    const { errors, extensions } = await pending;
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_TIMEOUT' } }]);
    expect(extensions.upstream.calls).toMatchObject([{ ms: timeoutMs, status: null }]);
    expect(scene.lines()).toMatchObject([{ durationMs: 1_264, overheadMs: 30 }]);
    expect(sumsOf(await readMetrics(scene), 'upstream_request_duration', 'outcome')).toEqual({
      timeout: timeoutMs,
    });
  });

  test('a rejected operation is logged with its duration in tenths of a ms, and without overhead', async () => {
    const scene = createScene();
    for (const ms of [0, 0.04, 0.05, 9.96, 1_234.56]) await scene.upload('{ nope }', ms);
    const lines = scene.lines();
    expect(lines.map(({ durationMs }) => durationMs)).toEqual([0, 0, 0.1, 10, 1_234.6]);
    for (const line of lines) {
      expect(line.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect(line).not.toHaveProperty('overheadMs');
    }
    expect(sumsOf(await readMetrics(scene), 'operation_duration', 'code')).toEqual({});
    expect(scene.traffic()).toEqual([]);
  });
});

describe('Time of the last response of the upstream', () => {
  test('/ready has the time of the last response by the clock of the gateway, whatever its status', async () => {
    const scene = createScene({ settings: { REVOX_RETRIES: '0' } });
    const start = scene.clock.now();
    const lastResponseAt = async () =>
      (await (await scene.fetch('/ready')).json()).upstream.lastResponseAt;
    const at = (ms: number) => new Date(start + ms).toISOString();
    expect(await lastResponseAt()).toBeNull();
    for (const [act, last] of [
      [() => {}, 100],
      [() => scene.sandbox.control.fail('/call/', { status: 500, times: 1 }), 200],
      [() => scene.sandbox.control.reset('/call/', 1), 200],
      [() => scene.sandbox.control.fail('/call/', { status: 404, times: 1 }), 400],
    ] as const) {
      act();
      const pending = scene.execute('query ($id: ID!) { call(id: $id) { id } }', {
        id: `c${scene.clock.now()}`,
      });
      await scene.respondAfter(100);
      await pending;
      expect(await lastResponseAt()).toBe(at(last));
    }
  });
});

test('every histogram of a duration has its buckets, in seconds', async () => {
  const world = createTestGateway();
  await world.execute(ONE);
  const samples = await readMetrics(world);
  const bucketsOf = (name: string) =>
    samples
      .filter((sample) => sample.name === `revox_gateway_${name}_seconds_bucket`)
      .map(({ labels }) => labels.le)
      .join(' ');
  const durations = '0.001 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf';
  expect(bucketsOf('operation_duration')).toBe(durations);
  expect(bucketsOf('upstream_request_duration')).toBe(durations);
  expect(bucketsOf('operation_overhead')).toBe(
    '0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 1 +Inf',
  );
  expect(bucketsOf('upstream_queue_wait')).toBe('0.001 0.01 0.05 0.1 0.5 1 5 10 30 +Inf');
});
