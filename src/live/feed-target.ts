import { NotSharedError } from '#cache/second-tier-reader.ts';
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
import type { PageResponse } from '#rest/revox-api.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { Feed } from './feed.ts';
import type { FeedEdge, FeedList, FeedStart } from './feed-list.ts';
import type { ObjectState, WatchKind } from './object-kind.ts';
import { toFeedInterval } from './pace.ts';
import {
  type PollUpstream,
  SHARED_DEADLINE_MS,
  undefinedIfNotShared,
  type WatchPollOptions,
} from './poll-upstream.ts';
import type { ObjectResponse } from './reading.ts';
import type { WatchTarget } from './watch.ts';

/** With which credential a list is read. */
export interface FeedReader {
  readonly fingerprint: string;
  readonly poll: PollUpstream;
  readonly facts: FactsByEndpoint;
  readonly deriveKey: WatchTarget['deriveKey'];
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

type PageRead = Pick<PageResponse, 'readVersion' | 'requestedAt'>;

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
  readonly deriveKey: WatchTarget['deriveKey'];
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
  /** The first page that the latest poll has read, and when it was requested, in ms. */
  #firstPage: ReadVersion | undefined;
  #requestedAt = Number.NEGATIVE_INFINITY;
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
    this.deriveKey = reader.deriveKey;
    this.poll = (options) => this.#read(options);
  }

  /**
   * Reads the pages that another instance has read, if they are newer than the known ones.
   * @param isFreshOnly whether older pages do not count: what is newer than the first ones is sent
   */
  readShared(isFreshOnly: boolean): Promise<ObjectResponse | undefined> {
    const shared = isFreshOnly ? 'fresh' : 'any';
    return undefinedIfNotShared(
      this.#read({ isForced: false, shared, deadlineMs: SHARED_DEADLINE_MS, charge() {} }),
    );
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
    const pages: PageRead[] = [];
    const list = this.#openList(options, pages);
    const newest = await readNewestItems(list, request, this.#state);
    const readAt = this.#recordPages(pages, options);
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
    return { value: update, readVersion: undefined, ...readAt };
  }

  /**
   * Returns when the pages were requested. Undefined: just now.
   * @throws NotSharedError for the pages of another instance that are not newer than the known ones
   */
  #recordPages(pages: readonly PageRead[], { shared }: WatchPollOptions) {
    const requestedAt = Math.min(...pages.map((page) => page.requestedAt ?? 0));
    const [{ readVersion } = {}] = pages;
    const known = this.#firstPage;
    // The time of a shared response is an estimate, which differs from read to read.
    const isKnown =
      readVersion?.instance === known?.instance && readVersion?.sequence === known?.sequence;
    if (shared && (isKnown || requestedAt <= this.#requestedAt)) throw new NotSharedError();
    this.#requestedAt = Math.max(this.#requestedAt, requestedAt);
    this.#firstPage = readVersion;
    return shared && { requestedAt };
  }

  /** Opens the list for one poll. Each page is a request of its own that is never retried. */
  #openList({ deadlineMs, charge, shared, isForced }: WatchPollOptions, pages: PageRead[]) {
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
            {
              ...options,
              // A forced poll reads every page from the upstream: nothing is newer.
              newerThan: shared
                ? newerThan
                : (options.newerThan ?? latestVersion(newerThan, before)),
            },
          ),
        { isForced, deadlineMs: Math.max(1, deadlineAt - this.#monotonicNow()), shared },
      );
      pages.push(response);
      if (!shared) this.#readVersion = latestVersion(this.#readVersion, response.readVersion);
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
