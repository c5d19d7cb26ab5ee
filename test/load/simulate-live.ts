/**
 * Simulates up to a million subscribers of 100,000 live calls with the real scheduler of the polls,
 * and a model of the upstream: `npm run simulate:live`. Prints the report, and writes it into
 * docs/operations/sizing.md. Except for processor time and memory, each run has the same figures.
 * The run takes about ten minutes.
 */

import { logProgress, publish, toTable } from '../../bench/harness/report.ts';
import {
  CALLS_OF_KEY,
  type SimulationOptions,
  type SimulationResult,
  SUBSCRIBERS_OF_CALL,
  simulate,
} from './live/simulation.ts';

const PAGE = 'docs/operations/sizing.md';
const SECOND = 1_000;
const WARM_UP_MS = 10 * SECOND;
/** Until three webhooks of most assistants have come. */
const WEBHOOKS_WARM_UP_MS = 30 * SECOND;
/** Fewer watched objects say nothing of the processor time and memory of many. */
const MIN_MEASURED_OBJECTS = 10_000;
/** Polls a second of one API key, with campaigns and without: what the key demands at most. */
const RATES = { campaigns: 15, none: 45 };

interface Row extends Pick<SimulationOptions, 'calls' | 'hasWebhooks' | 'measuredMs'> {
  readonly hasCampaigns?: boolean;
  readonly instances?: number;
  readonly hasLeases?: boolean;
  /** `LIVE_RATE_TOTAL`. @default what the calls need at most, divided by instances that share polls */
  readonly totalRate?: number;
}

const SIZES = [
  { calls: 100, measuredMs: 300 * SECOND },
  { calls: 1_000, measuredMs: 120 * SECOND },
  { calls: 10_000, measuredMs: 30 * SECOND },
  { calls: 100_000, measuredMs: 10 * SECOND },
];

const { gc } = globalThis;
if (!gc) throw new Error('The heap is measured: start node with --expose-gc.');

const sizes = await measure(
  [false, true].flatMap((hasWebhooks) => SIZES.map((size) => ({ ...size, hasWebhooks }))),
);
const variants = await measure([
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: false, hasCampaigns: false },
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: true, hasCampaigns: false },
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: false, instances: 10 },
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: false, instances: 10, hasLeases: true },
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: true, instances: 10, hasLeases: true },
  { calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: false, instances: 30, hasLeases: true },
  {
    ...{ calls: 1_000, measuredMs: 120 * SECOND, hasWebhooks: false },
    ...{ instances: 100, hasLeases: true, totalRate: 10 },
  },
  { calls: 10_000, measuredMs: 30 * SECOND, hasWebhooks: false, instances: 10, hasLeases: true },
]);
publish('live simulation', toReport(), PAGE);

interface Measured {
  readonly row: Row;
  readonly result: SimulationResult;
  readonly settings: Readonly<Record<string, string>>;
  /** Of a processor, per 10,000 watched objects. */
  readonly processors: number;
  /** In bytes, for each watched object. */
  readonly heapBytes: number;
}

async function measure(rows: readonly Row[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const row of rows) {
    logProgress(JSON.stringify(row));
    measured.push(await measureRow(row));
  }
  return measured;
}

async function measureRow(row: Row): Promise<Measured> {
  const rate = row.hasCampaigns === false ? RATES.none : RATES.campaigns;
  const neededRate = (rate * row.calls) / CALLS_OF_KEY;
  const totalRate =
    row.totalRate ?? (row.hasLeases ? neededRate / (row.instances ?? 1) : neededRate);
  const settings = {
    LIVE_RATE: String(rate),
    LIVE_RATE_TOTAL: String(Math.ceil(totalRate)),
    MAX_LIVE_OBJECTS: '1000000',
    // A quarter of the requests in flight may be polls.
    REVOX_MAX_CONCURRENCY: '40',
  };
  const warmUpMs = row.hasWebhooks ? WEBHOOKS_WARM_UP_MS : WARM_UP_MS;
  const options = { ...row, settings, warmUpMs };
  // The memory of the model does not count.
  const model = { ...options, instances: 0, warmUpMs: 0, measuredMs: 0 };
  const { heapBytes: modelBytes } = await measureSimulation(model);
  const { result, heapBytes, cpuMs } = await measureSimulation(options);
  return {
    row,
    result,
    settings,
    processors: (cpuMs / row.measuredMs / result.watchedObjects) * 10_000,
    heapBytes: (heapBytes - modelBytes) / result.watchedObjects,
  };
}

