/**
 * Compares this checkout with another one, whose packages are installed:
 * `npm run bench:versions -- ../other`. One process of each is loaded in turns, so that other load of
 * the machine affects both alike. Prints processor time and memory of this checkout as multiples of
 * the other's. With `--short` the figures mean nothing, and show that the benchmark works.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { toSpread } from './comparison/goals.ts';
import { checkAllOperations, operationsFor, startTarget } from './comparison/target.ts';
import { kinds, type OperationKind } from './fixture/operations.ts';
import { exitAfter } from './harness/deadline.ts';
import { describeConditions, logProgress, print, toTable } from './harness/report.ts';
import { pinThisProcess, ROOT, startUpstream } from './harness/start.ts';
import { type Target, thisGateway, thisGatewayUncached } from './targets.ts';

const isShort = process.argv.includes('--short');
const TURN_MS = isShort ? 200 : 400;
const WARM_UP_TURNS = isShort ? 2 : 25;
const ROUNDS = isShort ? 3 : 15;
const MAX_RUN_MS = 590_000;

const [other] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
if (other === undefined || !existsSync(resolve(other, 'src/main.ts')))
  throw new Error('Expected the folder of another checkout: npm run bench:versions -- ../other');

exitAfter(MAX_RUN_MS);
pinThisProcess();
await using upstream = await startUpstream();

/** The same gateway from the sources of a checkout. */
function targetIn(directory: string, { start, ...target }: Target): Target {
  return {
    ...target,
    start: (upstreamUrl) => ({
      ...start(upstreamUrl),
      args: [resolve(directory, 'src/main.ts')],
    }),
  };
}

async function compare(target: Target, measuredKinds: readonly OperationKind[]): Promise<string[]> {
  await using own = await startTarget(targetIn(ROOT, target), upstream);
  await using reference = await startTarget(targetIn(other ?? '', target), upstream);
  for (const started of [own, reference]) await checkAllOperations(started);
  const turn = async (kind: OperationKind, isOwnFirst: boolean) => {
    const load = async ({ client }: typeof own) =>
      (await client.load(operationsFor(target, kind), TURN_MS)).cpuUs;
    const first = await load(isOwnFirst ? own : reference);
    const second = await load(isOwnFirst ? reference : own);
    return isOwnFirst ? first / second : second / first;
  };
  const cells: string[] = [];
  const memoryRatios: number[] = [];
  for (const kind of measuredKinds) {
    logProgress(`${target.name}: ${kind.name}`);
    for (let warmUp = 0; warmUp < WARM_UP_TURNS; warmUp += 1) await turn(kind, true);
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) ratios.push(await turn(kind, round % 2 === 0));
    cells.push(toSpread(ratios));
    const ownUsage = await own.served.measure();
    memoryRatios.push(ownUsage.rssBytes / (await reference.served.measure()).rssBytes);
  }
  return [...cells, toSpread(memoryRatios)];
}

// Q4 needs no upstream: it is the same with and without freshness.
const upstreamKinds = kinds.filter(({ name }) => name !== 'Q4');
const rows = [
  [thisGateway.name, ...(await compare(thisGateway, kinds))],
  [
    thisGatewayUncached.name,
    ...(await compare(thisGatewayUncached, upstreamKinds)).toSpliced(upstreamKinds.length, 0, '–'),
  ],
];
const how = `This checkout as a multiple of ${other}: processor time for one operation, median and quartiles of ${ROUNDS} rounds of ${TURN_MS} ms for each, in turns; resident memory after each operation, median and quartiles.`;
print(
  `${describeConditions(how)}\n\n${toTable(['', ...kinds.map(({ name }) => name), 'memory'], rows)}`,
);
