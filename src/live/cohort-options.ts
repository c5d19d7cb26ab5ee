import type { FreshnessSettings } from '#cache/freshness.ts';
import type { LiveEvents } from './live-events.ts';
import type { ObjectSelection } from './live-source.ts';
import type { ExecuteEvent } from './serialized-event.ts';
import type { Watch } from './watch.ts';

/** What a cohort needs: its operation, its limits, and the services of the gateway. */
export interface CohortOptions {
  readonly selection: ObjectSelection;
  readonly execute: ExecuteEvent;
  /** How long after its end an object settles, in ms. */
  readonly settlingMs: number;
  readonly freshness: FreshnessSettings;
  /** A stream without an event for this long gets an error, in ms. */
  readonly firstEventMs: number;
  /** After an outage of this length the streams are interrupted, in ms. */
  readonly giveUpMs: number;
  /** How often routers get the present state again, in ms. */
  readonly repeatMs: number;
  readonly events: LiveEvents;
  readonly monotonicNow: () => number;
  /** The wall clock, in ms. */
  readonly now: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  readonly toRetryMs: () => number;
  readonly refresh: (watch: Watch) => void;
  /** Counts the upstream requests of an event as polls. */
  readonly charge: (watch: Watch, requests: number) => void;
  /** Called once, when the cohort takes no more streams. */
  readonly onEnd: () => void;
}
