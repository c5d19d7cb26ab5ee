import { describeConditions, toTable } from '../harness/report.ts';
import type { EventLoad, LiveMeasurement } from './measure.ts';
import type {
  ChurnMeasurement,
  DrainMeasurement,
  Leftovers,
  QueriesMeasurement,
  QueryTimes,
  TrafficMeasurement,
  TransportMeasurement,
  WebSocketMeasurement,
} from './own.ts';
import type { Scale } from './targets.ts';

export function toServersTable(
  measurements: readonly LiveMeasurement[],
  { subscribers, calls, seconds }: Scale,
): string {
  const bound = measurements.at(-1);
  const rows = measurements.map(({ target, heapBytes, rssBytes, slow, fast }) => [
    target.name,
    target.transport,
    `${toKb(heapBytes)} (${toRatio(heapBytes, bound?.heapBytes)})`,
    `${toKb(rssBytes)} (${toRatio(rssBytes, bound?.rssBytes)})`,
    ...toLoadCells(slow),
    ...toLoadCells(fast),
  ]);
  return toReport(
    `${toCount(subscribers)} subscribers of ${toCount(calls)} calls, each with a connection. Memory for each subscriber after a collection, with its share of a call, and as a multiple of the lower bound; then ${seconds} s of each load. Latency from the response of the upstream to the bytes at the client.`,
    [
      'server',
      'transport',
      'heap, kB',
      'resident, kB',
      'each call changes every 5 s: events/s',
      'p50, p99, ms',
      'cores',
      'every second: events/s',
      'p50, p99, ms',
      'cores',
    ],
    rows,
  );
}

function toLoadCells({ events, cores }: EventLoad): string[] {
  return [toCount(Math.round(events.events / events.seconds)), toTimes(events), cores.toFixed(2)];
}

function toTimes({ p50Ms, p99Ms }: QueryTimes): string {
  return `${p50Ms.toFixed(1)}, ${p99Ms.toFixed(1)}`;
}

export function toQueriesTable(
  measurements: readonly QueriesMeasurement[],
  { subscribers, calls }: Scale,
): string {
  return toReport(
    `100 queries a second of calls that no subscriber follows; then beside ${toCount(subscribers)} subscribers of ${toCount(calls)} calls. The queries, the subscribers and the upstream share one processor.`,
    ['server', 'without subscribers: p50, p99, ms', 'beside them: p50, p99, ms', 'events/s'],
    measurements.map(({ target, without, beside, eventsPerSecond }) => [
      target.name,
      toTimes(without),
      toTimes(beside),
      toCount(Math.round(eventsPerSecond)),
    ]),
  );
}

export function toWebSocketTable(
  measurements: readonly WebSocketMeasurement[],
  { subscribers, calls }: Scale,
): string {
  return toReport(
    `${toCount(subscribers)} subscribers of ${toCount(calls)} calls over WebSocket. Memory for each subscriber after a collection, with its share of a socket and of a call.`,
    ['sockets', 'subscriptions of each', 'heap, kB', 'resident, kB'],
    measurements.map(({ sockets, perSocket, heapBytes, rssBytes }) => [
      toCount(sockets),
      toCount(perSocket),
      toKb(heapBytes),
      toKb(rssBytes),
    ]),
  );
}

export function toTransportsTable(
  measurements: readonly TransportMeasurement[],
  { subscribers, calls }: Scale,
): string {
  const toMb = (bytes: number) => ((bytes * subscribers) / 1e6).toFixed(0);
  return toReport(
    `${toCount(subscribers)} subscribers of ${toCount(calls)} calls. Memory that they add to a process that has served 500 before, after a collection.`,
    ['transport', 'subscriptions of a connection', 'heap, MB', 'resident, MB'],
    measurements.map(({ transport, perConnection, heapBytes, rssBytes }) => [
      transport,
      toCount(perConnection),
      toMb(heapBytes),
      toMb(rssBytes),
    ]),
  );
}

export function toTrafficTable(
  measurements: readonly TrafficMeasurement[],
  { seconds }: Scale,
): string {
  return toReport(
    `Requests that the upstream counts in ${seconds} s, for the call with the most of them. The interval of the polls is 1 s, more or less by ten percent, so one of many calls can have six polls in 5 s.`,
    ['subscribers', 'calls', 'requests per call and interval', 'shortest gap, ms'],
    measurements.map(({ subscribers, calls, requestsPerInterval, shortestGapMs }) => [
      toCount(subscribers),
      toCount(calls),
      requestsPerInterval.toFixed(2),
      shortestGapMs.toFixed(0),
    ]),
  );
}

export function toChurnTable(
  { before, after }: ChurnMeasurement,
  { calls, churnSeconds }: Scale,
): string {
  const toRow = (name: string, left: Leftovers) => [
    name,
    String(left.subscriptions),
    String(left.cohorts),
    String(left.watched),
    String(left.timers),
    (left.heapBytes / 1e6).toFixed(1),
  ];
  const growth = (after.heapBytes / before.heapBytes - 1) * 100;
  return toReport(
    `100 subscribers come and go each second for ${churnSeconds} s, of ${toCount(calls)} calls in turn. The heap changes by ${growth.toFixed(1)} %.`,
    ['four seconds later', 'subscriptions', 'cohorts', 'watched calls', 'timers', 'heap, MB'],
    [toRow('before', before), toRow('after', after)],
  );
}

export function toDrainTable(
  { exitMs, report }: DrainMeasurement,
  { subscribers, calls }: Scale,
): string {
  const { ends, mostReconnects, endedWithinMs } = report;
  return toReport(
    `SIGTERM with ${toCount(subscribers)} subscribers of ${toCount(calls)} calls; DRAIN_DELAY_MS is 1 s, DRAIN_TIMEOUT_MS 10 s.`,
    [
      'streams',
      'ended with `retry`',
      'ended otherwise',
      'first to last end, s',
      'SIGTERM to exit, s',
      'most reconnects in a second',
    ],
    [
      [
        toCount(subscribers),
        toCount(ends.withRetry),
        toCount(ends.other),
        (endedWithinMs / 1_000).toFixed(1),
        (exitMs / 1_000).toFixed(1),
        toCount(mostReconnects),
      ],
    ],
  );
}

function toReport(how: string, head: readonly string[], rows: readonly string[][]): string {
  return `${describeConditions(how)}\n\n${toTable(head, rows)}`;
}

function toKb(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function toRatio(value: number, bound = Number.NaN): string {
  return `${(value / bound).toFixed(1)} ×`;
}

function toCount(value: number): string {
  return value.toLocaleString('en-US');
}
