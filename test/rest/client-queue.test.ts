import { describe, expect, test, vi } from 'vitest';
import { createBudget, NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import {
  createScene,
  found,
  idle,
  neverResponds,
  outcomeOf,
  type UpstreamAct,
} from './client-scene.ts';

describe('Queue of the client', () => {
  test('a request over the queue limit of its caller is RATE_LIMITED, is reported to the observer and costs no upstream request', async () => {
    const onQueueFull = vi.fn();
    const { send, sent } = createScene([neverResponds], {
      maxConcurrency: 1,
      maxQueued: 1,
      events: { ...NO_UPSTREAM_EVENTS, onQueueFull },
    });
    for (const path of ['/call/a', '/call/b']) void send(path);
    const error = await send('/call/c').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      message:
        'Too many requests to the Revox API are queued. Request less in one operation, or try again later.',
      details: { retryAfter: 1 },
      status: undefined,
    });
    expect([sent, onQueueFull.mock.calls.length]).toEqual([['/call/a'], 1]);
  });

  test('a request that is aborted as it gets its slot is not sent, is not reported as sent and frees its slot at once', async () => {
    const [responded, operation, budget] = [
      Promise.withResolvers<Response>(),
      new AbortController(),
      createBudget(),
    ];
    const onSend = vi.fn(NO_UPSTREAM_EVENTS.onSend);
    const waits: number[] = [];
    const { send, sent, clock, client, timers } = createScene([() => responded.promise, found], {
      maxConcurrency: 1,
      events: {
        ...NO_UPSTREAM_EVENTS,
        onSend,
        onQueueWait(ms) {
          waits.push(ms);
          if (waits.length === 2) operation.abort();
        },
      },
    });
    const first = send('/call/a');
    await idle();
    const second = send('/call/b', { signal: operation.signal, budget });
    await idle();
    clock.now += 70;
    responded.resolve(Response.json({}));
    expect(await outcomeOf(first)).toBe('succeeded');
    expect(await outcomeOf(second)).toBe('UPSTREAM_TIMEOUT');
    expect([sent, waits, onSend.mock.calls.length]).toEqual([['/call/a'], [0, 70], 1]);
    expect([budget.sentRequests, client.state.inFlight, timers.running]).toEqual([0, 0, []]);
  });

  test('an aborted request keeps its concurrency slot for as long as a response usually takes', async () => {
    const responders: (() => void)[] = [];
    const later: UpstreamAct = () =>
      new Promise((resolve) => responders.push(() => resolve(found() as Response)));
    const { send, sent, clock, pass, timers } = createScene([later], { maxConcurrency: 1 });
    const known = send('/call/known');
    await idle();
    clock.now += 400;
    responders[0]!();
    await known;

    const client = new AbortController();
    const aborted = send('/call/aborted', { signal: client.signal });
    const next = send('/call/next');
    await idle();
    clock.now += 100;
    client.abort();
    expect(await outcomeOf(aborted)).toBe('UPSTREAM_TIMEOUT');
    expect(sent).toEqual(['/call/known', '/call/aborted']);
    expect(timers.running).toContain(300);
    await pass(300);
    expect(sent.at(-1)).toBe('/call/next');
    responders.at(-1)!();
    expect(await outcomeOf(next)).toBe('succeeded');
  });
});
