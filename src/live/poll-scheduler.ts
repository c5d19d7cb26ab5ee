import type { GatewayError } from '#errors/gateway-error.ts';
import { ListPoller } from './list-poller.ts';
import { isListUsed, type ListState } from './list-polls.ts';
import type { LiveEvents } from './live-events.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Watch } from './watch.ts';

export interface PollSchedulerOptions {
  /** Maximum polls a second of one credential. */
  readonly rate: number;
  /** Maximum polls a second of all credentials together. */
  readonly totalRate: number;
  /** Maximum polls of one credential that are in flight at the same time. */
  readonly maxConcurrentPolls: number;
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly events: Pick<LiveEvents, 'onPoll' | 'onUnexpectedError'>;
  /** A page of a list could not be read. */
  readonly onFailure: (group: WatchGroup, error: GatewayError) => void;
  /** Polls an object. Never rejects. */
  readonly poll: (watch: Watch) => Promise<void>;
}

/** The watched objects of one credential, and the state of their polls. Times are monotonic, in ms. */
export class WatchGroup {
  readonly watches = new Map<string, Watch>();
  readonly bucket: TokenBucket;
  /** The lists that embed its objects, by their keys. */
  readonly lists = new Map<string, ListState>();
  /** Requests of list polls that wait for the rate. */
  readonly requests = new Set<DueRequest>();
  inFlight = 0;
  /** Rate-limit cooldown: nothing is polled until then. */
  pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(rate: number, now: number) {
    this.bucket = new TokenBucket(rate, now);
  }

  /** Polls a second that the intervals of its objects demand. */
  demand(): number {
    let demand = 0;
    const listIntervals = new Map<ListState, number>();
    for (const { dueAt, intervalMs, furtherRequests, listKey } of this.watches.values()) {
      if (!Number.isFinite(dueAt)) continue;
      const list = listKey === undefined ? undefined : this.lists.get(listKey);
      if (list && isListUsed(list))
        listIntervals.set(list, Math.min(intervalMs, listIntervals.get(list) ?? intervalMs));
      else demand += ((1 + furtherRequests) * 1000) / intervalMs;
    }
    for (const [{ pages }, intervalMs] of listIntervals) demand += (pages * 1000) / intervalMs;
    return demand;
  }
}

/** A request that may be sent as soon as the rate permits it. */
interface DueRequest {
  lateness(now: number): number;
  start(): void;
}

export interface PollScheduler {
  /** The watched objects, by the fingerprint of their credential. */
  readonly groups: Map<string, WatchGroup>;
  /** To be called when a poll has become due earlier than before. */
  schedule(): void;
  /**
   * Counts requests for a watched object besides the first one of its poll.
   * @param requests how many. @default 1
   */
  charge(watch: Watch, requests?: number): void;
  /** Demand divided by the permitted rate, of the credential where it is highest. */
  stretch(): number;
}

/** Minimum time between two passes over all watched objects, in ms. */
const MIN_PASS_MS = 20;

/**
 * Starts the polls of all watched objects with one timer. Over the permitted rate, every object is
 * polled later: of the due polls, the one that is latest in relation to its own interval is first.
 */
export function createPollScheduler(options: PollSchedulerOptions): PollScheduler {
  const { rate, totalRate, maxConcurrentPolls, monotonicNow, startTimer, poll } = options;
  const listPoller = new ListPoller({ ...options, acquire, schedule });
  const groups = new Map<string, WatchGroup>();
  const totalBucket = new TokenBucket(totalRate, monotonicNow());
  let stopTimer = () => {};
  let timerAt = Number.POSITIVE_INFINITY;
  let lastPassAt = Number.NEGATIVE_INFINITY;

  return {
    groups,
    schedule,
    charge(watch, requests = 1) {
      watch.furtherRequests += requests;
      const now = monotonicNow();
      const taken = groups.get(watch.target.fingerprint)?.bucket.take(now, requests) ?? 0;
      // What its credential cannot owe must not delay the polls of others.
      totalBucket.take(now, taken);
    },
    stretch() {
      const demands = [...groups.values()].map((group) => group.demand());
      const total = demands.reduce((sum, demand) => sum + demand, 0);
      return Math.max(total / totalRate, ...demands.map((demand) => demand / rate));
    },
  };

  /**
   * The next pass finds out what is due. It is called several times for each poll, so it must not
   * look at each object: with 1,000 of them that took a sixth of the processor time.
   */
  function schedule(): void {
    if (![...groups.values()].some(hasPolls)) wakeUpAt(Number.POSITIVE_INFINITY);
    else wakeUpAt(Math.min(timerAt, Math.max(lastPassAt + MIN_PASS_MS, monotonicNow())));
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
    const due: { readonly group: WatchGroup; readonly request: DueRequest }[] = [];
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const group of openGroups()) {
      // Timers may call back a fraction of a millisecond early.
      if (group.pausedUntil > now + 1) {
        wakeAt = Math.min(wakeAt, group.pausedUntil);
        continue;
      }
      const dueWatches: Watch[] = [];
      for (const watch of idleWatches(group)) {
        if (watch.dueAt <= now + 1) dueWatches.push(watch);
        else wakeAt = Math.min(wakeAt, watch.dueAt);
      }
      const single = listPoller.startPolls(group, dueWatches, now);
      for (const request of group.requests) due.push({ group, request });
      for (const watch of single) due.push({ group, request: toRequest(group, watch) });
    }
    due.sort((one, other) => other.request.lateness(now) - one.request.lateness(now) || 0);
    for (const { group, request } of due) {
      if (group.inFlight >= maxConcurrentPolls) continue;
      const availableAt = Math.max(group.bucket.availableAt(now), totalBucket.availableAt(now));
      if (availableAt > now) {
        wakeAt = Math.min(wakeAt, availableAt);
        continue;
      }
      group.bucket.take(now);
      totalBucket.take(now);
      group.inFlight += 1;
      request.start();
    }
    wakeUpAt(Number.isFinite(wakeAt) ? Math.max(wakeAt, now + MIN_PASS_MS) : wakeAt);
  }

  function toRequest(group: WatchGroup, watch: Watch): DueRequest {
    return {
      lateness: (now) => watch.lateness(now),
      start: () => void start(group, watch),
    };
  }

  /** Waits until a list poll may send one more request. Returns the function that ends it. */
  function acquire(group: WatchGroup, lateness: (now: number) => number): Promise<() => void> {
    return new Promise((resolve) => {
      const request = {
        lateness,
        start() {
          group.requests.delete(request);
          resolve(() => release(group));
        },
      };
      group.requests.add(request);
      schedule();
    });
  }

  function release(group: WatchGroup): void {
    group.inFlight -= 1;
    schedule();
  }

  async function start(group: WatchGroup, watch: Watch): Promise<void> {
    watch.isPolling = true;
    watch.furtherRequests = 0;
    try {
      await poll(watch);
    } finally {
      watch.isPolling = false;
      release(group);
    }
  }

  /** The credentials that may send another poll. */
  function* openGroups(): Iterable<WatchGroup> {
    for (const group of groups.values()) if (group.inFlight < maxConcurrentPolls) yield group;
  }

  /** The objects that are not being polled. */
  function* idleWatches({ watches }: WatchGroup): Iterable<Watch> {
    for (const watch of watches.values())
      if (!watch.isPolling && (!watch.listPoll || watch.isForced)) yield watch;
  }
}

function hasPolls({ watches, requests }: WatchGroup): boolean {
  return watches.size > 0 || requests.size > 0;
}
