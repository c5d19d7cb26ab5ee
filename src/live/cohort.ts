import type { GatewayError } from '#errors/gateway-error.ts';
import type { FetchOptions } from '#rest/upstream-request.ts';
import type { CohortOptions } from './cohort-options.ts';
import { endWithError } from './end-with-error.ts';
import { FollowedObject } from './followed-object.ts';
import type { LiveEvent } from './live-source.ts';
import type { LiveStream } from './live-stream.ts';
import { hasReached } from './milestone.ts';
import { createOutageError, STALE_AFTER_MS } from './outage.ts';
import {
  type EventResult,
  type SerializedEvent,
  toSerializedEvent,
  toStaleEvent,
} from './serialized-event.ts';
import type { StreamGroup } from './stream-group.ts';
import type { ReadingNews, Watch, WatchListener } from './watch.ts';

/** Objects of a cohort that are executed at the same time: an execution may wait for the upstream. */
const MAX_EXECUTIONS = 4;

/**
 * The subscribers with the same credential, document and variables, which follow single objects.
 * Each change is executed and serialized once for all of them.
 */
export class Cohort implements StreamGroup, WatchListener {
  readonly streams = new Set<LiveStream>();
  readonly #options: CohortOptions;
  readonly #objects = new Map<string, FollowedObject>();
  #executions = 0;
  readonly #startedAt: number;
  #hasMoreLookups = false;
  #stopTimer: (() => void) | undefined;
  #isEnded = false;

  constructor(options: CohortOptions) {
    this.#options = options;
    this.#startedAt = options.monotonicNow();
  }

  get isOnlyEndWatched(): boolean {
    return this.#options.selection.isOnlyEnds === true;
  }

