import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createListState,
  isListPollWorthwhile,
  isListUsed,
  recordFailure,
  recordRefusal,
  recordSuccess,
  toExpectedPages,
} from '#live/list-polls.ts';

const NOW = 1_000_000;

describe('When a list is polled instead of its objects', () => {
  const planOf = (count: number, pages: number, ageMs = 2_000) => ({
    members: Array.from({ length: count }, () => ({ intervalMs: 2_000, readAt: NOW - ageMs })),
    unread: 0,
    known: count,
    pages,
    now: NOW,
  });

  test.each([
    ['2 due objects on one page', planOf(2, 1), false],
    ['3 due objects on one page', planOf(3, 1), true],
    ['3 due objects on 3 pages', planOf(3, 3), true],
    ['3 due objects on 4 pages', planOf(3, 4), false],
    ['3 objects on 4 pages, ten intervals after their readings', planOf(3, 4, 20_000), false],
    ['1,000 due objects on 20 pages', planOf(1_000, 20), true],
    ['40 objects on 20 pages, half an interval after their readings', planOf(40, 20, 1_000), true],
    ['39 objects on 20 pages, half an interval after their readings', planOf(39, 20, 1_000), false],
    ['3 objects on one page, just read', planOf(3, 1, 0), false],
  ])('%s: %o', (_, plan, isWorthwhile) => {
    expect(isListPollWorthwhile(plan)).toBe(isWorthwhile);
  });

  test('objects without a reading count by the share of the list in the others', () => {
    const plan = { ...planOf(3, 20, 0), unread: 100 };
    expect(isListPollWorthwhile({ ...plan, known: 3 })).toBe(true);
    expect(isListPollWorthwhile({ ...plan, known: 15 })).toBe(true);
    expect(isListPollWorthwhile({ ...plan, known: 16 })).toBe(false);
  });

  test('a list that is too long is counted again after one minute, then after longer times', () => {
    const list = createListState('c');
    expect(toExpectedPages(list, NOW)).toBe(1);
    const waits = Array.from({ length: 6 }, () => {
      recordRefusal(list, 100, NOW);
      expect(toExpectedPages(list, list.recountAt - 1)).toBe(100);
      expect(toExpectedPages(list, list.recountAt)).toBe(1);
      return list.recountAt - NOW;
    });
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    recordSuccess(list, { pages: 2, requests: 2, startedAt: NOW });
    expect(toExpectedPages(list, NOW + 10_000_000)).toBe(2);
  });

  test('a list is used from its first complete poll on, until it fails or is too long', () => {
    const list = createListState('c');
    const uses = [isListUsed(list)];
    for (const record of [
      () => recordSuccess(list, { pages: 2, requests: 2, startedAt: NOW }),
      () => recordFailure(list, NOW, 1),
      () => recordSuccess(list, { pages: 2, requests: 2, startedAt: NOW }),
      () => recordRefusal(list, 100, NOW),
    ]) {
      record();
      uses.push(isListUsed(list));
    }
    expect(uses).toEqual([false, true, false, true, false]);
  });

  test('a list that fails is tried again after longer and longer times', () => {
    const list = createListState('c');
    const delays = Array.from({ length: 8 }, () => {
      recordFailure(list, NOW, 1);
      return list.retryAt - NOW;
    });
    expect(delays).toEqual([4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
  });
});

describe('Cost of list polls', () => {
  const scenarios = fc.record({
    intervals: fc.array(fc.integer({ min: 2_000, max: 10_000 }), { minLength: 1, maxLength: 200 }),
    otherItems: fc.integer({ min: 0, max: 1_500 }),
    jitters: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 50, maxLength: 50 }),
  });
  type Scenario = typeof scenarios extends fc.Arbitrary<infer S> ? S : never;

  /** Polls objects of one list for two minutes, as the gateway does below its rate. */
  function simulate({ intervals, otherItems, jitters }: Scenario, usesList: boolean) {
    const count = intervals.length;
    const pages = Math.ceil((count + otherItems) / 50);
    let draws = 0;
    const random = () => jitters[draws++ % jitters.length] ?? 0;
    const objects = intervals.map((intervalMs) => ({
      intervalMs,
      readAt: 0,
      dueAt: intervalMs * (0.9 + 0.2 * random()),
    }));
    const list = createListState('c');
    const read = (object: (typeof objects)[number], now: number, jitter: number) => {
      maxLateness = Math.max(maxLateness, now - object.readAt - 1.1 * object.intervalMs);
      object.readAt = now;
      object.dueAt = now + object.intervalMs * (0.9 + 0.2 * jitter);
    };
    let requests = 0;
    let counts = 0;
    let maxLateness = 0;
    for (let now = 0; now < 120_000; now += 20) {
      const due = objects.filter(({ dueAt }) => dueAt <= now);
      if (due.length === 0) continue;
      const plan = {
        members: objects,
        unread: 0,
        known: count,
        pages: toExpectedPages(list, now),
        now,
      };
      if (usesList && isListPollWorthwhile(plan)) {
        if (isListPollWorthwhile({ ...plan, pages })) {
          requests += pages;
          recordSuccess(list, { pages, requests: pages, startedAt: now });
          const jitter = random();
          for (const object of objects) read(object, now, jitter);
          continue;
        }
        requests += 1;
        counts += 1;
        recordRefusal(list, pages, now);
      }
      for (const object of due) {
        requests += 1;
        read(object, now, random());
      }
    }
    return { requests, counts, count, pages, maxLateness };
  }

  test('list polls send no more requests than single polls, and one page to count a longer list', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const single = simulate(scenario, false);
        const list = simulate(scenario, true);
        // Intervals differ by ten percent to each side, and so do the numbers of requests.
        expect(list.requests - list.counts).toBeLessThanOrEqual(
          Math.ceil((single.requests * 1.1) / 0.9),
        );
        expect(list.counts).toBeLessThanOrEqual(2);
        // No object is read later than its interval demands, plus one step of the simulation.
        expect(list.maxLateness).toBeLessThanOrEqual(20);
      }),
      { numRuns: 60 },
    );
  });
});
