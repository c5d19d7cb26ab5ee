import type { OperationKind, OperationName } from '../fixture/operations.ts';
import { median } from '../harness/median.ts';
import { describeConditions, toTable } from '../harness/report.ts';
import type { Target } from '../targets.ts';
import { ratios, toSpread } from './goals.ts';
import type { Scale } from './scale.ts';
import type { Rounds, SteadyMeasurement } from './steady.ts';

/** The absolute figures, and the ratios to the reference, which is the first measurement. */
export function toSteadyReport(
  measurements: readonly SteadyMeasurement[],
  kinds: readonly OperationKind[],
  { warmUp, rounds, roundMs, referenceMs }: Scale,
): string {
  const reference = measurements[0]?.target.name;
  const how =
    `Processor time of the server's whole process for one operation, after at least ${warmUp.operations.toLocaleString('en-US')} operations; ` +
    `the median of ${rounds} rounds of ${roundMs} ms.`;
  return [
    describeConditions(how),
    toAbsoluteTable(measurements, kinds),
    `With the log, as multiples of the ${reference} in the ${referenceMs} ms before each round; median and quartiles:`,
    toRatioTable(measurements, kinds),
  ].join('\n\n');
}

export function measurementOf(
  measurements: readonly SteadyMeasurement[],
  target: Target,
): SteadyMeasurement {
  const found = measurements.find((one) => one.target === target);
  if (!found) throw new Error(`${target.name} was not measured.`);
  return found;
}

/** The costs with the log in each round, as multiples of the reference's. */
export function ratiosToReference({ withLog }: SteadyMeasurement, name: OperationName): number[] {
  return (withLog.get(name) ?? []).map(({ cpuUs, referenceUs }) => cpuUs / referenceUs);
}

/** The costs as multiples of another target's, both divided by those of the reference. */
export function ratiosTo(
  measurement: SteadyMeasurement,
  other: SteadyMeasurement,
  name: OperationName,
): number[] {
  return ratios(ratiosToReference(measurement, name), ratiosToReference(other, name));
}

function toAbsoluteTable(
  measurements: readonly SteadyMeasurement[],
  kinds: readonly OperationKind[],
): string {
  const cost = (rounds: Rounds, name: OperationName) =>
    median((rounds.get(name) ?? []).map(({ cpuUs }) => cpuUs)).toFixed(0);
  return toTable(
    [
      'server',
      ...kinds.flatMap(({ name }) => [`${name}, µs`, 'without log']),
      'Q1 after 5 s of load, µs',
      'memory under load, MB',
    ],
    measurements.map(({ target, warmUp, withLog, withoutLog, rssBytes }) => [
      target.name,
      ...kinds.flatMap(({ name }) => [cost(withLog, name), cost(withoutLog, name)]),
      Number.isNaN(warmUp.after5sUs) ? '–' : warmUp.after5sUs.toFixed(0),
      (median(rssBytes) / 1e6).toFixed(0),
    ]),
  );
}

function toRatioTable(
  measurements: readonly SteadyMeasurement[],
  kinds: readonly OperationKind[],
): string {
  return toTable(
    ['server', ...kinds.map(({ name }) => name)],
    measurements.map((measurement) => [
      measurement.target.name,
      ...kinds.map(({ name }) => toSpread(ratiosToReference(measurement, name))),
    ]),
  );
}
