import type { LiveEvents } from './live-events.ts';
import { ALONE_INTERVALS, CLAIM_SHARE, type Claim, MAX_URGENT_INTERVAL_MS } from './poll-leases.ts';
import { EARLY_MS } from './poll-queue.ts';
import { isSameRead, type ReadingClock, toReading } from './reading.ts';
import type { Watch } from './watch.ts';
import type { WatchLease } from './watch-lease.ts';
import type { WatchReadings } from './watch-readings.ts';

export interface LeasedPollsOptions extends ReadingClock {
  readonly readings: WatchReadings;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  readonly events: Pick<LiveEvents, 'onClaim' | 'onUnexpectedError'>;
  /** Polls the upstream itself. Resolves to whether there is a response. */
  readonly pollUpstream: (watch: Watch) => Promise<boolean>;
  /** A poll has become due earlier or later than before. */
  readonly schedule: () => void;
}

/** Polls objects that other instances may watch, too. */
export interface LeasedPolls {
  /**
   * Polls an object, or reads the response of the instance that polls it. Never rejects. Resolves
   * to whether this instance has polled it.
   */
  poll(watch: Watch, lease: WatchLease): Promise<boolean>;
  /** Must be called when another instance has probably polled the object. */
  onPolled(watch: Watch, lease: WatchLease): void;
}

/** Minimum delay of the next claim after a lost one, in ms. */
const MIN_POSTPONE_MS = 100;
/** Lost claims in a row, without a shared response, after which the next claim is urgent. */
const MAX_LOSSES = 2;
/**
 * Lost claims in a row, without a shared response, after which this instance polls without a claim:
 * claims must not stop the polls permanently.
 */
const MAX_URGENT_LOSSES = 4;
/**
 * Minimum time between two lookups of one object because of messages, which anyone may have sent: a
 * share of the interval, and its limits in ms.
 */
const LOOKUP_SHARE = 1 / 4;
const MIN_LOOKUP_INTERVAL_MS = 100;
const MAX_LOOKUP_INTERVAL_MS = 1_000;

export function createLeasedPolls(options: LeasedPollsOptions): LeasedPolls {
  const { readings, events, monotonicNow, startTimer, random, pollUpstream, schedule } = options;

  return { poll, onPolled };

  async function poll(watch: Watch, lease: WatchLease): Promise<boolean> {
    // The scheduler starts no second poll meanwhile.
    watch.dueAt = Number.POSITIVE_INFINITY;
    const before = watch.reading;
    await lease.sharedRead;
    if (watch.reading !== before) return false;
    // A state that seems to go back is confirmed by the upstream itself.
    if (watch.reason === 'suspect') return pollAndPublish(watch, lease);
    if (watch.reason === 'first' && lease.losses === 0 && (await readShared(watch, lease)))
      return false;
    const isNeeded = () => watch.isForced || lease.isUrgent;
    let isUrgent = isNeeded() || lease.losses >= MAX_LOSSES;
    let claim = await claimPoll(watch, lease, isUrgent);
    if (claim.outcome === 'lost') {
      if (await readShared(watch, lease)) return false;
      lease.losses += 1;
      // A webhook may have arrived since the claim was made.
      if (!isUrgent && (isNeeded() || claim.heldMs >= toMaxHeldMs(watch))) {
        isUrgent = true;
        claim = await claimPoll(watch, lease, isUrgent);
      }
    }
    if (claim.outcome === 'lost' && lease.losses < MAX_URGENT_LOSSES) {
      const waitMs = Math.min(claim.endsInMs, Math.max(0, toMaxHeldMs(watch) - claim.heldMs));
      postpone(watch, Math.max(MIN_POSTPONE_MS, waitMs * (1 + 0.1 * random())));
      return false;
    }
    if (claim.outcome === 'alone' && !isUrgent && !isNeeded() && watch.reading) {
      const aloneAt = watch.reading.readAt + ALONE_INTERVALS * watch.intervalMs;
      if (aloneAt > monotonicNow() + EARLY_MS) {
        postpone(watch, aloneAt - monotonicNow());
        return false;
      }
    }
    events.onClaim?.(claim.outcome === 'won' ? 'won' : 'alone');
    // The last subscriber may have left meanwhile.
    if (watch.listeners.size === 0) return false;
    return pollAndPublish(watch, lease);
  }

  async function claimPoll(watch: Watch, { lease }: WatchLease, isUrgent: boolean) {
    const { intervalMs } = watch;
    const claim: Claim = await lease.claim({ intervalMs, isUrgent });
    if (claim.outcome === 'lost') events.onClaim?.('lost');
    return claim;
  }

  /**
   * How long another instance may hold the claim without a shared response, in ms. Its interval may
   * be longer than that of this instance. A subscriber without a reading waits only for a poll in
   * progress.
   */
  function toMaxHeldMs({ intervalMs, reason }: Watch): number {
    const maxHeldMs = CLAIM_SHARE * intervalMs;
    return reason === 'first' ? Math.min(maxHeldMs, MAX_URGENT_INTERVAL_MS) : maxHeldMs;
  }

  function postpone(watch: Watch, ms: number): void {
    // A query may have read the object meanwhile.
    watch.dueAt = Math.min(watch.dueAt, monotonicNow() + ms);
  }

  async function pollAndPublish(watch: Watch, lease: WatchLease): Promise<true> {
    lease.losses = 0;
    if (await pollUpstream(watch)) lease.lease.publish();
    return true;
  }

  function onPolled(watch: Watch, lease: WatchLease): void {
    const shareMs = Math.min(LOOKUP_SHARE * watch.intervalMs, MAX_LOOKUP_INTERVAL_MS);
    const minIntervalMs = Math.max(MIN_LOOKUP_INTERVAL_MS, shareMs);
    const waitMs = Math.max(0, lease.lookedUpAt + minIntervalMs - monotonicNow());
    lease.cancelLookup ??= startTimer(waitMs, () => {
      lease.cancelLookup = undefined;
      lease.lookedUpAt = monotonicNow();
      // A poll that loses its claim may just have missed the response.
      if (watch.isPolling || lease.sharedRead) onPolled(watch, lease);
      else void readShared(watch, lease).then(schedule);
    });
  }

  /** Resolves to whether another instance has shared a newer response. */
  async function readShared(watch: Watch, lease: WatchLease): Promise<boolean> {
    const before = watch.reading;
    const reading = readSharedResponse(watch);
    lease.sharedRead = reading;
    try {
      await reading;
    } catch (error) {
      events.onUnexpectedError(error);
    } finally {
      lease.sharedRead = undefined;
    }
    return watch.reading !== before;
  }

  async function readSharedResponse(watch: Watch): Promise<void> {
    const { target, reason, reading: known } = watch;
    // Usually the cache offers the response meanwhile.
    const response = await target.readShared?.(reason === 'first');
    // The end of an object that does not exist must come from the upstream itself.
    if (!response || response.value === null || isSameRead(response, watch.reading)) return;
    const reading = toReading(target.kind, response, options, watch.reading);
    if (known && reading.readAt <= known.readAt) return;
    readings.accept(watch, reading, 'peer');
  }
}
