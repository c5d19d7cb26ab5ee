import { GatewayError } from '#errors/gateway-error.ts';
import { RateLimitedError } from '#errors/upstream-error.ts';
import { AnnouncedEnds } from './announced-ends.ts';
import {
  type LiveEvents,
  type PollResult,
  type ReadingSource,
  WATCHED_STATES,
  type WatchedState,
} from './live-events.ts';
import { toNextDueAt } from './next-poll.ts';
import { isBehind } from './object-kind.ts';
import { type PaceSettings, toFailureDelay, withJitter } from './pace.ts';
import { createPollScheduler } from './poll-scheduler.ts';
import { isCredentialRejection } from './poll-upstream.ts';
import {
  isSameRead,
  isSameValue,
  type ObjectResponse,
  orderOf,
  type Reading,
  type ReadingClock,
  toReading,
} from './reading.ts';
import { Watch, type WatchListener, type WatchTarget } from './watch.ts';
import type { WatchGroup } from './watch-group.ts';

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

/** Deadline of each poll but the first, in ms. */
const DEADLINE_MS = 10_000;

/**
 * Delays before an object that does not exist is polled again, in ms: it may have been created a
 * moment ago.
 */
const MISSING_DELAYS_MS = [1_000, 2_000];

export function createWatches(options: WatchesOptions): Watches {
  const { pace, events, monotonicNow, random } = options;
  const scheduler = createPollScheduler({ ...options, poll, onFailure: pauseAfter });
  const { groups } = scheduler;
  const announcedEnds = new AnnouncedEnds(monotonicNow);
  let watchCount = 0;

  return {
    watch(target, listener) {
      const group = groups.get(target.fingerprint);
      const existing = group?.watches.get(target.path);
      const watch = existing ?? createWatch(target, group);
      watch.listeners.add(listener);
      if (existing) watch.dueAt = Math.min(watch.dueAt, nextDueAt(watch));
      scheduler.schedule();
      return watch;
    },
    unwatch(watch, listener) {
      watch.listeners.delete(listener);
      if (watch.listeners.size > 0 || !scheduler.remove(watch)) return;
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
      accept(watch, reading, watch.isPolling || watch.listPoll ? 'poll' : 'query');
      scheduler.schedule();
    },
    hint(path) {
      const now = monotonicNow();
      let isWatched = false;
      for (const [fingerprint, { watches }] of groups) {
        if (!watches.get(path)?.recordHint(now)) continue;
        isWatched = true;
        options.expire?.(fingerprint, path);
      }
      if (isWatched) scheduler.schedule();
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
    return watch;
  }

  async function poll(watch: Watch): Promise<void> {
    const { reason, isForced, target } = watch;
    const deadlineMs = reason === 'first' ? options.firstDeadlineMs : DEADLINE_MS;
    // The scheduler starts no second poll meanwhile. A failure or a reading sets the next one.
    watch.dueAt = Number.POSITIVE_INFINITY;
    const known = watch.reading;
    const startedAt = monotonicNow();
    watch.polledAt = startedAt;
    const wasHintOpen = watch.isHintOpen;
    if (isForced) watch.isHintOpen = false;
    let result: PollResult;
    try {
      const charge = () => scheduler.charge(watch);
      let response = await target.poll({ isForced, deadlineMs, charge });
      // A cached response that the watch has already is no poll.
      if (reason === 'timer' && isSameRead(response, known))
        response = await target.poll({ isForced: true, deadlineMs, charge });
      // Usually the cache has offered the response already.
      const reading = toReading(target.kind, response, options, watch.reading);
      result = reading.value === null ? 'missing' : 'read';
      if (reading.value === null) acceptMissing(watch, reading);
      else accept(watch, reading, 'poll', isForced);
      // A cached response is no new reading, but subscribers that join wait for it.
      if (watch.acceptedAt < startedAt && !watch.isForced) notify(watch, false, 'poll');
    } catch (error) {
      watch.isHintOpen ||= wasHintOpen;
      result = fail(watch, error);
    }
    events.onPoll(reason, result);
  }

  function accept(
    watch: Watch,
    reading: Reading,
    source: ReadingSource,
    isConfirmed = false,
  ): void {
    const { reading: previous } = watch;
    const order = previous ? orderOf(reading, previous) : 'newer';
    if (
      order === 'unknown' &&
      previous &&
      !isConfirmed &&
      isBehind(reading.state, previous.state)
    ) {
      watch.reason = 'suspect';
      watch.isForced = true;
      watch.dueAt = monotonicNow();
      return;
    }
    if (order === 'older') {
      // The reading is in use already, or a later one overtook it.
      if (!Number.isFinite(watch.dueAt)) watch.dueAt = nextDueAt(watch);
      return;
    }
    watch.missingPolls = 0;
    applyReading(watch, reading, source);
  }

  /** An object that was never found may have been created a moment ago: it is polled again. */
  function acceptMissing(watch: Watch, reading: Reading): void {
    const delayMs = watch.reading ? undefined : MISSING_DELAYS_MS[watch.missingPolls];
    watch.missingPolls += 1;
    if (delayMs === undefined) {
      applyReading(watch, reading, 'poll');
      return;
    }
    watch.clearFailure();
    watch.isForced = true;
    watch.dueAt = monotonicNow() + delayMs;
  }

  function applyReading(watch: Watch, reading: Reading, source: ReadingSource): void {
    const isNews = !isSameValue(watch.target.kind, watch.reading, reading);
    const now = monotonicNow();
    if (!watch.isBeforeHint(reading.readAt)) watch.isHintOpen = false;
    const isEnd = reading.state.isOver && watch.reading?.state.isOver === false;
    if (isEnd) announcedEnds.record(watch, reading.state, now);
    if (isNews) watch.changedAt = now;
    if (isNews && !watch.isHintOpen) watch.hintedAt = undefined;
    watch.sawEnd ||= isEnd;
    watch.overSince = reading.state.isOver ? (watch.overSince ?? now) : undefined;
    watch.reading = reading;
    watch.acceptedAt = now;
    watch.reason = 'timer';
    watch.isForced = false;
    watch.clearFailure();
    watch.dueAt = nextDueAt(watch);
    notify(watch, isNews, source);
  }

  function notify(watch: Watch, isNews: boolean, source: ReadingSource): void {
    for (const listener of [...watch.listeners]) listener.onReading(watch, { isNews, source });
  }

  function nextDueAt(watch: Watch): number {
    return toNextDueAt(watch, monotonicNow(), { ...options, announcedEnds });
  }

  /** A 429 pauses all polls of the credential. */
  function pauseAfter(group: WatchGroup, error: GatewayError): void {
    const { retryAfter } = error.details;
    if (!(error instanceof RateLimitedError) || retryAfter === undefined) return;
    const untilAt = monotonicNow() + withJitter(retryAfter * 1100, random());
    group.pausedUntil = Math.max(group.pausedUntil, untilAt);
  }

  function fail(watch: Watch, thrown: unknown): PollResult {
    const isExpected = thrown instanceof GatewayError;
    if (!isExpected) events.onUnexpectedError(thrown);
    const error = isExpected
      ? thrown
      : new GatewayError('INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.');
    if (isCredentialRejection(error)) {
      for (const listener of [...watch.listeners]) listener.onRejected(watch, error);
      return 'rejected';
    }
    const now = monotonicNow();
    watch.failures += 1;
    watch.failingSince ??= now;
    watch.lastError = error;
    watch.dueAt = now + toFailureDelay(watch.intervalMs, watch.failures, random());
    const group = groups.get(watch.target.fingerprint);
    if (group) pauseAfter(group, error);
    return 'failed';
  }
}
