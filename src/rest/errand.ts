import type { Credential } from './credential.ts';

/** What one operation is allowed upstream, with whose key, and where what it was told is written down. */
export interface Errand {
  readonly credential: Credential;
  /** Ends when the client leaves or the operation's time is over. */
  readonly signal: AbortSignal;
  /** Requests that may still be sent. */
  readonly budget: Budget;
  readonly account: Account;
  /** What requests for it are told by: see `UpstreamEvents`. */
  readonly trace?: unknown;
}

export interface Budget {
  readonly limit: number;
  sent: number;
}

/** Hears of every question of an operation, and how it was answered. */
export interface Account {
  note(call: UpstreamCall, lasting: Lasting | undefined): void;
}

/** One question to the upstream, as `extensions.upstream` tells it. */
export interface UpstreamCall {
  readonly method: 'GET';
  /** With its query, without the origin. */
  readonly path: string;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** From asking to knowing, waiting for a turn included. */
  readonly ms: number;
  /** `coalesced`: somebody had asked already, and both waited for the one answer. `stale`: older than its freshness allows. */
  readonly source: 'network' | 'cache' | 'stale' | 'coalesced';
}

/** How long an answer may be passed on. */
export interface Lasting {
  /** By our clock, ms. */
  readonly freshUntil: number;
  /** Of something that changes while it is looked at: nobody else may keep it. */
  readonly isLive: boolean;
}
