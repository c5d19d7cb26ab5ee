import { createRestClient, type RestClientOptions } from '#rest/client.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import type { Endpoint, UpstreamRequest } from '#rest/upstream-request.ts';
import { createUpstreamContext, NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import { createManualTimers } from './real-server.ts';

export const TIMEOUT_MS = 10_000;

/** What the upstream does with a request. */
export type UpstreamAct = () => Response | Promise<Response>;

export const found: UpstreamAct = () => Response.json({ call: { id: 'c' } });
export const status =
  (code: number, headers: Record<string, string> = {}): UpstreamAct =>
  () =>
    new Response(null, { status: code, headers });
export const connectionLost: UpstreamAct = () => {
  throw new TypeError('fetch failed');
};
export const connectionRefused: UpstreamAct = () => {
  throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
};
export const neverResponds: UpstreamAct = () => new Promise<Response>(() => {});

/**
 * A client of an upstream that performs the given acts in order and repeats the last one forever.
 * The test owns the clock and the timers.
 */
export function createScene(
  acts: readonly UpstreamAct[],
  options: Partial<RestClientOptions> = {},
) {
  const timers = createManualTimers();
  const clock = { now: 0 };
  const sent: string[] = [];
  const client = createRestClient({
    transport: createFetchTransport(async (request) => {
      sent.push(new URL(request.url).pathname.slice(4));
      return (acts[Math.min(sent.length, acts.length) - 1] ?? found)();
    }),
    userAgent: 'a-gateway/1',
    baseUrl: 'http://revox.test/api',
    timeoutMs: TIMEOUT_MS,
    maxConcurrency: 20,
    maxConcurrencyTotal: 100,
    maxQueued: 1_000,
    maxResponseBytes: 2_000,
    retries: 2,
    breaker: { failures: 1_000, openMs: 1_000 },
    keyHolder: 'caller',
    acceptedCredentials: createAcceptedCredentials({
      keyHolder: 'gateway',
      monotonicNow: () => clock.now,
    }),
    events: NO_UPSTREAM_EVENTS,
    now: () => clock.now,
    monotonicNow: () => clock.now,
    random: () => 1,
    ...timers,
    ...options,
  });
  return {
    client,
    clock,
    timers,
    sent,
    send(path = '/call/c', context: Partial<UpstreamContext> = {}) {
      const pending = client.send(createUpstreamContext(context), upstreamRequest(path));
      // Some promises are inspected only after they have rejected.
      pending.catch(() => {});
      return pending;
    },
    /**
     * Runs everything that can run, advances the clock by `ms` and fires the timers of exactly
     * `ms`.
     */
    async pass(ms: number) {
      await idle();
      clock.now += ms;
      timers.elapse(ms);
      await idle();
    },
  };
}

export function upstreamRequest(
  path: string,
  endpoint: Endpoint = '/call/{id}',
): UpstreamRequest<unknown> {
  return { endpoint, path, query: '', parse: (body) => body };
}

export async function idle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
}

/** The current outcome of a promise. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.then(
      () => 'succeeded',
      (error: { code?: string }) => error.code ?? error,
    ),
    idle().then(() => 'waits'),
  ]);
}
