import type { Settings } from '#config/settings.ts';
import type { LiveSubscriptionsOptions } from './subscriptions.ts';

/** Share of the polls in the upstream requests of a credential that are in flight. */
const CONCURRENCY_SHARE = 1 / 4;

/** Share of `DRAIN_TIMEOUT_MS` in which the streams end. The rest is for the last of them. */
const DRAIN_SHARE = 0.8;

/** Derives the limits and times of subscriptions from the settings. */
export function toLiveOptions({
  live,
  cache,
  revox,
  jwt,
  drain,
  requestDeadlineMs,
}: Settings): Omit<
  LiveSubscriptionsOptions,
  'events' | 'now' | 'monotonicNow' | 'startTimer' | 'random'
> {
  const isServiceMode = revox.apiKey !== undefined;
  return {
    ...live,
    // Without tokens, service mode does not distinguish callers: all of them are one owner.
    maxSubscriptionsPerCaller:
      isServiceMode && !jwt ? live.maxSubscriptions : live.maxSubscriptionsPerCaller,
    maxConcurrentPolls: Math.max(1, Math.floor(revox.maxConcurrency * CONCURRENCY_SHARE)),
    maxIntervalMs: isServiceMode
      ? Number.POSITIVE_INFINITY
      : Math.max(1_000, cache.credentialRecheckMs),
    firstDeadlineMs: requestDeadlineMs,
    settlingMs: cache.freshness.settlingCallMs,
    freshness: cache.freshness,
    drain: { fromMs: drain.delayMs, untilMs: drain.delayMs + DRAIN_SHARE * drain.timeoutMs },
  };
}
