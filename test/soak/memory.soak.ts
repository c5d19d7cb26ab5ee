import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CACHE_MAX_BYTES, type Report } from './million-calls.ts';

const MIB = 2 ** 20;
/** Fewer for a quick look: but no less than fill the cache and make their way out of it again. */
const CALLS = Number(process.env.SOAK_CALLS || 1_000_000);
const MIN_CALLS = 30_000;
const MAX_DURATION_MS = 600_000;

/** `node` as it comes, or with the flags given, in a process of its own. */
async function soak(calls: number, ...flags: string[]): Promise<Report> {
  const program = join(import.meta.dirname, 'million-calls.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, program, String(calls)],
    {
      // None of ours: NODE_OPTIONS may set the size of the heap.
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
  // What is not values is the entries' places.
  expect(cachedCalls * valueBytes).toBeGreaterThan(0.75 * CACHE_MAX_BYTES);
  expect(cachedCalls * valueBytes).toBeLessThanOrEqual(CACHE_MAX_BYTES);
  expect(requestsForOldest).toBe(100);
}

describe('A gateway with a cache of 64 MiB', () => {
  test('is asked for enough calls to tell', () => {
    expect(CALLS).toBeGreaterThanOrEqual(MIN_CALLS);
    expect(CALLS % 1_000).toBe(0);
  });

  test(`takes less than 640 MiB for ${CALLS} distinct calls, where its heap may not grow beyond 256`, {
    timeout: MAX_DURATION_MS,
  }, async () => {
    const report = await soak(CALLS, '--max-old-space-size=256');
    expectFullCache(report);
    // Measured: 450 to 500 MiB.
    expect(report.highWaterRssBytes).toBeLessThan(640 * MIB);
    // Measured: 116 to 122 MiB, after a hundred thousand calls as after a million. 64 are the cache, 40 the program, 20 the types of 100,000 ids.
    expect(report.liveHeapBytes).toBeLessThan(140 * MIB);
  });

  test('holds no more with memory to spare, though garbage may lie there for longer', {
    timeout: MAX_DURATION_MS,
  }, async () => {
    const report = await soak(Math.max(MIN_CALLS, CALLS / 10));
    expectFullCache(report);
    expect(report.liveHeapBytes).toBeLessThan(140 * MIB);
    // Measured: 570 to 970 MiB on a machine of 24 GiB, where V8 lets the heap grow to several times what lives in it.
    expect(report.highWaterRssBytes).toBeLessThan(1280 * MIB);
  });
});
