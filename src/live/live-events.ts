import type { ClaimOutcome } from './poll-leases.ts';

/**
 * Why an object was polled. `suspect`: a reading of another instance seemed to go back. `list`: a page
 * of a list was read instead of its objects. `hint`: a webhook has named the object.
 */
export type PollReason = 'first' | 'timer' | 'suspect' | 'list' | 'hint';

/** `rejected`: the upstream does not accept the credential. */
export type PollResult = 'read' | 'missing' | 'failed' | 'rejected';

/**
 * Why a stream has ended. `over`: it is complete. `rejected`: the upstream does not accept the
 * credential. `expired`: the bearer token has expired. `slow`: the client does not read. `client`:
 * the client has disconnected. `outage`: the upstream has failed for too long. `bug`: an unexpected
 * error.
 */
export type EndReason =
  | 'over'
  | 'rejected'
  | 'expired'
  | 'drain'
  | 'lifetime'
  | 'slow'
  | 'client'
  | 'outage'
  | 'bug';

export const WEBHOOK_RESULTS = ['due', 'unwatched', 'limited', 'secret', 'invalid'] as const;
/**
 * What has become of a webhook. `due`: a poll became due. `unwatched`: no subscriber follows the call.
 * `limited`: over the rate or too large. `secret`: the secret is wrong. `invalid`: every other refusal.
 */
export type WebhookResult = (typeof WEBHOOK_RESULTS)[number];

/**
 * `query`: a query or the page of a list has read the object. `peer`: another instance has polled
 * it.
 */
export type ReadingSource = 'poll' | 'query' | 'peer';

/** Reports subscriptions to the metrics. Handlers are called synchronously and must not throw. */
export interface LiveEvents {
  onPoll(reason: PollReason, result: PollResult): void;
  /**
   * A poll was claimed among several instances. `alone`: this instance polls without a claim.
   * @default claims are not counted
   */
  onClaim?(outcome: ClaimOutcome): void;
  /**
   * @param ms from the reading of the state until it is written to the streams
   * @param lagMs for the event that shows the end of a call: from this end until it is written, by
   * the upstream's clock
   */
  onEvent(field: string, source: ReadingSource, ms: number, lagMs?: number): void;
  /** A state was replaced by a newer one before it was sent. */
  onCoalesced(): void;
  /** A subscription was refused. @param limit the setting that raises the limit */
  onRefused(limit: string): void;
  onWebhook(result: WebhookResult): void;
  onStreamEnd(transport: string, reason: EndReason): void;
  onUnexpectedError(error: unknown): void;
}

/** The current state of all subscriptions, for gauges. */
export interface LiveState {
  /** Open streams, by field and transport. */
  readonly subscriptions: ReadonlyMap<string, number>;
  readonly cohorts: number;
  /** Watched objects, by state. */
  readonly watched: Readonly<Record<WatchedState, number>>;
  /** Demand for polls divided by the rate that is permitted; 1 or less: every poll is on time. */
  readonly stretch: number;
}

export const WATCHED_STATES = ['new', 'live', 'over', 'failing'] as const;
export type WatchedState = (typeof WATCHED_STATES)[number];
