import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../harness/median.ts';
import { describeConditions, toTable } from '../harness/report.ts';
import { type StartOptions, startServer, type UpstreamProcess } from '../harness/start.ts';
import { apollo, HEADERS, mercurius, rawLimit, thisGateway, yoga } from '../targets.ts';
import type { Scale } from './scale.ts';

export interface StartupMeasurement {
  readonly name: string;
  /** Whether this is how the gateway is started in production. */
  readonly isGoal: boolean;
  /** One for each start. */
  readonly readyMs: readonly number[];
}

/** The time from the start of a process to its first response, in turns. */
export async function measureStartup(
  upstream: UpstreamProcess,
  { starts }: Scale,
): Promise<readonly StartupMeasurement[]> {
  const cache = await mkdtemp(join(tmpdir(), 'bench-compile-cache-'));
  const peers = [mercurius, yoga, apollo, rawLimit].map(({ name, start }) => ({
    name,
    isGoal: false,
    options: start(upstream.url),
    readyMs: [] as number[],
  }));
  const entries = [
    {
      name: '**this gateway**, `node src/main.ts` without a compile cache',
      isGoal: false,
      options: thisGateway.start(upstream.url),
      readyMs: [] as number[],
    },
    {
      name: '**this gateway**, `npm start`: with a compile cache, as the image',
      isGoal: true,
      options: asNpmStart(upstream.url, cache),
      readyMs: [] as number[],
    },
    ...peers,
  ];
  try {
    // Fills the system's file cache, and the compile cache of `npm start`.
    for (const { options } of entries) await start(options);
    for (let index = 0; index < starts; index += 1)
      for (const { options, readyMs } of entries) readyMs.push(await start(options));
  } finally {
    await rm(cache, { recursive: true });
  }
  return entries;
}

export function toStartupTable(
  measurements: readonly StartupMeasurement[],
  { starts }: Scale,
): string {
  const how = `From the start of the process to its first response; ${starts} starts of each, in turns, after one that does not count.`;
  return `${describeConditions(how)}\n\n${toTable(
    ['ready after', 'median, s', 'quickest, s', 'slowest, s'],
    measurements.map(({ name, readyMs }) => [
      name,
      ...[median(readyMs), Math.min(...readyMs), Math.max(...readyMs)].map((ms) =>
        (ms / 1_000).toFixed(2),
      ),
    ]),
  )}`;
}

function asNpmStart(upstreamUrl: string, cache: string): StartOptions {
  return {
    args: ['bin/revox-graphql-gateway.cjs', 'start'],
    environment: { REVOX_BASE_URL: upstreamUrl, NODE_COMPILE_CACHE: cache },
    headers: HEADERS,
  };
}

/** Ends the process by SIGTERM: Node.js writes the compile cache when a process ends by itself. */
async function start(options: StartOptions): Promise<number> {
  await using served = await startServer(options);
  await served.terminate();
  return served.readyMs;
}
