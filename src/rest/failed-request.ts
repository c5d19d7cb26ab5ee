import {
  type FailureCause,
  type FailureCauseKind,
  type RequestTarget,
  toErrorCode,
  toTransportCause,
} from '#errors/failure-cause.ts';
import type { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  type UpstreamError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { FailureKind } from './upstream-events.ts';

/** What the upstream says about a retry. */
export interface RetryAdvice {
  readonly retryAfterMs?: number;
  readonly shouldRetry?: boolean;
}

export interface FailureDetails extends RetryAdvice {
  /** Absent if the failure says nothing about the upstream. */
  readonly failureCause?: FailureCause | undefined;
}

/** A failed request, with all that decides whether it is retried. */
export class FailedRequest extends Error {
  override name = 'FailedRequest';
  readonly kind: FailureKind;
  /**
   * The error that the client gets if the request is not retried. For a 429, the REST client
   * creates a new error with the remaining time of the cooldown.
   */
  readonly error: UpstreamError | BudgetExceededError;
  /** The delay that the upstream requests, in ms. */
  readonly retryAfterMs: number | undefined;
  /** Whether the upstream wants a retry (`x-should-retry`). */
  readonly shouldRetry: boolean | undefined;
  readonly failureCause: FailureCause | undefined;

  constructor(
    kind: FailureKind,
    error: UpstreamError | BudgetExceededError,
    details: FailureDetails = {},
  ) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
    this.retryAfterMs = details.retryAfterMs;
    this.shouldRetry = details.shouldRetry;
    this.failureCause = details.failureCause;
  }

  /** The upstream's status; null without a response. */
  get status(): number | null {
    return 'status' in this.error ? (this.error.status ?? null) : null;
  }
}

/** A request without a response: no connection, a broken one, or a timeout. */
export function toFailedTransport(
  requestLine: UpstreamRequestLine,
  cause: unknown,
  target?: RequestTarget,
): FailedRequest {
  const failureCause = toTransportCause(cause, target);
  const details = { failureCause };
  if (toErrorCode(cause) === 'UND_ERR_CONNECT_TIMEOUT')
    return new FailedRequest(
      'connect-timeout',
      new UpstreamTimeoutError(requestLine, cause),
      details,
    );
  if (failureCause.kind === 'response-timeout')
    return new FailedRequest('timeout', new UpstreamTimeoutError(requestLine, cause), details);
  const kind = NOT_CONNECTED.has(failureCause.kind) ? 'unreachable' : 'connection';
  return new FailedRequest(kind, new UpstreamUnavailableError(requestLine, { cause }), details);
}

/**
 * Failures before the first byte of the request is sent: names, routes, ports, proxies, handshakes
 * and certificates. Any other failure may depend on the request.
 */
const NOT_CONNECTED = new Set<FailureCauseKind>([
  'connection-refused',
  'name-not-found',
  'unreachable',
  'connect-timeout',
  'proxy',
  'certificate',
  'tls',
]);
