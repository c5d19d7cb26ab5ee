import type { Endpoint } from './upstream-request.ts';

/**
 * What is told of the traffic to the upstream, for metrics and traces. No path, no id, no key and nothing of an answer is in it. Called at
 * once, and has to come back at once: none of it may throw.
 */
export interface UpstreamEvents {
  /**
   * A request goes out.
   * @returns headers to send along with it, and who hears when it is over
   */
  onSend(request: OutgoingRequest): UpstreamRequestObserver;
  /** A try has failed, and there will be another one. */
  onRetry(endpoint: Endpoint, reason: FailureKind): void;
  /** A request has got its turn, after so many ms. */
  onQueueWait(waitedMs: number): void;
  /** The upstream asked one credential to be patient; its requests wait for so many ms. */
  onRateLimited(ms: number): void;
  /** A request was refused, for too many of its caller wait already. */
  onQueueFull(): void;
  /** Requests are kept from the upstream from now on, or let through again. */
  onCircuitChange(change: 'opened' | 'closed'): void;
}

export interface OutgoingRequest {
  readonly endpoint: Endpoint;
  /** How often the same question has been sent before: 0 for a first try. */
  readonly retryCount: number;
  /** The trace of the operation that asked first, as whoever opened the operation gave it. */
  readonly trace: unknown;
}

export interface UpstreamRequestObserver {
  readonly headers: Readonly<Record<string, string>>;
  /** Called once. */
  onEnd(outcome: RequestOutcome): void;
}

export interface RequestOutcome {
  /** The upstream's; null where no answer came. */
  readonly status: number | null;
  /** Undefined: an answer that can be used. */
  readonly failure: FailureKind | undefined;
  /** From sending to the last byte, ms. */
  readonly ms: number;
}

/** Why a request brought nothing. */
export type FailureKind =
  /** No connection can be made. */
  | 'unreachable'
  /** A connection that broke: before the answer, or within it. */
  | 'connection'
  /** No connection in time. */
  | 'connect-timeout'
  /** No whole answer in time. */
  | 'timeout'
  /** Nobody waits any more. */
  | 'aborted'
  /** An answer that is not the promised one. */
  | 'invalid'
  /** 429. */
  | 'rate-limited'
  /** 5xx. */
  | 'server-error'
  /** 404 or 410: there is no such object. */
  | 'missing'
  /** 401 or 403. */
  | 'credential'
  /** Any other status below 500; a redirect, too. */
  | 'rejected';

/** How the way to the upstream is at this moment: for gauges, and for `/ready`. */
export interface UpstreamState {
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Requests that are under way. */
  readonly inFlight: number;
  /** Credentials that the upstream has asked to be patient. */
  readonly coolingDown: number;
  /** `open`: nobody's requests are sent; `partly-open`: not those of some credentials to some endpoints; `half-open`: one is sent to see. */
  readonly breaker: 'closed' | 'partly-open' | 'half-open' | 'open';
}
