import type { FailureCause } from '#errors/failure-cause.ts';
import type { Endpoint } from './upstream-request.ts';

/**
 * Reports upstream traffic to metrics and traces, without any path, id, key or response content.
 * Handlers are called synchronously and must neither block nor throw.
 */
export interface UpstreamEvents {
  /**
   * A request is about to be sent.
   * @returns headers to add to the request, and the observer of its end
   */
  onSend(request: OutgoingRequest): UpstreamRequestObserver;
  /** An attempt has failed, and the request will be retried. */
  onRetry(endpoint: Endpoint, reason: FailureKind): void;
  /** A request has acquired its slot after waiting for this time, in ms. */
  onQueueWait(waitedMs: number): void;
  /** The upstream rate-limited a credential; its requests wait for this time, in ms. */
  onRateLimited(ms: number): void;
  /** Another instance was rate-limited, and this one waits, too. */
  onCooldownReceived(): void;
  /** A request was rejected because the queue is full. */
  onQueueFull(): void;
  /** A circuit has opened or closed, or sends a probe. */
  onCircuitChange(change: CircuitChange, scope: CircuitScope): void;
}

export interface OutgoingRequest {
  readonly endpoint: Endpoint;
  /** Number of earlier attempts of the same request: 0 for a first attempt. */
  readonly retryCount: number;
  /** The trace of the operation that started the request, as given in its context. */
  readonly trace: unknown;
}

export interface UpstreamRequestObserver {
  readonly headers: Readonly<Record<string, string>>;
  /** Called exactly once. */
  onEnd(outcome: RequestOutcome): void;
}

export interface RequestOutcome {
  /** The upstream's status; null without a response. */
  readonly status: number | null;
  /** Undefined for a usable response. */
  readonly failure: FailureKind | undefined;
  /**
   * Why the upstream fails; undefined for a usable response, and for a failure that concerns a
   * single key, object or request.
   */
  readonly cause?: FailureCause | undefined;
  /** From sending to the last byte, in ms. */
  readonly ms: number;
}

/** Why a request failed. */
export type FailureKind =
  /** The connection could not be made. */
  | 'unreachable'
  /**
   * An established connection broke, before the response or during it. The circuit `connection`
   * does not count it as a failure, because the connection was made.
   */
  | 'connection'
  /** The connection was not made in time. */
  | 'connect-timeout'
  /** The response was not complete in time. */
  | 'timeout'
  /**
   * The gateway aborted the request: no operation waits for it any more, or its response exceeds
   * the byte budget of its operation.
   */
  | 'aborted'
  /** The response is not what the API documentation states. */
  | 'invalid'
  /** 429. */
  | 'rate-limited'
  /** 5xx, or a web page with any status but 429. */
  | 'server-error'
  /** 404 or 410: the object does not exist. */
  | 'missing'
  /** 401 or 403. */
  | 'credential'
  /** Any other status below 500, redirects included. */
  | 'rejected';

/** The current state of the REST client, for gauges and for `/ready`. */
export interface UpstreamState {
  /** Requests in the queue. */
  readonly queued: number;
  /** Requests in flight. */
  readonly inFlight: number;
  /** Credentials in a rate-limit cooldown. */
  readonly coolingDown: number;
  /** Credentials of which other instances use a part of `REVOX_MAX_CONCURRENCY`. */
  readonly reducedShares: number;
  readonly circuits: Readonly<Record<CircuitScope, CircuitStatus>>;
}

/**
 * Which requests a circuit blocks. `connection`: all of them, because connections to the upstream
 * cannot be made. `endpoint`: those of one caller to one endpoint.
 */
export type CircuitScope = 'connection' | 'endpoint';

/** `half-open`: the open time is over, and a probe is sent. */
export type CircuitChange = 'opened' | 'half-open' | 'closed';

/** `open`: no request is sent. `half-open`: a single probe is sent. */
export type CircuitState = 'closed' | 'half-open' | 'open';

/** The circuits of one scope. */
export interface CircuitStatus {
  /** Of several circuits, the state that blocks most: open, then half-open. */
  readonly state: CircuitState;
  /** Number of circuits that are open or half-open. */
  readonly openCount: number;
}
