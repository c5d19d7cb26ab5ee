import type { UpstreamContext } from './upstream-context.ts';

/** The path templates of the upstream's endpoints. */
export type Endpoint =
  | '/call/{id}'
  | '/call'
  | '/assistants/{id}'
  | '/assistants'
  | '/campaigns/{id}'
  | '/campaigns'
  | '/campaigns/{id}/rows';

/**
 * One GET request and the parser of its response. Requests with the same path and query are
 * identical.
 */
export interface UpstreamRequest<T> {
  readonly endpoint: Endpoint;
  /** Encoded path, ids included, without origin and query. */
  readonly path: string;
  /** Query string with its question mark; empty if there is none. */
  readonly query: string;
  /**
   * Parses the response body. New objects in the result are frozen.
   * @throws UnexpectedShapeError if the body is not what the API documentation states
   */
  parse(body: unknown): T;
  /** Responses of other requests that this response contains. */
  embedded?(value: T): Iterable<EmbeddedResponse>;
}

/**
 * A response is not what the API documentation states; the message says what is missing. Never
 * leaves `rest/`.
 */
export class UnexpectedShapeError extends Error {
  override name = 'UnexpectedShapeError';
}

export interface EmbeddedResponse {
  readonly endpoint: Endpoint;
  /** With its query. */
  readonly path: string;
  readonly value: unknown;
  /**
   * Whether it answers its request as well as the upstream would: it may lack properties.
   * @param cached the cached response to the same request. Undefined: there is none
   * @default it does
   */
  canReplace?(cached: unknown): boolean;
}

export interface UpstreamResponse<T> {
  readonly value: T;
  readonly status: number;
  readonly readVersion: ReadVersion;
  /** When the request was sent, by the gateway's clock, in ms. */
  readonly requestedAt?: number | undefined;
  /** When the upstream responded, by its own clock, in ms. Absent: unknown. */
  readonly upstreamNow?: number | undefined;
}

/** A response as fetched from the upstream. */
export interface FetchedResponse<T> extends UpstreamResponse<T> {
  /** When the request was sent, by the gateway's clock, in ms. */
  readonly requestedAt: number;
  /**
   * When the upstream responded, by its own clock (its `Date`), in ms; by the gateway's clock
   * without a usable `Date`.
   */
  readonly upstreamNow: number;
}

/**
 * Orders the reads of the upstream, like a logical clock. Of two reads by one gateway instance, the
 * one with the greater sequence was sent later; the order of reads by different instances is
 * unknown.
 */
export interface ReadVersion {
  readonly instance: string;
  readonly sequence: number;
  /** The response was not read for this operation, but cached from an earlier request. */
  readonly isCached: boolean;
}

export interface FetchOptions {
  /** Accept only a response that is known to have been requested after this read. */
  readonly newerThan?: ReadVersion | undefined;
  /**
   * Accept no response that is known to have been requested before this read. If another gateway
   * instance has made the read, the order is unknown, and the freshness alone decides.
   */
  readonly notOlderThan?: ReadVersion | undefined;
  /**
   * Accept only a fresh response: neither stale-while-revalidate nor stale-if-error applies.
   * @default false
   */
  readonly freshOnly?: boolean | undefined;
}

/**
 * Fetches a response, from the cache or from the upstream. Rejects with an error that has a code.
 */
export type FetchUpstream = <T>(
  context: UpstreamContext,
  request: UpstreamRequest<T>,
  options?: FetchOptions,
) => Promise<UpstreamResponse<T>>;

/** Sends the request to the upstream, with retries. */
export type SendUpstream = <T>(
  context: UpstreamContext,
  request: UpstreamRequest<T>,
  hooks?: SendHooks,
) => Promise<FetchedResponse<T>>;

/** Follows the attempts of one request. */
export interface SendHooks {
  /** An attempt was sent at this time, by the gateway's clock, in ms. */
  onSent(at: number): void;
  /** The attempt has failed, and the request will be retried. */
  onRetry(): void;
  /**
   * The request starts (`true`) or stops waiting for bytes that other operations hold: see
   * `BodyLimiter`.
   */
  onBudgetWait(isWaiting: boolean): void;
}
