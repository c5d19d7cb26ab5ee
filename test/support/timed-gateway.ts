import { type Clock, createClock } from './clock.ts';
import { createTestGateway, type GraphQLResult, type TestGateway, type TestGatewayOptions } from './test-gateway.ts';

export interface TimedGateway extends TestGateway {
  readonly clock: Clock;
  /** Sends one operation that says what it cost: `extensions.upstream` of its answer, and where each answer came from. */
  executeTraced(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<TracedResult>;
}

export interface TracedResult extends GraphQLResult {
  /** `source path`, sorted. */
  readonly sources: string[];
}

/** A world whose gateway and sandbox go by a clock of the test's. */
export function createTimedGateway({ sandbox, gateway, ...options }: TestGatewayOptions = {}): TimedGateway {
  const clock = createClock();
  const testGateway = createTestGateway({
    ...options,
    sandbox: { now: clock.now, startedAt: clock.now(), ...sandbox },
    gateway: { now: clock.now, monotonicNow: clock.now, ...gateway },
  });
  return {
    ...testGateway,
    clock,
    async executeTraced(query, variables, headers) {
      const answer = await testGateway.execute(query, variables, { 'x-revox-trace': '1', ...headers });
      const calls: { source: string; path: string }[] = answer.extensions.upstream.calls;
      return { ...answer, sources: calls.map(({ source, path }) => `${source} ${path}`).sort() };
    },
  };
}

/** Waits until everything that can run without a timer has run: what goes on in the background, for one. */
export async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}
