import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { callKind } from '#live/call-kind.ts';
import { PollQueue, QueuedPoll, toLateness } from '#live/poll-queue.ts';
import { createPollScheduler } from '#live/poll-scheduler.ts';
import { toReading } from '#live/reading.ts';
import { Watch } from '#live/watch.ts';
import { WatchGroup } from '#live/watch-group.ts';
import { createClock } from '../support/clock.ts';
import { createTimers } from '../support/timers.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const INTERVAL_MS = 2_000;

interface Given {
  readonly id: string;
  readonly fingerprint: string;
  /** In how many ms its next poll is due. */
  readonly inMs: number;
  readonly intervalMs: number;
  readonly campaignId: string;
}

/** Watched calls that were all read, and the polls that the scheduler starts. */
function createScene({
  rate = 10_000,
  totalRate = 10_000,
  maxConcurrentPolls = 1_000,
  isPolled = (_: Watch): boolean => true,
} = {}) {
  const clock = createClock();
  const timers = createTimers(clock);
  const polled: string[] = [];
  const lists: string[] = [];
  const scheduler = createPollScheduler({
    rate,
    totalRate,
    maxConcurrentPolls,
    now: clock.now,
    monotonicNow: clock.now,
    startTimer: timers.startTimer,
    random: () => 0.5,
    events: {
      onPoll() {},
      onUnexpectedError(error) {
        throw error;
      },
    },
    onFailure() {},
    poll(watch) {
      polled.push(watch.target.id);
      watch.dueAt = clock.now() + watch.intervalMs;
      return Promise.resolve(isPolled(watch));
    },
  });
  const add = ({ id, fingerprint, inMs, intervalMs, campaignId }: Given) => {
    const target = {
      fingerprint,
      kind: callKind,
      path: `/call/${id}`,
      id,
      poll: () => Promise.reject(new Error('The scheduler polls.')),
      openList(key: string) {
        lists.push(key);
        return { first: () => new Promise<never>(() => {}), page: () => Promise.reject() };
      },
    };
    const watch = new Watch(target, clock.now(), intervalMs);
    const value = { id, status: 'calling', campaign: { id: campaignId }, call_attempts: [] };
    const response = { value, readVersion: undefined };
    watch.reading = toReading(callKind, response, { now: clock.now, monotonicNow: clock.now });
    watch.reason = 'timer';
    watch.dueAt = clock.now() + inMs;
    scheduler.add(watch);
    return watch;
  };
  const addMany = (count: number, given: (index: number) => Partial<Given>) =>
    Array.from({ length: count }, (_, index) =>
      add({
        id: `c${index}`,
        fingerprint: 'f',
        inMs: 0,
        intervalMs: INTERVAL_MS,
        campaignId: '',
        ...given(index),
      }),
    );
  const pass = async (ms: number) => {
    scheduler.schedule();
    await timers.pass(ms);
  };
  return { clock, scheduler, polled, lists, addMany, pass };
}

