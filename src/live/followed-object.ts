import type { ReadingSource } from './live-events.ts';
import { type SerializedEvent, toRecoveredEvent } from './serialized-event.ts';
import type { ReadingNews, Watch } from './watch.ts';

/** Minimum time between two events of an object, in ms. */
const MIN_EVENT_INTERVAL_MS = 250;

/** An object that a cohort follows, and how far its events have come. Times are monotonic, in ms. */
export class FollowedObject {
  readonly watch: Watch;
  /** The newest event. */
  event: SerializedEvent | undefined;
  eventAt = Number.NEGATIVE_INFINITY;
  /** Where the reading comes from that is not executed yet. Undefined: there is none. */
  pending: ReadingSource | undefined;
  /** When the latest execution of a reading began. */
  executedAt = Number.NEGATIVE_INFINITY;
  isExecuting = false;
  /** Whether the last event was sent. */
  isDone = false;
  /** Whether the newest event reports an outage. */
  isStale = false;

  constructor(watch: Watch) {
    this.watch = watch;
  }

  get id(): string {
    return this.watch.target.id;
  }

  /** The next event must not be earlier. */
  get nextEventAt(): number {
    return this.eventAt + MIN_EVENT_INTERVAL_MS;
  }

  /**
   * Whether a reading must be executed. An unchanged one only if the selection needs more than the
   * object: with each poll, and with the readings of queries at most once in an interval.
   * @param now monotonic time, in ms
   */
  mustExecute({ isNews, source }: ReadingNews, hasMoreLookups: boolean, now: number): boolean {
    const wasExecuted = this.executedAt > Number.NEGATIVE_INFINITY;
    if (isNews || !wasExecuted || this.isStale) return true;
    const isDue = source === 'poll' || now - this.executedAt >= this.watch.intervalMs;
    return hasMoreLookups && isDue;
  }

  /** The event as it is sent: the first one after an outage says that the outage is over. */
  recover(event: SerializedEvent): SerializedEvent {
    if (!this.isStale) return event;
    this.isStale = false;
    return toRecoveredEvent(event);
  }

  /** Whether a reading is being executed, or waits for that. */
  get isBusy(): boolean {
    return this.isExecuting || this.pending !== undefined;
  }

  /** Whether the newest event shows the latest reading. */
  get isUpToDate(): boolean {
    return this.event !== undefined && !this.isBusy;
  }
}
