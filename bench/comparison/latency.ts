import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { kindOf } from '../fixture/operations.ts';
import type { Client } from '../harness/load.ts';
import { quantile } from '../harness/median.ts';
import { describeConditions, logProgress, toTable } from '../harness/report.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import { HEADERS, type Target } from '../targets.ts';
import type { Scale } from './scale.ts';
import { startTarget } from './target.ts';
import { warmUpKind } from './warm-up.ts';

/** In ms. */
export interface LatencyMeasurement {
  readonly target: Target;
  /** The latency of new operations beyond that of the upstream. */
  readonly cold: readonly number[];
  /** The latency of a repeated operation; empty for a target without a cache. */
  readonly warm: readonly number[];
}

const UPSTREAM_MS = 40;
/** The pause before each operation, in ms. */
const PAUSE_MS = 4;
/** Distinct calls, more than any cache holds: each operation of the warm-up goes to the upstream. */
const WARM_UP_CALLS = 20_000;
/** The first call that no warm-up has requested. */
const FIRST_COLD = WARM_UP_CALLS;
/** Repeated operations, as a multiple of the new ones. */
const WARM_FACTOR = 3;

/**
 * One operation at a time over a slow upstream, directly after the code of uncached operations has
 * become warm. Each new operation follows the same request to the upstream itself.
 */
export async function measureLatency(
  targets: readonly Target[],
  upstream: UpstreamProcess,
  scale: Scale,
): Promise<readonly LatencyMeasurement[]> {
  const calls = Array.from({ length: WARM_UP_CALLS }, (_, number) => kindOf('Q1').at(number));
  const measurements: LatencyMeasurement[] = [];
  for (const target of targets) {
    logProgress(`measuring ${target.name}`);
    await using entry = await startTarget(target, upstream);
    await warmUpKind(entry.client, calls, {
      partMs: scale.warmUp.partMs,
      maxMs: scale.warmUp.maxMs,
      isEnough: ({ operations }) => operations >= scale.warmUp.operations,
    });
    await upstream.takeCounts({ delayMs: UPSTREAM_MS });
    const cold = await measureCold(entry.client, upstream, scale.latencies);
    const warm = target.isCaching
      ? await measureWarm(entry.client, scale.latencies * WARM_FACTOR)
      : [];
    await upstream.takeCounts({ delayMs: 0 });
    measurements.push({ target, cold, warm });
  }
  return measurements;
}

async function measureCold(
  client: Client,
  upstream: UpstreamProcess,
  count: number,
): Promise<readonly number[]> {
  const direct = new Pool(new URL(upstream.url).origin, { connections: 1 });
  const added: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const operation = kindOf('Q1').at(FIRST_COLD + index);
    await sleep(PAUSE_MS);
    const upstreamMs = await latencyOf(direct, `/api/call/${operation.variables?.id}`);
    await sleep(PAUSE_MS);
    added.push((await client.latency(operation)) - upstreamMs);
  }
  await direct.close();
  return added;
}

async function measureWarm(client: Client, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    await sleep(PAUSE_MS);
    times.push(await client.latency(kindOf('Q1').at(FIRST_COLD)));
  }
  return times;
}

export function toLatencyTable(
  measurements: readonly LatencyMeasurement[],
  { latencies }: Scale,
): string {
  const how =
    `One Q1 at a time, with an upstream latency of ${UPSTREAM_MS} ms and warm code; ` +
    `${latencies} new operations of each server, less the latency of the same request to the upstream, and ${latencies * WARM_FACTOR} repeated ones.`;
  const cells = (times: readonly number[]) =>
    [0.5, 0.99].map((share) => (times.length > 0 ? quantile(times, share).toFixed(2) : '–'));
  return `${describeConditions(how)}\n\n${toTable(
    ['server', 'new, added: p50, ms', 'p99, ms', 'repeated: p50, ms', 'p99, ms'],
    measurements.map(({ target, cold, warm }) => [target.name, ...cells(cold), ...cells(warm)]),
  )}`;
}

async function latencyOf(pool: Pool, path: string): Promise<number> {
  const startedAt = performance.now();
  const { body } = await pool.request({ method: 'GET', path, headers: HEADERS });
  await body.bytes();
  return performance.now() - startedAt;
}
