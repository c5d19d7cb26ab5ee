import { ListMembers } from './list-members.ts';
import type { ListState } from './list-polls.ts';
import type { WatchedState } from './live-events.ts';
import type { HeapItem } from './min-heap.ts';
import { type Lane, PollQueue, QueuedPoll } from './poll-queue.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Watch } from './watch.ts';

/** The watched objects of one credential, and the state of their polls. Times are in ms. */
export class WatchGroup implements HeapItem {
  /** By the path of the object. */
  readonly watches: ReadonlyMap<string, Watch>;
  readonly bucket: TokenBucket;
  /** The lists that embed its objects, by their keys. */
  readonly lists = new Map<string, ListState>();
  readonly members = new ListMembers();
  /** Requests of list polls that wait for the rate. */
  readonly requests = new Set<QueuedPoll>();
  readonly counts: Record<WatchedState, number> = { new: 0, live: 0, over: 0, failing: 0 };
  inFlight = 0;
  /** When its rate-limit cooldown ends: nothing is polled before. */
  pausedUntil = Number.NEGATIVE_INFINITY;
  /** Its waiting polls, by the class of their intervals. */
  readonly lanes = new Map<number, Lane>();
  /** When the queue opens it again. The other two are its position among the closed credentials. */
  heapKey = Number.POSITIVE_INFINITY;
  heapOrder = 0;
  heapIndex = -1;
  readonly #watches = new Map<string, Watch>();
  readonly #queue: PollQueue;

  /** @param queue of the polls of all credentials */
  constructor(rate: number, now: number, queue = new PollQueue()) {
    this.watches = this.#watches;
    this.bucket = new TokenBucket(rate, now);
    this.#queue = queue;
  }

  add(watch: Watch): void {
    this.#watches.set(watch.target.path, watch);
    watch.index = new IndexedWatch(watch, this, this.#queue);
  }

  /** Returns whether it was one of the group. */
  remove(watch: Watch): boolean {
    const { path } = watch.target;
    if (this.#watches.get(path) !== watch) return false;
    this.#watches.delete(path);
    watch.index?.remove();
    watch.index = undefined;
    this.dropList(watch.listKey);
    return true;
  }

  /** Forgets what is known of a list without members, unless it is being polled. */
  dropList(key: string | undefined): void {
    if (key === undefined || this.members.get(key)) return;
    if (this.lists.get(key)?.isPolling === false) this.lists.delete(key);
  }

  /** Polls a second that the intervals of its objects demand of this instance. */
  demand(): number {
    return this.members.demand(this.lists);
  }
}

/** A watched object in the queue of polls, in its list, and in the counts of its group. */
export class IndexedWatch {
  readonly #watch: Watch;
  readonly #group: WatchGroup;
  readonly #queue: PollQueue;
  readonly #poll: QueuedPoll;
  readonly #member;
  #state: WatchedState;

  constructor(watch: Watch, group: WatchGroup, queue: PollQueue) {
    this.#watch = watch;
    this.#group = group;
    this.#queue = queue;
    this.#poll = new QueuedPoll(watch);
    this.#member = group.members.add(watch);
    this.#state = watch.state;
    group.counts[this.#state] += 1;
    this.update();
  }

  /** Must be called after each change of a property that the indexes depend on. */
  update(): void {
    const watch = this.#watch;
    if (watch.isIdle && Number.isFinite(watch.dueAt))
      this.#queue.set(this.#group, this.#poll, watch.urgency);
    else this.#queue.delete(this.#poll);
    const formerKey = this.#member.listKey;
    this.#group.members.update(this.#member);
    if (formerKey !== this.#member.listKey) this.#group.dropList(formerKey);
    const { counts } = this.#group;
    counts[this.#state] -= 1;
    this.#state = watch.state;
    counts[this.#state] += 1;
  }

  remove(): void {
    this.#queue.delete(this.#poll);
    this.#group.members.remove(this.#member);
    this.#group.counts[this.#state] -= 1;
  }
}
