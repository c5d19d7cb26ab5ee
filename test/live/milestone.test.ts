import { expect, test } from 'vitest';
import { hasReached } from '#live/milestone.ts';
import type { ObjectState } from '#live/object-kind.ts';

const SETTLING_MS = 300_000;
const NOW = 1_000_000;
const UPSTREAM_NOW = 5_000_000;

const LIVE: ObjectState = {
  isOver: false,
  settles: true,
  endedAt: undefined,
  rank: [],
  toInterval: () => 1_000,
};
const over = (endedAgoMs?: number): ObjectState => ({
  ...LIVE,
  isOver: true,
  endedAt: endedAgoMs === undefined ? undefined : UPSTREAM_NOW - endedAgoMs,
});

test.each([
  ['a live object has reached neither milestone', LIVE, undefined, false, false],
  ['an object settles five minutes after its end', over(SETTLING_MS), 0, true, true],
  ['an object has not settled a moment before that', over(SETTLING_MS - 1), 0, true, false],
  [
    'without a readable end, it settles five minutes after it was seen',
    over(),
    SETTLING_MS,
    true,
    true,
  ],
  [
    'without a readable end, it has not settled a moment before',
    over(),
    SETTLING_MS - 1,
    true,
    false,
  ],
  [
    'without results after its end, it settles at once',
    { ...over(), settles: false },
    0,
    true,
    true,
  ],
])('%s', (_, state, seenMs, isEnded, isSettled) => {
  const reading = {
    value: {},
    readVersion: undefined,
    state,
    upstreamNow: UPSTREAM_NOW,
    readAt: NOW,
  };
  const watch = { reading, overSince: seenMs === undefined ? undefined : NOW - seenMs };
  expect(hasReached(watch, 'ENDED', SETTLING_MS, NOW)).toBe(isEnded);
  expect(hasReached(watch, 'SETTLED', SETTLING_MS, NOW)).toBe(isSettled);
});
