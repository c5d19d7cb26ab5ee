import { describe, expect, onTestFinished, test } from 'vitest';
import { bodies } from './bodies.ts';
import { clocks } from './clocks.ts';
import { connections, slowness } from './connections.ts';
import { drift } from './drift.ts';
import type { Fault, Variant } from './fault.ts';
import { toTable } from './fault-table.ts';
import { createFaultWorld, longestMs } from './fault-world.ts';
import { grace } from './grace.ts';
import { lists } from './lists.ts';
import { patience } from './patience.ts';
import { redirects } from './redirects.ts';
import { statuses } from './statuses.ts';
import { toValue } from './subjects.ts';

const GROUPS = [connections, slowness, statuses, redirects, bodies, lists, patience, grace, clocks, drift];

test('The table in the docs is made of what is tried here', async () => {
  // `npm run test:faults -- --update` writes it.
  await expect(toTable(GROUPS)).toMatchFileSnapshot('../../docs/faults.md');
});

for (const { title, faults } of GROUPS) {
  describe(`${title}: the upstream`, () => {
    for (const fault of faults) {
      for (const variant of fault.variants) {
        test(`${fault.name} ${variant.name}`.trim(), async () => {
          const rejections = hearRejections();
          const before = openResources();
          await play(fault, variant);
          const leftOpen = () => moreThan(before, openResources());
          await expect.poll(leftOpen, { interval: 10, message: 'what is left open in the process' }).toEqual({});
          expect(rejections).toEqual([]);
        });
      }
    }
  });
}

async function play(fault: Fault, variant: Variant): Promise<void> {
  const { wrong } = variant;
  const asEver = { data: toValue({ ...fault, attempts: undefined, gives: undefined }) };
  await using world = await createFaultWorld(fault);
  const isOfAnswers = 'answer' in wrong || 'leadTo' in wrong;
  // Where no connection can be had, only what is remembered can stand beside the fault.
  if (!isOfAnswers || fault.isWarm) await world.warm();
  if (fault.isKnown) expect((await world.meet()).answer).toEqual(asEver);
  await world.begin(wrong);

  const memory = watchMemory();
  const met = await world.meet();
  const bytes = memory.end();

  expect(met.answer).toEqual(toAnswer(fault, variant));
  for (const secret of world.secrets) expect(JSON.stringify(met.answer.errors ?? [])).not.toContain(secret);
  expect(met.odd).toEqual(fault.odd ?? []);
  expect(met.counted).toBe(fault.requests);
  if (isOfAnswers) expect(met.requests).toHaveLength(fault.requests);
  expect(met.ms).toBeLessThan(longestMs(fault.within));
  if (fault.mostBytes !== undefined) expect(bytes).toBeLessThan(fault.mostBytes);

  if (fault.again !== undefined) expect((await world.meet()).counted).toBe(fault.again);

  await world.end();
  world.skip(fault.skipMs ?? 0);
  await world.expectNothingLeft();
  expect((await world.meet()).answer).toEqual(asEver);
  expect(world.bugs).toEqual([]);
}

function toAnswer(fault: Fault, { name }: Variant) {
  const { says } = fault;
  if (says === 'its value') return { data: toValue(fault) };
  if (says === 'null') return { data: null };
  const extensions = says.status === 'its own' ? { ...says, status: Number(name) } : says;
  return { data: null, errors: [expect.objectContaining({ path: ['hit'], extensions })] };
}

/** What is open in this process, by kind and number. Timers are not: those of the gateway are counted by themselves, others come and go. */
function openResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Timeout') counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** How much more the process holds at most, in the heap and beside it, than when this began. */
function watchMemory() {
  const heldBytes = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = heldBytes();
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, heldBytes() - before);
  }, 5);
  return {
    end(): number {
      clearInterval(timer);
      return most;
    },
  };
}

function moreThan(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(now).filter(([kind, count]) => count > (before[kind] ?? 0)));
}

function hearRejections(): readonly unknown[] {
  const heard: unknown[] = [];
  const hear = (reason: unknown) => heard.push(reason);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  return heard;
}
