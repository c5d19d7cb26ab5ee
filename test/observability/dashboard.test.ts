import { beforeAll, describe, expect, test } from 'vitest';
import { createMetrics } from '#observability/metrics.ts';
import { readAlerts, readDashboard, type Use, usesIn } from '../kit/dashboard.ts';
import { parseMetrics, readMetrics, type Sample } from '../kit/metrics.ts';
import { createWorld } from '../kit/world.ts';

/** What Prometheus adds of its own. */
const OF_PROMETHEUS = ['instance', 'job'];

let samples: readonly Sample[];

beforeAll(async () => {
  samples = [...(await worked()), ...(await told())];
});

describe.each([
  ['The dashboard', readDashboard()],
  ['The alerts', readAlerts()],
])('%s', (_, expressions) => {
  test('ask for something', () => {
    expect(expressions.flatMap(usesIn).length).toBeGreaterThanOrEqual(expressions.length);
  });

  test.each(expressions)('ask only for what there is: $where: $expr', (expression) => {
    expect(usesIn(expression).length).toBeGreaterThan(0);
    expect(usesIn(expression).flatMap(missing)).toEqual([]);
  });
});

test('Every metric of the gateway is on the dashboard', () => {
  const used = new Set(readDashboard().flatMap((expression) => usesIn(expression).map(({ metric }) => toFamily(metric))));
  const own = new Set(samples.map(({ name }) => toFamily(name)).filter((name) => name.startsWith('revox_gateway_')));
  expect([...own].filter((name) => !used.has(name))).toEqual([]);
});

describe('What there is not would be found', () => {
  test.each([
    ['sum(rate(revox_gateway_operation_seconds_count[5m]))', ['revox_gateway_operation_seconds_count']],
    ['revox_gateway_cache_bytes{tier="memory"}', ['revox_gateway_cache_bytes{tier}']],
    ['sum by (code) (revox_gateway_cache_bytes{instance="a"})', ['revox_gateway_cache_bytes{code}']],
    [
      'histogram_quantile(0.9, sum by (le, name) (rate(revox_gateway_operation_overhead_seconds_bucket[1m])))',
      ['revox_gateway_operation_overhead_seconds_bucket{name}'],
    ],
    ['revox_gateway_refusals_total / revox_gateway_requests_total', ['revox_gateway_requests_total']],
  ])('%s', (expr, faults) => {
    expect(usesIn({ where: '', expr, legend: '' }).flatMap(missing)).toEqual(faults);
  });
});

function missing({ metric, labels }: Use): string[] {
  const series = samples.filter(({ name }) => name === metric);
  if (series.length === 0) return [metric];
  return labels
    .filter((label) => !OF_PROMETHEUS.includes(label) && !series.some((sample) => label in sample.labels))
    .map((label) => `${metric}{${label}}`);
}

function toFamily(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}

/** `/metrics` of a gateway that has answered, refused and failed. */
async function worked(): Promise<Sample[]> {
  const world = createWorld({
    gateway: { processMetrics: true },
    upstream: async (request) =>
      request.url.includes('/call/') ? Response.json({ call: { id: 'c', direction: 'sideways' } }) : world.sandbox.fetch(request),
  });
  await world.ask('{ call(id: "c") { direction } assistants(first: 1) { nodes { id } } }');
  await world.ask('{ nope }');
  await world.ask(`{ ${'__typename '.repeat(200)} }`);
  return readMetrics(world);
}

/** What a gateway tells of things that have not happened to that one. */
async function told(): Promise<Sample[]> {
  const metrics = createMetrics({
    upstreamState: () => ({ waiting: 0, inFlight: 0, paused: 0, breaker: 'closed' }),
    cacheState: () => ({ bytes: 0, entries: 0, flights: 0 }),
    ofProcess: false,
  });
  metrics.upstreamEvents.onRetry('/call', 'timeout');
  metrics.cacheEvents.onAnswered('/call', 'memory');
  return parseMetrics(await metrics.render());
}
