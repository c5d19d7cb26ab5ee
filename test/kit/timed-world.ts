import { type Clock, createClock } from './clock.ts';
import { type Answer, createWorld, type World, type WorldOptions } from './world.ts';

export interface TimedWorld extends World {
  readonly clock: Clock;
  /** Sends one operation that says what it cost: `extensions.upstream` of its answer, and where each answer came from. */
  askTraced(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<TracedAnswer>;
}

export interface TracedAnswer extends Answer {
  /** `source path`, sorted. */
  readonly sources: string[];
}

/** A world whose gateway and sandbox go by a clock of the test's. */
export function createTimedWorld({ sandbox, gateway, ...options }: WorldOptions = {}): TimedWorld {
  const clock = createClock();
  const world = createWorld({
    ...options,
    sandbox: { now: clock.now, startedAt: clock.now(), ...sandbox },
    gateway: { now: clock.now, elapsed: clock.now, ...gateway },
  });
  return {
    ...world,
    clock,
    async askTraced(query, variables, headers) {
      const answer = await world.ask(query, variables, { 'x-revox-trace': '1', ...headers });
      const calls: { source: string; path: string }[] = answer.extensions.upstream.calls;
      return { ...answer, sources: calls.map(({ source, path }) => `${source} ${path}`).sort() };
    },
  };
}

/** Waits until everything that can run without a timer has run: what goes on in the background, for one. */
export async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}
