import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack, Observed } from './attack.ts';

/** An attack and the values that were measured during it. */
export interface MeasuredAttack {
  readonly attack: Attack;
  readonly observed: Observed;
  /** Without the other tenant's requests. */
  readonly upstreamRequests: number;
  /** The other tenant's latencies in ms, without the attack and during it. */
  readonly quietMedian: number;
  readonly median: number;
  readonly p99: number;
  /** `/health` at the 99th percentile, ms. */
  readonly health: number;
  /** The slowest `/health`, ms. */
  readonly slowestHealth: number;
  /** Peak memory of the gateway's process. */
  readonly peakMebibytes: number;
}

const PAGE = join(import.meta.dirname, '../../docs/reference/security-checklist.md');
const [START, END] = ['<!-- attacks: written by `npm run test:security` -->', '<!-- /attacks -->'];

const HEADER = [
  '| attack | bound | responses | upstream requests | other tenant: median without → with attack (p99), ms | `/health`: p99 (maximum), ms | peak memory, MiB |',
  '| --- | --- | --- | --: | --: | --: | --: |',
];

export function toTable(attacks: readonly MeasuredAttack[]): string {
  return [...HEADER, ...attacks.map(toRow)].join('\n');
}

function toRow(measured: MeasuredAttack): string {
  const {
    attack,
    observed,
    upstreamRequests,
    quietMedian,
    median,
    p99,
    health,
    slowestHealth,
    peakMebibytes,
  } = measured;
  const outcomes = Object.entries(observed.outcomes).map(
    ([outcome, times]) => `${times} × ${outcome}`,
  );
  const cells = [
    attack.name,
    attack.bound,
    outcomes.join(', '),
    upstreamRequests,
    `${quietMedian.toFixed(1)} → ${median.toFixed(1)} (${p99.toFixed(0)})`,
    `${health.toFixed(0)} (${slowestHealth.toFixed(0)})`,
    peakMebibytes.toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The names and bounds of the attacks that the page lists. */
export function readTable(): { readonly name: string; readonly bound: string }[] {
  const { table } = readPage();
  return table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(HEADER.length)
    .map((line) => {
      const [name = '', bound = ''] = line.slice('| '.length).split(' | ');
      return { name, bound };
    });
}

/** The page with a new table in place of the old one. */
export function withTable(attacks: readonly MeasuredAttack[]): {
  readonly path: string;
  readonly text: string;
} {
  const { before, after } = readPage();
  return { path: PAGE, text: `${before}${START}\n${toTable(attacks)}\n${END}${after}` };
}

/** @throws Error if the page has no markers for the table */
function readPage(): { readonly before: string; readonly table: string; readonly after: string } {
  const text = readFileSync(PAGE, 'utf8');
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start === -1 || end < start)
    throw new Error(`docs/reference/security-checklist.md needs ${START} and ${END}.`);
  return {
    before: text.slice(0, start),
    table: text.slice(start + START.length, end),
    after: text.slice(end + END.length),
  };
}
