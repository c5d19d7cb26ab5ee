import type { GatewayError } from '#errors/gateway-error.ts';
import type { CohortOptions } from './cohort-options.ts';
import { endWithError } from './end-with-error.ts';
import type { FeedEdge, FeedStart } from './feed-list.ts';
import { type FeedEdges, FeedUpdate, type FeedWaiters } from './feed-target.ts';
import type { ReadingSource } from './live-events.ts';
import type { LiveStream } from './live-stream.ts';
import { createOutageError } from './outage.ts';
import { type SerializedEvent, toSerializedEvent, toSkippedEvent } from './serialized-event.ts';
import type { StreamGroup } from './stream-group.ts';
import type { ReadingNews, Watch, WatchListener } from './watch.ts';

export interface FeedCohortOptions
  extends Pick<
    CohortOptions,
    'execute' | 'firstEventMs' | 'giveUpMs' | 'events' | 'monotonicNow' | 'toRetryMs' | 'onEnd'
  > {
  /** The name of the root field. */
  readonly field: string;
  /** Makes the next poll due. */
  readonly refresh: () => void;
}

/**
 * A reader that has not taken all edges of earlier polls holds at most this many edges. Edges of one
 * poll are no sign of a slow reader, however many they are.
 */
const MAX_PENDING_EDGES = 100;

/** Edges of one poll, and the streams that get them. */
interface Batch extends FeedEdges {
  readonly streams: readonly LiveStream[];
  readonly source: ReadingSource;
  /** The edges of the poll that are executed, by the id of their item. */
  readonly executed: Map<string, Promise<FeedEvent>>;
}

interface FeedEvent {
  readonly event: SerializedEvent;
  /** The event for a stream that has missed others before it. */
  readonly afterGap: SerializedEvent;
}

/**
 * The subscribers with the same credential and document, which follow the new items of a list. Each
 * edge is executed and serialized once for all of them, and none is replaced by a newer one.
 */
export class FeedCohort implements StreamGroup, WatchListener, FeedWaiters {
  readonly isOnlyEndWatched = false;
  readonly isSettlingWatched = false;
  readonly #options: FeedCohortOptions;
  readonly #streams = new Set<LiveStream>();
  /** Streams that have not begun, with their starts. */
  readonly #waiting = new Map<LiveStream, FeedStart | undefined>();
  /** Streams whose next event says that others before it were skipped. */
  readonly #gaps = new Set<LiveStream>();
  /** Waiting streams that got the error of the polls. */
  readonly #failed = new Set<LiveStream>();
  readonly #batches: Batch[] = [];
  #watch: Watch | undefined;
  #isDelivering = false;
  #isEnded = false;

