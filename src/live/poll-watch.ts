import { GatewayError } from '#errors/gateway-error.ts';
import type { LiveEvents, PollResult } from './live-events.ts';
import { toFailureDelay } from './pace.ts';
import { isCredentialRejection } from './poll-upstream.ts';
import { isSameRead, type ReadingClock, toReading } from './reading.ts';
import type { Watch } from './watch.ts';
import type { WatchReadings } from './watch-readings.ts';

export interface PollWatchOptions extends ReadingClock {
  readonly readings: WatchReadings;
  /** Deadline of the first poll of an object, in ms. */
  readonly firstDeadlineMs: number;
  readonly events: Pick<LiveEvents, 'onPoll' | 'onUnexpectedError'>;
  /** A random number from 0 to 1. */
  readonly random: () => number;
  /** Counts a further request of a poll. */
  readonly charge: (watch: Watch) => void;
  /** A poll has failed, but not because of the credential. */
  readonly onFailure: (watch: Watch, error: GatewayError) => void;
}

/** Deadline of each poll but the first, in ms. */
const DEADLINE_MS = 10_000;

/**
 * Creates the poll of one watched object, which never rejects. It resolves to whether the upstream
 * has responded with the object, or that it does not exist.
 */
export function createPollWatch(options: PollWatchOptions): (watch: Watch) => Promise<boolean> {
  const { readings, events, monotonicNow, random } = options;

  return async (watch) => {
    const { reason, isForced, target } = watch;
    const isLeased = watch.lease !== undefined;
    const deadlineMs = reason === 'first' ? options.firstDeadlineMs : DEADLINE_MS;
    // The scheduler starts no second poll meanwhile. A failure or a reading sets the next one.
    watch.dueAt = Number.POSITIVE_INFINITY;
    const known = watch.reading;
    const startedAt = monotonicNow();
    watch.polledAt = startedAt;
    const wasHintOpen = watch.isHintOpen;
    if (isForced || isLeased) watch.isHintOpen = false;
    let result: PollResult;
    try {
      const charge = () => options.charge(watch);
      // A poll that this instance has claimed must reach the upstream.
      let response = await target.poll({ isForced: isForced || isLeased, deadlineMs, charge });
      // A cached response that the watch has already is no poll.
      if (reason === 'timer' && isSameRead(response, known))
        response = await target.poll({ isForced: true, deadlineMs, charge });
      // Usually the cache has offered the response already.
      const reading = toReading(target.kind, response, options, watch.reading);
      result = reading.value === null ? 'missing' : 'read';
      if (reading.value === null) readings.acceptMissing(watch, reading);
      else readings.accept(watch, reading, 'poll', isForced);
      // A cached response is no new reading, but subscribers that join wait for it.
      if (watch.acceptedAt < startedAt && !watch.isForced) readings.notify(watch, false, 'poll');
    } catch (error) {
      watch.isHintOpen ||= wasHintOpen;
      result = fail(watch, error);
    }
    events.onPoll(reason, result);
    return result === 'read' || result === 'missing';
  };

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
    options.onFailure(watch, error);
    return 'failed';
  }
}
