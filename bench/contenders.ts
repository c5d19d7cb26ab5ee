import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Start } from './process/start.ts';

/** Somebody in the table. */
export interface Contender {
  readonly name: string;
  /** Whether it answers from what it remembers. */
  readonly remembers: boolean;
  /** Whether it is a gateway at all: what is none has answers to a few questions, and no upstream. */
  readonly isGateway: boolean;
  start(upstreamUrl: string): Start;
}

/** Of all who ask; for the others it means nothing. */
export const HEADERS = { authorization: 'Bearer sk_bench' };

/** Nothing is fresh for a moment: each question goes upstream. */
export const FORGETFUL: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'ENDED_CALL',
    'JUST_ENDED_CALL',
    'LIVE_CALL',
    'ASSISTANT',
    'CAMPAIGN',
    'RUNNING_CAMPAIGN',
    'PAGE',
    'NOT_FOUND',
    'WHILE_REVALIDATING',
  ].map((name) => [`FRESHNESS_${name}_MS`, '0']),
);

/** As in production: what the image runs, pass-through with a key a request, every setting at its default; the log is written. */
export function toOurs(environment: Readonly<Record<string, string>> = {}): Contender['start'] {
  return (upstreamUrl) => ({
    args: ['src/main.ts'],
    environment: { REVOX_BASE_URL: upstreamUrl, ...environment },
    headers: HEADERS,
  });
}

function toPeer(file: string, remember: 'on' | 'off'): Contender['start'] {
  return (upstreamUrl) => ({
    args: [`bench/peers/${file}`],
    environment: { UPSTREAM_URL: upstreamUrl, REMEMBER: remember },
    headers: HEADERS,
  });
}

/** The one that everything is measured by. */
export const baseline: Contender = {
  name: 'plain Yoga',
  remembers: false,
  isGateway: true,
  start: toPeer('plain-yoga.ts', 'off'),
};

export const ours: Contender = { name: '**this gateway**', remembers: true, isGateway: true, start: toOurs() };
export const oursForgetful: Contender = {
  name: '**this gateway**, all freshness 0',
  remembers: false,
  isGateway: true,
  start: toOurs(FORGETFUL),
};

export const contenders: readonly Contender[] = [
  ours,
  { name: 'Mercurius, JIT, mercurius-cache', remembers: true, isGateway: true, start: toPeer('mercurius.ts', 'on') },
  { name: 'Apollo Server, RESTDataSource, response cache', remembers: true, isGateway: true, start: toPeer('apollo.ts', 'on') },
  { name: 'the limit: `node:http`, answers from memory', remembers: true, isGateway: false, start: toPeer('raw.ts', 'on') },
  oursForgetful,
  { name: 'Mercurius, JIT', remembers: false, isGateway: true, start: toPeer('mercurius.ts', 'off') },
  { name: 'Apollo Server, RESTDataSource', remembers: false, isGateway: true, start: toPeer('apollo.ts', 'off') },
];

/** The peers' packages are theirs alone: they are installed when they are needed, and no sooner. */
export function installPeers(): void {
  const folder = join(ROOT, 'bench/peers');
  if (existsSync(join(folder, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The peers could not be installed.');
}
