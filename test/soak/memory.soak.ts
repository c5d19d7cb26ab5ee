import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CACHE_MAX_BYTES, type Report } from './distinct-calls.ts';

const MIB = 2 ** 20;
/**
 * Three times as many ids as the largest bound of the gateway, 100,000. Fewer calls are possible for
 * a quick run, but at least as many as fill the cache and cause evictions. More calls show nothing
 * else: the figures below were the same with a million.
 */
const CALLS = Number(process.env.SOAK_CALLS || 300_000);
const MIN_CALLS = 30_000;
const CALLS_WITHOUT_LIMIT = 100_000;
const MAX_DURATION_MS = 600_000;

/** Runs the soak in its own process, with these flags of Node.js. */
async function soak(calls: number, ...flags: string[]): Promise<Report> {
  const program = join(import.meta.dirname, 'distinct-calls.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, program, String(calls)],
    {
      // Excludes NODE_OPTIONS, which may set the size of the heap.
      env: { PATH: process.env.PATH },
    },
  );
  console.log(`node ${flags.join(' ')}`, stdout.trim());
  return JSON.parse(stdout) as Report;
}

function expectFullCache({
  calls,
  requests,
  cachedCalls,
  requestsForOldest,
  valueBytes,
}: Report): void {
  expect(requests).toBe(calls);
  // The rest of the cache's bytes is the overhead of entries.
  expect(cachedCalls * valueBytes).toBeGreaterThan(0.75 * CACHE_MAX_BYTES);
  expect(cachedCalls * valueBytes).toBeLessThanOrEqual(CACHE_MAX_BYTES);
  expect(requestsForOldest).toBe(100);
}

describe('Memory of a gateway with a cache of 64 MiB', () => {
  test('SOAK_CALLS is large enough to fill the cache', () => {
    expect(CALLS).toBeGreaterThanOrEqual(MIN_CALLS);
    expect(CALLS % 1_000).toBe(0);
  });

  test(`the gateway stays below 640 MiB for ${CALLS} distinct calls with a heap limit of 256 MiB`, {
    timeout: MAX_DURATION_MS,
  }, async () => {
    const report = await soak(CALLS, '--max-old-space-size=256');
    expectFullCache(report);
    // Measured: 450 to 500 MiB.
    expect(report.highWaterRssBytes).toBeLessThan(640 * MIB);
    // Measured: 116 to 122 MiB, after a hundred thousand calls as after a million. The cache has
    // 64, the program 40, the types of 100,000 ids 20.
    expect(report.liveHeapBytes).toBeLessThan(140 * MIB);
  });

  test("the gateway's live heap is as small without a heap limit, although garbage stays longer", {
    timeout: MAX_DURATION_MS,
  }, async () => {
    const report = await soak(Math.min(CALLS, CALLS_WITHOUT_LIMIT));
    expectFullCache(report);
    expect(report.liveHeapBytes).toBeLessThan(140 * MIB);
    // Measured: 570 to 970 MiB on a machine with 24 GiB, where V8 lets the heap grow to several
    // times the size of the live objects.
    expect(report.highWaterRssBytes).toBeLessThan(1280 * MIB);
  });
});
