import { describe, expect, test } from 'vitest';
import {
  CredentialRejectedError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { callKind } from '#live/call-kind.ts';
import type { PollOptions } from '#live/poll-upstream.ts';
import type { ReadingNews, Watch, WatchListener } from '#live/watch.ts';
import { createWatches } from '#live/watches.ts';
import { createClock } from '../support/clock.ts';
import { createTimers } from '../support/timers.ts';

const PATH = '/call/c1';

interface Seen extends ReadingNews {
  readonly status: unknown;
}

const toCall = (status: string) => ({ status: 'calling', call_attempts: [{ status }] });

function statusOf(call: unknown): string | undefined {
  return (call as ReturnType<typeof toCall> | undefined)?.call_attempts[0]?.status;
}

interface Limits {
  readonly maxObjects?: number;
  readonly maxObjectsPerCredential?: number;
  readonly maxIntervalMs?: number;
}

function createScene(limits: Limits = {}) {
  const clock = createClock();
  const timers = createTimers(clock);
  const seen: Seen[] = [];
  const polls: boolean[] = [];
  /** Credential, object and deadline of each poll. */
  const requests: string[] = [];
  const bugs: unknown[] = [];
  const refused: string[] = [];
  let sequence = 0;
  const scene = {
    upstream: 'ringing',
    isFailing: false,
    /** Whether the cache has the response that was read last. */
    isCached: false,
    /** Instead of a call with the status `upstream`. */
    value: undefined as unknown,
    /** By credential and object. */
    errors: new Map<string, Error>(),
  };
  const response = (status: string, instance: string, at: number) => ({
    value: toCall(status),
    readVersion: { instance, sequence: at, isCached: false },
    requestedAt: clock.now(),
    upstreamNow: clock.now(),
  });
  const watches = createWatches({
    pace: {
      callMs: 2_000,
      waitingCallMs: 10_000,
      scheduledCallMs: 60_000,
      campaignMs: 15_000,
      feedMs: 5_000,
    },
    rate: 10,
    totalRate: 100,
    maxConcurrentPolls: 5,
    maxObjects: 2,
    maxObjectsPerCredential: 10,
    maxIntervalMs: Number.POSITIVE_INFINITY,
    firstDeadlineMs: 30_000,
    ...limits,
    events: {
      onPoll() {},
      onEvent() {},
      onCoalesced() {},
      onRefused: (limit) => refused.push(limit),
      onWebhook() {},
      onStreamEnd() {},
      onUnexpectedError(error) {
        if (scene.errors.size === 0) throw error;
        bugs.push(error);
      },
    },
    now: clock.now,
    monotonicNow: clock.now,
    startTimer: timers.startTimer,
    random: () => 0.5,
  });
  const listener: WatchListener = {
    isOnlyEndWatched: false,
    isSettlingWatched: false,
    onReading({ reading }: Watch, news) {
      seen.push({ ...news, status: statusOf(reading?.value) });
    },
    onRejected() {},
  };
  const target = (id: string, fingerprint = 'f') => ({
    fingerprint,
    path: `/call/${id}`,
    id,
    kind: callKind,
    async poll({ isForced, deadlineMs }: PollOptions) {
      polls.push(isForced);
      requests.push(`${fingerprint} ${id} ${deadlineMs}`);
      const error = scene.errors.get(`${fingerprint} ${id}`);
      if (error) throw error;
      if (scene.isFailing) throw new UpstreamUnavailableError({ method: 'GET', path: PATH });
      if (isForced || !scene.isCached) sequence += 1;
      const { value = toCall(scene.upstream) } = scene;
      return { ...response(scene.upstream, 'own', sequence), value };
    },
  });
  return {
    scene,
    seen,
    polls,
    requests,
    bugs,
    refused,
    watches,
    listener,
    target,
    pass: timers.pass,
    offer: (status: string, instance: string, at: number) =>
      watches.offer('f', PATH, response(status, instance, at)),
  };
}

describe('Order of readings (G4)', () => {
  test('an older reading of the same instance is ignored', async () => {
    const { watches, target, listener, offer, seen, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    offer('ongoing', 'own', 9);
    offer('ringing', 'own', 5);
    expect(seen.map(({ status }) => status)).toEqual(['ringing', 'ongoing']);
  });

  test('a reading of another instance that goes back is not shown, and the upstream is read at once', async () => {
    const { watches, target, listener, offer, seen, polls, pass, scene } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    scene.upstream = 'ongoing';
    await pass(2_000);
    polls.length = 0;
    offer('ringing', 'other', 100);
    expect(seen.map(({ status }) => status)).toEqual(['ringing', 'ongoing']);
    await pass(100);
    expect(polls).toEqual([true]);
    expect(seen.at(-1)).toMatchObject({ status: 'ongoing', isNews: false });
  });

  test('a state that goes back is shown when the gateway itself has read it', async () => {
    const { watches, target, listener, offer, seen, pass, scene } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    offer('ongoing', 'other', 1);
    scene.upstream = 'ringing';
    await pass(2_100);
    expect(seen.map(({ status }) => status)).toEqual(['ringing', 'ongoing', 'ringing']);
  });

  test('a reading of another instance that goes on is shown, and postpones the next poll', async () => {
    const { watches, target, listener, offer, seen, polls, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(1_900);
    offer('ongoing', 'other', 1);
    await pass(1_900);
    expect(polls).toHaveLength(1);
    expect(seen.at(-1)).toEqual({ status: 'ongoing', isNews: true, source: 'query' });
  });
});

describe('Watched calls', () => {
  test('a failing call is polled less and less often, and at its own interval after a success', async () => {
    const { watches, target, listener, polls, pass, scene } = createScene();
    scene.isFailing = true;
    watches.watch(target('c1'), listener);
    await pass(120_000);
    expect(polls.length).toBeGreaterThan(4);
    expect(polls.length).toBeLessThan(10);
    scene.isFailing = false;
    await pass(40_000);
    polls.length = 0;
    await pass(20_000);
    expect(polls.length).toBeGreaterThanOrEqual(9);
  });

  test('a call over the limit of watched calls is refused, and a watched one is not', () => {
    const { watches, target, listener, refused } = createScene();
    for (const id of ['c1', 'c2', 'c1']) watches.watch(target(id), listener);
    expect(() => watches.watch(target('c3'), listener)).toThrow('MAX_LIVE_OBJECTS');
    expect(refused).toEqual(['MAX_LIVE_OBJECTS']);
  });

  test('a response of another credential or of another call reaches no watch', async () => {
    const { watches, target, listener, seen, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    const response = { value: { status: 'completed' }, readVersion: undefined };
    watches.offer('other', PATH, response);
    watches.offer('f', '/call/c2', response);
    expect(seen).toHaveLength(1);
  });
});

describe('Polls of a watched call', () => {
  test('the first one has the deadline of requests, and each later one 10 s', async () => {
    const { watches, target, listener, requests, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(4_100);
    expect(requests).toEqual(['f c1 30000', 'f c1 10000', 'f c1 10000']);
  });

  test('one that gets the response of the poll before it is repeated without the cache', async () => {
    const { watches, target, listener, polls, seen, scene, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    scene.isCached = true;
    scene.upstream = 'ongoing';
    await pass(2_000);
    expect(polls).toEqual([false, false, true]);
    expect(seen.map(({ status }) => status)).toEqual(['ringing', 'ongoing']);
  });

  test('a call that does not exist is shown after three, and one that is removed after one', async () => {
    const { watches, target, listener, polls, seen, scene, pass } = createScene();
    const watch = watches.watch(target('c1'), listener);
    await pass(100);
    scene.value = null;
    await pass(2_000);
    expect([watch.reading?.value, seen.length, polls.length]).toEqual([null, 2, 2]);
    const other = watches.watch(target('c2'), listener);
    await pass(2_900);
    expect([other.reading, seen.length]).toEqual([undefined, 2]);
    await pass(200);
    expect([other.reading?.value, seen.length]).toEqual([null, 3]);
    expect(polls.slice(2)).toEqual([false, true, true]);
    await pass(300_000);
    expect(polls).toHaveLength(5);
  });

  test('a call that is over is polled no more', async () => {
    const { watches, target, listener, polls, scene, pass } = createScene();
    watches.watch(target('c1'), listener);
    await pass(100);
    scene.value = { status: 'completed', call_attempts: [] };
    await pass(300_000);
    expect(polls).toHaveLength(2);
    expect(watches.countStates()).toEqual({ new: 0, live: 0, over: 1, failing: 0 });
  });

  test('two are at most the longest interval apart, because each proves that the key is accepted', async () => {
    const { watches, target, listener, polls, scene, pass } = createScene({ maxIntervalMs: 5_000 });
    scene.value = { status: 'scheduled', call_attempts: [] };
    watches.watch(target('c1'), listener);
    await pass(21_000);
    expect(polls).toHaveLength(5);
  });

  test('a 429 pauses those of its credential, and of no other', async () => {
    const { watches, target, listener, requests, scene, pass } = createScene({ maxObjects: 3 });
    for (const id of ['c1', 'c2']) watches.watch(target(id), listener);
    watches.watch(target('c1', 'other'), listener);
    await pass(100);
    scene.errors.set('f c1', new RateLimitedError({ method: 'GET', path: PATH }, 20_000, 429));
    await pass(2_000);
    scene.errors.clear();
    requests.length = 0;
    await pass(20_000);
    expect(new Set(requests)).toEqual(new Set(['other c1 10000']));
    expect(requests.length).toBeGreaterThanOrEqual(9);
    await pass(5_000);
    expect(new Set(requests)).toEqual(new Set(['other c1 10000', 'f c1 10000', 'f c2 10000']));
  });

  test('a failing upstream pauses no other call, and fails since the first failure', async () => {
    const { watches, target, listener, requests, scene, pass } = createScene();
    const watch = watches.watch(target('c1'), listener);
    watches.watch(target('c2'), listener);
    await pass(100);
    const error = new UpstreamUnavailableError({ method: 'GET', path: PATH });
    scene.errors.set('f c1', error);
    await pass(2_000);
    const { failingSince } = watch;
    requests.length = 0;
    await pass(20_000);
    expect(watch.failures).toBeGreaterThan(2);
    expect([watch.failingSince, watch.lastError]).toEqual([failingSince, error]);
    expect(requests.filter((request) => request.startsWith('f c2'))).toHaveLength(10);
  });

  test.each([401, 403] as const)('a %i of one ends it for its listeners only', async (status) => {
    const { watches, target, listener, scene, pass } = createScene();
    const rejected: unknown[] = [];
    const onRejected = (watch: Watch, error: unknown) => rejected.push(watch.target.id, error);
    const watch = watches.watch(target('c1'), { ...listener, onRejected });
    watches.watch(target('c2', 'other'), { ...listener, onRejected });
    await pass(100);
    const error = new CredentialRejectedError({ method: 'GET', path: PATH }, status);
    scene.errors.set('f c1', error);
    await pass(2_000);
    expect(rejected).toEqual(['c1', error]);
    expect([watch.failures, watches.countStates().failing]).toEqual([0, 0]);
  });

  test('a failure is counted until a poll succeeds, and a bug is reported', async () => {
    const { watches, target, listener, bugs, scene, pass } = createScene();
    const watch = watches.watch(target('c1'), listener);
    expect(watches.countStates()).toEqual({ new: 1, live: 0, over: 0, failing: 0 });
    const bug = new Error('bug');
    scene.errors.set('f c1', bug);
    await pass(100);
    expect([bugs, watch.lastError?.code]).toEqual([[bug], 'INTERNAL_SERVER_ERROR']);
    expect(watches.countStates()).toEqual({ new: 0, live: 0, over: 0, failing: 1 });
    scene.errors.clear();
    await pass(60_000);
    expect([bugs.length, watch.lastError, watch.failures]).toEqual([1, undefined, 0]);
    expect(watches.countStates()).toEqual({ new: 0, live: 1, over: 0, failing: 0 });
  });
});

describe('Watches of credentials', () => {
  /** A listener that counts what it gets. */
  function createCounter() {
    const counts = { readings: 0, rejections: 0 };
    const listener: WatchListener = {
      isOnlyEndWatched: false,
      isSettlingWatched: false,
      onReading() {
        counts.readings += 1;
      },
      onRejected() {
        counts.rejections += 1;
      },
    };
    return { counts, listener };
  }

  test('a call is watched until its last listener leaves, and makes room for one other', async () => {
    const { watches, target, listener, polls, pass } = createScene({ maxObjects: 2 });
    const other = createCounter().listener;
    const watch = watches.watch(target('c1'), listener);
    expect(watches.watch(target('c1'), other)).toBe(watch);
    watches.watch(target('c2'), listener);
    watches.unwatch(watch, listener);
    expect(() => watches.watch(target('c3'), listener)).toThrow('MAX_LIVE_OBJECTS');
    // A listener that leaves twice counts once.
    for (let times = 0; times < 2; times += 1) watches.unwatch(watch, other);
    const again = watches.watch(target('c1'), listener);
    expect(again).not.toBe(watch);
    watches.unwatch(watch, other);
    expect(() => watches.watch(target('c3'), listener)).toThrow('MAX_LIVE_OBJECTS');
    await pass(100);
    expect([again.reading === undefined, polls.length]).toEqual([false, 2]);
  });

  test('one credential may watch as many calls as its own limit, and others are not affected', () => {
    const { watches, target, listener, refused } = createScene({
      maxObjects: 10,
      maxObjectsPerCredential: 2,
    });
    for (const id of ['c1', 'c2']) watches.watch(target(id), listener);
    expect(() => watches.watch(target('c3'), listener)).toThrow('MAX_LIVE_OBJECTS');
    for (const id of ['c1', 'c2']) watches.watch(target(id, 'other'), listener);
    expect(() => watches.watch(target('c3', 'other'), listener)).toThrow('MAX_LIVE_OBJECTS');
    expect(refused).toHaveLength(2);
  });

  test('a rejected credential ends its own watches only', () => {
    const { watches, target } = createScene({ maxObjects: 10 });
    const [one, other] = [createCounter(), createCounter()];
    for (const id of ['c1', 'c2']) watches.watch(target(id), one.listener);
    watches.watch(target('c1', 'other'), other.listener);
    const error = new UpstreamUnavailableError({ method: 'GET', path: PATH });
    watches.revoke('f', error);
    watches.revoke('unknown', error);
    expect([one.counts.rejections, other.counts.rejections]).toEqual([2, 0]);
  });

  test('the state of a credential is dropped when nothing is watched and its rate is unused', async () => {
    const { watches, target, listener, pass } = createScene();
    const watch = watches.watch(target('c1'), listener);
    await pass(60_000);
    expect(watches.sweep()).toBe(true);
    expect(watches.countStates()).toEqual({ new: 0, live: 1, over: 0, failing: 0 });
    watches.charge(watch, 10);
    watches.unwatch(watch, listener);
    expect(watches.sweep()).toBe(true);
    await pass(2_000);
    expect(watches.sweep()).toBe(false);
    expect(watches.countStates()).toEqual({ new: 0, live: 0, over: 0, failing: 0 });
  });
});

describe('Requests of events', () => {
  test('those of one credential never delay the polls of another for long', async () => {
    const { watches, target, listener, polls, pass } = createScene();
    const watch = watches.watch(target('c1'), listener);
    watches.watch(target('c2', 'other'), listener);
    await pass(100);
    polls.length = 0;
    for (let event = 0; event < 1_000; event += 1) watches.charge(watch, 10);
    // One key may owe 100 requests, which is one second of the rate of all keys.
    await pass(5_000);
    expect(polls).toEqual([false, false]);
  });
});
