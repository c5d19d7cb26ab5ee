import { GatewayError } from '#errors/gateway-error.ts';
import { RateLimitedError } from '#errors/upstream-error.ts';
import { createLeasedPolls } from './leased-polls.ts';
import { type LiveEvents, WATCHED_STATES, type WatchedState } from './live-events.ts';
import { type PaceSettings, withJitter } from './pace.ts';
import type { PollLeases } from './poll-leases.ts';
import { createPollScheduler } from './poll-scheduler.ts';
import { createPollWatch } from './poll-watch.ts';
import { type ObjectResponse, type ReadingClock, toReading } from './reading.ts';
import { Watch, type WatchListener, type WatchTarget } from './watch.ts';
import type { WatchGroup } from './watch-group.ts';
import { WatchLease } from './watch-lease.ts';
import { createWatchReadings } from './watch-readings.ts';

export interface WatchesOptions extends ReadingClock {
  readonly pace: PaceSettings;
  readonly rate: number;
  readonly totalRate: number;
  readonly maxConcurrentPolls: number;
  /** Maximum watched objects. */
  readonly maxObjects: number;
  readonly maxObjectsPerCredential: number;
  /** Maximum interval, in ms: each poll also proves that the credential is still accepted. */
  readonly maxIntervalMs: number;
  /** Deadline of the first poll of an object, in ms. */
  readonly firstDeadlineMs: number;
  readonly events: LiveEvents;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  /** The cached response of an object is outdated. @default there is no cache */
  readonly expire?: (fingerprint: string, path: string) => void;
  /** @default no other instance watches the same objects */
  readonly leases?: PollLeases | undefined;
}

/** The watched objects. Each has one poller, however many subscribers follow it. */
export interface Watches {
  /** @throws GatewayError over a limit of watched objects */
  watch(target: WatchTarget, listener: WatchListener): Watch;
  unwatch(watch: Watch, listener: WatchListener): void;
  /** Makes a poll due now, because a subscriber needs a reading that is not too old. */
  refresh(watch: Watch): void;
  /** Counts the upstream requests of an event as polls. */
  charge(watch: Watch, requests: number): void;
  /**
   * A query or the page of a list has read an object: its watch gets the reading, and its next poll is
   * postponed.
   * @param isEmbedded whether the response contains more than the object
   */
  offer(fingerprint: string, path: string, response: ObjectResponse, isEmbedded?: boolean): void;
  /**
   * An object may have changed: each credential that watches it polls it. Returns whether any does.
   */
  hint(path: string): boolean;
  /** The upstream does not accept the credential any more. */
  revoke(fingerprint: string, error: GatewayError): void;
  /**
   * Drops the state of credentials without watched objects: not at once, because a client that
   * subscribes again and again must stay within the rate. Returns whether any state is left.
   */
  sweep(): boolean;
  countStates(): Record<WatchedState, number>;
  stretch(): number;
}

export function createWatches(options: WatchesOptions): Watches {
  const { pace, events, monotonicNow, random } = options;
  const readings = createWatchReadings(options);
  const pollUpstream = createPollWatch({
    ...options,
    readings,
    charge: (watch) => scheduler.charge(watch),
    onFailure(watch, error) {
      const group = groups.get(watch.target.fingerprint);
      if (group) pauseAfter(group, error);
    },
  });
  const leasedPolls = createLeasedPolls({
    ...options,
    readings,
    pollUpstream,
    schedule: () => scheduler.schedule(),
  });
  const scheduler = createPollScheduler({
    ...options,
    async poll(watch) {
      if (watch.lease) return leasedPolls.poll(watch, watch.lease);
      await pollUpstream(watch);
      return true;
    },
    onFailure: pauseAfter,
  });
  const { groups } = scheduler;
  let watchCount = 0;

  return {
    watch(target, listener) {
      const group = groups.get(target.fingerprint);
      const existing = group?.watches.get(target.path);
      const watch = existing ?? createWatch(target, group);
      watch.listeners.add(listener);
      if (existing) watch.dueAt = Math.min(watch.dueAt, readings.nextDueAt(watch));
      scheduler.schedule();
      return watch;
    },
    unwatch(watch, listener) {
      watch.listeners.delete(listener);
      if (watch.listeners.size > 0 || !scheduler.remove(watch)) return;
      watch.lease?.close();
      watchCount -= 1;
      scheduler.schedule();
    },
    sweep: scheduler.sweep,
    refresh(watch) {
      watch.refresh(monotonicNow());
      scheduler.schedule();
    },
    offer(fingerprint, path, response, isEmbedded = false) {
      const watch = groups.get(fingerprint)?.watches.get(path);
      if (!watch) return;
      const reading = toReading(watch.target.kind, response, options);
      // The request was sent before the webhook arrived: its response is outdated, too.
      if (watch.isBeforeHint(reading.readAt)) options.expire?.(fingerprint, path);
      if (isEmbedded && !watch.recordEmbedded(response.value)) return;
      readings.accept(watch, reading, watch.sourceOfOffer);
      scheduler.schedule();
    },
    hint(path) {
      options.leases?.hint(path);
      let isWatched = false;
      for (const { watches } of groups.values()) {
        const watch = watches.get(path);
        if (watch && recordHint(watch)) isWatched = true;
      }
      return isWatched;
    },
    revoke(fingerprint, error) {
      for (const watch of [...(groups.get(fingerprint)?.watches.values() ?? [])])
        for (const listener of [...watch.listeners]) listener.onRejected(watch, error);
    },
    countStates() {
      const counts = { new: 0, live: 0, over: 0, failing: 0 };
      for (const group of groups.values())
        for (const state of WATCHED_STATES) counts[state] += group.counts[state];
      return counts;
    },
    charge: scheduler.charge,
    stretch: scheduler.stretch,
  };

  function createWatch(target: WatchTarget, existingGroup: WatchGroup | undefined): Watch {
    const { maxObjects, maxObjectsPerCredential } = options;
    const ofCredential = existingGroup?.watches.size ?? 0;
    if (watchCount >= maxObjects || ofCredential >= maxObjectsPerCredential) {
      events.onRefused('MAX_LIVE_OBJECTS');
      throw new GatewayError(
        'RATE_LIMITED',
        'Too many calls, campaigns and lists of new attempts are watched (MAX_LIVE_OBJECTS). Close subscriptions, or wait until some calls or campaigns are over.',
        { retryAfter: 5 },
      );
    }
    const watch = new Watch(target, monotonicNow(), target.kind.firstInterval(pace));
    scheduler.add(watch);
    watchCount += 1;
    if (options.leases) openLease(options.leases, watch);
    return watch;
  }

  function openLease(leases: PollLeases, watch: Watch): void {
    const lease = leases.open(watch.target, {
      onPolled: () => leasedPolls.onPolled(watch, opened),
      onHint: () => recordHint(watch),
    });
    const opened = new WatchLease(lease);
    watch.lease = opened;
  }

  /** Returns whether the change that a webhook announces makes a poll necessary. */
  function recordHint(watch: Watch): boolean {
    if (!watch.recordHint(monotonicNow())) return false;
    options.expire?.(watch.target.fingerprint, watch.target.path);
    scheduler.schedule();
    return true;
  }

  /** A 429 pauses all polls of the credential. */
  function pauseAfter(group: WatchGroup, error: GatewayError): void {
    const { retryAfter } = error.details;
    if (!(error instanceof RateLimitedError) || retryAfter === undefined) return;
    const untilAt = monotonicNow() + withJitter(retryAfter * 1100, random());
    group.pausedUntil = Math.max(group.pausedUntil, untilAt);
  }
}
