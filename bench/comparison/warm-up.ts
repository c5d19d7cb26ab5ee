import type { Operation, OperationKind } from '../fixture/operations.ts';
import type { Client } from '../harness/load.ts';
import type { WarmUpScale } from './scale.ts';
import { operationsFor, type StartedTarget } from './target.ts';

/** The cost of Q1 while its code is compiled. */
export interface WarmUp {
  readonly operations: number;
  readonly ms: number;
  /** Processor time per operation in the part that begins after 5 s, in µs. */
  readonly after5sUs: number;
}

/**
 * A part of the warm-up is faster if it takes less than this share of the best time; a smaller
 * difference is chance.
 */
const IMPROVEMENT_RATIO = 0.97;
/** The cost no longer falls if so many consecutive parts were not faster than the best one. */
const PARTS_WITHOUT_GAIN = 3;

/**
 * Sends Q1 until it has been sent often enough and its cost no longer falls, and the other kinds for
 * an equal time: V8 compiles by the number of calls, so a slower target needs more time.
 * @param kinds the first is Q1
 * @param onWarm called for each kind as soon as it is warm: a process that waits loses optimized code
 */
export async function warmUpTarget(
  { target, client }: StartedTarget,
  kinds: readonly OperationKind[],
  { operations, partMs, maxMs, maxShareMs, maxOtherMs }: WarmUpScale,
  onWarm: (kind: OperationKind) => Promise<void> = async () => {},
): Promise<WarmUp> {
  const costsUs: number[] = [];
  let q1: Sent = { operations: 0, ms: 0 };
  for (const kind of kinds) {
    const distinct = operationsFor(target, kind);
    if (kind.name === 'Q1') {
      q1 = await warmUpKind(client, distinct, {
        partMs,
        maxMs,
        isEnough: (sent) => sent.operations >= operations,
        onPart: (cpuUs) => costsUs.push(cpuUs),
      });
    } else {
      const shareMs = Math.min(q1.ms, maxShareMs);
      await warmUpKind(client, distinct, {
        partMs,
        maxMs: maxOtherMs,
        isEnough: ({ ms }) => ms >= shareMs,
      });
    }
    await onWarm(kind);
  }
  return { ...q1, after5sUs: costsUs[Math.floor(5_000 / partMs)] ?? Number.NaN };
}

export interface Sent {
  readonly operations: number;
  readonly ms: number;
}

export interface WarmUpKindOptions {
  readonly partMs: number;
  readonly maxMs: number;
  readonly isEnough: (sent: Sent) => boolean;
  readonly onPart?: (cpuUs: number) => void;
}

/** Sends the operations in turn until that is enough and their cost no longer falls. */
export async function warmUpKind(
  client: Client,
  distinct: readonly Operation[],
  { partMs, maxMs, isEnough, onPart }: WarmUpKindOptions,
): Promise<Sent> {
  const sent = { operations: 0, ms: 0 };
  let best = Number.POSITIVE_INFINITY;
  let withoutGain = 0;
  while (sent.ms < maxMs && !(isEnough(sent) && withoutGain >= PARTS_WITHOUT_GAIN)) {
    const { operations, cpuUs } = await client.load(distinct, partMs);
    onPart?.(cpuUs);
    sent.operations += operations;
    sent.ms += partMs;
    withoutGain = cpuUs < best * IMPROVEMENT_RATIO ? 0 : withoutGain + 1;
    best = Math.min(best, cpuUs);
  }
  return sent;
}
