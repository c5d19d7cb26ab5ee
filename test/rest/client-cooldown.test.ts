import { describe, expect, test, vi } from 'vitest';
import { Credential } from '#rest/credential.ts';
import { NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';
import { createScene, found, idle, outcomeOf, status, type UpstreamAct } from './client-scene.ts';

/** The rate limit of the upstream and the full queue have the same code; their messages differ. */
const LIMITED = {
  code: 'RATE_LIMITED',
  message: 'The rate limit of the Revox API is exceeded. Try again later.',
};

describe('Rate-limit cooldown of the client', () => {
  const wait = (seconds: number) => status(429, { 'retry-after': String(seconds) });

  test('a 429 stops the requests of its credential for the cooldown and no requests of other credentials', async () => {
    const [mine, others] = [new Credential('sk_mine'), new Credential('sk_other')];
    const { send, sent, pass, client } = createScene([wait(7), found]);
    const first = send('/call/a', { credential: mine });
    await idle();
    const second = send('/call/b', { credential: mine });
    expect(await outcomeOf(send('/call/c', { credential: others }))).toBe('succeeded');
    expect(await outcomeOf(second)).toBe('waits');
    expect(client.state).toMatchObject({ coolingDown: 1, queued: 2 });
    await pass(7_000);
    expect(await outcomeOf(Promise.all([first, second]))).toBe('succeeded');
    expect(sent).toEqual(['/call/a', '/call/c', '/call/a', '/call/b']);
    expect(client.state).toMatchObject({ coolingDown: 0, queued: 0, inFlight: 0 });
  });

  test('after a cooldown one probe is sent, and all waiting requests follow when the probe succeeds', async () => {
    const responders: (() => void)[] = [];
    const later: UpstreamAct = () =>
      new Promise((resolve) => responders.push(() => resolve(found() as Response)));
    const { send, sent, pass } = createScene([wait(7), later]);
    const pending = ['/call/a', '/call/b', '/call/c', '/call/d'].map((path) => send(path));
    await idle();
    // The requests that were in flight already have received the 429 as well, or a response.
    expect(sent).toHaveLength(4);
    await pass(7_000);
    for (const respond of responders.splice(0)) respond();
    await idle();
    for (const respond of responders.splice(0)) respond();
    expect(await outcomeOf(Promise.all(pending))).toBe('succeeded');
    expect(sent).toHaveLength(5);
  });

  test('a request whose deadline ends before the cooldown is rejected without an upstream request', async () => {
    const { send, sent } = createScene([wait(7), found]);
    void send('/call/a');
    await idle();
    const error = await send('/call/b', { deadlineAt: () => 6_999 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ ...LIMITED, details: { retryAfter: 7 }, status: undefined });
    expect(sent).toEqual(['/call/a']);
  });

  test('a 429 with a cooldown beyond the deadline of its request is reported as RATE_LIMITED with retryAfter', async () => {
    const { send, sent, timers, pass } = createScene([wait(40)]);
    const error = await send('/call/a', { deadlineAt: () => 30_000 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ ...LIMITED, details: { retryAfter: 40 }, status: 429 });
    expect([sent.length, timers.running]).toEqual([1, [40_000]]);
    await pass(40_000);
    await pass(60_000);
    expect(timers.running).toEqual([]);
  });

  test('a 429 with a cooldown beyond the deadline of its request is reported with its status and without a retry', async () => {
    const onRetry = vi.fn();
    const { send } = createScene([wait(40)], { events: { ...NO_UPSTREAM_EVENTS, onRetry } });
    const error = await send('/call/a', { deadlineAt: () => 30_000 }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ ...LIMITED, status: 429 });
    expect(onRetry).not.toHaveBeenCalled();
  });

  test('a request that receives only 429 responses is sent as often as the retries allow', async () => {
    const { send, sent, pass } = createScene([status(429)]);
    const pending = send();
    for (const ms of [1_000, 2_000]) await pass(ms);
    await expect(pending).rejects.toMatchObject({
      ...LIMITED,
      details: { retryAfter: 4 },
      status: 429,
    });
    expect(sent).toHaveLength(3);
  });

  test('each cooldown costs one probe however many requests wait, and a probe needs no retry budget', async () => {
    const { send, sent, pass } = createScene([status(429)], { maxConcurrency: 1, retries: 5 });
    const pending = Array.from({ length: 50 }, (_, n) => send(`/call/${n}`));
    for (const ms of [1_000, 2_000, 4_000]) await pass(ms);
    expect(sent).toHaveLength(4);
    expect(await outcomeOf(Promise.race(pending))).toBe('waits');
  });
});
