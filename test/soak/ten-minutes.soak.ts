import { beforeAll, describe, expect, test } from 'vitest';
import type { ProcessUsage } from './gateway-process.ts';
import { runSoak, type SoakResult, VISITS_PER_SECOND } from './steady-load.ts';
import { toTrend } from './trend.ts';

const MIB = 2 ** 20;
/** Fewer minutes give a quick run, which cannot detect slow growth. */
const MINUTES = Number(process.env.SOAK_MINUTES || 10);
const isQuick = MINUTES < 10;
/**
 * Maximum rise of the heap in ten minutes: about 100 bytes a request. Operations in progress move a
 * sample by up to 3 %, so a lower limit would depend on other load on the machine.
 */
const MAX_RISE = 0.05;

describe(`A gateway under steady load for ${MINUTES} minutes, with upstream faults and early disconnects`, () => {
  let seen: SoakResult;
  beforeAll(
    async () => {
      seen = await runSoak(MINUTES, { isQuick });
      console.log(toReport(seen));
    },
    (MINUTES + 15) * 60_000,
  );

  test('a gateway under steady load responds to every client that stays connected', () => {
    const { tally, visits } = seen;
    // The rate is lower only when other processes use the machine.
    expect(visits).toBeGreaterThan(0.5 * VISITS_PER_SECOND * MINUTES * 60);
    expect(Object.keys(tally).filter((what) => what.startsWith('HTTP'))).toEqual(['HTTP 200']);
    for (const code of [
      'UPSTREAM_UNAVAILABLE',
      'UPSTREAM_TIMEOUT',
      'UPSTREAM_INVALID_RESPONSE',
      'disconnected',
      'request aborted',
      'stream ended',
      'stream left',
    ]) {
      expect(tally[code], code).toBeGreaterThan(0);
    }
  });

  test('a gateway under steady load closes no connection that a client may still use', () => {
    expect(seen.disconnects).toBe(0);
  });

  test('a gateway under steady load reports no unexpected error and exits with 0 on SIGTERM', () => {
    expect(seen.tally).not.toHaveProperty('INTERNAL_SERVER_ERROR');
    expect(seen.ending).toEqual({ code: 0, stderr: '', errors: [] });
  });

  test('a gateway after steady load has the same open resources as before', () => {
    const { before, after } = seen.idle;
    expect(after.resources).toEqual(before.resources);
    expect(after.descriptors).toBe(before.descriptors);
  });

  test.skipIf(isQuick)(
    'the memory and the sockets of a gateway under steady load do not grow',
    () => {
      const heap = trendOf(seen, ({ heapBytes }) => heapBytes);
      expect(heap.rise).toBeLessThan(MAX_RISE * heap.mean);
      const external = trendOf(seen, ({ externalBytes }) => externalBytes);
      expect(external.rise).toBeLessThan(4 * MIB);
      // The number of sockets depends on other load on the machine. A leak raises the minimum; a
      // small leak shows in the resources after the load.
      const third = Math.floor(seen.samples.length / 3);
      const fewest = (samples: SoakResult['samples']) =>
        Math.min(...samples.map(({ descriptors }) => descriptors));
      expect(fewest(seen.samples.slice(-third))).toBeLessThan(
        1.5 * fewest(seen.samples.slice(0, third)),
      );
    },
  );
});

function trendOf({ samples }: SoakResult, toY: (sample: ProcessUsage) => number) {
  return toTrend(samples.map((sample) => ({ x: sample.atMs, y: toY(sample) })));
}

/** The measurements, for readers of the CI log. */
function toReport(soakResult: SoakResult): string {
  const { samples, idle, tally, visits, upstreamRequests } = soakResult;
  const lines = samples.map(
    ({ atMs, heapBytes, externalBytes, rssBytes, resources, descriptors }) =>
      [
        Math.round(atMs / 1000),
        toMib(heapBytes),
        toMib(externalBytes),
        toMib(rssBytes),
        resources.TCPSocketWrap ?? 0,
        descriptors,
      ].join('\t'),
  );
  const heap = trendOf(soakResult, ({ heapBytes }) => heapBytes);
  return [
    'seconds\theap MiB\texternal MiB\trss MiB\tsockets\tdescriptors',
    ...lines,
    `heap: ${toMib(heap.mean)} MiB, growing by ${toMib(heap.rise)} MiB; ${visits} visits, ${upstreamRequests} upstream requests`,
    `idle: ${JSON.stringify(idle)}`,
    JSON.stringify(tally),
  ].join('\n');
}

function toMib(bytes: number): string {
  return (bytes / MIB).toFixed(2);
}
