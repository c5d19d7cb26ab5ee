import type { LiveEvents } from './live-events.ts';
import { CLAIM_SHARE, type Claim, type PollLeases } from './poll-leases.ts';
import { EARLY_MS } from './poll-queue.ts';
import type { WatchTarget } from './watch.ts';

/**
 * Reads a page of a list that several instances read, each for the objects of its own subscribers.
 * @param name identifies the page within its list
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
  /** The key of the list. */
  readonly list: string;
  /** An object of the list: its credential reads the pages. */
  readonly target: WatchTarget;
  /** The shortest interval of the polls that the list replaces, in ms. */
  readonly intervalMs: number;
  /** When the instance may read the list without a claim, by the monotonic clock, in ms. */
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

/** Claims are not possible at present, and this instance has read the list recently. */
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
 * A response belongs to a claim if it was requested at most this part of the interval before the
 * claim: the times are estimates, and the response of the previous claim is an interval older.
 */
const TOLERANCE = 0.25;
/** How often an instance reads the shared response until it is there, in ms. */
const RETRY_MS = 150;

/**
 * Of the instances that read a page in the same interval, the one that claims it requests it. The
 * others wait for its response, at most an interval. If its interval is longer than theirs, one of
 * them requests the page between its claims.
 */
export function createReadLeasedPage(options: LeasedPagesOptions): ReadLeasedPage {
  const { leases, list, target, intervalMs, aloneAt, onRead, events } = options;
  const { now, monotonicNow, startTimer } = options;

  return async (name, { request, readShared }) => {
    const giveUpAt = monotonicNow() + intervalMs;
    for (;;) {
      const claim = await claimPage(name);
      if (claim.outcome === 'alone' && monotonicNow() + EARLY_MS < aloneAt)
        throw new ListPollPostponedError(aloneAt);
      if (claim.outcome !== 'lost' || monotonicNow() >= giveUpAt) {
        onRead(false);
        return request(claim.outcome !== 'alone');
      }
      // The interval of that instance may be longer, and anyone may have written the claim.
      const maxAgeMs = Math.min(claim.heldMs + TOLERANCE * intervalMs, CLAIM_SHARE * intervalMs);
      const oldestAt = now() - maxAgeMs;
      onRead(true);
      const shared = await readShared();
      if (shared?.requestedAt !== undefined && shared.requestedAt >= oldestAt) return shared;
      const isOverdue = claim.heldMs >= CLAIM_SHARE * intervalMs;
      if (isOverdue && (await claimPage(`${name} overdue`)).outcome === 'won') {
        onRead(false);
        return request(true);
      }
      await new Promise<void>((resolve) => startTimer(RETRY_MS, resolve));
    }
  };

  async function claimPage(name: string): Promise<Claim> {
    const claim = await leases.claimPage(target, `${list} ${name}`, intervalMs);
    events.onClaim?.(claim.outcome);
    return claim;
  }
}
