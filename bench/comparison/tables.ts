import { kinds, type OperationName } from '../fixture/operations.ts';
import { median, quantile } from '../harness/median.ts';
import { toTable } from '../harness/report.ts';
import { CONCURRENT_OPERATIONS, type MeasuredTarget, SLOW_UPSTREAM_MS } from './target.ts';

const NONE = '–';

/** The baseline's processor time for an operation, as a multiple of each target's. */
export function toRatioTable(entries: readonly MeasuredTarget[]): string {
  return toTable(
    [
      'speed relative to the baseline',
      ...kinds.map(({ name }) => name),
      'upstream requests of Q3: first, repeated',
      `of ${CONCURRENT_OPERATIONS} concurrent Q3`,
      'memory, MB: after the first Q3, under load',
      'ready after, s',
    ],
    entries.map((entry) => [
      entry.target.name,
      ...kinds.map(({ name }) => toRatio(median(entry.ratios.get(name) ?? []))),
      entry.requests ? `${entry.requests.first}, ${entry.requests.repeated}` : NONE,
      entry.requests ? String(entry.requests.concurrent) : NONE,
      [entry.firstRssBytes, median(entry.rssBytes)]
        .map((bytes) => (bytes / 1e6).toFixed(0))
        .join(', '),
      (entry.served.readyMs / 1000).toFixed(2),
    ]),
  );
}

export function toAbsoluteTable(entries: readonly MeasuredTarget[]): string {
  const cell = (entry: MeasuredTarget, name: OperationName) => {
    const loads = entry.loads.get(name) ?? [];
    if (loads.length === 0) return NONE;
    return `${toDigits(median(loads.map(({ cpuUs }) => cpuUs)))} µs, ${toDigits(median(loads.map(({ perSecond }) => perSecond)))}/s`;
  };
  return toTable(
    ['processor time per operation, operations per second', ...kinds.map(({ name }) => name)],
    entries.map((entry) => [entry.target.name, ...kinds.map(({ name }) => cell(entry, name))]),
  );
}

export function toLatencyTable(entries: readonly MeasuredTarget[]): string {
  const cells = (times: readonly number[]) =>
    times.length > 0
      ? [0.5, 0.99].map((share) => `${quantile(times, share).toFixed(2)} ms`)
      : [NONE, NONE];
  return toTable(
    [
      `Q1 with an upstream latency of ${SLOW_UPSTREAM_MS} ms`,
      'cold, added: p50',
      'p99',
      'warm: p50',
      'p99',
    ],
    entries.flatMap(({ target, latency }) =>
      latency ? [[target.name, ...cells(latency.cold), ...cells(latency.warm)]] : [],
    ),
  );
}

function toRatio(ratio: number): string {
  return Number.isNaN(ratio) ? NONE : ratio.toFixed(ratio < 10 ? 2 : 1);
}

function toDigits(value: number): string {
  return value.toFixed(0);
}
