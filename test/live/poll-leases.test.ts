import { describe, expect, test } from 'vitest';
import { UpstreamUnavailableError } from '#errors/upstream-error.ts';
import { callKind } from '#live/call-kind.ts';
import type { ClaimOutcome } from '#live/poll-leases.ts';
import type { ObjectResponse } from '#live/reading.ts';
import type { ReadingNews, Watch, WatchTarget } from '#live/watch.ts';
import { createWatches, type Watches } from '#live/watches.ts';
import { createClock } from '../support/clock.ts';
import { createMemoryLeases } from '../support/memory-leases.ts';
import { createTimers } from '../support/timers.ts';

const PATH = '/call/c1';
const INTERVAL_MS = 2_000;

const LISTENER = { isOnlyEndWatched: false, isSettlingWatched: false, onRejected() {} };

interface Member {
  readonly watches: Watches;
  readonly listener: ReturnType<typeof createListener>;
  /** What its subscribers have seen, and what has read it. */
  readonly seen: string[];
  readonly claims: ClaimOutcome[];
  readonly target: WatchTarget;
}

function createListener(seen: string[]) {
  return {
    ...LISTENER,
    onReading({ reading }: Watch, { isNews, source }: ReadingNews) {
      const call = reading?.value as ReturnType<typeof toCall> | undefined;
      if (isNews) seen.push(`${call?.call_attempts[0]?.status} ${source}`);
    },
  };
}

const toCall = (status: string) => ({ status: 'calling', call_attempts: [{ status }] });

/** Instances that watch the same call, and the times of the polls of each. */
function createScene(count = 3) {
  const clock = createClock();
  const timers = createTimers(clock);
  const leases = createMemoryLeases(clock.now);
  const polls: { readonly at: number; readonly by: number }[] = [];
  const startedAt = clock.now();
  let sharedResponse: ObjectResponse | undefined;
  let sequence = 0;
  const scene = {
    upstream: 'ringing',
    isFailing: false,
    /** Whether responses of polls are stored for the other instances. */
    isStored: true,
  };
  const members = Array.from({ length: count }, (_, by): Member => {
    const seen: string[] = [];
    const claims: ClaimOutcome[] = [];
    const watches = createWatches({
      pace: {
        callMs: INTERVAL_MS,
        waitingCallMs: 10_000,
        scheduledCallMs: 60_000,
        campaignMs: 15_000,
        feedMs: 5_000,
      },
      rate: 100,
      totalRate: 100,
      maxConcurrentPolls: 5,
      maxObjects: 10,
      maxObjectsPerCredential: 10,
      maxIntervalMs: Number.POSITIVE_INFINITY,
      firstDeadlineMs: 30_000,
      events: {
        onPoll() {},
        onClaim: (outcome) => claims.push(outcome),
        onEvent() {},
        onCoalesced() {},
        onRefused() {},
        onWebhook() {},
        onStreamEnd() {},
        onUnexpectedError(error) {
          throw error;
        },
      },
      now: clock.now,
      monotonicNow: clock.now,
      startTimer: timers.startTimer,
      random: () => by / count,
      leases: leases.join(),
    });
    const target: WatchTarget = {
      fingerprint: 'f',
      path: PATH,
      id: 'c1',
      kind: callKind,
      async poll() {
        polls.push({ at: clock.now() - startedAt, by });
        if (scene.isFailing) throw new UpstreamUnavailableError({ method: 'GET', path: PATH });
        sequence += 1;
        const response = {
          value: toCall(scene.upstream),
          readVersion: { instance: `instance ${by}`, sequence, isCached: false },
          requestedAt: clock.now(),
          upstreamNow: clock.now(),
        };
        if (scene.isStored) sharedResponse = response;
        return response;
      },
      readShared: async (isFreshOnly) =>
        isFreshOnly && clock.now() - (sharedResponse?.requestedAt ?? 0) > 1_000
          ? undefined
          : sharedResponse,
    };
    return { watches, listener: createListener(seen), seen, claims, target };
  });
  return {
    scene,
    leases,
    members,
    polls,
    pass: timers.pass,
    follow: (member: Member) => member.watches.watch(member.target, member.listener),
    gaps: () => polls.slice(1).map(({ at }, index) => at - (polls[index]?.at ?? at)),
  };
}

