import { describe, expect, test } from 'vitest';
import { campaignKind } from '#live/campaign-kind.ts';
import { isBehind } from '#live/object-kind.ts';

const PACE = {
  callMs: 2_000,
  waitingCallMs: 10_000,
  scheduledCallMs: 60_000,
  campaignMs: 15_000,
  feedMs: 5_000,
};
const INPUT = { unchangedMs: 3_600_000, upstreamNow: 0, isOnlyEndWatched: false };

const stateOf = (campaign: unknown) => campaignKind.toState(campaign);

describe('State of a campaign', () => {
  test.each<[what: string, campaign: unknown, isOver: boolean, ms: number]>([
    ['a running campaign', { status: 'running' }, false, 15_000],
    ['a paused campaign', { status: 'paused', is_cancelled: false }, false, 60_000],
    ['a campaign that is not launched', { status: 'draft' }, false, 60_000],
    ['a completed campaign', { status: 'completed' }, true, 15_000],
    ['a cancelled campaign', { status: 'running', is_cancelled: true }, true, 15_000],
    ['a campaign in an unknown status', { status: 'archived' }, false, 15_000],
    ['a campaign in an inherited status', { status: 'constructor' }, false, 15_000],
    ['a campaign without a status', {}, false, 15_000],
    ['a value that is no object', 'running', false, 15_000],
  ])('%s is polled at the interval of its state, unless it is over', (_, campaign, isOver, ms) => {
    const state = stateOf(campaign);
    expect([state.isOver, state.toInterval(INPUT, PACE)]).toEqual([isOver, ms]);
  });

  test.each<[string, string, boolean]>([
    ['draft', 'running', true],
    ['running', 'draft', false],
    ['running', 'paused', false],
    ['paused', 'running', false],
    ['paused', 'completed', true],
    ['archived', 'completed', false],
  ])('a reading that shows %s is behind one that shows %s: %s', (one, other, expected) => {
    expect(isBehind(stateOf({ status: one }), stateOf({ status: other }))).toBe(expected);
  });
});
