import type { CancellationSignal } from '#cancellation.ts';
import type { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { UpstreamLookup } from '#extensions.ts';
import type { Credential } from './credential.ts';
import type { RepeatedBody } from './repeated-body.ts';
import type { Endpoint, FetchOptions } from './upstream-request.ts';

/**
 * The context of an operation's upstream requests: credential, caller, deadline, budget, and the
 * recorder of their results.
 */
export interface UpstreamContext {
  readonly credential: Credential;
  /** One of the callers that share the credential; undefined if callers are not distinguished. */
  readonly caller: string | undefined;
  /**
   * Aborts when no operation needs the response any more: on client disconnect, at the deadline, or
   * at the end of the operation.
   */
  readonly signal: CancellationSignal;
  /** The deadline, by the monotonic clock, in ms. */
  readonly deadlineAt: () => number;
  readonly budget: Budget;
  readonly usage: UsageRecorder;
  /**
   * How every page of a list is fetched, unless the request itself says more.
   * @default as the freshness of the page demands
   */
  readonly pageOptions?: FetchOptions | undefined;
  /**
   * The body of the previous response to the request of the operation, which sends no other request.
   * @default each body is parsed
   */
  readonly repeatedBody?: RepeatedBody | undefined;
  /** The trace that the requests belong to; opaque to the REST client. */
  readonly trace?: unknown;
}

/**
 * The upstream budget of one operation. Cached responses, and responses of coalesced requests, are
 * free.
 */
export interface Budget {
  /** Maximum requests of the operation, retries included. */
  readonly maxRequests: number;
  sentRequests: number;
  /**
   * The error of an exhausted budget: the operation has sent its maximum of requests, or read its
   * maximum of bytes.
   */
  readonly exceededError: BudgetExceededError | undefined;
  /**
   * The error of an operation that has read its maximum of bytes, whatever its number of requests.
   */
  readonly bytesExceededError: BudgetExceededError | undefined;
  /**
   * Set once the upstream has rejected the caller's credential: nothing more is sent for the
   * operation. One error for all its fields, because each new error captures a stack.
   */
  credentialRejection: UpstreamError | undefined;
  /**
   * Waits until the bytes held by all operations permit the next request.
   * @returns undefined if the request may be sent now; the promise rejects if the operation ends
   *   first
   */
  waitForCapacity(): Promise<void> | undefined;
  /**
   * Counts decoded bytes of a response body, over all requests of the operation.
   * @returns a promise to await before reading on; undefined if reading may go on now. It rejects
   *   if the operation ends first.
   * @throws BudgetExceededError
   */
  consumeBytes(bytes: number): Promise<void> | undefined;
  /**
   * Opens a budget for a request that may outlast the operation. The request counts toward the
   * operation's requests, but has a byte budget of its own, as large as the operation's. Its bytes
   * count for the same credential until the signal aborts.
   */
  openBackground(signal: CancellationSignal): Budget;
}

/**
 * Records the lookups of an operation: each cached or requested upstream response, and its source.
 */
export interface UsageRecorder {
  /**
   * Starts to count time as waiting for the upstream.
   * @returns a function that ends the wait
   */
  startWait(): () => void;
  record(
    lookup: UpstreamLookup,
    freshness: ResponseFreshness | undefined,
    endpoint: Endpoint,
  ): void;
}

/** How long a response may be cached. */
export interface ResponseFreshness {
  /** By the gateway's clock, in ms. */
  readonly freshUntil: number;
  /** Whether the response contains a live call or attempt: then no other cache may store it. */
  readonly isLive: boolean;
  /** Identifies the cached entry. */
  readonly serial?: number;
}
