import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PromQLExpression, readAlerts, readDashboard } from '../support/dashboard.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import { createTestGateway, NO_CACHE } from '../support/test-gateway.ts';
import {
  expectPrometheus,
  hasPrometheus,
  type Prometheus,
  promtool,
  startPrometheus,
} from './prometheus-server.ts';

expectPrometheus();

describe.skipIf(!hasPrometheus)('promtool', () => {
  test.each([
    ['the alert rules', ['check', 'rules', 'alerts.yaml']],
    ['the tests of the alert rules', ['test', 'rules', 'alerts.test.yaml']],
    ['the configuration', ['check', 'config', 'prometheus.yaml']],
  ])('promtool accepts %s', async (_, args) => {
    expect(await promtool(args)).toEqual({ code: 0, output: expect.stringContaining('SUCCESS') });
  });

  test('promtool accepts the metrics', async () => {
    const world = createTestGateway();
    await world.execute('query Voices { assistants(first: 1) { nodes { id } } }');
    const text = await (await world.fetch('/metrics')).text();
    expect(text).toContain('revox_gateway_');
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    expect(
      await promtool(
        ['check', 'metrics'],
        text.replaceAll('unexpected_errors_total', 'unexpected_errors'),
      ),
    ).not.toMatchObject({ code: 0 });
  });
});

describe.skipIf(!hasPrometheus)('Prometheus that scrapes a gateway', () => {
  let world: ServedGateway;
  let prometheus: Prometheus;
  beforeAll(async () => {
    world = await serveTestGateway({ gateway: { processMetrics: true }, settings: NO_CACHE });
    world.sandbox.control.fail('/campaigns', { status: 500 });
    world.sandbox.control.transform('/assistants', respondWithDrift);
    prometheus = await startPrometheus(Number(new URL(world.url).port));
    await generateTraffic(
      world.url,
      async () => ((await prometheus.query('count_over_time(up[1m])'))[0]?.value ?? 0) >= 5,
    );
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await world?.close();
  });

  test.each(readDashboard())(
    'the dashboard query $where has a result in Prometheus: $expr',
    async (expression) => {
      const series = await prometheus.query(toQuery(expression));
      expect(series.length).toBeGreaterThan(0);
      for (const { metric, value } of series) {
        expect(Object.keys(metric)).toEqual(expect.arrayContaining(labelsOf(expression.legend)));
        expect(value).not.toBeNaN();
      }
    },
  );

  test('Prometheus evaluates all alerts without an error, and one alert is pending', async () => {
    const { groups } = (await prometheus.get('rules')) as {
      groups: { rules: { name: string; health: string; state: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.map(({ name }) => name).sort()).toEqual(
      readAlerts()
        .map(({ where }) => where)
        .sort(),
    );
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    // Half of the operations fail. The alert fires after five minutes.
    expect(rules.find(({ name }) => name === 'RevoxOperationsFailing')?.state).toBe('pending');
  });
});

function toQuery({ expr }: PromQLExpression): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
}

function labelsOf(legend: string): string[] {
  return Array.from(legend.matchAll(/\{\{(\w+)\}\}/g), ([, name = '']) => name);
}

// biome-ignore lint/suspicious/noExplicitAny: the body of an upstream response
function respondWithDrift(body: any): unknown {
  for (const assistant of body.assistants) assistant.voice = { id: 'v', provider: 'inworld' };
  return body;
}

/** Sends operations, half of which fail, until there are enough scrapes. */
async function generateTraffic(url: string, isEnough: () => Promise<boolean>): Promise<void> {
  const send = (query: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
  while (!(await isEnough())) {
    await send('query Voices { assistants(first: 1) { nodes { id voice { provider } } } }');
    await send('query Failing { campaigns(first: 1) { nodes { id } } }');
    await send('{ nope }');
    await send(`{ ${'__typename '.repeat(200)} }`);
  }
}
