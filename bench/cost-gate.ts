/**
 * The cost of an operation in figures that depend neither on the machine nor on its other load:
 * upstream requests and allocated bytes, through the whole gateway over an upstream in the same
 * process. `npm run test:cost`.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CostReport } from './cost/measure.ts';
import type { StreamCost } from './cost/measure-streams.ts';
import { kindOf, type OperationName } from './fixture/operations.ts';
import { createClient } from './harness/load.ts';
import { startServer, startUpstream } from './harness/start.ts';
import { HEADERS, thisGatewayUncached } from './targets.ts';

type Ceiling = {
  readonly [name in OperationName]: { readonly requests: number; readonly kB: number };
};

/**
 * Each ceiling is about 15 % above the measurement of the day it was set. An operation that becomes
 * cheaper must lower it.
 */
const CEILINGS: Readonly<Record<'warm' | 'uncached', Ceiling>> = {
  warm: {
    Q1: { requests: 0, kB: 31 },
    Q2: { requests: 0, kB: 57 },
    Q3: { requests: 0, kB: 51 },
    Q4: { requests: 0, kB: 25 },
  },
  uncached: {
    Q1: { requests: 1, kB: 116 },
    Q2: { requests: 1, kB: 624 },
    Q3: { requests: 21, kB: 1_656 },
    Q4: { requests: 0, kB: 25 },
  },
};

/**
 * Maximum distance between the quartiles of the samples: a greater one means that other work was
 * measured, too.
 */
const MAX_SPREAD = 0.15;

/**
 * Minimum ratio of a measurement to its ceiling: below it, the ceiling no longer guards the cost.
 */
const MIN_CEILING_RATIO = 0.6;

/** Size of the young generation, in MiB: more than a sample allocates. */
const YOUNG_MIB = 256;

let report: CostReport;

beforeAll(() => {
  report = measureWith<CostReport>('cost/measure.ts');
}, 300_000);

/** Runs a script that prints its report as JSON. */
function measureWith<Report>(script: string): Report {
  const flags = [
    '--expose-gc',
    `--min-semi-space-size=${YOUNG_MIB}`,
    `--max-semi-space-size=${YOUNG_MIB}`,
  ];
  const path = join(import.meta.dirname, script);
  return JSON.parse(execFileSync(process.execPath, [...flags, path], { encoding: 'utf8' }));
}

test('No garbage collection runs during the measurement', () => {
  expect(report.collections).toBe(0);
});

describe.each(['warm', 'uncached'] as const)('%s', (state) => {
  test.each(['Q1', 'Q2', 'Q3', 'Q4'] as const)('%s stays within its cost ceiling', (name) => {
    const { requests, bytes, spread } = report[state][name];
    const ceiling = CEILINGS[state][name];
    expect(requests, 'upstream requests').toBe(ceiling.requests);
    expect(spread, 'spread of the samples').toBeLessThan(MAX_SPREAD);
    const kB = Math.round(bytes / 1000);
    expect(kB, 'kB allocated').toBeLessThanOrEqual(ceiling.kB);
    expect(
      kB,
      `lower the ceiling: ${Math.round(kB * 1.15)} kB would be enough`,
    ).toBeGreaterThanOrEqual(ceiling.kB * MIN_CEILING_RATIO);
  });
});

/** Each ceiling is about 15 % above the measurement of the day it was set. */
const STREAM_CEILINGS = { eventBytes: 108_000, subscriberBytes: 250 };

test('An event of a subscription stays within its cost ceiling, and each further subscriber, too', () => {
  const cost = measureWith<StreamCost>('cost/measure-streams.ts');
  expect(cost.collections, 'garbage collections').toBe(0);
  expect(cost.requests, 'upstream requests, with one subscriber and with many').toEqual([1, 1]);
  for (const name of ['eventBytes', 'subscriberBytes'] as const)
    expect(cost[name], name).toBeLessThanOrEqual(STREAM_CEILINGS[name]);
  // The bytes of a subscriber are a small difference of two measurements, and vary.
  expect(cost.eventBytes, 'lower the ceiling of eventBytes').toBeGreaterThanOrEqual(
    STREAM_CEILINGS.eventBytes * MIN_CEILING_RATIO,
  );
}, 120_000);

/**
 * Maximum promotion to the old generation, in kB per operation: the memory of operations that wait
 * for the upstream during a scavenge, plus any memory that is retained by mistake.
 */
const MAX_PROMOTED_KB = { Q1: 8, Q2: 20, Q3: 50 };

/** Time until the code is compiled and V8's allocation decisions (pretenuring) are stable. */
const COMPILING_MS = 8_000;
const MEASURED_MS = 2_000;

test.each(['Q1', 'Q2', 'Q3'] as const)(
  'The memory of %s is released after its response, whatever the number of operations in flight',
  async (name) => {
    await using upstream = await startUpstream();
    await using served = await startServer(thisGatewayUncached.start(upstream.url));
    await using client = createClient(served, HEADERS, 16);
    const operations = Array.from({ length: 64 }, (_, number) => kindOf(name).at(number));
    await client.load(operations, COMPILING_MS);
    await served.takePromotedBytes();
    const { operations: count } = await client.load(operations, MEASURED_MS);
    const kB = (await served.takePromotedBytes()) / count / 1000;
    expect(kB, 'kB per operation in the old generation').toBeLessThan(MAX_PROMOTED_KB[name]);
  },
  60_000,
);
