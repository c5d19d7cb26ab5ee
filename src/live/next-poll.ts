import type { AnnouncedEnds } from './announced-ends.ts';
import { type PaceSettings, withJitter } from './pace.ts';
import type { Watch } from './watch.ts';

export interface NextPollOptions {
  readonly pace: PaceSettings;
  /** Maximum interval, in ms. */
  readonly maxIntervalMs: number;
  readonly announcedEnds: AnnouncedEnds;
  /** A random number from 0 to 1. */
  readonly random: () => number;
}

/**
 * When a watched object is polled again, by its latest reading and by its listeners; infinite if no
 * listener needs another reading.
 * @param now monotonic time, in ms
 */
export function toNextDueAt(watch: Watch, now: number, options: NextPollOptions): number {
  const { reading } = watch;
  if (!reading) return watch.dueAt;
  if (watch.isDone) return Number.POSITIVE_INFINITY;
  if (watch.isHintOpen) return watch.prepareHintPoll(now);
  const { pace, maxIntervalMs, announcedEnds, random } = options;
  const { state, upstreamNow, readAt } = reading;
  const intervalMs = state.toInterval(
    {
      unchangedMs: now - watch.changedAt,
      upstreamNow: upstreamNow + (now - readAt),
      isOnlyEndWatched: [...watch.listeners].every(({ isOnlyEndWatched }) => isOnlyEndWatched),
      isEndAnnounced: announcedEnds.isExpected(watch, state),
    },
    pace,
  );
  watch.intervalMs = Math.min(intervalMs, maxIntervalMs);
  const { lease, listPoll } = watch;
  const jitter = listPoll?.jitter ?? random();
  const delayMs = lease
    ? lease.toDelay(watch.intervalMs, jitter, listPoll)
    : withJitter(watch.intervalMs, jitter);
  return Math.max(now, readAt + delayMs);
}
