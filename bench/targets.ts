import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type StartOptions } from './harness/start.ts';

/** Somebody in the table. */
export interface Target {
  readonly name: string;
  /** Whether it answers from what it remembers. */
  readonly isCaching: boolean;
  /** Whether it is a gateway at all: what is none has answers to a few questions, and no upstream. */
  readonly isGateway: boolean;
  start(upstreamUrl: string): StartOptions;
}

/** Of all who ask; for the others it means nothing. */
export const HEADERS = { authorization: 'Bearer sk_bench' };

/** Nothing is fresh for a moment: each question goes upstream. */
export const NO_CACHE: Readonly<Record<string, string>> = Object.fromEntries(
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
export function startGateway(environment: Readonly<Record<string, string>> = {}): Target['start'] {
  return (upstreamUrl) => ({
    args: ['src/main.ts'],
    environment: { REVOX_BASE_URL: upstreamUrl, ...environment },
    headers: HEADERS,
  });
}

function startPeer(file: string, caching: 'on' | 'off'): Target['start'] {
  return (upstreamUrl) => ({
    args: [`bench/peers/${file}`],
    environment: { UPSTREAM_URL: upstreamUrl, REMEMBER: caching },
    headers: HEADERS,
  });
}

/** The one that everything is measured by. */
export const baseline: Target = {
  name: 'plain Yoga',
  isCaching: false,
  isGateway: true,
  start: startPeer('plain-yoga.ts', 'off'),
};

export const thisGateway: Target = { name: '**this gateway**', isCaching: true, isGateway: true, start: startGateway() };
export const thisGatewayUncached: Target = {
  name: '**this gateway**, all freshness 0',
  isCaching: false,
  isGateway: true,
  start: startGateway(NO_CACHE),
};

export const targets: readonly Target[] = [
  thisGateway,
  { name: 'Mercurius, JIT, mercurius-cache', isCaching: true, isGateway: true, start: startPeer('mercurius.ts', 'on') },
  {
    name: 'Apollo Server, RESTDataSource, response cache',
    isCaching: true,
    isGateway: true,
    start: startPeer('apollo.ts', 'on'),
  },
  { name: 'the limit: `node:http`, answers from memory', isCaching: true, isGateway: false, start: startPeer('raw.ts', 'on') },
  thisGatewayUncached,
  { name: 'Mercurius, JIT', isCaching: false, isGateway: true, start: startPeer('mercurius.ts', 'off') },
  { name: 'Apollo Server, RESTDataSource', isCaching: false, isGateway: true, start: startPeer('apollo.ts', 'off') },
];

/** The peers' packages are theirs alone: they are installed when they are needed, and no sooner. */
export function installPeers(): void {
  const folder = join(ROOT, 'bench/peers');
  if (existsSync(join(folder, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The peers could not be installed.');
}