/** Counts how often a property of any watched object is read. */
function countReads(): () => number {
  const properties = ['dueAt', 'reading', 'isPolling', 'listPoll', 'isIdle', 'urgency'] as const;
  const spies = properties.map((property) => vi.spyOn(Watch.prototype, property, 'get'));
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

describe('A pass of the scheduler', () => {
  const DUE = 10;

  async function countReadsOfPass(idle: number, given: (index: number) => Partial<Given>) {
    const scene = createScene();
    scene.addMany(DUE, (index) => ({ id: `due${index}` }));
    scene.addMany(idle, (index) => ({ inMs: 60_000, ...given(index) }));
    const reads = countReads();
    await scene.pass(100);
    expect(scene.polled).toHaveLength(DUE);
    const count = reads();
    vi.restoreAllMocks();
    return count;
  }

  test.each<[of: string, given: (index: number) => Partial<Given>]>([
    ['the same credential', () => ({})],
    ['credentials of their own', (index) => ({ fingerprint: `f${index}` })],
    ['one campaign', () => ({ campaignId: 'k' })],
    ['campaigns of their own', (index) => ({ campaignId: `k${index}` })],
  ])(
    'a pass does not take longer with more objects that are not due: those of %s',
    async (_, given) => {
      const reads = await countReadsOfPass(10, given);
      expect(reads).toBeGreaterThanOrEqual(DUE);
      expect(await countReadsOfPass(10_000, given)).toBe(reads);
    },
  );

  test('a pass does not take longer with more due objects than the rate permits', async () => {
    const counts: number[] = [];
    for (const due of [1_000, 10_000]) {
      const scene = createScene({ rate: 10 });
      scene.addMany(due, (index) => ({ intervalMs: INTERVAL_MS + (index % 10) * 700 }));
      const reads = countReads();
      await scene.pass(1_000);
      expect(scene.polled).toHaveLength(20);
      counts.push(reads());
      vi.restoreAllMocks();
    }
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(counts[0]);
  });

  test('a pass does not read the members of a list that has too many pages for all of them', async () => {
    const counts: number[] = [];
    for (const members of [100, 1_000]) {
      const scene = createScene();
      const [first] = scene.addMany(members, (index) => ({
        inMs: index === 0 ? 0 : 60_000,
        campaignId: 'k',
      }));
      const group = scene.scheduler.groups.get('f');
      const pages = { pages: members + 1, recountAt: Number.POSITIVE_INFINITY };
      await scene.pass(1);
      Object.assign(group?.lists.get('k') ?? {}, pages);
      scene.lists.length = 0;
      if (first) first.dueAt = scene.clock.now() + 50;
      const reads = countReads();
      await scene.pass(100);
      expect([scene.lists, scene.polled.at(-1)]).toEqual([[], 'c0']);
      counts.push(reads());
      vi.restoreAllMocks();
    }
    expect(counts[1]).toBe(counts[0]);
  });
});

describe('The order of due polls', () => {
  const polls = fc.array(
    fc.record({
      lateMs: fc.oneof(fc.integer({ min: -5_000, max: -2 }), fc.integer({ min: 0, max: 60_000 })),
      intervalMs: fc.oneof(fc.constant(0), fc.integer({ min: 1_000, max: 60_000 })),
      credential: fc.nat(4),
    }),
    { maxLength: 100 },
  );

  test('no poll is overtaken by one that is less than 0.9 times as late, nor by one of a closed credential', () => {
    const now = 1_000_000;
    fc.assert(
      fc.property(polls, fc.nat(4), (given, closed) => {
        const queue = new PollQueue();
        const groups = Array.from({ length: 5 }, () => new WatchGroup(10, now, queue));
        const waiting = new Set<QueuedPoll>();
        for (const { lateMs, intervalMs, credential } of given) {
          const group = groups[credential];
          if (!group) continue;
          const poll = new QueuedPoll(() => {});
          queue.set(group, poll, { dueAt: now - lateMs, intervalMs });
          if (credential !== closed && lateMs >= 0) waiting.add(poll);
        }
        const closedGroup = groups[closed];
        if (closedGroup) queue.close(closedGroup, now + 100);
        for (let size = waiting.size; size > 0; size -= 1) {
          const poll = queue.latest(now)?.poll;
          if (!poll) throw new Error('A due poll is missing.');
          const latest = Math.max(...Array.from(waiting, (one) => toLateness(one, now)));
          expect(toLateness(poll, now)).toBeGreaterThanOrEqual(
            latest === Number.POSITIVE_INFINITY ? latest : 0.9 * latest,
          );
          expect(waiting.delete(poll)).toBe(true);
          queue.delete(poll);
        }
        expect(queue.latest(now)).toBeUndefined();
      }),
    );
  });

  test('over the rate, objects are polled in proportion to their intervals', async () => {
    const { addMany, polled, pass } = createScene({ rate: 10 });
    addMany(40, () => ({ id: 'often', intervalMs: 2_000 }));
    addMany(40, () => ({ id: 'seldom', intervalMs: 8_000 }));
    await pass(60_000);
    polled.length = 0;
    await pass(200_000);
    expect(polled).toHaveLength(2_000);
    const often = polled.filter((id) => id === 'often').length;
    expect(often / (polled.length - often)).toBeCloseTo(4, 0);
  });

  test.each([
    ['of a credential', { rate: 10 }],
    ['of all credentials', { totalRate: 10 }],
  ])('polls that another instance has made do not count for the rate %s', async (_, rates) => {
    const isPolled = ({ target }: Watch) => target.id.startsWith('own');
    const { addMany, polled, pass } = createScene({ ...rates, isPolled });
    addMany(40, () => ({ id: 'own', intervalMs: 8_000 }));
    addMany(100, () => ({ id: 'shared' }));
    await pass(60_000);
    polled.length = 0;
    await pass(200_000);
    // Each object as often as its interval demands.
    expect(polled.filter((id) => id === 'own')).toHaveLength(1_000);
    expect(polled.filter((id) => id === 'shared')).toHaveLength(10_000);
  });

  test('a credential at its limit of concurrent polls delays no other one', async () => {
    const { addMany, polled, pass } = createScene({ maxConcurrentPolls: 2 });
    addMany(50, (index) => ({ id: `a${index}`, inMs: -9_000 }));
    addMany(1, () => ({ id: 'other', fingerprint: 'other' }));
    await pass(1);
    expect(polled).toContain('other');
  });
});
