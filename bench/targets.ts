import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type StartOptions } from './harness/start.ts';

/** A server in the table. */
export interface Target {
  readonly name: string;
  /** Whether the target serves cached responses. */
  readonly isCaching: boolean;
  /** False for a server that has prepared responses to a few operations, and no upstream. */
  readonly isGateway: boolean;
  start(upstreamUrl: string): StartOptions;
}

/** The request headers of every client; a target that needs no credential ignores them. */
export const HEADERS = { authorization: 'Bearer sk_bench' };

/** All freshness is 0 ms: each request goes to the upstream. */
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

/**
 * As in production: the image's program, pass-through with a key per request, default settings, and
 * the log enabled.
 */
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
    environment: { UPSTREAM_URL: upstreamUrl, CACHING: caching },
    headers: HEADERS,
  });
}

/** The target that all others are compared with. */
export const baseline: Target = {
  name: 'plain Yoga',
  isCaching: false,
  isGateway: true,
  start: startPeer('plain-yoga.ts', 'off'),
};

export const thisGateway: Target = {
  name: '**this gateway**',
  isCaching: true,
  isGateway: true,
  start: startGateway(),
};
export const thisGatewayUncached: Target = {
  name: '**this gateway**, all freshness 0',
  isCaching: false,
  isGateway: true,
  start: startGateway(NO_CACHE),
};

export const targets: readonly Target[] = [
  thisGateway,
  {
    name: 'Mercurius, JIT, mercurius-cache',
    isCaching: true,
    isGateway: true,
    start: startPeer('mercurius.ts', 'on'),
  },
  {
    name: 'Apollo Server, RESTDataSource, response cache',
    isCaching: true,
    isGateway: true,
    start: startPeer('apollo.ts', 'on'),
  },
  {
    name: 'upper bound: `node:http`, responses from memory',
    isCaching: true,
    isGateway: false,
    start: startPeer('raw.ts', 'on'),
  },
  thisGatewayUncached,
  {
    name: 'Mercurius, JIT',
    isCaching: false,
    isGateway: true,
    start: startPeer('mercurius.ts', 'off'),
  },
  {
    name: 'Apollo Server, RESTDataSource',
    isCaching: false,
    isGateway: true,
    start: startPeer('apollo.ts', 'off'),
  },
];

/** Only the peers use their packages: they are installed on demand. */
export function installPeers(): void {
  const folder = join(ROOT, 'bench/peers');
  if (existsSync(join(folder, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error("The peers' packages could not be installed.");
}
