import { type ErrorCode, GatewayError, type PublicDetails } from './gateway-error.ts';

/** Identifies the request that failed. For logs and metrics: a caller never sees method or path. */
export interface UpstreamRequestLine {
  readonly method: 'GET';
  /** The path as it was sent, ids included, without origin and query. */
  readonly path: string;
}

/** An upstream request without a usable response. Surfaces at the field that needed it. */
export class UpstreamError extends GatewayError {
  readonly method: UpstreamRequestLine['method'];
  readonly path: string;
  /** The status of the upstream's response; absent if there was none. */
  readonly status: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    line: UpstreamRequestLine,
    {
      status,
      details,
      cause,
    }: { status?: number | undefined; details?: PublicDetails; cause?: unknown } = {},
  ) {
    super(code, message, details, cause === undefined ? undefined : { cause });
    this.method = line.method;
    this.path = line.path;
    this.status = status;
  }
}

/**
 * No connection, a 5xx, or a redirect. A redirect is never followed: it could carry the credential
 * elsewhere.
 */
export class UpstreamUnavailableError extends UpstreamError {
  constructor(
    line: UpstreamRequestLine,
    { status, cause }: { status?: number; cause?: unknown } = {},
  ) {
    super(
      'UPSTREAM_UNAVAILABLE',
      'The Revox API cannot be reached or failed. Try again later.',
      line,
      { status, cause },
    );
  }
}

/** No complete response in time. */
export class UpstreamTimeoutError extends UpstreamError {
  constructor(line: UpstreamRequestLine, cause?: unknown) {
    super('UPSTREAM_TIMEOUT', 'The Revox API did not respond in time.', line, { cause });
  }
}

/** A response that is not as documented: no JSON, no envelope, cut short or too large. */
export class UpstreamInvalidResponseError extends UpstreamError {
  constructor(
    line: UpstreamRequestLine,
    problem: string,
    { status, cause }: { status?: number; cause?: unknown } = {},
  ) {
    super(
      'UPSTREAM_INVALID_RESPONSE',
      `The Revox API sent an unexpected response: ${problem}.`,
      line,
      { status, cause },
    );
  }
}

/**
 * HTML or XML instead of a response of the API: a page of a load balancer, a firewall or another
 * server. Whatever its status, it is a failure like a 502, and says nothing about objects, keys or
 * lists.
 */
export class WebPageError extends UpstreamError {
  constructor(line: UpstreamRequestLine, status: number) {
    const isRedirect = status >= 300 && status <= 399;
    super(
      isRedirect ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_INVALID_RESPONSE',
      isRedirect
        ? 'The Revox API cannot be reached or failed. Try again later.'
        : 'The Revox API sent an unexpected response: HTML or XML, not JSON.',
      line,
      { status },
    );
  }
}

/**
 * The upstream's 4xx, with its status. In service mode also its 401 and 403, which the caller
 * cannot fix.
 */
export class UpstreamRejectedError extends UpstreamError {
  /**
   * @param wasSent false: an earlier request with the same credential got this status, and this one
   * was not sent
   */
  constructor(line: UpstreamRequestLine, status: number, wasSent = true) {
    super('UPSTREAM_REJECTED', `The Revox API rejected this request with status ${status}.`, line, {
      status: wasSent ? status : undefined,
      details: { status },
    });
  }
}

/** The upstream's 404 or 410. For a single object it becomes null; for a list it surfaces. */
export class UpstreamNotFoundError extends UpstreamRejectedError {}

/** The upstream rejects the caller's own credential (pass-through mode). */
export class CredentialRejectedError extends UpstreamError {
  /**
   * @param wasSent false: an earlier request with the same credential got this status, and this one
   * was not sent
   */
  constructor(line: UpstreamRequestLine, status: 401 | 403, wasSent = true) {
    super(
      status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN',
      status === 401
        ? 'The Revox API does not accept this API key. Check the key in the Authorization header.'
        : 'The Revox API does not allow this API key to read this data.',
      line,
      { status: wasSent ? status : undefined },
    );
  }
}

/**
 * The rate limit of the upstream, reported in response to this request or to another one with the
 * same credential.
 */
export class RateLimitedError extends UpstreamError {
  /** @param status absent: this request was not sent */
  constructor({ method, path }: UpstreamRequestLine, retryAfterMs: number, status?: 429) {
    const details = { retryAfter: Math.ceil(retryAfterMs / 1000) };
    super(
      'RATE_LIMITED',
      'The rate limit of the Revox API is exceeded. Try again later.',
      { method, path },
      { status, details },
    );
  }
}

/** The caller's queue for the upstream is full. */
export class QueueFullError extends UpstreamError {
  constructor(line: UpstreamRequestLine, retryAfterMs: number) {
    const message =
      'Too many requests to the Revox API are queued. Request less in one operation, or try again later.';
    super('RATE_LIMITED', message, line, {
      details: { retryAfter: Math.ceil(retryAfterMs / 1000) },
    });
  }
}
