import type { CallProgress } from './progress.ts';

/** The settings of the polling intervals, in ms. */
export interface PaceSettings {
  /** Of a call that rings or is in progress, and the shortest interval of all. */
  readonly callMs: number;
  /** The longest interval of a call that waits for a line. */
  readonly waitingCallMs: number;
  /** The longest interval of a call whose next attempt is scheduled. */
  readonly scheduledCallMs: number;
  /** Of a running campaign. */
  readonly campaignMs: number;
  /** Of the newest items of a list. */
  readonly feedMs: number;
}

/** What the interval of an object depends on, apart from its state. */
export interface PaceInput {
  /** Since when the gateway has seen this state, in ms. */
  readonly unchangedMs: number;
  /** The time by the upstream's clock, in ms. */
  readonly upstreamNow: number;
  /** Whether every subscriber waits only for the end of the object. */
  readonly isOnlyEndWatched: boolean;
  /** Whether a webhook is expected to announce the end of the call. @default false */
  readonly isEndAnnounced?: boolean;
}

export interface CallPaceInput extends PaceInput {
  readonly progress: CallProgress;
  /** Whether the order and all of its attempts are over. */
  readonly isOver: boolean;
}

export const MAX_INTERVAL_MS = 60_000;

/** Interval of a call in an unknown status: at first, and after a while. */
const UNKNOWN_MS = 5_000;
const MAX_UNKNOWN_MS = 30_000;
/** Minimum interval of a scheduled call where every subscriber waits for the end. */
const MIN_SCHEDULED_ENDS_MS = 10_000;
/** First interval of a scheduled call without a moment in the future. */
const OVERDUE_MS = 30_000;
/** Interval of a call in progress whose end a webhook announces. */
const ANNOUNCED_MS = 10_000;
/** First interval of a call that is over, while its transcript may still arrive. */
const SETTLING_MS = 5_000;
/** A call in this state for longer hardly changes any more: the interval then grows. */
const STALLED_MS = 1_800_000;
/** The interval of a stalled call grows by half in this time. */
const STALLED_STEP_MS = 60_000;

/**
 * The interval until the next poll of a call, in ms. It is short while a state can end soon, and
 * grows with the time for which the call has not changed. It is at least `callMs`, except for a
 * call that has not begun, and at most `MAX_INTERVAL_MS`.
 */
export function toCallInterval(input: CallPaceInput, settings: PaceSettings): number {
  const { unchangedMs } = input;
  const base = toBaseInterval(input, settings);
  const stalledSteps = Math.max(0, unchangedMs - STALLED_MS) / STALLED_STEP_MS;
  return Math.min(base * 1.5 ** Math.min(stalledSteps, 20), MAX_INTERVAL_MS);
}

function toBaseInterval(
  { progress, isOver, unchangedMs, upstreamNow, isOnlyEndWatched, isEndAnnounced }: CallPaceInput,
  { callMs, waitingCallMs, scheduledCallMs }: PaceSettings,
): number {
  const { status, newestAttempt, scheduledAt, endedAt } = progress;
  if (isOver) {
    const sinceEndMs = endedAt === undefined ? unchangedMs : upstreamNow - endedAt;
    return clamp(sinceEndMs, SETTLING_MS, MAX_INTERVAL_MS);
  }
  // In a version without a status of the order, the attempts show whether a call is in progress.
  if (newestAttempt === 'ringing') return callMs;
  if (newestAttempt === 'ongoing' && isEndAnnounced) return Math.max(2 * callMs, ANNOUNCED_MS);
  if (newestAttempt === 'ongoing')
    return clamp(callMs + (unchangedMs - 60_000) / 30, callMs, 2 * callMs);
  switch (status) {
    case 'initializing':
      return callMs;
    case 'queued_for_calling':
    case 'calling':
      return clamp(callMs + unchangedMs / 10, callMs, Math.max(callMs, waitingCallMs));
    case 'scheduled': {
      const minMs = isOnlyEndWatched ? Math.max(callMs, MIN_SCHEDULED_ENDS_MS) : callMs;
      const maxMs = Math.max(minMs, scheduledCallMs);
      return scheduledAt !== undefined && scheduledAt > upstreamNow
        ? clamp((scheduledAt - upstreamNow) / 2, minMs, maxMs)
        : clamp(OVERDUE_MS + unchangedMs / 10, minMs, maxMs);
    }
    default:
      return clamp(UNKNOWN_MS + unchangedMs / 10, Math.max(callMs, UNKNOWN_MS), MAX_UNKNOWN_MS);
  }
}

/**
 * The interval until the next poll of a campaign, in ms. It does not grow with the time for which
 * the campaign has not changed: its rows change meanwhile.
 * @param isIdle the campaign is paused or not launched yet
 */
export function toCampaignInterval(isIdle: boolean, { campaignMs }: PaceSettings): number {
  return isIdle ? MAX_INTERVAL_MS : campaignMs;
}

/** A list without new items for this long is polled less often, in ms. */
const QUIET_MS = 60_000;
const QUIET_FEED_MS = 15_000;

/**
 * The interval until the next poll of the newest items of a list, in ms.
 * @param unchangedMs since the last new item
 */
export function toFeedInterval(unchangedMs: number, { feedMs }: PaceSettings): number {
  return unchangedMs < QUIET_MS ? feedMs : Math.max(feedMs, QUIET_FEED_MS);
}

/** Base of the exponential backoff after failed polls: `2 ** MAX_DOUBLINGS` is over the maximum. */
const MAX_DOUBLINGS = 6;

/**
 * The delay after `failures` failed polls in a row, in ms: a random time up to a bound that doubles
 * with each failure (full jitter). The next poll is the retry.
 * @param random a number from 0 to 1
 */
export function toFailureDelay(intervalMs: number, failures: number, random: number): number {
  const bound = Math.min(intervalMs * 2 ** Math.min(failures, MAX_DOUBLINGS), MAX_INTERVAL_MS);
  return Math.max(MIN_FAILURE_DELAY_MS, random * bound);
}

const MIN_FAILURE_DELAY_MS = 500;

/** Spreads polls by ten percent, so that polls that once coincided do not stay together. */
export function withJitter(ms: number, random: number): number {
  return ms * (0.9 + 0.2 * random);
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
