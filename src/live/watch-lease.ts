import type { ListPoll } from './list-poller.ts';
import type { ReadingSource } from './live-events.ts';
import type { PollLease } from './poll-leases.ts';

/** The lease of a watched object, and the state of this instance in it. */
export class WatchLease {
  readonly lease: PollLease;
  /** Whether this instance has made the latest poll. It also makes the next one. */
  isIncumbent = true;
  /** Lost claims in a row after which no shared response was found. */
  losses = 0;
  /** Whether a subscriber waits for the next reading. */
  isUrgent = false;
  /** The read of a shared response that is in progress. */
  sharedRead: Promise<unknown> | undefined;
  /** When a message last caused a lookup, by the monotonic clock, in ms. */
  lookedUpAt = Number.NEGATIVE_INFINITY;
  /** Cancels the planned lookup. */
  cancelLookup: (() => void) | undefined;

  constructor(lease: PollLease) {
    this.lease = lease;
  }

  onReading(source: ReadingSource): void {
    if (source !== 'query') this.isIncumbent = source === 'poll';
    this.losses = 0;
    this.isUrgent = false;
  }

  /**
   * The time from a reading to the next poll, in ms. The instance that has polled is the first to
   * poll again. The others poll only if they have read nothing since, and at different times. No
   * message announces the pages of a list: an instance that reads shared pages polls a tenth of the
   * interval later.
   * @param random a number from 0 to 1
   */
  toDelay(intervalMs: number, random: number, listPoll?: ListPoll): number {
    if (listPoll) return intervalMs * (1 + 0.1 * random + (listPoll.isShared ? 0.1 : 0));
    return intervalMs * (this.isIncumbent ? 1 + 0.1 * random : 1.2 + 0.4 * random);
  }

  close(): void {
    this.cancelLookup?.();
    this.lease.close();
  }
}
