import type { Environment } from '#config/settings.ts';
import type { GatewayOptions } from '#gateway.ts';
import { type KeptLog, keepLog } from './log-lines.ts';
import { createTimedWorld, type TimedWorld, untilIdle } from './timed-world.ts';
import type { World, WorldOptions } from './world.ts';

/** Ways to the same answer: out of whole answers that are kept, past Yoga, and through all of it. */
export const WAYS = {
  kept: { hasShortWay: true, keepsAnswers: true },
  short: { hasShortWay: true, keepsAnswers: false },
  long: { hasShortWay: false, keepsAnswers: false },
} satisfies { [name: string]: Pick<GatewayOptions, 'hasShortWay' | 'keepsAnswers'> };

export type Way = keyof typeof WAYS;

/** Of its own, so that the timer of an operation that is opened is known from all others, ms. */
const DEADLINE_MS = 31_234;

export interface WatchedWorld extends TimedWorld {
  readonly kept: KeptLog;
  /** Operations that were opened, to be executed, since the last time this was called: each has its deadline. */
  opened(): number;
}

export function createWatchedWorld(way: Way, { settings, gateway, ...options }: WorldOptions = {}): WatchedWorld {
  const kept = keepLog();
  let opened = 0;
  const world = createTimedWorld({
    ...options,
    settings: { REQUEST_DEADLINE_MS: String(DEADLINE_MS), LOG_PERSONAL_DATA: 'on', ...settings },
    gateway: {
      log: kept.log,
      random: () => 0.5,
      startTimer(ms, onTime) {
        if (ms === DEADLINE_MS) opened += 1;
        const timer = setTimeout(onTime, ms).unref();
        return () => clearTimeout(timer);
      },
      ...WAYS[way],
      ...gateway,
    },
  });
  return {
    ...world,
    kept,
    opened() {
      const since = opened;
      opened = 0;
      return since;
    },
  };
}

/** What is never the same twice. */
const OWN = new Set(['time', 'requestId', 'durationMs', 'overheadMs']);

/** Sends a request, and tells all that anybody gets to know of it: the client, the upstream, and who reads the log and the metrics. */
export async function tellAll(world: WatchedWorld, url: string, init: RequestInit): Promise<unknown> {
  world.kept.lines.splice(0);
  world.traffic();
  let told: object;
  try {
    const response = await world.fetch(url, init);
    const { 'x-request-id': _, ...headers } = Object.fromEntries(
      // Yoga's are spelt in another way.
      [...response.headers].map(([name, value]) => [name.toLowerCase(), value]),
    );
    told = { status: response.status, headers, text: await response.text() };
  } catch (error) {
    told = { rejected: (error as Error).name };
  }
  // What is fetched anew in the background has come, too.
  await untilIdle();
  const log = world.kept.read().map((line) => Object.fromEntries(Object.entries(line).filter(([name]) => !OWN.has(name))));
  return { ...told, traffic: world.traffic(), log, metrics: await readAllMetrics(world) };
}

/** All of `/metrics`, but for how much is kept: whole answers count there. */
async function readAllMetrics(world: Pick<World, 'fetch'>): Promise<string[]> {
  const text = await (await world.fetch('/metrics')).text();
  return text.split('\n').filter((line) => !/^revox_gateway_cache_(bytes|entries) /.test(line));
}

export interface Ways {
  readonly worlds: Readonly<Record<Way, WatchedWorld>>;
  /** Does something to each. */
  each(act: (world: WatchedWorld) => unknown): Promise<void>;
  /** Sends the same on each way; gives what is told, and the ways on which it is told otherwise than on the long one. */
  tell(
    init: RequestInit,
    url?: string,
  ): Promise<{ readonly told: Readonly<Record<Way, unknown>>; readonly opened: Record<Way, number> }>;
}

export function createWays(options: WorldOptions & { readonly settings?: Environment } = {}): Ways {
  const worlds = {
    kept: createWatchedWorld('kept', options),
    short: createWatchedWorld('short', options),
    long: createWatchedWorld('long', options),
  };
  const names = Object.keys(worlds) as Way[];
  return {
    worlds,
    async each(act) {
      for (const name of names) await act(worlds[name]);
    },
    async tell(init, url = '/graphql') {
      const told = {} as Record<Way, unknown>;
      const opened = {} as Record<Way, number>;
      for (const name of names) {
        worlds[name].opened();
        told[name] = await tellAll(worlds[name], url, init);
        opened[name] = worlds[name].opened();
      }
      return { told, opened };
    },
  };
}
