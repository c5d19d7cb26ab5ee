import { AnnouncedEnds } from './announced-ends.ts';
import type { ReadingSource } from './live-events.ts';
import { type NextPollOptions, toNextDueAt } from './next-poll.ts';
import { isBehind } from './object-kind.ts';
import { isSameValue, orderOf, type Reading } from './reading.ts';
import type { Watch } from './watch.ts';

export interface WatchReadingsOptions extends Omit<NextPollOptions, 'announcedEnds'> {
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

/** Applies readings to watched objects: decides whether one is used, and when the next is due. */
export interface WatchReadings {
  /** @param isConfirmed whether the upstream itself has just responded with the reading */
  accept(watch: Watch, reading: Reading, source: ReadingSource, isConfirmed?: boolean): void;
  /** An object that was never found may have been created a moment ago: it is polled again. */
  acceptMissing(watch: Watch, reading: Reading): void;
  notify(watch: Watch, isNews: boolean, source: ReadingSource): void;
  nextDueAt(watch: Watch): number;
}

/**
 * Delays before an object that does not exist is polled again, in ms: it may have been created a
 * moment ago.
 */
const MISSING_DELAYS_MS = [1_000, 2_000];

export function createWatchReadings(options: WatchReadingsOptions): WatchReadings {
  const { monotonicNow } = options;
  const announcedEnds = new AnnouncedEnds(monotonicNow);

  return { accept, acceptMissing, notify, nextDueAt };

  function accept(
    watch: Watch,
    reading: Reading,
    source: ReadingSource,
    isConfirmed = false,
  ): void {
    const { reading: previous } = watch;
    const order = previous ? orderOf(reading, previous) : 'newer';
    if (
      order === 'unknown' &&
      previous &&
      !isConfirmed &&
      isBehind(reading.state, previous.state)
    ) {
      watch.reason = 'suspect';
      watch.isForced = true;
      watch.dueAt = monotonicNow();
      return;
    }
    if (order === 'older') {
      // The reading is in use already, or a later one overtook it.
      if (!Number.isFinite(watch.dueAt)) watch.dueAt = nextDueAt(watch);
      return;
    }
    watch.missingPolls = 0;
    applyReading(watch, reading, source);
  }

  function acceptMissing(watch: Watch, reading: Reading): void {
    const delayMs = watch.reading ? undefined : MISSING_DELAYS_MS[watch.missingPolls];
    watch.missingPolls += 1;
    if (delayMs === undefined) {
      applyReading(watch, reading, 'poll');
      return;
    }
    watch.clearFailure();
    watch.isForced = true;
    watch.dueAt = monotonicNow() + delayMs;
  }

  function applyReading(watch: Watch, reading: Reading, source: ReadingSource): void {
    const isNews = !isSameValue(watch.target.kind, watch.reading, reading);
    const now = monotonicNow();
    if (!watch.isBeforeHint(reading.readAt)) watch.isHintOpen = false;
    const isEnd = reading.state.isOver && watch.reading?.state.isOver === false;
    if (isEnd) announcedEnds.record(watch, reading.state, now);
    if (isNews) watch.changedAt = now;
    if (isNews && !watch.isHintOpen) watch.hintedAt = undefined;
    watch.sawEnd ||= isEnd;
    watch.overSince = reading.state.isOver ? (watch.overSince ?? now) : undefined;
    watch.reading = reading;
    watch.acceptedAt = now;
    watch.lease?.onReading(source);
    watch.reason = 'timer';
    watch.isForced = false;
    watch.clearFailure();
    watch.dueAt = nextDueAt(watch);
    notify(watch, isNews, source);
  }

  function notify(watch: Watch, isNews: boolean, source: ReadingSource): void {
    for (const listener of [...watch.listeners]) listener.onReading(watch, { isNews, source });
  }

  function nextDueAt(watch: Watch): number {
    return toNextDueAt(watch, monotonicNow(), { ...options, announcedEnds });
  }
}