describe('Leases of polls', () => {
  test('of three instances, one polls in each interval, and all of them show each state', async () => {
    const { members, follow, polls, pass, scene, gaps } = createScene();
    for (const member of members) follow(member);
    await pass(9_000);
    scene.upstream = 'ongoing';
    await pass(2_500);
    expect(new Set(polls.map(({ by }) => by)).size).toBe(1);
    expect(Math.min(...gaps())).toBeGreaterThanOrEqual(INTERVAL_MS);
    expect(Math.max(...gaps())).toBeLessThanOrEqual(1.1 * INTERVAL_MS + 40);
    expect(members.map(({ seen }) => seen)).toEqual([
      ['ringing poll', 'ongoing poll'],
      ['ringing peer', 'ongoing peer'],
      ['ringing peer', 'ongoing peer'],
    ]);
  });

  test('without messages, a claim is lost at most 0.6 intervals later, and its response is read', async () => {
    const { members, follow, leases, polls, pass, scene, gaps } = createScene();
    leases.deliversMessages = false;
    for (const member of members) follow(member);
    await pass(9_000);
    scene.upstream = 'ongoing';
    await pass(1.1 * INTERVAL_MS + 1.6 * INTERVAL_MS);
    for (const { seen } of members) expect(seen.at(-1)).toMatch(/^ongoing/);
    expect(Math.min(...gaps())).toBeGreaterThanOrEqual(0.9 * INTERVAL_MS);
    expect(polls.length).toBeLessThanOrEqual(9);
    expect(members.some(({ claims }) => claims.includes('lost'))).toBe(true);
  });

  test('when the instance that polls stops, another one polls within two intervals of the poll before', async () => {
    const { members, follow, polls, pass, gaps } = createScene();
    const watched = members.map((member) => follow(member));
    await pass(5_000);
    const [first] = members as [Member];
    first.watches.unwatch(watched[0] as Watch, first.listener);
    await pass(10_000);
    expect(new Set(polls.map(({ by }) => by)).size).toBe(2);
    expect(Math.max(...gaps())).toBeLessThanOrEqual(2 * INTERVAL_MS);
    expect(Math.min(...gaps())).toBeGreaterThanOrEqual(0.9 * INTERVAL_MS);
  });

  test('while claims are not possible, each instance polls at twice the interval', async () => {
    const { members, follow, leases, polls, pass } = createScene();
    for (const member of members) follow(member);
    await pass(5_000);
    leases.isUp = false;
    polls.length = 0;
    await pass(20 * INTERVAL_MS);
    expect(polls.length).toBeGreaterThanOrEqual(3 * 9);
    expect(polls.length).toBeLessThanOrEqual(3 * 11);
    expect(members.every(({ claims }) => claims.includes('alone'))).toBe(true);

    leases.isUp = true;
    await pass(2 * INTERVAL_MS);
    polls.length = 0;
    await pass(10 * INTERVAL_MS);
    expect(polls.length).toBeLessThanOrEqual(10);
  });

  test('if no response is shared, each instance polls itself', async () => {
    const { members, follow, scene, pass } = createScene();
    scene.isStored = false;
    for (const member of members) follow(member);
    await pass(5_000);
    scene.upstream = 'ongoing';
    await pass(5 * INTERVAL_MS);
    for (const { seen } of members) expect(seen.at(-1)).toBe('ongoing poll');
  });

  // The forger renews the claims: none of them seems to be held for long.
  test.each([
    ['a claim that never ends delays a poll by two', [PATH], 2],
    [
      'claims that never end, the urgent one too, delay a poll by three',
      [PATH, `${PATH} urgent`],
      3,
    ],
  ])('%s intervals at most', async (_, paths, intervals) => {
    for (const by of [0, 1, 2]) {
      const { members, follow, leases, polls, pass } = createScene();
      follow(members[by]!);
      await pass(5_000);
      const last = polls.at(-1)!;
      leases.onClaim = () => {
        for (const path of paths) leases.forge(path, Number.POSITIVE_INFINITY);
      };
      await pass(5 * INTERVAL_MS);
      const next = polls[polls.indexOf(last) + 1]!;
      const delayMs = next.at - (last.at + INTERVAL_MS);
      expect(delayMs).toBeGreaterThanOrEqual(0.9 * intervals * INTERVAL_MS);
      expect(delayMs).toBeLessThanOrEqual((0.1 + 0.99 * intervals) * INTERVAL_MS);
    }
  });

  test('a webhook that reaches one instance makes one poll due over all', async () => {
    const { members, follow, polls, pass, scene } = createScene();
    for (const member of members.slice(0, 2)) follow(member);
    await pass(5_900);
    polls.length = 0;
    scene.upstream = 'ongoing';
    members[2]?.watches.hint(PATH);
    await pass(200);
    expect(polls).toHaveLength(1);
    for (const { seen } of members.slice(0, 2)) expect(seen.at(-1)).toMatch(/^ongoing/);
  });

  // Redis may take a second to reply.
  test.each([
    ['is lost', true],
    ['is not decided', false],
  ])('a webhook that arrives while a claim %s makes a poll due at once', async (_, isUp) => {
    const { members, follow, leases, polls, pass, scene } = createScene(2);
    const [one, two] = members as [Member, Member];
    const watch = follow(one);
    await pass(INTERVAL_MS - 300);
    leases.forge(PATH, 0.9 * INTERVAL_MS);
    leases.isUp = isUp;
    polls.length = 0;
    scene.upstream = 'ongoing';
    leases.onClaim = () => {
      leases.onClaim = () => {};
      // The claim is on its way, and its poll is not urgent yet.
      two.watches.hint(PATH);
    };
    await pass(300);
    expect(polls).toEqual([{ at: INTERVAL_MS, by: 0 }]);
    expect(watch.isHintOpen).toBe(false);
    expect(one.seen.at(-1)).toBe('ongoing poll');
  });

  test('a subscriber that joins at another instance gets a shared response, or one urgent poll', async () => {
    const { members, follow, polls, pass } = createScene(2);
    const [one, two] = members as [Member, Member];
    follow(one);
    await pass(500);
    const watch = follow(two);
    await pass(100);
    expect(polls).toHaveLength(1);
    expect(two.seen).toEqual(['ringing peer']);
    two.watches.unwatch(watch, two.listener);

    await pass(1_000);
    follow(two);
    await pass(100);
    expect(polls).toHaveLength(2);
    expect(two.seen.at(-1)).toBe('ringing poll');
  });

  test('messages without a shared response cause no poll', async () => {
    const { members, follow, leases, polls, pass } = createScene(1);
    const forger = leases
      .join()
      .open((members[0] as Member).target, { onPolled() {}, onHint() {} });
    follow(members[0] as Member);
    await pass(100);
    for (let count = 0; count < 100; count += 1) {
      forger.publish();
      await pass(10);
    }
    expect(polls).toHaveLength(1);
  });

  test('a webhook that is announced again and again causes at most one poll a second over all', async () => {
    const { members, follow, leases, polls, pass } = createScene();
    const forger = leases.join();
    for (const member of members) follow(member);
    await pass(100);
    polls.length = 0;
    for (let count = 0; count < 100; count += 1) {
      forger.hint(PATH);
      await pass(100);
    }
    expect(polls.length).toBeGreaterThan(INTERVAL_MS / 1_000);
    expect(polls.length).toBeLessThanOrEqual(11);
  });

  test('failed polls of one instance keep their backoff, and no response is published', async () => {
    const { members, follow, polls, pass, scene } = createScene();
    scene.isFailing = true;
    for (const member of members) follow(member);
    await pass(10_000);
    expect(polls.length).toBeLessThanOrEqual(12);
    scene.isFailing = false;
    await pass(60_000);
    for (const { seen } of members) expect(seen[0]).toMatch(/^ringing/);
  });

  test('the demand of an instance is that of its own polls, also of those that fail', async () => {
    const { members, follow, leases, pass, scene } = createScene();
    for (const member of members) follow(member);
    await pass(10_000);
    const stretches = () => members.map(({ watches }) => watches.stretch());
    expect(stretches().filter((stretch) => stretch > 0)).toHaveLength(1);
    leases.isUp = false;
    scene.isFailing = true;
    await pass(20_000);
    for (const stretch of stretches()) expect(stretch).toBeGreaterThan(0);
  });
});