async function measureSimulation(options: SimulationOptions) {
  let heapBytes = 0;
  let cpuMs = 0;
  const parts = {
    start() {
      heapBytes = -measureHeap();
    },
    warm() {
      cpuMs = -measureCpuMs();
    },
    end() {
      cpuMs += measureCpuMs();
      heapBytes += measureHeap();
    },
  };
  const result = await simulate({ ...options, onPart: (part) => parts[part]() });
  return { result, heapBytes, cpuMs };
}

function measureHeap(): number {
  // What only weak references hold is freed by the second collection.
  for (let times = 0; times < 2; times += 1) gc?.();
  return process.memoryUsage().heapUsed;
}

function measureCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function toReport(): string {
  return [
    `Simulated with \`npm run simulate:live\`, on ${new Date().toISOString().slice(0, 10)} with Node.js ${process.versions.node}. The real scheduler and list polls run against a model of the upstream, with a clock of its own: ${CALLS_OF_KEY} live calls for each API key, of which two campaigns have 40 each, and ${SUBSCRIBERS_OF_CALL} subscribers for each call. A call waits for 20 s, rings for 15 s and lasts for 90 s on average; one of ten is repeated after two minutes. The upstream responds after 150 ms, and sends a webhook 500 ms after an end. Processor time and heap are those of the polls, without HTTP, JSON and streams, for 10,000 watched calls; the processor time contains that of the model.`,
    'One instance, or a key at one instance each:',
    toTable(
      [
        'live calls',
        'subscribers',
        'webhooks',
        'upstream requests/s',
        'per live call',
        'per ended call',
        'end seen after p50, p99, s',
        '`LIVE_RATE`, `LIVE_RATE_TOTAL`',
        'stretch',
        'processors',
        'heap, MB',
      ],
      sizes.map(({ row, ...measured }) => [
        format(row.calls),
        format(row.calls * SUBSCRIBERS_OF_CALL),
        row.hasWebhooks ? 'yes' : 'no',
        ...toTraffic(measured.result, row),
        `${measured.settings.LIVE_RATE}, ${format(Number(measured.settings.LIVE_RATE_TOTAL))}`,
        measured.result.stretch.toFixed(2),
        ...toCosts(measured),
      ]),
    ),
    'Without campaigns, and with several instances: each subscriber is at a random one. The instances poll for themselves, or share their polls as over Redis, and then divide `LIVE_RATE_TOTAL` between them:',
    toTable(
      [
        'what differs',
        'live calls',
        'webhooks',
        'watched, all instances',
        'upstream requests/s',
        'per live call',
        'per ended call',
        'end seen after p50, p99, s',
        '`LIVE_RATE_TOTAL`',
        'stretch',
      ],
      variants.map(({ row, result, settings }) => [
        toVariant(row),
        format(row.calls),
        row.hasWebhooks ? 'yes' : 'no',
        format(result.watchedObjects),
        ...toTraffic(result, row),
        format(Number(settings.LIVE_RATE_TOTAL)),
        result.stretch.toFixed(2),
      ]),
    ),
  ].join('\n\n');
}

function toVariant({ instances, hasLeases }: Row): string {
  if (!instances) return 'no campaigns';
  return hasLeases ? `${instances} instances that share polls` : `${instances} instances`;
}

function toTraffic({ requestsPerSecond, requestsPerEnd, endDelayMs }: SimulationResult, row: Row) {
  const total = requestsPerSecond.singles + requestsPerSecond.pages;
  return [
    format(total),
    (total / row.calls).toFixed(2),
    requestsPerEnd.toFixed(1),
    `${(endDelayMs.p50 / 1000).toFixed(1)}, ${(endDelayMs.p99 / 1000).toFixed(1)}`,
  ];
}

function toCosts({ result, processors, heapBytes }: Omit<Measured, 'row'>): string[] {
  if (result.watchedObjects < MIN_MEASURED_OBJECTS) return ['–', '–'];
  return [processors.toFixed(2), ((heapBytes * 10_000) / 1e6).toFixed(0)];
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
