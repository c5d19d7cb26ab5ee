import type { GatewayError } from '#errors/gateway-error.ts';
import type { ListPoll, OpenList } from './list-poller.ts';
import type { PollReason, ReadingSource, WatchedState } from './live-events.ts';
import type { WatchKind } from './object-kind.ts';
import type { WatchPollOptions } from './poll-upstream.ts';
import type { ObjectResponse, Reading } from './reading.ts';

/** What is watched, and with which credential. */
export interface WatchTarget {
  readonly fingerprint: string;
  readonly kind: WatchKind;
  /** The path of the request, which is the key of its cached response. */
  readonly path: string;
  readonly id: string;
  /**
   * Reads the object with the credential of its subscribers.
   * @throws GatewayError
   */
  readonly poll: (options: WatchPollOptions) => Promise<ObjectResponse>;
  /** Opens the lists that embed the object. Absent: no list does. */
  readonly openList?: OpenList | undefined;
}

export interface ReadingNews {
  /** Whether the state differs from that of the previous reading. */
  readonly isNews: boolean;
  readonly source: ReadingSource;
}

/** A group of subscribers that follows an object. */
export interface WatchListener {
  /** Whether the subscribers wait only for the end of the object. */
  readonly isOnlyEndWatched: boolean;
  /** Whether the subscribers follow the object after its end, until it has settled. */
  readonly isSettlingWatched: boolean;
  /** A reading has arrived; it is the watch's `reading`. */
  onReading(watch: Watch, news: ReadingNews): void;
  /** The upstream does not accept the credential, or refuses the object to it. */
  onRejected(watch: Watch, error: GatewayError): void;
}

/** After this many misses an object is polled singly: its list leaves it out. */
const MAX_LIST_MISSES = 2;

/** A watched object: its latest reading, and when it is polled again. Times are monotonic, in ms. */
export class Watch {
  readonly target: WatchTarget;
  readonly listeners = new Set<WatchListener>();
  reading: Reading | undefined;
  /** When the state was first read. */
  changedAt: number;
  /** Since when its readings show that the object is over. */
  overSince: number | undefined;
  /** Whether one of its readings was the first to show that the object is over. */
  sawEnd = false;
  /** When the latest reading was accepted. */
  acceptedAt: number;
  intervalMs: number;
  /** When the next poll is due; infinite if none is. */
  dueAt: number;
  reason: PollReason = 'first';
  /** Whether a cached response must not answer the next poll. */
  isForced = false;
  isPolling = false;
  /** Upstream requests for it since its latest poll began, besides the first one of the poll. */
  furtherRequests = 0;
  /** Failed polls in a row. */
  failures = 0;
  failingSince: number | undefined;
  lastError: GatewayError | undefined;
  /** Polls that have not found the object, before any that has. */
  missingPolls = 0;
  /** The list poll in progress that looks for the object. */
  listPoll: ListPoll | undefined;
  /** List polls in a row that have not found the whole object, although its status is listed. */
  listMisses = 0;
  readonly startedAt: number;

  constructor(target: WatchTarget, now: number, intervalMs: number) {
    this.target = target;
    this.startedAt = now;
    this.changedAt = now;
    this.acceptedAt = now;
    this.dueAt = now;
    this.intervalMs = intervalMs;
  }

  /** Makes the next poll due. */
  refresh(now: number): void {
    this.dueAt = Math.min(this.dueAt, now);
  }

  /** The list whose pages may replace single polls of the object. */
  get listKey(): string | undefined {
    return this.target.openList && this.listMisses < MAX_LIST_MISSES
      ? this.reading?.state.listKey
      : undefined;
  }

  get state(): WatchedState {
    if (this.failingSince !== undefined) return 'failing';
    if (!this.reading) return 'new';
    return this.reading.state.isOver ? 'over' : 'live';
  }

  clearFailure(): void {
    this.failures = 0;
    this.failingSince = undefined;
    this.lastError = undefined;
  }

  /**
   * Records that another response embeds the object. Returns whether it embeds the whole object, as
   * far as another reading shows: without one, a poll must read it.
   */
  recordEmbedded(value: unknown): boolean {
    const whole = this.reading?.value ?? this.listPoll?.sample;
    if (whole === undefined) return false;
    const isPartial = this.target.kind.isPartial?.(value, whole) === true;
    this.listMisses = isPartial ? this.listMisses + 1 : 0;
    // The next poll must read the object itself: the list, and maybe the cache, has only a part.
    if (isPartial) this.isForced = true;
    return !isPartial;
  }

  /**
   * The time from the end of the object until now, by the upstream's clock, in ms. Undefined unless
   * the latest reading is the first to show the end, and was accepted after `since`.
   */
  lagOfEnd(now: number, since: number): number | undefined {
    const { endedAt } = this.reading?.state ?? {};
    const isFirst = this.sawEnd && this.acceptedAt === this.overSince && this.acceptedAt > since;
    if (!this.reading || !isFirst || endedAt === undefined) return undefined;
    return Math.max(0, this.reading.upstreamNow + (now - this.reading.readAt) - endedAt);
  }

  /** How late the next poll is, in intervals. A first poll is the latest of all. */
  lateness(now: number): number {
    return this.reason === 'timer'
      ? (now - this.dueAt) / this.intervalMs
      : Number.POSITIVE_INFINITY;
  }
}
