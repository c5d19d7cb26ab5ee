import {
  type EndReason,
  type LiveEvents,
  type LiveState,
  WATCHED_STATES,
  WEBHOOK_RESULTS,
} from '#live/live-events.ts';
import { CLAIM_OUTCOMES } from '#live/poll-leases.ts';
import type { MetricFactory } from './metric-factory.ts';

export interface LiveMetricsOptions {
  /** Called on each read of the metrics. Undefined: there are no subscriptions. */
  readonly liveState: () => LiveState | undefined;
  readonly onUnexpectedError: (error: unknown) => void;
}

/** Bucket bounds of the time from a reading to its event, in seconds. */
const EVENT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/**
 * Ends for which an alert watches. Their series begin at 0, because Prometheus does not count the
 * first value of a series as an increase.
 */
const ALERTED_ENDS: readonly EndReason[] = ['slow', 'bug'];
const TRANSPORTS = ['sse', 'multipart', 'websocket', 'callback'];

/** Bucket bounds of the time from the end of a call to its event, in seconds. */
const LAG_BUCKETS = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300];

/** The metrics of subscriptions. */
export function createLiveMetrics(
  { counter, bufferedCounter, histogram, gauge, labelledGauge }: MetricFactory,
  { liveState, onUnexpectedError }: LiveMetricsOptions,
): LiveEvents {
  labelledGauge(
    'live_subscriptions',
    'Open subscriptions, by root field and transport.',
    ['field', 'transport'],
    (subscriptions) => {
      subscriptions.reset();
      for (const [label, count] of liveState()?.subscriptions ?? []) {
        const [field = '', transport = ''] = label.split(' ');
        subscriptions.set({ field, transport }, count);
      }
    },
  );
  gauge(
    'live_cohorts',
    'Groups of subscriptions with the same credential, document and variables. Each event is executed once for a group.',
    () => liveState()?.cohorts ?? 0,
  );
  labelledGauge(
    'live_watched',
    'Calls, campaigns and lists that are polled for subscriptions, by state (new: not read yet).',
    ['state'],
    (watched) => {
      for (const state of WATCHED_STATES) watched.set({ state }, liveState()?.watched[state] ?? 0);
    },
  );
  gauge(
    'live_stretch',
    'Polls that are due at this instance divided by the polls that LIVE_RATE and LIVE_RATE_TOTAL permit. Over 1, calls are polled later than their intervals demand.',
    () => liveState()?.stretch ?? 0,
  );
  const polls = bufferedCounter(
    'live_polls_total',
    'Polls for subscriptions, by reason and result. A poll is an upstream lookup: it may be cached.',
    ['reason', 'result'],
  );
  const claims = counter(
    'live_claims_total',
    'Polls that several instances claim in Redis, by outcome: won (this instance polls), lost (another one does), alone (it polls without a claim).',
    ['outcome'],
  );
  for (const outcome of CLAIM_OUTCOMES) claims.inc({ outcome }, 0);
  const sentEvents = bufferedCounter(
    'live_events_total',
    'Events for all subscriptions of a group, by root field and by what has read the call (poll, query, or peer: another instance).',
    ['field', 'source'],
  );
  const eventSeconds = histogram(
    'live_event_seconds',
    'Time from the reading of a state until its event is written.',
    EVENT_BUCKETS,
    [],
  );
  const lagSeconds = histogram(
    'live_lag_seconds',
    'Time from the end of a call, by the clock of the Revox API, until the event that shows it is written.',
    LAG_BUCKETS,
    [],
  );
  const coalesced = counter(
    'live_coalesced_total',
    'Events that a newer one replaced before they were sent.',
  );
  const refused = counter(
    'live_refused_total',
    'Subscriptions that were refused, by the setting that raises the limit.',
    ['limit'],
  );
  const ends = counter('live_ends_total', 'Ended streams, by transport and reason.', [
    'transport',
    'reason',
  ]);
  for (const transport of TRANSPORTS)
    for (const reason of ALERTED_ENDS) ends.inc({ transport, reason }, 0);
  const webhooks = counter(
    'webhooks_total',
    'Webhooks, by result: due (a poll became due), unwatched, limited (by rate or size), secret (wrong), invalid.',
    ['result'],
  );
  for (const result of WEBHOOK_RESULTS) webhooks.inc({ result }, 0);
  return {
    onPoll: polls,
    onClaim: (outcome) => claims.inc({ outcome }),
    onEvent(field, source, ms, lagMs) {
      sentEvents(field, source);
      eventSeconds(ms / 1000);
      if (lagMs !== undefined) lagSeconds(lagMs / 1000);
    },
    onCoalesced: () => coalesced.inc(),
    onWebhook: (result) => webhooks.inc({ result }),
    onRefused: (limit) => refused.inc({ limit }),
    onStreamEnd: (transport, reason) => ends.inc({ transport, reason }),
    onUnexpectedError,
  };
}
