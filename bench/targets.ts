import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type StartOptions } from './harness/start.ts';

/** A server in the table. */
export interface Target {
  readonly name: string;
  /** Whether the target serves cached responses. */
  readonly isCaching: boolean;
  /** False for a server that has prepared responses to a few operations. */
  readonly hasUpstream: boolean;
  start(upstreamUrl: string): StartOptions;
  /** Absent: the server never writes a log. */
  startWithoutLog?(upstreamUrl: string): StartOptions;
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

function startPeer(file: string, environment: Readonly<Record<string, string>>): Target['start'] {
  return (upstreamUrl) => ({
    args: [`bench/peers/${file}`],
    environment: { UPSTREAM_URL: upstreamUrl, ...environment },
    headers: HEADERS,
  });
}

export const thisGateway: Target = {
  name: '**this gateway**',
  isCaching: true,
  hasUpstream: true,
  start: startGateway(),
  startWithoutLog: startGateway({ LOG_LEVEL: 'silent' }),
};
export const thisGatewayUncached: Target = {
  name: '**this gateway**, all freshness 0',
  isCaching: false,
  hasUpstream: true,
  start: startGateway(NO_CACHE),
  startWithoutLog: startGateway({ ...NO_CACHE, LOG_LEVEL: 'silent' }),
};
export const mercurius = peer('Mercurius, JIT', 'mercurius.ts', 'off');
export const mercuriusCached = peer('Mercurius, JIT, mercurius-cache', 'mercurius.ts', 'on');
export const yoga = peer('plain Yoga', 'plain-yoga.ts', 'off');
export const apollo = peer('Apollo Server, RESTDataSource', 'apollo.ts', 'off');
export const apolloCached = peer(
  'Apollo Server, RESTDataSource, response cache',
  'apollo.ts',
  'on',
);

/** `node:http`, one undici request, `JSON.parse` and `JSON.stringify`: what no gateway can avoid. */
export const safeFloor: Target = {
  name: 'safe floor',
  isCaching: false,
  hasUpstream: true,
  start: startPeer('safe-floor.ts', {}),
};
/** `node:http` with responses from memory: what no server can avoid. */
export const rawLimit: Target = {
  name: 'raw limit',
  isCaching: true,
  hasUpstream: false,
  start: startPeer('raw.ts', {}),
};

function peer(name: string, file: string, caching: 'on' | 'off'): Target {
  return {
    name,
    isCaching: caching === 'on',
    hasUpstream: true,
    start: startPeer(file, { CACHING: caching }),
    startWithoutLog: startPeer(file, { CACHING: caching, LOG: 'off' }),
  };
}

/** Only the peers use their packages: they are installed on demand. */
export function installPeers(): void {
  const folder = join(ROOT, 'bench/peers');
  if (existsSync(join(folder, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error("The peers' packages could not be installed.");
}
