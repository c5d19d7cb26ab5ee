import type { OperationKind, OperationName } from '../fixture/operations.ts';
import { logProgress } from '../harness/report.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import type { Target } from '../targets.ts';
import type { Scale } from './scale.ts';
import { checkAllOperations, operationsFor, type StartedTarget, startTarget } from './target.ts';
import { type WarmUp, warmUpTarget } from './warm-up.ts';

/** Processor time per operation in a round, in µs. */
export interface Round {
  readonly cpuUs: number;
  /** Of the reference, directly before. */
  readonly referenceUs: number;
}

export type Rounds = ReadonlyMap<OperationName, readonly Round[]>;

export interface SteadyMeasurement {
  readonly target: Target;
  readonly warmUp: WarmUp;
  readonly withLog: Rounds;
  /** As `withLog` for a target that never writes a log. */
  readonly withoutLog: Rounds;
  /** After the last load of each kind, with the log. */
  readonly rssBytes: readonly number[];
}

type ProcessMeasurement = Pick<SteadyMeasurement, 'warmUp' | 'rssBytes'> & {
  readonly rounds: Rounds;
};

/**
 * Processor time of warm targets under load, with and without their logs. One target after the
 * other, because a process that waits loses optimized code; a round of the reference precedes each
 * round, because the load of the machine varies.
 */
export async function measureSteady(
  [reference, ...targets]: readonly [Target, ...Target[]],
  measuredKinds: readonly OperationKind[],
  upstream: UpstreamProcess,
  scale: Scale,
): Promise<readonly SteadyMeasurement[]> {
  await using beside = await startTarget(reference, upstream);
  const measure = async (target: Target, start: Target['start']) => {
    await using entry = await startTarget(target, upstream, { start });
    return await measureProcess(entry, beside, measuredKinds, scale);
  };
  logProgress(`measuring ${reference.name}`);
  const { rounds, ...others } = await measureProcess(beside, beside, measuredKinds, scale);
  const measurements: SteadyMeasurement[] = [
    { target: reference, ...others, withLog: rounds, withoutLog: rounds },
  ];
  for (const target of targets) {
    logProgress(`measuring ${target.name}`);
    const { rounds, ...others } = await measure(target, target.start);
    const silent = target.startWithoutLog && (await measure(target, target.startWithoutLog));
    const withoutLog = silent?.rounds ?? rounds;
    measurements.push({ target, ...others, withLog: rounds, withoutLog });
  }
  return measurements;
}

async function measureProcess(
  entry: StartedTarget,
  reference: StartedTarget,
  measuredKinds: readonly OperationKind[],
  scale: Scale,
): Promise<ProcessMeasurement> {
  const rounds = new Map<OperationName, readonly Round[]>();
  const rssBytes: number[] = [];
  await checkAllOperations(entry);
  const warmUp = await warmUpTarget(entry, measuredKinds, scale.warmUp, async (kind) => {
    rounds.set(kind.name, await measureRounds(entry, reference, kind, scale));
    rssBytes.push((await entry.served.measure()).rssBytes);
  });
  await checkAllOperations(entry);
  return { warmUp, rounds, rssBytes };
}

async function measureRounds(
  entry: StartedTarget,
  reference: StartedTarget,
  kind: OperationKind,
  { rounds, roundMs, referenceMs }: Scale,
): Promise<readonly Round[]> {
  const load = async (one: StartedTarget, ms: number) =>
    (await one.client.load(operationsFor(one.target, kind), ms)).cpuUs;
  // The reference has waited while the target was warmed up.
  await load(reference, roundMs);
  await load(entry, roundMs);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const referenceUs = await load(reference, referenceMs);
    measured.push({ cpuUs: await load(entry, roundMs), referenceUs });
  }
  return measured;
}
