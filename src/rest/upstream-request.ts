import type { UpstreamContext } from './upstream-context.ts';

/** The endpoints that are read, by their path templates. */
export type Endpoint =
  | '/call/{id}'
  | '/call'
  | '/assistants/{id}'
  | '/assistants'
  | '/campaigns/{id}'
  | '/campaigns'
  | '/campaigns/{id}/rows';

/** One GET, and how its answer is read. Two of the same path and query are the same question. */
export interface UpstreamRequest<T> {
  readonly endpoint: Endpoint;
  /** Encoded, ids included, without origin and query. */
  readonly path: string;
  /** The query string with its question mark; empty when there is none. */
  readonly query: string;
  /**
   * The answer's body as it is passed on, frozen as far as it is new.
   * @throws UnexpectedShapeError when it is not what the documents promise
   */
  parse(body: unknown): T;
  /** Whole answers to other questions that stand in this one's. */
  embedded?(value: T): Iterable<EmbeddedResponse>;
}

/** An answer is not what the documents promise: the message says what is missing. Never leaves this room. */
export class UnexpectedShapeError extends Error {
  override name = 'UnexpectedShapeError';
}

export interface EmbeddedResponse {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly value: unknown;
}

export interface UpstreamResponse<T> {
  readonly value: T;
  readonly status: number;
  readonly readVersion: ReadVersion;
}

/** An answer as it came from the upstream. */
export interface FetchedResponse<T> extends UpstreamResponse<T> {
  /** When the question was sent, by our clock, ms. */
  readonly requestedAt: number;
  /** When it was answered, by the upstream's own clock (its `Date`), ms; by ours where it tells none. */
  readonly upstreamNow: number;
}

/**
 * Which reading of the upstream an answer comes from. Of two readings of one process the one with the greater number was sent later;
 * nothing is known of the order of two processes.
 */
export interface ReadVersion {
  readonly instance: string;
  readonly sequence: number;
  /** Not read for the one who asks, but kept from an earlier question. */
  readonly isCached: boolean;
}

export interface FetchOptions {
  /** Nothing will do that was sent before this reading, or is not known to have been sent after it. */
  readonly newerThan?: ReadVersion | undefined;
}

/** Asks, and gives the answer or an error with a code. */
export type FetchUpstream = <T>(
  context: UpstreamContext,
  request: UpstreamRequest<T>,
  options?: FetchOptions,
) => Promise<UpstreamResponse<T>>;

/** Asks the upstream itself: as often as it takes, and may help. */
export type SendUpstream = <T>(
  context: UpstreamContext,
  request: UpstreamRequest<T>,
  hooks?: SendHooks,
) => Promise<FetchedResponse<T>>;

/** Hears how a question is sent. */
export interface SendHooks {
  /** It is under way, from this moment on by our clock, ms. */
  onSent(at: number): void;
  /** That was in vain, and it will be sent again. */
  onRetry(): void;
  /** It waits until other operations have ended, or goes on: see `BodyLimiter`. */
  onBudgetWait(isWaiting: boolean): void;
}
