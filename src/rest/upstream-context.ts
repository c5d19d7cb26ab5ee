import type { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { Credential } from './credential.ts';
import type { Endpoint } from './upstream-request.ts';

/** What one operation is allowed upstream, with whose key, and where what it was told is written down. */
export interface UpstreamContext {
  readonly credential: Credential;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /** Ends when the client leaves or the operation's time is over. */
  readonly signal: AbortSignal;
  /** When nobody waits any more, by the clock for durations, ms. */
  readonly deadlineAt: () => number;
  readonly budget: Budget;
  readonly usage: UsageRecorder;
  /** The trace that requests belong to, for whoever watches them. */
  readonly trace?: unknown;
}

/** What one operation may still ask of the upstream. Cached responses, and those of requests that others have sent, are free. */
export interface Budget {
  /** Requests that it may send, retries included. */
  readonly maxRequests: number;
  sentRequests: number;
  /** Why it may send no more: it has sent as many requests as it may, or read as many bytes. */
  readonly exceededError: BudgetExceededError | undefined;
  /** Why it may send nothing that counts as sent already: it has read as many bytes as it may. */
  readonly bytesExceededError: BudgetExceededError | undefined;
  /** The upstream has refused the caller's credential: nothing more is sent for the operation. One error for all its fields: each takes a stack. */
  credentialRejection: UpstreamError | undefined;
  /** @returns when the next request may be sent, as far as the bytes go that operations hold; undefined: at once. It rejects when the operation has ended. */
  waitForCapacity(): Promise<void> | undefined;
  /**
   * Counts decoded bytes of a body that have arrived, over all requests of the operation.
   * @returns when the body may be read on; undefined: at once. It rejects when the operation has ended.
   * @throws BudgetExceededError
   */
  consumeBytes(bytes: number): Promise<void> | undefined;
  /**
   * For a request that may outlast the operation. It counts among the operation's requests, but has bytes of its own: as many as the operation, which
   * the same credential holds until the signal aborts.
   */
  openBackground(signal: AbortSignal): Budget;
}

/** Hears of every question of an operation, and how it was answered. */
export interface UsageRecorder {
  /** Somebody waits for the upstream from now on. @returns what says that he does not any more */
  startWait(): () => void;
  record(call: UpstreamCall, freshness: ResponseFreshness | undefined, endpoint: Endpoint): void;
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
  /** How often it was sent again after it had failed; absent: never. */
  readonly retries?: number;
}

/** How long an answer may be passed on. */
export interface ResponseFreshness {
  /** By our clock, ms. */
  readonly freshUntil: number;
  /** Of something that changes while it is looked at: nobody else may keep it. */
  readonly isLive: boolean;
  /** Names it where it is kept. */
  readonly serial?: number;
}
