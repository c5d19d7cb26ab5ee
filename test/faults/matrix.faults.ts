import { describe, expect, onTestFinished, test } from 'vitest';
import { clocks } from './clocks.ts';
import { connections, slowness } from './connections.ts';
import { drift } from './drifted-values.ts';
import type { Fault, Variant } from './fault.ts';
import { createFaultHarness, maxMs } from './fault-harness.ts';
import { toTable } from './fault-table.ts';
import { lists } from './lists.ts';
import { rateLimits } from './rate-limits.ts';
import { redirects } from './redirects.ts';
import { bodies } from './response-bodies.ts';
import { staleIfError } from './stale-if-error.ts';
import { statuses } from './statuses.ts';
import { streamFaults } from './stream-faults.ts';
import { toValue } from './subjects.ts';

const FAULT_GROUPS = [
  connections,
  slowness,
  statuses,
  redirects,
  bodies,
  lists,
  rateLimits,
  staleIfError,
  clocks,
  drift,
];

test('docs/reference/fault-matrix.md states what these tests assert', async () => {
  // `npm run test:faults -- --update` writes the page.
  await expect(toTable(FAULT_GROUPS, streamFaults)).toMatchFileSnapshot(
    '../../docs/reference/fault-matrix.md',
  );
});

for (const { title, faults } of FAULT_GROUPS) {
  describe(title, () => {
    for (const fault of faults) {
      for (const variant of fault.variants) {
        test(
          `the gateway behaves as documented when the upstream ${fault.name} ${variant.name}`.trim(),
          async () => {
            const rejections = captureRejections();
            const before = openResources();
            await runFault(fault, variant);
            const leftOpen = () => moreThan(before, openResources());
            await expect
              .poll(leftOpen, { interval: 10, message: 'open resources of the process' })
              .toEqual({});
            expect(rejections).toEqual([]);
          },
        );
      }
    }
  });
}

async function runFault(fault: Fault, variant: Variant): Promise<void> {
  const { wrong } = variant;
  const normalResult = { data: toValue({ ...fault, attempts: undefined, transform: undefined }) };
  await using gateway = await createFaultHarness(fault);
  const affectsOnlyField = 'answer' in wrong || 'leadTo' in wrong;
  // Without connections, only cached responses can serve the other fields.
  if (!affectsOnlyField || fault.isWarm) await gateway.warm();
  if (fault.isCached) expect((await gateway.observe()).result).toEqual(normalResult);
  await gateway.startFault(wrong);

  const memory = watchMemory();
  const observed = await gateway.observe();
  const bytes = memory.end();

  expect(observed.result).toEqual(toExpectedResult(fault, variant));
  for (const secret of gateway.secrets)
    expect(JSON.stringify(observed.result.errors ?? [])).not.toContain(secret);
  expect(observed.drift).toEqual(fault.drift ?? []);
  expect(observed.countedRequests).toBe(fault.requests);
  if (affectsOnlyField)
    expect(observed.requests).toHaveLength(fault.requests + (fault.resent ?? 0));
  expect(observed.ms).toBeLessThan(maxMs(fault.bound));
  if (fault.maxBytes !== undefined) expect(bytes).toBeLessThan(fault.maxBytes);

  if (fault.again !== undefined)
    expect((await gateway.observe()).countedRequests).toBe(fault.again);

  await gateway.endFault();
  gateway.skip(fault.skipMs ?? 0);
  await gateway.expectNothingLeft();
  expect((await gateway.observe()).result).toEqual(normalResult);
  expect(gateway.unexpectedErrors).toEqual([]);
}

function toExpectedResult(fault: Fault, { name }: Variant) {
  const { outcome } = fault;
  if (outcome === 'value') return { data: toValue(fault) };
  if (outcome === 'null') return { data: null };
  const extensions = outcome.status === 'as sent' ? { ...outcome, status: Number(name) } : outcome;
  return { data: null, errors: [expect.objectContaining({ path: ['hit'], extensions })] };
}

/** The open resources of this process, counted by kind. Timers are left out: the harness counts those of the gateway. */
function openResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo())
    if (kind !== 'Timeout') counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Measures the maximum growth of the process's memory, inside and outside the heap. */
function watchMemory() {
  const usedBytes = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = usedBytes();
  let maxBytes = 0;
  const timer = setInterval(() => {
    maxBytes = Math.max(maxBytes, usedBytes() - before);
  }, 5);
  return {
    end(): number {
      clearInterval(timer);
      return maxBytes;
    },
  };
}

function moreThan(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(now).filter(([kind, count]) => count > (before[kind] ?? 0)),
  );
}

function captureRejections(): readonly unknown[] {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  onTestFinished(() => void process.off('unhandledRejection', onRejection));
  return rejections;
}
