import type { LiveEvents } from './live-events.ts';
import type { PollLeases } from './poll-leases.ts';
import type { WatchTarget } from './watch.ts';

/**
 * Reads a page of a list that several instances read, each for the objects of its own subscribers.
 * @param name of the page, within its list
 */
export type ReadLeasedPage = <T extends SharedPage>(
  name: string,
  page: LeasedPage<T>,
) => Promise<T>;

interface SharedPage {
  /** When the request was sent, by the wall clock, in ms. */
  readonly requestedAt?: number | undefined;
}

export interface LeasedPage<T> {
  /** Requests the page. `isForced`: a cached response does not count. */
  request(isForced: boolean): Promise<T>;
  /** Reads the response that another instance has shared. Undefined: there is none. */
  readShared(): Promise<T | undefined>;
}

export interface LeasedPagesOptions {
  readonly leases: PollLeases;
  readonly list: string;
  readonly target: WatchTarget;
  /** Of the polls that the list replaces, in ms. */
  readonly intervalMs: number;
  /** When the instance may read the list if the instances cannot agree, by the monotonic clock. */
  readonly aloneAt: number;
  /** Called before each response is read, with whether it is another instance's. */
  readonly onRead: (isShared: boolean) => void;
  readonly events: Pick<LiveEvents, 'onClaim'>;
  /** The wall clock, in ms. */
  readonly now: () => number;
  /** Monotonic clock, in ms. */
  readonly monotonicNow: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** The instances cannot agree, and this one has read the list a moment ago. */
export class ListPollPostponedError extends Error {
  override name = 'ListPollPostponedError';
  /** When it may read the list again, by the monotonic clock, in ms. */
  readonly untilAt: number;

  constructor(untilAt: number) {
    super();
    this.untilAt = untilAt;
  }
}

/**
 * A response counts as that of the claim if it was requested at most this part of the interval
 * before it: the times are estimates, and the response of the claim before is older by an interval.
 */
const TOLERANCE = 0.25;
/** How often an instance looks for the response of another one, in ms. */
const RETRY_MS = 150;

/**
 * Of the instances that read a page in the same interval, the one that claims it requests it. The
 * others wait for its response, at most an interval.
 */
export function createReadLeasedPage(options: LeasedPagesOptions): ReadLeasedPage {
  const { leases, list, target, intervalMs, aloneAt, onRead, events } = options;
  const { now, monotonicNow, startTimer } = options;

  return async (name, { request, readShared }) => {
    const giveUpAt = monotonicNow() + intervalMs;
    for (;;) {
      const claim = await leases.claimPage(target, `${list} ${name}`, intervalMs);
      events.onClaim?.(claim.outcome);
      // Timers may call back a fraction of a millisecond early.
      if (claim.outcome === 'alone' && monotonicNow() + 1 < aloneAt)
        throw new ListPollPostponedError(aloneAt);
      if (claim.outcome !== 'lost' || monotonicNow() >= giveUpAt) {
        onRead(false);
        return request(claim.outcome !== 'alone');
      }
      const claimedAt = now() - claim.heldMs;
      onRead(true);
      const shared = await readShared();
      if (shared?.requestedAt && shared.requestedAt >= claimedAt - TOLERANCE * intervalMs)
        return shared;
      await new Promise<void>((resolve) => startTimer(RETRY_MS, resolve));
    }
  };
}
