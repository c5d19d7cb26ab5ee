import { type Clock, createClock } from './clock.ts';
import {
  createTestGateway,
  type GraphQLResult,
  type TestGateway,
  type TestGatewayOptions,
} from './test-gateway.ts';

export interface TimedGateway extends TestGateway {
  readonly clock: Clock;
  /**
   * Executes one operation and returns its result with `extensions.upstream` and the source of each
   * upstream response.
   */
  executeTraced(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<TracedResult>;
}

export interface TracedResult extends GraphQLResult {
  /** `source path`, sorted. */
  readonly sources: string[];
}

/** A gateway and a sandbox with a clock that the test controls. */
export function createTimedGateway({
  sandbox,
  gateway,
  ...options
}: TestGatewayOptions = {}): TimedGateway {
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
      const result = await testGateway.execute(query, variables, {
        'x-revox-trace': '1',
        ...headers,
      });
      const calls: { source: string; path: string }[] = result.extensions.upstream.calls;
      return { ...result, sources: calls.map(({ source, path }) => `${source} ${path}`).sort() };
    },
  };
}

/**
 * Resolves when everything that can run without a timer has run, background revalidations included.
 */
export async function untilIdle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}
