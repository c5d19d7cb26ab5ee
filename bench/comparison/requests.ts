import { kindOf } from '../fixture/operations.ts';
import { describeConditions, toTable } from '../harness/report.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import type { Target } from '../targets.ts';
import { FIRST_UNUSED, startTarget } from './target.ts';

/** Upstream requests. */
export interface RequestsMeasurement {
  readonly target: Target;
  /** Of the first Q3. */
  readonly first: readonly [number];
  /** Of the same Q3 again. */
  readonly repeated: readonly [number];
  /** Of identical first Q3 at once, in several processes: the number depends on their timing. */
  readonly concurrent: readonly number[];
  /** After the first two Q3. */
  readonly rssBytes: number;
}

const CONCURRENT_OPERATIONS = 32;
const CONCURRENT_PROCESSES = 3;
/** Delays the responses of the upstream, so that all operations are in flight at the same time. */
const UPSTREAM_MS = 40;

/** Upstream requests and memory of fresh processes. */
export async function measureRequests(
  targets: readonly Target[],
  upstream: UpstreamProcess,
): Promise<readonly RequestsMeasurement[]> {
  const measurements: RequestsMeasurement[] = [];
  for (const target of targets) {
    const concurrent: number[] = [];
    for (let process = 0; process < CONCURRENT_PROCESSES; process += 1)
      concurrent.push(await countConcurrent(target, upstream));
    await using entry = await startTarget(target, upstream);
    const operation = kindOf('Q3').at(FIRST_UNUSED);
    const check = () => entry.client.check(operation);
    measurements.push({
      target,
      first: [await countRequests(upstream, check)],
      repeated: [await countRequests(upstream, check)],
      concurrent,
      rssBytes: (await entry.served.measure()).rssBytes,
    });
  }
  return measurements;
}

export function toRequestsTable(measurements: readonly RequestsMeasurement[]): string {
  return `${describeConditions(`In new processes, ${CONCURRENT_PROCESSES} of them for the concurrent operations.`)}\n\n${toTable(
    [
      'upstream requests',
      'a first Q3',
      'the same again',
      `${CONCURRENT_OPERATIONS} × Q3 at once`,
      'memory after two Q3, MB',
    ],
    measurements.map(({ target, first, repeated, concurrent, rssBytes }) => [
      target.name,
      ...[first, repeated, concurrent].map((requests) => requests.join(', ')),
      (rssBytes / 1e6).toFixed(0),
    ]),
  )}`;
}

async function countConcurrent(target: Target, upstream: UpstreamProcess): Promise<number> {
  const connections = CONCURRENT_OPERATIONS;
  await using entry = await startTarget(target, upstream, { connections });
  const operation = kindOf('Q3').at(FIRST_UNUSED);
  await upstream.takeCounts({ delayMs: UPSTREAM_MS });
  const requests = await countRequests(upstream, () =>
    Promise.all(Array.from({ length: connections }, () => entry.client.check(operation))),
  );
  await upstream.takeCounts({ delayMs: 0 });
  return requests;
}

async function countRequests(
  upstream: UpstreamProcess,
  act: () => Promise<unknown>,
): Promise<number> {
  await upstream.takeCounts();
  await act();
  return Object.values(await upstream.takeCounts()).reduce((sum, one) => sum + one, 0);
}
