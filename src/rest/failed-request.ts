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

  constructor(
    kind: FailureKind,
    error: UpstreamError | BudgetExceededError,
    advice: RetryAdvice = {},
  ) {
    super(error.message, { cause: error });
    this.kind = kind;
    this.error = error;
    this.retryAfterMs = advice.retryAfterMs;
    this.shouldRetry = advice.shouldRetry;
  }

  /** The upstream's status; null without a response. */
  get status(): number | null {
    return 'status' in this.error ? (this.error.status ?? null) : null;
  }
}

/** A request without a response: no connection, a broken one, or a timeout. */
export function toFailedTransport(requestLine: UpstreamRequestLine, cause: unknown): FailedRequest {
  const code =
    errorCodeOf(cause) ?? errorCodeOf(cause instanceof Error ? cause.cause : undefined) ?? '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new FailedRequest('connect-timeout', new UpstreamTimeoutError(requestLine, cause));
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new FailedRequest('timeout', new UpstreamTimeoutError(requestLine, cause));
  }
  const kind = UNREACHABLE_CODES.test(code) ? 'unreachable' : 'connection';
  return new FailedRequest(kind, new UpstreamUnavailableError(requestLine, { cause }));
}

/**
 * Failures before the first byte of the request is sent: names, routes, ports, proxies and
 * certificates. Any other failure may depend on the request.
 */
const UNREACHABLE_CODES =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_PRX_|ERR_TLS_|CERT_|.*_CERT|UNABLE_TO_)/;

function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
