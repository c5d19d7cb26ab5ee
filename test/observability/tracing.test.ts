import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { captureLog } from '../support/captured-log.ts';
import { createClock } from '../support/clock.ts';
import { createTestGateway, type TestGatewayOptions } from '../support/test-gateway.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;

function createTracedGateway(options: TestGatewayOptions = {}, isRecording = true) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = toTracerProvider(exporter);
  const sent: (string | null)[] = [];
  const kept = captureLog();
  const gateway = createTestGateway({
    ...options,
    upstream: (request) => {
      sent.push(request.headers.get('traceparent'));
      return (options.upstream ?? gateway.sandbox.fetch)(request);
    },
    gateway: { log: kept.log, ...(isRecording ? { tracerProvider } : {}), ...options.gateway },
  });
  return { ...gateway, ...kept, sent, spans: () => exporter.getFinishedSpans() };
}

function toTracerProvider(exporter: InMemorySpanExporter) {
  return new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
}

const idsOf = (span: ReadableSpan | undefined) => ({
  traceId: span?.spanContext().traceId,
  parent: span?.parentSpanContext?.spanId,
});

describe('Traced operation', () => {
  test("an operation is a span below the caller's span, and each upstream request is a span below the operation", async () => {
    const world = createTracedGateway();
    await world.execute(
      'query Voices { assistants(first: 1) { nodes { id } } call(id: "x") { id } }',
      {},
      { traceparent: TRACEPARENT },
    );
    const spans = world.spans();
    expect(spans.map(({ name }) => name).sort()).toEqual([
      'GET /assistants',
      'GET /call/{id}',
      'query Voices',
    ]);
    const server = spans.find(({ kind }) => kind === SpanKind.SERVER);
    expect(server?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Voices',
      'revox.upstream_requests': 2,
    });
    expect(idsOf(server)).toEqual({ traceId: TRACE, parent: SPAN });
    const clients = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
    for (const client of clients)
      expect(idsOf(client)).toEqual({ traceId: TRACE, parent: server?.spanContext().spanId });
    expect(clients.map(({ attributes }) => attributes)).toEqual(
      expect.arrayContaining([
        {
          'server.address': 'revox.test',
          'server.port': 80,
          'http.request.method': 'GET',
          'url.template': '/call/{id}',
          'http.response.status_code': 404,
          'error.type': 'missing',
        },
      ]),
    );
    expect([...world.sent].sort()).toEqual(
      clients.map((span) => `00-${TRACE}-${span.spanContext().spanId}-01`).sort(),
    );
    expect(world.read()).toMatchObject([
      { trace_id: TRACE, span_id: server?.spanContext().spanId },
    ]);
  });

  test('an operation starts a new trace when the caller sends none', async () => {
    const world = createTracedGateway();
    await world.execute('{ assistants(first: 1) { nodes { id } } }', {}, { traceparent: '00-1' });
    const [client, server] = world.spans();
    expect(server?.name).toBe('query anonymous');
    expect(idsOf(server).parent).toBeUndefined();
    expect(idsOf(client)).toEqual({
      traceId: idsOf(server).traceId,
      parent: server?.spanContext().spanId,
    });
    expect(world.sent).toEqual([expect.stringContaining(`00-${idsOf(server).traceId}-`)]);
  });

  test('a failed span has the error code, and the status of a span distinguishes server faults from client faults', async () => {
    const world = createTracedGateway({ gateway: { random: () => 0 } });
    world.sandbox.control.fail(() => true, { status: 500 });
    await world.execute('{ call(id: "x") { id } }');
    await world.execute('{ nope }');
    const [client, again, , failed, refused] = world.spans();
    expect(again?.attributes).toMatchObject({
      'http.request.resend_count': 1,
      'http.response.status_code': 500,
    });
    expect(client).toMatchObject({
      attributes: { 'error.type': 'server-error', 'http.response.status_code': 500 },
    });
    expect(client?.status.code).toBe(SpanStatusCode.ERROR);
    expect(failed).toMatchObject({
      name: 'query anonymous',
      attributes: { 'error.type': 'UPSTREAM_UNAVAILABLE' },
    });
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
    expect(refused).toMatchObject({
      name: 'POST /graphql',
      attributes: { 'error.type': 'GRAPHQL_VALIDATION_FAILED' },
    });
    expect(refused?.status.code).toBe(SpanStatusCode.UNSET);
  });

  test('the span names of operations are limited in number', async () => {
    const world = createTracedGateway();
    for (let number = 0; number < 120; number += 1)
      await world.execute(`query Q${number} { assistants(first: 1) { nodes { id } } }`);
    const servers = world.spans().filter(({ kind }) => kind === SpanKind.SERVER);
    expect(new Set(servers.map(({ name }) => name)).size).toBe(101);
    expect(world.spans().at(-1)?.name).toBe('query other');
  });
});

test('only operations are traced', async () => {
  const world = createTracedGateway();
  for (const path of ['/health', '/ready', '/metrics', '/nothing']) await world.fetch(path);
  expect(world.spans()).toEqual([]);
});

describe('Gateway without a tracer', () => {
  test("without a tracer the caller's trace is propagated unchanged", async () => {
    const world = createTracedGateway({}, false);
    await world.execute(
      '{ assistants(first: 1) { nodes { id } } }',
      {},
      { traceparent: TRACEPARENT },
    );
    expect(world.sent).toEqual([TRACEPARENT]);
    expect(world.read()[0]).not.toHaveProperty('trace_id');
  });

  test.each([{}, { traceparent: '00-1' }, { traceparent: `ff-${TRACE}-${SPAN}-01` }])(
    'without a tracer the gateway creates no trace: %j',
    async (headers) => {
      const world = createTracedGateway({}, false);
      await world.execute('{ assistants(first: 1) { nodes { id } } }', {}, headers);
      expect(world.sent).toEqual([null]);
    },
  );
});

test('a coalesced request propagates the trace of the caller that started it', async () => {
  const world = createTracedGateway({ gateway: { now: createClock().now } }, false);
  const other = `00-${'1'.repeat(32)}-${SPAN}-01`;
  await Promise.all(
    [TRACEPARENT, other].map((traceparent) =>
      world.execute('{ assistants(first: 1) { nodes { id } } }', {}, { traceparent }),
    ),
  );
  expect(world.sent).toEqual([TRACEPARENT]);
});

test('a tracer provider that the process registers after the first request records the next one', async () => {
  const world = createTracedGateway({}, false);
  const exporter = new InMemorySpanExporter();
  await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
  trace.setGlobalTracerProvider(toTracerProvider(exporter));
  try {
    await world.execute('query Campaigns { campaigns(first: 1) { nodes { id } } }');
  } finally {
    trace.disable();
  }
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual([
    'GET /campaigns',
    'query Campaigns',
  ]);
  expect(world.traffic()).toEqual(['GET /assistants', 'GET /campaigns']);
  expect(world.sent).toEqual([null, expect.stringMatching(/^00-/)]);
});
