import type { GatewayError } from '#errors/gateway-error.ts';
import { ListPoller } from './list-poller.ts';
import type { LiveEvents } from './live-events.ts';
import type { PollLeases } from './poll-leases.ts';
import { EARLY_MS, PollQueue, QueuedPoll, type Urgency } from './poll-queue.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Watch } from './watch.ts';
import { WatchGroup } from './watch-group.ts';

export interface PollSchedulerOptions {
  /** Maximum polls a second of one credential. */
  readonly rate: number;
  /** Maximum polls a second of all credentials together. */
  readonly totalRate: number;
  /** Maximum polls of one credential that are in flight at the same time. */
  readonly maxConcurrentPolls: number;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly events: Pick<LiveEvents, 'onPoll' | 'onClaim' | 'onUnexpectedError'>;
  /** @default no other instance watches the same objects */
  readonly leases?: PollLeases | undefined;
  /** A page of a list could not be read. */
  readonly onFailure: (group: WatchGroup, error: GatewayError) => void;
  /**
   * Polls an object. Never rejects. Resolves to whether this instance has made the poll: that of
   * another instance does not count for the rates.
   */
  readonly poll: (watch: Watch) => Promise<boolean>;
}

export interface PollScheduler {
  /** The watched objects, by the fingerprint of their credential. */
  readonly groups: ReadonlyMap<string, WatchGroup>;
  add(watch: Watch): void;
  /** Returns whether the object was watched. */
  remove(watch: Watch): boolean;
  /** Must be called when a poll has become due earlier than before. */
  schedule(): void;
  /**
   * Counts requests for a watched object besides the first one of its poll.
   * @param requests how many. @default 1
   */
  charge(watch: Watch, requests?: number): void;
  /** Drops credentials without objects and with an unused rate. Returns whether any is left. */
  sweep(): boolean;
  /** Demand divided by the permitted rate, of the credential where it is highest. */
  stretch(): number;
}

/** Minimum time between two passes, in ms. */
const MIN_PASS_MS = 20;

/**
 * Starts the polls of all watched objects with one timer. Over the permitted rate, every object is
 * polled later: of the due polls, the one that is latest in relation to its own interval is first.
 * A pass reads only the polls that it starts.
 */
export function createPollScheduler(options: PollSchedulerOptions): PollScheduler {
  const { rate, totalRate, maxConcurrentPolls, monotonicNow, startTimer, poll } = options;
  const listPoller = new ListPoller({ ...options, acquire, schedule });
  const groups = new Map<string, WatchGroup>();
  const queue = new PollQueue();
  const totalBucket = new TokenBucket(totalRate, monotonicNow());
  let stopTimer = () => {};
  let timerAt = Number.POSITIVE_INFINITY;
  let lastPassAt = Number.NEGATIVE_INFINITY;

  return {
    groups,
    add(watch) {
      const { fingerprint } = watch.target;
      let group = groups.get(fingerprint);
      if (!group) {
        group = new WatchGroup(rate, monotonicNow(), queue);
        groups.set(fingerprint, group);
      }
      group.add(watch);
    },
    remove: (watch) => groups.get(watch.target.fingerprint)?.remove(watch) === true,
    schedule,
    charge(watch, requests = 1) {
      watch.furtherRequests += requests;
      watch.index?.update();
      const now = monotonicNow();
      const taken = groups.get(watch.target.fingerprint)?.bucket.take(now, requests) ?? 0;
      // What its credential cannot owe must not delay the polls of others.
      totalBucket.take(now, taken);
    },
    sweep() {
      const now = monotonicNow();
      for (const [fingerprint, { watches, requests, bucket }] of groups)
        if (watches.size + requests.size === 0 && bucket.isFull(now)) groups.delete(fingerprint);
      return groups.size > 0;
    },
    stretch() {
      let total = 0;
      let stretch = 0;
      for (const group of groups.values()) {
        const demand = group.demand();
        total += demand;
        stretch = Math.max(stretch, demand / rate);
      }
      return Math.max(stretch, total / totalRate);
    },
  };

  function schedule(): void {
    wakeUpAt(Math.max(queue.nextAt(), lastPassAt + MIN_PASS_MS));
  }

  function wakeUpAt(at: number): void {
    if (at === timerAt) return;
    stopTimer();
    stopTimer = () => {};
    timerAt = at;
    if (Number.isFinite(at))
      stopTimer = startTimer(Math.max(0, at - monotonicNow()), startDuePolls);
  }

  function startDuePolls(): void {
    timerAt = Number.POSITIVE_INFINITY;
    const now = monotonicNow();
    lastPassAt = now;
    queue.openDue(now);
    const totalAt = startUntilLimit(now);
    wakeUpAt(Math.max(queue.nextAt(), totalAt, now + MIN_PASS_MS));
  }

  /** Starts polls while the rates permit it. Returns when the total rate permits the next one. */
  function startUntilLimit(now: number): number {
    for (;;) {
      const latest = queue.latest(now);
      if (!latest) return now;
      const { group } = latest;
      const openAt = toOpenAt(group, now);
      const totalAt = totalBucket.availableAt(now);
      if (openAt > now) queue.close(group, openAt);
      else if (totalAt > now) return totalAt;
      else start(group, latest.poll, now);
    }
  }

  /** When a credential may send its next poll. Infinite: when one of its polls has ended. */
  function toOpenAt({ inFlight, pausedUntil, bucket }: WatchGroup, now: number): number {
    if (inFlight >= maxConcurrentPolls) return Number.POSITIVE_INFINITY;
    return pausedUntil > now + EARLY_MS ? pausedUntil : bucket.availableAt(now);
  }

  function start(group: WatchGroup, { subject }: QueuedPoll, now: number): void {
    if (typeof subject !== 'function' && listPoller.startPolls(group, [subject], now).length === 0)
      return;
    group.bucket.take(now);
    totalBucket.take(now);
    group.inFlight += 1;
    if (typeof subject === 'function') subject();
    else void pollObject(group, subject);
  }

  /** Waits until a list poll may send one more request. Returns the function that ends it. */
  function acquire(group: WatchGroup, urgency: Urgency): Promise<() => void> {
    return new Promise((resolve) => {
      const request = new QueuedPoll(() => {
        group.requests.delete(request);
        queue.delete(request);
        resolve(() => release(group));
      });
      group.requests.add(request);
      queue.set(group, request, urgency);
      schedule();
    });
  }

  function release(group: WatchGroup): void {
    group.inFlight -= 1;
    queue.open(group);
    schedule();
  }

  function giveBack({ bucket }: WatchGroup): void {
    const now = monotonicNow();
    bucket.giveBack(now);
    totalBucket.giveBack(now);
  }

  async function pollObject(group: WatchGroup, watch: Watch): Promise<void> {
    watch.furtherRequests = 0;
    watch.isPolling = true;
    try {
      if (!(await poll(watch))) giveBack(group);
    } finally {
      watch.isPolling = false;
      release(group);
    }
  }
}
