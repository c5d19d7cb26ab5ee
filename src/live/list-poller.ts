import { GatewayError } from '#errors/gateway-error.ts';
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
import type { LiveEvents } from './live-events.ts';
import type { WatchGroup } from './poll-scheduler.ts';
import type { Watch } from './watch.ts';

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

/** Opens a list that embeds watched objects, with the credential of their subscribers. */
export type OpenList = (key: string, acquire: AcquireRequest) => ListScan;

/** A list poll in progress: its objects are not polled singly meanwhile. */
export interface ListPoll {
  /** Random number from 0 to 1 for the next intervals of all its objects, so that they stay together. */
  readonly jitter: number;
  /** A whole object of the list: an embedded one with fewer properties is no reading. */
  readonly sample: unknown;
}

export interface ListPollerOptions {
  readonly maxConcurrentPolls: number;
  readonly events: Pick<LiveEvents, 'onPoll' | 'onUnexpectedError'>;
  readonly monotonicNow: () => number;
  readonly random: () => number;
  readonly acquire: (group: WatchGroup, toLateness: (now: number) => number) => Promise<() => void>;
  readonly schedule: () => void;
  /** Pauses the polls of a credential after a 429. */
  readonly onFailure: (group: WatchGroup, error: GatewayError) => void;
}

/** A list with the watched objects that it embeds. */
interface Candidate {
  readonly list: ListState;
  readonly members: Watch[];
}

/**
 * Replaces the single polls of many objects of one list by the pages of the list, where these cost
 * less.
 */
export class ListPoller {
  readonly #options: ListPollerOptions;

  constructor(options: ListPollerOptions) {
    this.#options = options;
  }

  /** Starts the list polls that replace due polls. Returns the polls that are not replaced. */
  startPolls(group: WatchGroup, due: readonly Watch[], now: number): readonly Watch[] {
    if (!due.some((watch) => !watch.reading || watch.listKey !== undefined)) return due;
    const { candidates, unread, known } = this.#findCandidates(group);
    for (const { list, members } of candidates.values()) {
      const candidateUnread = unread.filter(({ startedAt }) => startedAt > list.searchedAt);
      const isDue = [...members, ...candidateUnread].some((watch) => watch.dueAt <= now + 1);
      if (!isDue || now < list.retryAt) continue;
      const plan = {
        members: members.flatMap(({ intervalMs, reading }) =>
          reading ? [{ intervalMs, readAt: reading.readAt }] : [],
        ),
        unread: candidateUnread.length,
        known,
        pages: toExpectedPages(list, now),
        now,
      };
      if (!isListPollWorthwhile(plan)) continue;
      void this.#poll(group, list, [...members, ...candidateUnread], toReplacedPolls(plan));
    }
    return due.filter(({ listPoll }) => !listPoll);
  }

  #findCandidates(group: WatchGroup) {
    const candidates = new Map<string, Candidate>();
    const unread: Watch[] = [];
    let known = 0;
    for (const watch of group.watches.values()) {
      if (watch.listPoll || watch.isPolling || watch.isForced) continue;
      const { reading } = watch;
      if (!reading) {
        if (watch.target.openList && watch.failures === 0) unread.push(watch);
        continue;
      }
      if (!reading.state.isOver) known += 1;
      const key = watch.listKey;
      if (key === undefined) continue;
      let candidate = candidates.get(key);
      if (!candidate) {
        const list = group.lists.get(key) ?? createListState(key);
        group.lists.set(key, list);
        candidate = { list, members: [] };
        candidates.set(key, candidate);
      }
      candidate.members.push(watch);
    }
    for (const [key, { isPolling }] of group.lists)
      if (!isPolling && !candidates.has(key)) group.lists.delete(key);
    return { candidates, unread, known };
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
    const listPoll = { jitter: random(), sample: sample.reading?.value };
    for (const watch of watches) watch.listPoll = listPoll;
    list.isPolling = true;
    const toLateness = toLatenessOf(watches);
    try {
      const reading = new ListReading(watches);
      const scan = open(list.key, () => acquire(group, toLateness));
      const { pages, isComplete } = await this.#readPages(scan, reading, maxPages);
      const now = monotonicNow();
      if (!isComplete) {
        recordRefusal(list, pages, now);
        return;
      }
      recordSuccess(list, pages, startedAt);
      for (const watch of reading.missing()) recordMiss(watch, startedAt, now);
    } catch (error) {
      this.#fail(group, list, listPoll.jitter, error);
    } finally {
      list.isPolling = false;
      for (const watch of watches) watch.listPoll = undefined;
      schedule();
    }
  }

  /** Reads pages until all objects were found, or the list ends or turns out to be too long. */
  async #readPages(scan: ListScan, reading: ListReading, maxPages: number) {
    const add = (page: ListPage) => {
      reading.add(page);
      this.#options.events.onPoll('list', 'read');
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

/** The objects that a list poll looks for. */
class ListReading {
  readonly #missing: Map<string, Watch>;

  constructor(watches: readonly Watch[]) {
    this.#missing = new Map(watches.map((watch) => [watch.target.id, watch]));
  }

  add({ ids }: ListPage): void {
    for (const id of ids) this.#missing.delete(id);
  }

  missing(): Iterable<Watch> {
    return this.#missing.values();
  }

  /** Whether subscribers still wait for an object that was not found. */
  isNeeded(): boolean {
    for (const { listeners } of this.#missing.values()) if (listeners.size > 0) return true;
    return false;
  }
}

/** An object that has left the list has moved on: a single poll reads how. */
function recordMiss(watch: Watch, startedAt: number, now: number): void {
  if (!watch.reading) return;
  watch.listMisses += 1;
  if (watch.reading.readAt < startedAt) watch.refresh(now);
}

/** How late a list poll is: as late as the first of its objects. */
function toLatenessOf(watches: readonly Watch[]): (now: number) => number {
  const dueAt = Math.min(...watches.map((watch) => watch.dueAt));
  const intervalMs = Math.min(...watches.map((watch) => watch.intervalMs));
  const isFirst = watches.some(({ reading }) => !reading);
  return (now) => (isFirst ? Number.POSITIVE_INFINITY : (now - dueAt) / intervalMs);
}

/** Rejects with the first error after all promises have settled. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises))
    if (result.status === 'rejected') throw result.reason;
}
