import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CallPaceInput,
  MAX_INTERVAL_MS,
  toCallInterval,
  toFailureDelay,
  withJitter,
} from '#live/pace.ts';

const SETTINGS = {
  callMs: 2_000,
  waitingCallMs: 10_000,
  scheduledCallMs: 60_000,
  campaignMs: 15_000,
  feedMs: 5_000,
};
const NOW = Date.UTC(2026, 5, 1, 12);

interface Given
  extends Partial<Omit<CallPaceInput, 'progress'>>,
    Partial<CallPaceInput['progress']> {}

const interval = ({
  isOver = false,
  unchangedMs = 0,
  upstreamNow = NOW,
  isOnlyEndWatched = false,
  isEndAnnounced = false,
  ...progress
}: Given) =>
  toCallInterval(
    {
      isOver,
      unchangedMs,
      upstreamNow,
      isOnlyEndWatched,
      isEndAnnounced,
      progress: {
        status: 'calling',
        attempts: 0,
        newestAttempt: undefined,
        scheduledAt: undefined,
        endedAt: undefined,
        ...progress,
      },
    },
    SETTINGS,
  );

describe('Polling interval', () => {
  test.each<[what: string, given: Given, ms: number]>([
    ['a call that is being set up', { status: 'initializing' }, 2_000],
    ['a call that has just been queued', { status: 'queued_for_calling' }, 2_000],
    ['a call queued for 30 s', { status: 'queued_for_calling', unchangedMs: 30_000 }, 5_000],
    ['a call queued for long', { status: 'calling', unchangedMs: 500_000 }, 10_000],
    ['a ringing call', { newestAttempt: 'ringing', unchangedMs: 500_000 }, 2_000],
    ['a call that has just been answered', { newestAttempt: 'ongoing' }, 2_000],
    ['a call in its third minute', { newestAttempt: 'ongoing', unchangedMs: 150_000 }, 4_000],
    [
      'a call in progress whose end a webhook announces',
      { newestAttempt: 'ongoing', isEndAnnounced: true },
      10_000,
    ],
    [
      'a ringing call whose end a webhook announces',
      { newestAttempt: 'ringing', isEndAnnounced: true },
      2_000,
    ],
    ['a call that is due in 20 s', { status: 'scheduled', scheduledAt: NOW + 20_000 }, 10_000],
    ['a call that is due in a week', { status: 'scheduled', scheduledAt: NOW + 6e8 }, 60_000],
    ['a call that is due in a second', { status: 'scheduled', scheduledAt: NOW + 1_000 }, 2_000],
    [
      'a call that is due in a second, where subscribers wait for the end',
      { status: 'scheduled', scheduledAt: NOW + 1_000, isOnlyEndWatched: true },
      10_000,
    ],
    ['a call whose moment is over', { status: 'scheduled', scheduledAt: NOW - 1 }, 30_000],
    ['a call that has just ended', { isOver: true, endedAt: NOW - 100 }, 5_000],
    ['a call that ended 20 s ago', { isOver: true, endedAt: NOW - 20_000 }, 20_000],
    ['a call that ended long ago', { isOver: true, endedAt: NOW - 9e6 }, 60_000],
    ['a call in an unknown status', { status: 'paused' }, 5_000],
    [
      'a call that is in an unknown status for long',
      { status: 'paused', unchangedMs: 9e5 },
      30_000,
    ],
    ['a call without any status', { status: undefined }, 5_000],
    ['an attempt without an end', { newestAttempt: 'ongoing', unchangedMs: 2.1e6 }, 30_375],
    ['an attempt without an end for hours', { newestAttempt: 'ringing', unchangedMs: 1e7 }, 60_000],
  ])('%s is polled at its own interval', (_, given, ms) => {
    expect(Math.round(interval(given))).toBe(ms);
  });

  const words = <T extends string>(...known: T[]) =>
    fc.oneof(fc.constantFrom<string | undefined>(...known, undefined), fc.string());
  const inputs = fc.record({
    progress: fc.record({
      status: words('initializing', 'queued_for_calling', 'calling', 'scheduled', 'completed'),
      attempts: fc.nat(3),
      newestAttempt: words('queued', 'ringing', 'ongoing', 'completed', 'error'),
      scheduledAt: fc.option(fc.integer({ min: NOW - 1e9, max: NOW + 1e9 }), { nil: undefined }),
      endedAt: fc.option(fc.integer({ min: NOW - 1e9, max: NOW + 1e9 }), { nil: undefined }),
    }),
    isOver: fc.boolean(),
    unchangedMs: fc.nat(1e9),
    upstreamNow: fc.integer({ min: NOW - 1e8, max: NOW + 1e8 }),
    isOnlyEndWatched: fc.boolean(),
  });
  const settings = fc.record({
    callMs: fc.integer({ min: 1_000, max: 60_000 }),
    waitingCallMs: fc.integer({ min: 1_000, max: 60_000 }),
    scheduledCallMs: fc.integer({ min: 1_000, max: 60_000 }),
    campaignMs: fc.integer({ min: 1_000, max: 60_000 }),
    feedMs: fc.integer({ min: 1_000, max: 60_000 }),
  });

  test('no state of any call is polled more than once a second or less than once a minute', () => {
    fc.assert(
      fc.property(inputs, settings, (input, paces) => {
        const ms = toCallInterval(input, paces);
        expect(ms).toBeGreaterThanOrEqual(1_000);
        expect(ms).toBeLessThanOrEqual(MAX_INTERVAL_MS);
      }),
    );
  });

  test('the interval never becomes shorter while a state does not change', () => {
    fc.assert(
      fc.property(inputs, settings, fc.nat(1e9), (input, paces, more) => {
        const later = { ...input, unchangedMs: input.unchangedMs + more };
        expect(toCallInterval(later, paces)).toBeGreaterThanOrEqual(toCallInterval(input, paces));
      }),
    );
  });

  test('jitter moves a poll by at most ten percent', () => {
    expect([0, 0.5, 1].map((random) => Math.round(withJitter(1_000, random)))).toEqual([
      900, 1_000, 1_100,
    ]);
  });

  test('the delay after failed polls doubles up to a minute, and is never below half a second', () => {
    expect([1, 2, 3, 9, 900].map((failures) => toFailureDelay(2_000, failures, 1))).toEqual([
      4_000, 8_000, 16_000, 60_000, 60_000,
    ]);
    expect(toFailureDelay(2_000, 1, 0)).toBe(500);
  });
});
