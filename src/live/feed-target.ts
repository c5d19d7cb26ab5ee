import { toPage } from '#loaders/list-items.ts';
import type { FactsByEndpoint } from '#pagination/endpoint-facts.ts';
import type { Identified } from '#pagination/list.ts';
import {
  createNewestItemsState,
  type ListOrder,
  type NewestItems,
  type NewestItemsState,
  readNewestItems,
} from '#pagination/newest-items.ts';
import { createPagedList } from '#pagination/paged-list.ts';
import { latestVersion } from '#pagination/read-version.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { Feed } from './feed.ts';
import type { FeedEdge, FeedList, FeedStart } from './feed-list.ts';
import type { ObjectState, WatchKind } from './object-kind.ts';
import { toFeedInterval } from './pace.ts';
import type { PollUpstream, WatchPollOptions } from './poll-upstream.ts';
import type { ObjectResponse } from './reading.ts';
import type { WatchTarget } from './watch.ts';

/** With which credential a list is read. */
export interface FeedReader {
  readonly fingerprint: string;
  readonly poll: PollUpstream;
  readonly facts: FactsByEndpoint;
}

/** Edges that a stream gets, from the oldest to the newest. */
export interface FeedEdges {
  readonly edges: readonly FeedEdge[];
  /** Whether older edges may be missing before these. */
  readonly isSkipped: boolean;
}

/** What one poll has found. It is the value of a reading. */
export class FeedUpdate {
  /** The edges that are new since the poll before. */
  readonly added: FeedEdges;
  /** The edges that are newer than each start that a stream waits for, by its key. */
  readonly catchUps: ReadonlyMap<string, FeedEdges>;
  readonly #updates: number;

  /** @param updates how many polls have found new edges */
  constructor(added: FeedEdges, catchUps: ReadonlyMap<string, FeedEdges>, updates: number) {
    this.added = added;
    this.catchUps = catchUps;
    this.#updates = updates;
  }

  /** Two readings differ for the watch if an edge was added between them. */
  isSame(other: FeedUpdate): boolean {
    return this.#updates === other.#updates;
  }
}

/** Streams that wait for a place in the list. */
export interface FeedWaiters {
  starts(): Iterable<FeedStart>;
}

const FEED_STATE: ObjectState = {
  isOver: false,
  settles: false,
  endedAt: undefined,
  rank: [],
  toInterval: ({ unchangedMs }, settings) => toFeedInterval(unchangedMs, settings),
};

const feedKind: WatchKind = {
  name: 'feed',
  firstInterval: ({ feedMs }) => feedMs,
  toState: () => FEED_STATE,
  isSameValue: (update, other) =>
    update instanceof FeedUpdate && other instanceof FeedUpdate && update.isSame(other),
};

/**
 * The new items of a list as a watched object: one poll reads the newest pages, compares them with
 * those of the poll before, and finds the places that streams wait for.
 */
export class FeedTarget implements WatchTarget {
  readonly fingerprint: string;
  readonly kind = feedKind;
  readonly path: string;
  readonly id: string;
  readonly poll: WatchTarget['poll'];
  readonly waiters = new Set<FeedWaiters>();
  readonly #reader: FeedReader;
  readonly #list: FeedList;
  readonly #monotonicNow: () => number;
  #feed = new Feed<Identified>();
  /** The end of the list that was read last. */
  #order: ListOrder | undefined;
  readonly #state: NewestItemsState = createNewestItemsState();
  /** Every page of the next poll must be newer than all pages of the polls before. */
  #readVersion: ReadVersion | undefined;
  #updates = 0;

  /** @param monotonicNow in ms */
  constructor(reader: FeedReader, list: FeedList, monotonicNow: () => number) {
    this.fingerprint = reader.fingerprint;
    // Not the path of a request: the response of a single page is no reading.
    this.path = `feed ${list.key}`;
    this.id = list.key;
    this.#reader = reader;
    this.#list = list;
    this.#monotonicNow = monotonicNow;
    this.poll = (options) => this.#read(options);
  }

  async #read(options: WatchPollOptions): Promise<ObjectResponse> {
    const starts = [...this.waiters].flatMap((waiting) => [...waiting.starts()]);
    const { scope, timeOf } = this.#list;
    const request = {
      scope,
      timeOf,
      isEnough: (items: readonly Identified[]) => this.#feed.isEnough(items),
      cursors: [...new Map(starts.map(({ key, cursor }) => [key, cursor])).values()],
    };
    const newest = await readNewestItems(this.#openList(options), request, this.#state);
    const isOtherEnd = this.#feed.hasBegun && newest.order !== this.#order && !this.#feed.wasWhole;
    if (isOtherEnd) this.#feed = new Feed();
    this.#order = newest.order;
    const { added, isSkipped } = this.#feed.accept(newest);
    if (added.length > 0) this.#updates += 1;
    const update = new FeedUpdate(
      { edges: toEdges(newest, added), isSkipped: isSkipped || isOtherEnd },
      new Map(starts.map(({ key, cursor }) => [key, toCatchUp(newest, cursor)])),
      this.#updates,
    );
    return { value: update, readVersion: undefined };
  }

  /** The list, for one poll. Each page is a request of its own that is never retried. */
  #openList({ deadlineMs, charge }: WatchPollOptions) {
    const { poll, facts } = this.#reader;
    const deadlineAt = this.#monotonicNow() + deadlineMs;
    const before = this.#readVersion;
    let isFirstRequest = true;
    return createPagedList<Identified>(async ({ page, pageSize, newerThan }) => {
      if (!isFirstRequest) charge();
      isFirstRequest = false;
      const response = await poll(
        (rest, options) =>
          this.#list.readPage(
            rest,
            { page, pageSize },
            { ...options, newerThan: latestVersion(newerThan, before) },
          ),
        { isForced: false, deadlineMs: Math.max(1, deadlineAt - this.#monotonicNow()) },
      );
      this.#readVersion = latestVersion(this.#readVersion, response.readVersion);
      return toPage(response, () => {});
    }, facts(this.#list.endpoint));
  }
}

function toEdges(
  newest: NewestItems<Identified>,
  added: readonly Identified[],
): readonly FeedEdge[] {
  if (added.length === 0) return [];
  const indexes = new Map(newest.items.map(({ id }, index) => [id, index]));
  return added.map(({ id }) => toFeedEdge(newest, indexes.get(id) ?? 0));
}

/** What is newer than a cursor. Of a list without a trace of the cursor, that is everything. */
function toCatchUp(newest: NewestItems<Identified>, cursor: FeedStart['cursor']): FeedEdges {
  const found = newest.countNewerThan(cursor);
  const count = found ?? newest.items.length;
  const edges = Array.from({ length: count }, (_, index) => toFeedEdge(newest, count - 1 - index));
  return { edges, isSkipped: found === undefined && !newest.isWhole };
}

/** Encodes the cursor now: a reading must not retain the pages of the list. */
function toFeedEdge(newest: NewestItems<Identified>, index: number): FeedEdge {
  const { node, cursor } = newest.edgeOf(index);
  return { node, cursor };
}
