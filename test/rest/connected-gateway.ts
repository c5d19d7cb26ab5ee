import { expect, onTestFinished } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { createGateway, type GatewayOptions } from '#gateway.ts';
import { type GraphQLResult, NO_CACHE, NO_RETRIES } from '../support/test-gateway.ts';

/** The gateway's own key. */
export const KEY = 'sk_test_over_real_sockets';

/** Other properties are ignored: the timers of a test have more than the gateway's option. */
export type ConnectedGatewayOptions = Pick<
  GatewayOptions,
  'startTimer' | 'monotonicNow' | 'random'
>;

/** The whole gateway over undici and real sockets, in service mode. */
export function createConnectedGateway(
  origin: string,
  settings: Record<string, string> = {},
  { startTimer, monotonicNow, random }: ConnectedGatewayOptions = {},
) {
  const unexpectedErrors: unknown[] = [];
  const gateway = createGateway(
    readSettings({
      REVOX_BASE_URL: `${origin}/api`,
      REVOX_API_KEY: KEY,
      REVOX_FIRST_PAGE: '1',
      ...NO_CACHE,
      ...NO_RETRIES,
      ...settings,
    }),
    {
      log: { info: () => {}, error: () => {}, unexpected: (error) => unexpectedErrors.push(error) },
      ...(startTimer && { startTimer }),
      ...(monotonicNow && { monotonicNow }),
      ...(random && { random }),
    },
  );
  onTestFinished(async () => {
    await gateway.dispose();
    expect(unexpectedErrors).toEqual([]);
  });
  return async (
    query: string,
    { variables = {}, headers = {}, signal = null }: ExecuteOptions = {},
  ): Promise<GraphQLResult> => {
    const response = await gateway.fetch(
      new Request('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        signal,
      }),
    );
    return (await response.json()) as GraphQLResult;
  };
}

export interface ExecuteOptions {
  readonly variables?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | null;
}

export const CALL = '{ call(id: "c") { id } }';

/** The result of a `call` that failed. */
export function failure(code: string) {
  return {
    data: { call: null },
    errors: [expect.objectContaining({ path: ['call'], extensions: { code } })],
  };
}