  constructor(options: FeedCohortOptions) {
    this.#options = options;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Starts to follow a list. To be called before the first stream joins. */
  follow(watch: Watch): void {
    this.#watch = watch;
  }

  starts(): Iterable<FeedStart> {
    return [...this.#waiting.values()].filter((start) => start !== undefined);
  }

  join(stream: LiveStream, start?: FeedStart): void {
    this.#streams.add(stream);
    if (!start && this.#watch?.reading) return;
    this.#waiting.set(stream, start);
    if (start) this.#options.refresh();
  }

  leave(stream: LiveStream): void {
    this.#streams.delete(stream);
    this.#waiting.delete(stream);
    this.#gaps.delete(stream);
    this.#failed.delete(stream);
    if (this.#streams.size === 0) this.#end();
  }

  onReading({ reading }: Watch, { source }: ReadingNews): void {
    if (this.#isEnded || !(reading?.value instanceof FeedUpdate)) return;
    const { added, catchUps } = reading.value;
    const executed: Batch['executed'] = new Map();
    const live = [...this.#streams].filter((stream) => !this.#waiting.has(stream));
    this.#batches.push({ ...added, streams: live, source, executed });
    for (const [start, streams] of this.#beginStreams(catchUps)) {
      const catchUp = catchUps.get(start);
      if (catchUp) this.#batches.push({ ...catchUp, streams, source, executed });
    }
    // A stream that has joined during the poll waits for the next one.
    if (this.#waiting.size > 0) this.#options.refresh();
    void this.#deliver();
  }

  onRejected(_watch: Watch, error: GatewayError): void {
    void this.#endWithError(error, (stream, json) => stream.complete('rejected', json));
  }

  /** An outage is silence at first, because no event of a list shows a state that could be stale. */
  tick(now: number): void {
    const { failingSince, lastError } = this.#watch ?? {};
    if (failingSince === undefined || !lastError) return;
    if (now - failingSince >= this.#options.giveUpMs) {
      void this.#endWithError(createOutageError(), (stream, json) =>
        stream.interrupt('outage', this.#options.toRetryMs(), json),
      );
      return;
    }
    this.#reportFirstFailure(lastError, now);
  }

  /**
   * The streams that begin with a poll, by the keys of their starts.
   * @param catchUps the starts that the poll has looked for
   */
  #beginStreams(catchUps: ReadonlyMap<string, FeedEdges>): Map<string, LiveStream[]> {
    const begun = new Map<string, LiveStream[]>();
    for (const [stream, start] of this.#waiting) {
      if (start && !catchUps.has(start.key)) continue;
      this.#waiting.delete(stream);
      if (start) begun.set(start.key, [...(begun.get(start.key) ?? []), stream]);
      // What was new before the list could be read is unknown.
      else if (this.#failed.delete(stream)) this.#gaps.add(stream);
    }
    return begun;
  }

  /** Sends the edges poll by poll, because executions take time. */
  async #deliver(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift())
        await this.#deliverBatch(batch);
    } catch (error) {
      this.#options.events.onUnexpectedError(error);
      this.#endStreams((stream) => stream.interrupt('bug', this.#options.toRetryMs()));
    } finally {
      this.#isDelivering = false;
    }
  }

  async #deliverBatch({ edges, isSkipped, streams, source, executed }: Batch): Promise<void> {
    if (isSkipped) for (const stream of streams) if (!stream.isEnded) this.#gaps.add(stream);
    if (edges.length === 0) return;
    for (const stream of streams) {
      const { pendingEvents } = stream;
      if (pendingEvents > 0 && pendingEvents + edges.length > MAX_PENDING_EDGES)
        stream.disconnect();
    }
    if (streams.every(({ isEnded }) => isEnded)) return;
    for (const edge of edges) {
      const { id } = edge.node;
      const execution = executed.get(id) ?? this.#execute(edge, source);
      executed.set(id, execution);
      const { event, afterGap } = await execution;
      if (this.#isEnded) return;
      for (const stream of streams) stream.push(id, this.#gaps.delete(stream) ? afterGap : event);
    }
  }

  async #execute(edge: FeedEdge, source: ReadingSource): Promise<FeedEvent> {
    const { execute, events, field, monotonicNow } = this.#options;
    const readAt = this.#watch?.acceptedAt ?? monotonicNow();
    // An edge is complete: unlike an event of an object, its event sends no upstream request.
    const result = await execute({ id: edge.node.id, value: edge });
    // An `EventSource` that connects again sends the id of its last event, and goes on after it.
    const event = { ...toSerializedEvent(result), id: edge.cursor };
    events.onEvent(field, source, monotonicNow() - readAt);
    return { event, afterGap: toSkippedEvent(event) };
  }

  /** Streams that have waited for the list for too long get the error of the polls, once. */
  #reportFirstFailure(error: GatewayError, now: number): void {
    const { firstEventMs, execute } = this.#options;
    const late = [...this.#waiting.keys()].filter(
      (stream) => !this.#failed.has(stream) && now - stream.startedAt >= firstEventMs,
    );
    if (late.length === 0) return;
    for (const stream of late) this.#failed.add(stream);
    execute({ id: '', value: null, error }).then(
      (result) => {
        const event = { ...toSerializedEvent(result), id: undefined };
        for (const stream of late) if (this.#waiting.has(stream)) stream.push('', event);
      },
      (failure) => this.#options.events.onUnexpectedError(failure),
    );
  }

  async #endWithError(
    error: GatewayError,
    end: (stream: LiveStream, json: string) => void,
  ): Promise<void> {
    if (this.#isEnded) return;
    const streams = [...this.#streams];
    this.#end();
    await endWithError(this.#options, streams, { id: '', value: null, error }, end);
  }

  #endStreams(end: (stream: LiveStream) => void): void {
    const streams = [...this.#streams];
    this.#end();
    for (const stream of streams) end(stream);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#batches.length = 0;
    this.#options.onEnd();
  }
}
