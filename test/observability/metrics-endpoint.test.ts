import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VERSION } from '#generated/version.ts';
import { readMetrics } from '../support/metrics.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { seriesOf } from './recorded-metrics.ts';

const ROOT = join(import.meta.dirname, '../..');

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
