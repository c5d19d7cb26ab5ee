import type { GatewayError } from '#errors/gateway-error.ts';
import type { ListPoll, OpenList } from './list-poller.ts';
import type { PollReason, ReadingSource, WatchedState } from './live-events.ts';
import type { WatchKind } from './object-kind.ts';
import type { Urgency } from './poll-queue.ts';
import type { WatchPollOptions } from './poll-upstream.ts';
import type { ObjectResponse, Reading } from './reading.ts';
import type { IndexedWatch } from './watch-group.ts';
import type { WatchLease } from './watch-lease.ts';

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
  /**
   * Reads the response that another instance has shared, without an upstream request.
   * @default no instance shares responses
   * @param isFreshOnly whether an older response does not count
   */
  readonly readShared?: (isFreshOnly: boolean) => Promise<ObjectResponse | undefined>;
  /**
   * Derives a key from the credential: the instances name the object by it, and reveal nothing.
   * @default the object has no lease
   */
  readonly deriveKey?: ((purpose: string) => Buffer) | undefined;
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

/** After a reading of an object, a webhook causes no other one for this time, in ms. */
const MIN_HINT_INTERVAL_MS = 1_000;

/**
 * A watched object: its latest reading, and when it is polled again. Times are monotonic, in ms.
 * The properties with a setter update the indexes of its group, so they are set after the others.
 */
export class Watch {
  readonly target: WatchTarget;
  readonly listeners = new Set<WatchListener>();
  /** Its place in the indexes of its group. Undefined: it is watched no more. */
  index: IndexedWatch | undefined;
  /** When the state was first read. */
  changedAt: number;
  /** Since when its readings show that the object is over. */
  overSince: number | undefined;
  /** Whether one of its readings was the first to show that the object is over. */
  sawEnd = false;
  /** When the latest reading was accepted. */
  acceptedAt: number;
  intervalMs: number;
  reason: PollReason = 'first';
  /** Whether a cached response must not answer the next poll. */
  isForced = false;
  /** When its latest single poll began. */
  polledAt = Number.NEGATIVE_INFINITY;
  /** When a webhook last named the object. Undefined: not since its latest change. */
  hintedAt: number | undefined;
  /** Whether a reading that was requested after the webhook is still needed. */
  isHintOpen = false;
  /** Upstream requests for it since its latest poll began, besides the first one of the poll. */
  furtherRequests = 0;
  /** Failed polls in a row. */
  failures = 0;
  failingSince: number | undefined;
  lastError: GatewayError | undefined;
  /** Polls that have not found the object, before any that has. */
  missingPolls = 0;
  /** List polls in a row that have not found the whole object, although its status is listed. */
  listMisses = 0;
  /** Undefined: no other instance watches the same objects. */
  lease: WatchLease | undefined;
  readonly startedAt: number;
  #reading: Reading | undefined;
  #dueAt: number;
  #isPolling = false;
  #listPoll: ListPoll | undefined;

  constructor(target: WatchTarget, now: number, intervalMs: number) {
    this.target = target;
    this.startedAt = now;
    this.changedAt = now;
    this.acceptedAt = now;
    this.#dueAt = now;
    this.intervalMs = intervalMs;
  }

  get reading(): Reading | undefined {
    return this.#reading;
  }

  set reading(reading: Reading | undefined) {
    this.#reading = reading;
    this.index?.update();
  }

  /** When the next poll is due; infinite if none is. */
  get dueAt(): number {
    return this.#dueAt;
  }

  set dueAt(dueAt: number) {
    this.#dueAt = dueAt;
    this.index?.update();
  }

  get isPolling(): boolean {
    return this.#isPolling;
  }

  set isPolling(isPolling: boolean) {
    this.#isPolling = isPolling;
    this.index?.update();
  }

  /** The list poll in progress that looks for the object. */
  get listPoll(): ListPoll | undefined {
    return this.#listPoll;
  }

  set listPoll(listPoll: ListPoll | undefined) {
    this.#listPoll = listPoll;
    this.index?.update();
  }

  /** Whether no poll in progress reads the object as its next reading must be read. */
  get isIdle(): boolean {
    return !this.#isPolling && (this.#listPoll === undefined || this.isForced);
  }

  /** Makes the next poll due. */
  refresh(now: number): void {
    if (this.lease) this.lease.isUrgent = true;
    this.dueAt = Math.min(this.dueAt, now);
  }

  /** Whether the object is over, and no listener needs another reading. */
  get isDone(): boolean {
    if (!this.reading?.state.isOver) return false;
    for (const { isSettlingWatched } of this.listeners) if (isSettlingWatched) return false;
    return true;
  }

  /**
   * A webhook has named the object: a poll is due that the cache must not answer. Returns whether
   * one is needed.
   */
  recordHint(now: number): boolean {
    if (this.isDone) return false;
    this.hintedAt = now;
    this.isHintOpen = true;
    const dueAt = this.prepareHintPoll(now);
    // A poll in progress sets the next one, and failed polls keep their backoff.
    const isNext = !this.isPolling && this.failures === 0;
    this.dueAt = isNext ? Math.min(this.dueAt, dueAt) : this.dueAt;
    return true;
  }

  /** Returns when the poll for a hint is due. */
  prepareHintPoll(now: number): number {
    this.isForced = true;
    if (this.reason === 'timer') this.reason = 'hint';
    const readAt = Math.max(this.polledAt, this.reading?.readAt ?? Number.NEGATIVE_INFINITY);
    return Math.max(now, readAt + MIN_HINT_INTERVAL_MS);
  }

  /** Whether a reading was requested before the webhook that named the object. */
  isBeforeHint(readAt: number): boolean {
    return this.isHintOpen && this.hintedAt !== undefined && readAt <= this.hintedAt;
  }

  /** What reads the response that the cache offers now. */
  get sourceOfOffer(): ReadingSource {
    if (this.lease?.sharedRead || this.listPoll?.isShared) return 'peer';
    return this.isPolling || this.listPoll ? 'poll' : 'query';
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
    this.index?.update();
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

  /** How urgent the next poll is. A first poll is the latest of all. */
  get urgency(): Urgency {
    return { dueAt: this.#dueAt, intervalMs: this.#toLatenessMs() };
  }

  #toLatenessMs(): number {
    if (this.reason === 'timer') return this.intervalMs;
    // Not the latest of all: a flood of webhooks must not delay all other polls.
    return this.reason === 'hint' ? MIN_HINT_INTERVAL_MS : 0;
  }
}
