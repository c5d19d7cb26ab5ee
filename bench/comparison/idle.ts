import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../fixture/operations.ts';
import { median } from '../harness/median.ts';
import { describeConditions, logProgress, toTable } from '../harness/report.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import type { Target } from '../targets.ts';
import type { Scale } from './scale.ts';
import { operationsFor, type StartedTarget, startTarget } from './target.ts';
import { type WarmUp, warmUpTarget } from './warm-up.ts';

/** One process. */
export interface IdleMeasurement {
  readonly target: Target;
  readonly warmUp: WarmUp;
  /** Processor time of a warm Q1 under load, in µs. */
  readonly steadyUs: number;
  /** Processor time from the load to the last part of the idle time, in ms. */
  readonly settlingMs: number;
  /** Processor time of the last part of the idle time, in ms. */
  readonly quietMs: number;
  /** Processor time of Q1 in each burst after the idle time, in µs. */
  readonly burstsUs: readonly number[];
}

/** One burst is a single sample, so each target has several processes, which are idle together. */
const PROCESSES = 3;
/** A process waits while the next ones are warmed up: so much load makes its code warm again. */
const REWARM_MS = 3_000;
const BURST_MS = 150;
const BURSTS = 14;

type LoadedTarget = StartedTarget & Pick<IdleMeasurement, 'target' | 'warmUp' | 'steadyUs'>;

/** What warm processes cost without requests, and in the first bursts after that. */
export async function measureIdle(
  targets: readonly Target[],
  upstream: UpstreamProcess,
  scale: Scale,
): Promise<readonly IdleMeasurement[]> {
  await using stack = new AsyncDisposableStack();
  const entries: LoadedTarget[] = [];
  for (let process = 0; process < PROCESSES; process += 1) {
    for (const target of targets) {
      logProgress(`warming up ${target.name}`);
      const started = stack.use(await startTarget(target, upstream));
      entries.push({ ...started, ...(await measureLoaded(started, scale)) });
    }
  }
  logProgress('all processes in turns');
  for (const entry of entries) await loadQ1(entry, Math.min(REWARM_MS, scale.idleMs));

  logProgress(`idle for ${scale.idleMs / 1_000} s`);
  const afterLoad = await measureCpu(entries);
  await sleep(scale.idleMs - scale.quietMs);
  const settled = await measureCpu(entries);
  await sleep(scale.quietMs);
  const afterIdle = await measureCpu(entries);

  const bursts: number[][] = entries.map(() => []);
  for (let burst = 0; burst < BURSTS; burst += 1)
    for (const [index, entry] of entries.entries())
      bursts[index]?.push(await loadQ1(entry, BURST_MS));
  return entries.map(({ target, warmUp, steadyUs }, index) => ({
    target,
    warmUp,
    steadyUs,
    settlingMs: (settled[index] ?? Number.NaN) - (afterLoad[index] ?? Number.NaN),
    quietMs: (afterIdle[index] ?? Number.NaN) - (settled[index] ?? Number.NaN),
    burstsUs: bursts[index] ?? [],
  }));
}

async function measureLoaded(
  entry: StartedTarget,
  { warmUp: warmUpScale, rounds, roundMs }: Scale,
): Promise<Pick<IdleMeasurement, 'warmUp' | 'steadyUs'>> {
  const warmUp = await warmUpTarget(entry, [kindOf('Q1')], warmUpScale);
  const roundsUs: number[] = [];
  for (let round = 0; round < rounds; round += 1) roundsUs.push(await loadQ1(entry, roundMs));
  return { warmUp, steadyUs: median(roundsUs) };
}

/** Processor time per operation, in µs. */
async function loadQ1({ target, client }: StartedTarget, ms: number): Promise<number> {
  return (await client.load(operationsFor(target, kindOf('Q1')), ms)).cpuUs;
}

/** Processor time of each process since its start, in ms. */
function measureCpu(entries: readonly StartedTarget[]): Promise<readonly number[]> {
  return Promise.all(entries.map(async ({ served }) => (await served.measure()).cpuMs));
}

export function toIdleTable(
  measurements: readonly IdleMeasurement[],
  { rounds, roundMs, idleMs, quietMs }: Scale,
): string {
  const [idleS, quietS] = [idleMs / 1_000, quietMs / 1_000];
  const how =
    `Processor time of Q1: steady, the median of ${rounds} rounds of ${roundMs} ms; then, after ${idleS} s without requests, in bursts of ${BURST_MS} ms, ` +
    `with ${PROCESSES} processes of each server in turns. Each cell has one figure for each process.`;
  const targets = [...new Set(measurements.map(({ target }) => target))];
  const cell = (target: Target, figure: (one: IdleMeasurement) => number | undefined) =>
    measurements
      .filter((one) => one.target === target)
      .map((one) => toText(figure(one)))
      .join(', ');
  return `${describeConditions(how)}\n\n${toTable(
    [
      'server',
      'after 5 s of load, µs',
      'steady, µs',
      `first burst after ${idleS} s idle, µs`,
      'fifth burst',
      'last burst',
      `first ${idleS - quietS} s idle: processor time, ms`,
      `last ${quietS} s`,
    ],
    targets.map((target) => [
      target.name,
      cell(target, ({ warmUp }) => warmUp.after5sUs),
      cell(target, ({ steadyUs }) => steadyUs),
      cell(target, ({ burstsUs }) => burstsUs[0]),
      cell(target, ({ burstsUs }) => burstsUs[4]),
      cell(target, ({ burstsUs }) => burstsUs.at(-1)),
      cell(target, ({ settlingMs }) => settlingMs),
      cell(target, (one) => one.quietMs),
    ]),
  )}`;
}

function toText(value = Number.NaN): string {
  return Number.isNaN(value) ? '–' : value.toFixed(0);
}