  get isSettlingWatched(): boolean {
    return this.#options.selection.until === 'SETTLED';
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get watches(): Iterable<Watch> {
    return [...this.#objects.values()].map(({ watch }) => watch);
  }

  /** Starts to follow an object. To be called for each one, before the first stream joins. */
  follow(watch: Watch): void {
    const object = new FollowedObject(watch);
    this.#objects.set(object.id, object);
    if (watch.reading && (this.#isRecent(object) || this.#isReached(watch)))
      this.onReading(watch, { isNews: true, source: 'query' });
  }

  /**
   * Adds a stream. It gets the present state of each object first: if the latest reading is too old,
   * a poll is made that all new streams wait for.
   */
  join(stream: LiveStream): void {
    this.streams.add(stream);
    for (const object of this.#objects.values()) {
      if (!this.isOnlyEndWatched && !object.isDone) {
        const isRecent = this.#isRecent(object);
        if (!isRecent || !object.isUpToDate)
          stream.awaitState(object.id, isRecent ? 'event' : 'reading');
        if (!isRecent) this.#options.refresh(object.watch);
      }
    }
    this.#showAll(stream);
    this.#completeIfDone();
  }

  leave(stream: LiveStream): void {
    this.streams.delete(stream);
    if (this.streams.size === 0) this.#end();
  }

  onReading(watch: Watch, news: ReadingNews): void {
    const object = this.#objects.get(watch.target.id);
    if (this.#isEnded || !object || !watch.reading) return;
    this.#awaitEvent(object.id);
    if (this.isOnlyEndWatched && (object.isDone || !this.#isReached(watch))) return;
    if (object.mustExecute(news, this.#hasMoreLookups, this.#options.monotonicNow())) {
      if (object.pending !== undefined && news.isNews) this.#options.events.onCoalesced();
      object.pending = news.source;
      this.#executeNext();
      return;
    }
    if (object.isUpToDate && this.#isReached(watch)) object.isDone = true;
    this.#showTo(object);
    this.#completeIfDone();
  }

  onRejected(watch: Watch, error: GatewayError): void {
    void this.#endWithError(watch, error, (stream, json) => stream.complete('rejected', json));
  }

  /** Shows outages, because most failures end with the next poll. Repeats the state to routers. */
  tick(now: number): void {
    const { giveUpMs, repeatMs, toRetryMs } = this.#options;
    for (const object of this.#objects.values()) {
      const { failingSince, lastError } = object.watch;
      if (failingSince === undefined || !lastError) continue;
      if (now - failingSince >= giveUpMs) {
        void this.#endWithError(object.watch, createOutageError(), (stream, json) =>
          stream.interrupt('outage', toRetryMs(), json),
        );
        return;
      }
      if (this.isOnlyEndWatched) continue;
      if (now - failingSince >= STALE_AFTER_MS) this.#showOutage(object, failingSince, lastError);
      this.#reportFirstFailure(object, lastError, now);
    }
    if (this.isOnlyEndWatched) return;
    for (const stream of this.streams)
      if (stream.isRouter && now - stream.lastEventAt >= repeatMs) this.#showAll(stream);
  }

  /** Interrupts all streams, because of a bug. */
  fail(error: unknown): void {
    this.#options.events.onUnexpectedError(error);
    this.#endStreams((stream) => stream.interrupt('bug', this.#options.toRetryMs()));
  }

  /** Whether the newest event, or the latest reading, is new enough for a new stream. */
  #isRecent({ watch, executedAt }: FollowedObject): boolean {
    const { selection, freshness, monotonicNow } = this.#options;
    if (!watch.reading) return false;
    // What the selection needs more was read at the execution.
    const readAt = this.#hasMoreLookups ? executedAt : watch.reading.readAt;
    return monotonicNow() - readAt <= selection.kind.maxAge(freshness);
  }

  #isReached(watch: Watch): boolean {
    const { selection, settlingMs, monotonicNow } = this.#options;
    return hasReached(watch, selection.until ?? 'ENDED', settlingMs, monotonicNow());
  }

  /** Executes the pending objects, of which each has at least 250 ms between two events. */
  #executeNext(): void {
    const { monotonicNow, startTimer } = this.#options;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#isEnded) return;
    const now = monotonicNow();
    let waitMs = Number.POSITIVE_INFINITY;
    for (const object of this.#objects.values()) {
      if (object.pending === undefined || object.isExecuting) continue;
      const objectWaitMs = object.nextEventAt - now;
      if (objectWaitMs > 0) waitMs = Math.min(waitMs, objectWaitMs);
      else if (this.#executions < MAX_EXECUTIONS) void this.#executeReading(object);
    }
    if (Number.isFinite(waitMs)) this.#stopTimer = startTimer(waitMs, () => this.#executeNext());
  }

  async #executeReading(object: FollowedObject): Promise<void> {
    const { watch, id, pending: source } = object;
    const { reading } = watch;
    if (!reading || source === undefined) return;
    const { events, selection, charge, monotonicNow } = this.#options;
    const isLast = this.#isReached(watch);
    object.pending = undefined;
    object.executedAt = monotonicNow();
    const event = { id, value: reading.value };
    const result = await this.#execute(object, event, selection.kind.toPageOptions?.(reading));
    if (!result) return;
    if (result.requests > 0) charge(watch, result.requests);
    this.#hasMoreLookups ||= result.hasMoreLookups;
    // After an event that reports an outage, the next reading is sent even if nothing has changed.
    if (object.event?.comparedJson !== result.comparedJson || object.isStale) {
      const next = toSerializedEvent(result);
      this.#send(object, next, object.recover(next));
      const ms = monotonicNow() - watch.acceptedAt;
      const lagMs = watch.lagOfEnd(monotonicNow(), this.#startedAt);
      events.onEvent(selection.field, source, ms, lagMs);
    }
    if (isLast && object.isUpToDate) object.isDone = true;
    this.#showTo(object);
    this.#executeNext();
    this.#completeIfDone();
  }

  /** @returns undefined if the cohort has ended meanwhile */
  async #execute(
    object: FollowedObject,
    event: LiveEvent,
    pageOptions?: FetchOptions,
  ): Promise<EventResult | undefined> {
    object.isExecuting = true;
    this.#executions += 1;
    try {
      const result = await this.#options.execute(event, pageOptions);
      return this.#isEnded ? undefined : result;
    } catch (error) {
      if (!this.#isEnded) this.fail(error);
      return undefined;
    } finally {
      object.isExecuting = false;
      this.#executions -= 1;
    }
  }

  #send(object: FollowedObject, event: SerializedEvent, sent = event): void {
    object.event = event;
    object.eventAt = this.#options.monotonicNow();
    for (const stream of this.streams)
      if (!stream.awaited.has(object.id)) stream.push(object.id, sent);
  }

  #showAll(stream: LiveStream): void {
    for (const { id, event } of this.#objects.values())
      if (event && !stream.awaited.has(id)) stream.push(id, event);
  }

  /** Shows the present state of an object to the streams that wait for it. */
  #showTo(object: FollowedObject): void {
    const { id, event } = object;
    if (!event || !object.isUpToDate) return;
    for (const stream of this.streams)
      if (stream.awaited.get(id) === 'event' && stream.endAwaiting(id)) stream.push(id, event);
  }

  /** No stream must wait for another reading of the object. */
  #awaitEvent(id: string): void {
    for (const stream of this.streams) if (stream.awaited.has(id)) stream.awaitState(id, 'event');
  }

  /** Completes the streams when all of them have the last event of every object. */
  #completeIfDone(): void {
    if (this.#isEnded || this.streams.size === 0) return;
    for (const { isDone } of this.#objects.values()) if (!isDone) return;
    for (const { awaited } of this.streams) if (awaited.size > 0) return;
    this.#endStreams((stream) => stream.complete('over'));
  }

  #showOutage(object: FollowedObject, failingSince: number, { code }: GatewayError): void {
    const { event } = object;
    if (!event || object.isStale) return;
    object.isStale = true;
    const { now, monotonicNow } = this.#options;
    this.#send(object, toStaleEvent(event, now() - (monotonicNow() - failingSince), code));
  }

  /** A stream that has waited for its first event for too long gets the error of the polls. */
  #reportFirstFailure(object: FollowedObject, error: GatewayError, now: number): void {
    const { id, watch } = object;
    const isLate = ({ awaited, startedAt }: LiveStream) =>
      awaited.has(id) && now - startedAt >= this.#options.firstEventMs;
    if (object.isBusy || ![...this.streams].some(isLate)) return;
    this.#awaitEvent(id);
    if (object.event) {
      this.#showOutage(object, watch.failingSince ?? now, error);
      this.#showTo(object);
      return;
    }
    void this.#execute(object, { id, value: null, error }).then((result) => {
      if (!result) return;
      object.isStale = true;
      this.#send(object, toSerializedEvent(result));
      this.#showTo(object);
      this.#executeNext();
    });
  }

  async #endWithError(
    { target }: Watch,
    error: GatewayError,
    end: (stream: LiveStream, json: string) => void,
  ): Promise<void> {
    if (this.#isEnded) return;
    const streams = [...this.streams];
    this.#end();
    await endWithError(this.#options, streams, { id: target.id, value: null, error }, end);
  }

  #endStreams(end: (stream: LiveStream) => void): void {
    const streams = [...this.streams];
    this.#end();
    for (const stream of streams) end(stream);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopTimer?.();
    this.#options.onEnd();
  }
}
