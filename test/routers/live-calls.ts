import { setTimeout } from 'node:timers/promises';
import type { Call } from '#sandbox/api/wire.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { type EventStream, readEventStream } from '../support/event-stream.ts';
import { KEY_A } from '../support/test-gateway.ts';

/** Adds a call to the sandbox, or replaces it. */
export function putCall(
  { control }: Sandbox,
  id: string,
  changes: Partial<Call>,
  apiKey = KEY_A,
): void {
  const [template] = control.data(apiKey).calls;
  if (!template) throw new Error('The sandbox has no calls.');
  control.putCall(apiKey, {
    ...template,
    call_attempts: [],
    last_call_attempt: null,
    ...changes,
    id,
  });
}

/** Subscribes at a router, or directly at a gateway. */
export async function subscribeAt(
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query }),
    signal: abort.signal,
  });
  return readEventStream(response, abort);
}

/** Open subscriptions of a gateway. */
export function openSubscriptions(gatewayUrl: string): Promise<number> {
  return sumOf('live_subscriptions', gatewayUrl);
}

/** Calls that a gateway polls. */
export function watchedCalls(gatewayUrl: string): Promise<number> {
  return sumOf('live_watched', gatewayUrl);
}

/** The sum of a metric over all of its labels. */
async function sumOf(metric: string, gatewayUrl: string): Promise<number> {
  const text = await (await fetch(gatewayUrl.replace('/graphql', '/metrics'))).text();
  const values = text.matchAll(new RegExp(`^revox_gateway_${metric}\\{.*\\} (\\d+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Waits until the condition holds. Fails after `timeoutMs`. Tests may wait at the same time. */
export async function untilTrue(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const timeoutAt = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > timeoutAt)
      throw new Error(`Not true within ${timeoutMs} ms: ${condition}`);
    await setTimeout(20);
  }
}
