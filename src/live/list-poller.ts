import { GatewayError } from '#errors/gateway-error.ts';
import {
  createReadLeasedPage,
  ListPollPostponedError,
  type ReadLeasedPage,
} from './leased-pages.ts';
import {
  createListState,
  isListPollWorthwhile,
  type ListState,
  recordFailure,
  recordRefusal,
  recordSuccess,
  toExpectedPages,
  toReplacedPolls,
} from './list-polls.ts';
import { ListReading, MIN_REPEAT_MS, postpone, recordMiss } from './list-reading.ts';
import type { LiveEvents } from './live-events.ts';
import { ALONE_INTERVALS, type PollLeases } from './poll-leases.ts';
import { EARLY_MS, type Urgency } from './poll-queue.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Watch } from './watch.ts';
import type { WatchGroup } from './watch-group.ts';

/** One page of a list. The caching client offers the objects that it embeds to their watches. */
export interface ListPage {
  /** The objects that the page embeds completely. */
  readonly ids: readonly string[];
  readonly isEnd: boolean;
  /** Undefined if the upstream reports no total. */
  readonly pageCount: number | undefined;
}

/** The pages of a list. Each may take several requests while its page numbers are unknown. */
export interface ListScan {
  /** @throws GatewayError */
  first(): Promise<ListPage>;
  /** @param index from 1. @throws GatewayError */
  page(index: number): Promise<ListPage>;
}

/** Waits until one more request is permitted. Returns the function that ends it. */
export type AcquireRequest = () => Promise<() => void>;

/** How the pages of a list may be read. */
export interface ListAccess {
  readonly acquire: AcquireRequest;
  /** Absent: no other instance reads the list. */
  readonly readLeased?: ReadLeasedPage | undefined;
}

/** Opens a list that embeds watched objects, with the credential of their subscribers. */
export type OpenList = (key: string, access: ListAccess) => ListScan;

/** A list poll in progress: its objects are not polled singly meanwhile. */
export interface ListPoll {
  /** Random number from 0 to 1 for the next intervals of all its objects, so that they stay together. */
  readonly jitter: number;
  /** A whole object of the list: an embedded one with fewer properties is no reading. */
  readonly sample: unknown;
  /** Whether its pages are responses of another instance. */
  isShared: boolean;
}

export interface ListPollerOptions {
  readonly maxConcurrentPolls: number;
  readonly events: Pick<LiveEvents, 'onPoll' | 'onClaim' | 'onUnexpectedError'>;
  /** The wall clock, in ms. */
  readonly now: () => number;
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  readonly random: () => number;
  /** @default no other instance watches the same objects */
  readonly leases?: PollLeases | undefined;
  readonly acquire: (group: WatchGroup, urgency: Urgency) => Promise<() => void>;
  readonly schedule: () => void;
  /** Pauses the polls of a credential after a 429. */
  readonly onFailure: (group: WatchGroup, error: GatewayError) => void;
}

/** A poll of a list that costs no more than the single polls that it replaces. */
interface PlannedPoll {
  readonly list: ListState;
  readonly watches: readonly Watch[];
  readonly maxPages: number;
}

/**
 * Maximum objects a second of one credential that are compared with a list although no list poll
 * follows. Over this limit, objects are polled singly.
 */
const MAX_FUTILE_COMPARISONS = 100_000;

/**
 * Replaces the single polls of many objects of one list by the pages of the list, where these cost
 * less.
 */
export class ListPoller {
  readonly #options: ListPollerOptions;
  readonly #comparisons = new WeakMap<WatchGroup, TokenBucket>();
  /** When the lists of a credential were last compared with its objects without a reading. */
  readonly #searchedAt = new WeakMap<WatchGroup, number>();

  constructor(options: ListPollerOptions) {
    this.#options = options;
  }

