/**
 * Compares this gateway with its peers over the same upstream: `npm run bench`, or `npm run bench
 * -- --short` to verify that the benchmark works. Prints the report, and writes it into
 * docs/operations/performance.md. The run ends within ten minutes.
 */

import { toAbsoluteTable, toLatencyTable, toRatioTable } from './comparison/tables.ts';
import {
  checkAllOperations,
  type MeasuredTarget,
  measureLatency,
  operationsFor,
  startTarget,
} from './comparison/target.ts';
import { kinds, type OperationKind } from './fixture/operations.ts';
import { exitAfter } from './harness/deadline.ts';
import { createClient, type Load } from './harness/load.ts';
import { median } from './harness/median.ts';
import { describeConditions, logProgress, publish, toTable } from './harness/report.ts';
import { pinThisProcess, startUpstream } from './harness/start.ts';
import { baseline, HEADERS, installPeers, targets, thisGateway } from './targets.ts';

const isShort = process.argv.includes('--short');
const ROUNDS = isShort ? 3 : 5;
const ROUND_MS = isShort ? 400 : 800;
/**
 * A target with more code takes longer to compile: each one warms up until it no longer becomes
 * faster.
 */
const WARM_UP = isShort ? { minMs: 1_000, maxMs: 2_000 } : { minMs: 6_000, maxMs: 10_000 };
const WARM_UP_PART_MS = 1_000;
/**
 * A part of the warm-up is faster if it takes less than this share of the best time; a smaller
 * difference is chance.
 */
const IMPROVEMENT_RATIO = 0.95;
const LATENCIES = isShort ? { cold: 20, warm: 100 } : { cold: 60, warm: 400 };
const MAX_RUN_MS = 590_000;

exitAfter(MAX_RUN_MS);

installPeers();
pinThisProcess();
await using stack = new AsyncDisposableStack();
const upstream = stack.use(await startUpstream());
const entries: MeasuredTarget[] = [];
for (const target of [baseline, ...targets]) {
  logProgress(`starting ${target.name}`);
  entries.push(stack.use(await startTarget(target, upstream)));
}
const [first, ...others] = entries as [MeasuredTarget, ...MeasuredTarget[]];
for (const entry of entries) {
  logProgress(`warming up ${entry.target.name}`);
  await checkAllOperations(entry);
  for (const kind of kinds.filter((one) => isMeasured(entry, one))) await warmUp(entry, kind);
}
for (let round = 1; round <= ROUNDS; round += 1) {
  logProgress(`round ${round} of ${ROUNDS}`);
  for (const kind of kinds) await runRound(kind);
}
const compression = await measureCompression();
for (const entry of entries) {
  if (entry.target.isGateway) entry.latency = await measureLatency(entry, upstream, LATENCIES);
  await checkAllOperations(entry);
}
publish('bench', toReport());

/**
 * Q4 needs no data, so a target without its cache would repeat the measurement of the same target
 * with it.
 */
function isMeasured({ target }: MeasuredTarget, { name }: OperationKind): boolean {
  return name !== 'Q4' || target.isCaching || target === baseline;
}

/** Warms up until three consecutive parts were not faster than the best one before. */
async function warmUp(entry: MeasuredTarget, kind: OperationKind): Promise<void> {
  let best = Number.POSITIVE_INFINITY;
  let withoutGain = 0;
  for (
    let ms = 0;
    ms < WARM_UP.maxMs && (ms < WARM_UP.minMs || withoutGain < 3);
    ms += WARM_UP_PART_MS
  ) {
    const { cpuUs } = await entry.client.load(operationsFor(entry, kind), WARM_UP_PART_MS);
    withoutGain = cpuUs < best * IMPROVEMENT_RATIO ? 0 : withoutGain + 1;
    best = Math.min(best, cpuUs);
  }
}

/**
 * The baseline, all other targets, and the baseline again: other load of the machine affects all of
 * them alike.
 */
async function runRound(kind: OperationKind): Promise<void> {
  const measure = (entry: MeasuredTarget) =>
    entry.client.load(operationsFor(entry, kind), ROUND_MS);
  const results = new Map<MeasuredTarget, Load>();
  const before = await measure(first);
  for (const entry of others.filter((one) => isMeasured(one, kind))) {
    results.set(entry, await measure(entry));
    if (kind.name === 'Q3') entry.rssBytes.push((await entry.served.measure()).rssBytes);
  }
  const after = await measure(first);
  if (kind.name === 'Q3') first.rssBytes.push((await first.served.measure()).rssBytes);
  const cpuUs = (before.cpuUs + after.cpuUs) / 2;
  results.set(first, { ...after, cpuUs, perSecond: (before.perSecond + after.perSecond) / 2 });
  for (const [entry, load] of results) {
    entry.loads.get(kind.name)?.push(load);
    entry.ratios.get(kind.name)?.push(cpuUs / load.cpuUs);
  }
}

/** The cost of compression in this gateway, for a client that accepts compressed responses. */
async function measureCompression(): Promise<string> {
  const entry = entries.find(({ target }) => target === thisGateway);
  if (!entry) throw new Error('This gateway is not among the targets.');
  const accepting = stack.use(
    createClient(entry.served, { ...HEADERS, 'accept-encoding': 'br, gzip' }, 16),
  );
  const rows: string[][] = [];
  for (const kind of kinds) {
    await accepting.load([kind.at(0)], ROUND_MS);
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1)
      times.push((await accepting.load([kind.at(0)], ROUND_MS)).cpuUs);
    const plain = median((entry.loads.get(kind.name) ?? []).map(({ cpuUs }) => cpuUs));
    rows.push([kind.name, `${plain.toFixed(0)} µs`, `${median(times).toFixed(0)} µs`]);
  }
  return toTable(
    ['processor time per operation, this gateway, warm', 'uncompressed', 'brotli'],
    rows,
  );
}

function toReport(): string {
  const how =
    `Processor time of the server's whole process for one operation; ${ROUNDS} rounds of ${ROUND_MS} ms each, in the order baseline, all others, baseline; ` +
    'the median of the rounds, each as a ratio to the baseline of the same round.';
  return [
    describeConditions(how),
    kinds.map(({ name, title }) => `- **${name}**: ${title}`).join('\n'),
    toRatioTable(entries),
    toAbsoluteTable(entries),
    toLatencyTable(entries),
    compression,
  ].join('\n\n');
}
