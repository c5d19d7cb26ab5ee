import { type HeapItem, MinHeap } from './min-heap.ts';
import type { Watch } from './watch.ts';
import type { WatchGroup } from './watch-group.ts';

/** When a poll is due, and how fast it becomes late. Times are monotonic, in ms. */
export interface Urgency {
  readonly dueAt: number;
  /** After this time it is one interval late. 0: it is later than every other poll. */
  readonly intervalMs: number;
}

/** How late a poll is, in intervals. */
export function toLateness({ dueAt, intervalMs }: Urgency, now: number): number {
  return intervalMs === 0 ? Number.POSITIVE_INFINITY : (now - dueAt) / intervalMs;
}

/** A poll that waits until it is due, and until the rate permits it. */
export class QueuedPoll implements HeapItem, Urgency {
  /** When it is due. */
  heapKey = Number.POSITIVE_INFINITY;
  heapOrder = 0;
  heapIndex = -1;
  intervalMs = 0;
  lane: Lane | undefined;
  /** The object to poll, or the function that sends a request of a list poll. */
  readonly subject: Watch | (() => void);

  constructor(subject: Watch | (() => void)) {
    this.subject = subject;
  }

  get dueAt(): number {
    return this.heapKey;
  }
}

/**
 * The polls of one credential whose intervals are about the same: the one that is due first is also
 * the latest.
 */
export class Lane implements HeapItem {
  /** When its first poll is due. */
  heapKey = Number.POSITIVE_INFINITY;
  heapOrder = 0;
  heapIndex = -1;
  readonly group: WatchGroup;
  readonly intervalClass: number;
  readonly polls = new MinHeap<QueuedPoll>();

  constructor(group: WatchGroup, intervalClass: number) {
    this.group = group;
    this.intervalClass = intervalClass;
  }
}

/**
 * The intervals of one class differ by less than a tenth, and so do those of one object, because of
 * jitter. So no poll is overtaken by one that is less than 0.9 times as late.
 */
const CLASS_RATIO = 1.1;

/** Timers may call back a fraction of a millisecond early. */
export const EARLY_MS = 1;

/**
 * The polls of all credentials that wait. Finding the latest one that is due takes the same time
 * however many wait: a poll is in a lane of its credential, and the lanes are in a heap for each
 * class of intervals.
 */
export class PollQueue {
  /** The lanes of the open credentials, by class. */
  readonly #classes = new Map<number, MinHeap<Lane>>();
  readonly #closed = new MinHeap<WatchGroup>();

  /** Adds a poll, or moves it. */
  set(group: WatchGroup, poll: QueuedPoll, { dueAt, intervalMs }: Urgency): void {
    if (poll.lane && poll.dueAt === dueAt && poll.intervalMs === intervalMs) return;
    const intervalClass = toClass(intervalMs);
    if (poll.lane && poll.lane.intervalClass !== intervalClass) this.delete(poll);
    let lane = poll.lane ?? group.lanes.get(intervalClass);
    if (!lane) {
      lane = new Lane(group, intervalClass);
      group.lanes.set(intervalClass, lane);
    }
    poll.lane = lane;
    poll.intervalMs = intervalMs;
    lane.polls.set(poll, dueAt);
    this.#moveLane(lane);
  }

  delete(poll: QueuedPoll): void {
    const { lane } = poll;
    if (!lane) return;
    poll.lane = undefined;
    lane.polls.delete(poll);
    this.#moveLane(lane);
    const { group } = lane;
    if (lane.polls.size === 0) group.lanes.delete(lane.intervalClass);
    // The queue must not retain the state of a credential without polls.
    if (group.lanes.size === 0) this.open(group);
  }

  /** The latest of the polls that are due. */
  latest(now: number): { readonly group: WatchGroup; readonly poll: QueuedPoll } | undefined {
    let latest: { readonly group: WatchGroup; readonly poll: QueuedPoll } | undefined;
    let maxLateness = Number.NEGATIVE_INFINITY;
    for (const lanes of this.#classes.values()) {
      const lane = lanes.first;
      const poll = lane?.polls.first;
      if (!lane || !poll || poll.dueAt > now + EARLY_MS) continue;
      const lateness = toLateness(poll, now);
      if (lateness <= maxLateness) continue;
      maxLateness = lateness;
      latest = { group: lane.group, poll };
    }
    return latest;
  }

  /** When the next poll is due, or a credential opens. Infinite: never. */
  nextAt(): number {
    let nextAt = this.#closed.first?.heapKey ?? Number.POSITIVE_INFINITY;
    for (const { first } of this.#classes.values())
      if (first && first.heapKey < nextAt) nextAt = first.heapKey;
    return nextAt;
  }

  /** No poll of a credential starts before a time, or before it is opened. */
  close(group: WatchGroup, untilAt: number): void {
    for (const lane of group.lanes.values())
      if (lane.heapIndex >= 0) this.#classes.get(lane.intervalClass)?.delete(lane);
    this.#closed.set(group, untilAt);
  }

  open(group: WatchGroup): void {
    if (group.heapIndex < 0) return;
    this.#closed.delete(group);
    for (const lane of group.lanes.values()) this.#moveLane(lane);
  }

  /** Opens the credentials whose time has come. */
  openDue(now: number): void {
    for (;;) {
      const { first } = this.#closed;
      if (!first || first.heapKey > now + EARLY_MS) return;
      this.open(first);
    }
  }

  /** Restores the place of a lane whose first poll may have changed. */
  #moveLane(lane: Lane): void {
    if (lane.group.heapIndex >= 0) return;
    const { first } = lane.polls;
    let lanes = this.#classes.get(lane.intervalClass);
    if (!first) {
      if (lane.heapIndex >= 0) lanes?.delete(lane);
      return;
    }
    if (lane.heapIndex >= 0 && lane.heapKey === first.heapKey) return;
    if (!lanes) {
      lanes = new MinHeap();
      this.#classes.set(lane.intervalClass, lanes);
    }
    lanes.set(lane, first.heapKey);
  }
}

function toClass(intervalMs: number): number {
  return intervalMs === 0 ? -1 : Math.floor(Math.log(intervalMs) / Math.log(CLASS_RATIO));
}
