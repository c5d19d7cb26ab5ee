/**
 * What an operation costs, in figures that do not depend on the machine, nor on what else it does: upstream requests, and bytes that are allocated,
 * through the whole gateway over an upstream in the same process. `npm run test:cost`.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CostReport } from './cost/measure.ts';
import { kindOf, type OperationName } from './fixture/operations.ts';
import { createClient } from './harness/load.ts';
import { startServer, startUpstream } from './harness/start.ts';
import { HEADERS, thisGatewayUncached } from './targets.ts';

type Ceiling = { readonly [name in OperationName]: { readonly requests: number; readonly kB: number } };

/** Each some 15 % over what was measured when it was last set. What has become cheaper lowers it. */
const CEILINGS: Readonly<Record<'warm' | 'uncached', Ceiling>> = {
  warm: {
    Q1: { requests: 0, kB: 49 },
    Q2: { requests: 0, kB: 75 },
    Q3: { requests: 0, kB: 73 },
    Q4: { requests: 0, kB: 43 },
  },
  uncached: {
    Q1: { requests: 1, kB: 148 },
    Q2: { requests: 1, kB: 826 },
    Q3: { requests: 21, kB: 1_830 },
    Q4: { requests: 0, kB: 43 },
  },
};

/** Between the quartiles of the samples: more, and something else was measured. */
const MAX_SPREAD = 0.15;

/** Of its ceiling: below that, the ceiling guards nothing any more. */
const MIN_CEILING_RATIO = 0.6;

/** The young generation, MiB: more than is allocated between two looks at it. */
const YOUNG_MIB = 256;

let report: CostReport;

beforeAll(() => {
  const flags = ['--expose-gc', `--min-semi-space-size=${YOUNG_MIB}`, `--max-semi-space-size=${YOUNG_MIB}`];
  const output = execFileSync(process.execPath, [...flags, join(import.meta.dirname, 'cost/measure.ts')], { encoding: 'utf8' });
  report = JSON.parse(output) as CostReport;
}, 300_000);

test('Nothing was collected while it was measured', () => {
  expect(report.collections).toBe(0);
});

describe.each(['warm', 'uncached'] as const)('%s', (state) => {
  test.each(['Q1', 'Q2', 'Q3', 'Q4'] as const)('%s costs what the table says', (name) => {
    const { requests, bytes, spread } = report[state][name];
    const ceiling = CEILINGS[state][name];
    expect(requests, 'upstream requests').toBe(ceiling.requests);
    expect(spread, 'how far the samples are apart').toBeLessThan(MAX_SPREAD);
    const kB = Math.round(bytes / 1000);
    expect(kB, 'kB allocated').toBeLessThanOrEqual(ceiling.kB);
    expect(kB, `lower the ceiling: ${Math.round(kB * 1.15)} kB would be enough`).toBeGreaterThanOrEqual(
      ceiling.kB * MIN_CEILING_RATIO,
    );
  });
});

/** kB of each operation: what waits for the upstream when the young generation is collected, and whatever holds on to what it should not. */
const MAX_PROMOTED_KB = { Q1: 8, Q2: 20, Q3: 50 };

/** Until the code is compiled, and V8 has made up its mind where it allocates what. */
const COMPILING_MS = 8_000;
const MEASURED_MS = 2_000;

test.each(['Q1', 'Q2', 'Q3'] as const)(
  'What %s has read is gone when it is answered, however many wait beside it',
  async (name) => {
    await using upstream = await startUpstream();
    await using served = await startServer(thisGatewayUncached.start(upstream.url));
    await using client = createClient(served, HEADERS, 16);
    const questions = Array.from({ length: 64 }, (_, number) => kindOf(name).at(number));
    await client.load(questions, COMPILING_MS);
    await served.takePromotedBytes();
    const { operations } = await client.load(questions, MEASURED_MS);
    const kB = (await served.takePromotedBytes()) / operations / 1000;
    expect(kB, 'kB an operation in the old generation').toBeLessThan(MAX_PROMOTED_KB[name]);
  },
  60_000,
);
