import { beforeAll, describe, expect, test } from 'vitest';
import { type MetricUse, readAlerts, readDashboard, usesIn } from '../support/dashboard.ts';
import type { Sample } from '../support/metrics.ts';
import { readEventfulGateways } from './eventful-gateways.ts';

/** Labels that Prometheus itself adds. */
const BUILT_IN_METRICS = ['instance', 'job'];

let samples: readonly Sample[];

beforeAll(async () => {
  samples = await readEventfulGateways();
});

describe.each([
  ['the dashboard', readDashboard()],
  ['the alerts', readAlerts()],
])('Metrics of %s', (_, expressions) => {
  test('the expressions use at least one metric each', () => {
    expect(expressions.flatMap(usesIn).length).toBeGreaterThanOrEqual(expressions.length);
  });

  test.each(expressions)(
    'the expression $where uses only known metrics, labels and values: $expr',
    (expression) => {
      expect(usesIn(expression).length).toBeGreaterThan(0);
      expect(usesIn(expression).flatMap(missing)).toEqual([]);
    },
  );
});

test('the dashboard shows every metric of the gateway', () => {
  const used = new Set(
    readDashboard().flatMap((expression) =>
      usesIn(expression).map(({ metric }) => toFamily(metric)),
    ),
  );
  const own = new Set(
    samples.map(({ name }) => toFamily(name)).filter((name) => name.startsWith('revox_gateway_')),
  );
  expect([...own].filter((name) => !used.has(name))).toEqual([]);
});

describe('Dashboard check', () => {
  test.each([
    [
      'sum(rate(revox_gateway_operation_seconds_count[5m]))',
      ['revox_gateway_operation_seconds_count'],
    ],
    ['revox_gateway_cache_bytes{tier="memory"}', ['revox_gateway_cache_bytes{tier}']],
    [
      'sum by (code) (revox_gateway_cache_bytes{instance="a"})',
      ['revox_gateway_cache_bytes{code}'],
    ],
    [
      'histogram_quantile(0.9, sum by (le, name) (rate(revox_gateway_operation_overhead_seconds_bucket[1m])))',
      ['revox_gateway_operation_overhead_seconds_bucket{name}'],
    ],
    [
      'max(revox_gateway_upstream_breaker_state{state=~"open|halfopen", instance="a"}) == 1',
      ['revox_gateway_upstream_breaker_state{state="halfopen"}'],
    ],
    [
      'rate(revox_gateway_operation_duration_seconds_count{code=~"UPSTREAM_TIMEOUT|RATE_LIMIT"}[5m])',
      ['revox_gateway_operation_duration_seconds_count{code="RATE_LIMIT"}'],
    ],
    [
      'rate(revox_gateway_upstream_request_duration_seconds_count{outcome!="abort"}[5m])',
      ['revox_gateway_upstream_request_duration_seconds_count{outcome="abort"}'],
    ],
    [
      'rate(revox_gateway_upstream_lookups_total{source!~"failed|net.+"}[5m])',
      ['revox_gateway_upstream_lookups_total{source="net.+"}'],
    ],
    [
      'revox_gateway_http_responses_total{route="/graphiql"}',
      ['revox_gateway_http_responses_total{route="/graphiql"}'],
    ],
    [
      'revox_gateway_requests_rejected_total / revox_gateway_requests_total',
      ['revox_gateway_requests_total'],
    ],
  ])('the dashboard check reports the unknown names in %s', (expr, faults) => {
    expect(usesIn({ where: '', expr, legend: '' }).flatMap(missing)).toEqual(faults);
  });
});

/**
 * The parts of a metric use that no gateway has ever exposed: the metric, a label, or a value of a
 * label.
 */
function missing({ metric, labels, matchers }: MetricUse): string[] {
  const series = samples.filter(({ name }) => name === metric);
  if (series.length === 0) return [metric];
  const has = (label: string, value?: string) =>
    series.some(
      ({ labels: said }) => label in said && (value === undefined || said[label] === value),
    );
  const ours = (label: string) => !BUILT_IN_METRICS.includes(label);
  const unknown = labels.filter((label) => ours(label) && !has(label));
  return [
    ...unknown.map((label) => `${metric}{${label}}`),
    ...matchers
      .filter(({ label }) => ours(label) && !unknown.includes(label))
      .flatMap(({ label, values }) =>
        values
          .filter((value) => !has(label, value))
          .map((value) => `${metric}{${label}="${value}"}`),
      ),
  ];
}

function toFamily(name: string): string {
  return name.replace(/_(bucket|sum|count)$/, '');
}