  /** Starts the list polls that replace due polls. Returns the polls that are not replaced. */
  startPolls(group: WatchGroup, due: readonly Watch[], now: number): readonly Watch[] {
    return due.filter((watch) => {
      if (isReplaceable(watch))
        for (const { list, watches, maxPages } of this.#planPolls(group, watch, now))
          void this.#poll(group, list, watches, maxPages);
      return !watch.listPoll || watch.isForced;
    });
  }

  #planPolls(group: WatchGroup, { reading, listKey }: Watch, now: number): PlannedPoll[] {
    if (reading) return listKey === undefined ? [] : this.#planPoll(group, listKey, now);
    // An object without a reading may be in any list.
    if (this.#searchedAt.get(group) === now) return [];
    this.#searchedAt.set(group, now);
    return [...group.members.keys()].flatMap((key) => this.#planPoll(group, key, now));
  }

  #planPoll(group: WatchGroup, key: string, now: number): PlannedPoll[] {
    const { unread, known } = group.members;
    const inList = group.members.get(key)?.members;
    if (!inList) return [];
    const list = group.lists.get(key) ?? createListState(key);
    group.lists.set(key, list);
    if (list.isPolling || now < list.retryAt) return [];
    const pages = toExpectedPages(list, now);
    // Most lists that are too long are so for any readings: then the members are not looked at.
    if (pages > inList.size + (unread.size * inList.size) / known) return [];
    const comparisons =
      this.#comparisons.get(group) ?? new TokenBucket(MAX_FUTILE_COMPARISONS, now);
    this.#comparisons.set(group, comparisons);
    if (comparisons.availableAt(now) > now) return [];
    const members = Array.from(inList, ({ watch }) => watch).filter(
      (watch) => watch.listKey === key && isReplaceable(watch),
    );
    const candidates = [...unread].filter(
      (watch) => watch.startedAt > list.searchedAt && isReplaceable(watch),
    );
    const plan = {
      members: members.flatMap(({ intervalMs, reading }) =>
        reading ? [{ intervalMs, readAt: reading.readAt }] : [],
      ),
      unread: candidates.length,
      known,
      pages,
      now,
    };
    const watches = [...members, ...candidates];
    const isDue = watches.some(({ dueAt }) => dueAt <= now + EARLY_MS);
    if (isDue && isListPollWorthwhile(plan))
      return [{ list, watches, maxPages: toReplacedPolls(plan) }];
    comparisons.take(now, inList.size + unread.size);
    return [];
  }

  async #poll(
    group: WatchGroup,
    list: ListState,
    watches: readonly Watch[],
    maxPages: number,
  ): Promise<void> {
    const { monotonicNow, random, schedule, acquire } = this.#options;
    const [sample] = watches;
    const open = sample?.target.openList;
    if (!open) return;
    const startedAt = monotonicNow();
    const listPoll = { jitter: random(), sample: sample.reading?.value, isShared: false };
    for (const watch of watches) watch.listPoll = listPoll;
    list.isPolling = true;
    const urgency = toUrgency(watches);
    try {
      const reading = new ListReading(watches);
      const access = {
        acquire() {
          reading.requests += 1;
          reading.pending += 1;
          return acquire(group, urgency);
        },
        readLeased: this.#leasePages(list, watches, listPoll),
      };
      const scan = open(list.key, access);
      const { pages, isComplete } = await this.#readPages(scan, reading, maxPages);
      const now = monotonicNow();
      if (!isComplete) {
        recordRefusal(list, pages, now);
        return;
      }
      recordSuccess(list, { pages, requests: reading.requests, startedAt });
      for (const watch of reading.missing()) recordMiss(watch, startedAt, now);
    } catch (error) {
      if (error instanceof ListPollPostponedError) postpone(watches, error.untilAt);
      else this.#fail(group, list, listPoll.jitter, error);
    } finally {
      list.isPolling = false;
      if (this.#options.leases) postpone(watches, monotonicNow() + MIN_REPEAT_MS);
      for (const watch of watches) watch.listPoll = undefined;
      group.dropList(list.key);
      schedule();
    }
  }

  /** Absent without leases. */
  #leasePages(list: ListState, watches: readonly Watch[], listPoll: ListPoll) {
    const { leases } = this.#options;
    const target = watches[0]?.target;
    if (!leases || !target) return undefined;
    // Not by `Math.min(...)`: the arguments of 100,000 objects exceed the stack.
    const intervalMs = watches.reduce(
      (shortest, watch) => Math.min(shortest, watch.intervalMs),
      Number.POSITIVE_INFINITY,
    );
    return createReadLeasedPage({
      ...this.#options,
      leases,
      list: list.key,
      target,
      intervalMs,
      aloneAt: list.searchedAt + ALONE_INTERVALS * intervalMs,
      onRead(isShared) {
        listPoll.isShared = isShared;
      },
    });
  }

  /** Reads pages until all objects were found, or the list ends or turns out to be too long. */
  async #readPages(scan: ListScan, reading: ListReading, maxPages: number) {
    const add = (page: ListPage) => {
      reading.add(page);
      // The page of another instance is no poll of this one.
      if (reading.pending > 0) this.#options.events.onPoll('list', 'read');
      reading.pending = Math.max(0, reading.pending - 1);
      return page;
    };
    let page = add(await scan.first());
    const { pageCount } = page;
    if (pageCount !== undefined) {
      if (pageCount > maxPages && reading.isNeeded())
        return { pages: pageCount, isComplete: false };
      let next = 1;
      const readOn = async () => {
        while (next < pageCount && reading.isNeeded()) {
          next += 1;
          try {
            add(await scan.page(next - 1));
          } catch (error) {
            next = pageCount;
            throw error;
          }
        }
      };
      await allSettled(Array.from({ length: this.#options.maxConcurrentPolls }, readOn));
      return { pages: pageCount, isComplete: true };
    }
    let pages = 1;
    for (; !page.isEnd && reading.isNeeded(); pages += 1) {
      if (pages + 1 > maxPages) return { pages: pages + 1, isComplete: false };
      page = add(await scan.page(pages));
    }
    return { pages, isComplete: true };
  }

  #fail(group: WatchGroup, list: ListState, random: number, thrown: unknown): void {
    const { events, monotonicNow, onFailure } = this.#options;
    events.onPoll('list', 'failed');
    recordFailure(list, monotonicNow(), random);
    if (thrown instanceof GatewayError) onFailure(group, thrown);
    else events.onUnexpectedError(thrown);
  }
}

/** A list poll is as late as the first of its objects. */
function toUrgency(watches: readonly Watch[]): Urgency {
  let dueAt = Number.POSITIVE_INFINITY;
  let intervalMs = Number.POSITIVE_INFINITY;
  for (const watch of watches) {
    dueAt = Math.min(dueAt, watch.dueAt);
    intervalMs = Math.min(intervalMs, watch.reading ? watch.intervalMs : 0);
  }
  return { dueAt, intervalMs };
}

/** Whether the page of a list can be the next reading of an object. */
function isReplaceable(watch: Watch): boolean {
  if (watch.listPoll || watch.isPolling || watch.isForced) return false;
  return watch.reading !== undefined || (!!watch.target.openList && watch.failures === 0);
}

/** Rejects with the first error after all promises have settled. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises))
    if (result.status === 'rejected') throw result.reason;
}
