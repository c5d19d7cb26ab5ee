import { type ErrorCode, GatewayError, type PublicDetails } from './gateway-error.ts';

/** Which request failed. For logs and metrics: neither is ever shown to a caller. */
export interface UpstreamRequestLine {
  readonly method: 'GET';
  /** The path as it was sent, ids included, without origin and query. */
  readonly path: string;
}

/** A request to the upstream that brought no usable answer. Surfaces at the field that needed it. */
export class UpstreamError extends GatewayError {
  readonly method: UpstreamRequestLine['method'];
  readonly path: string;
  /** The status of the upstream's answer; absent when there was none. */
  readonly status: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    line: UpstreamRequestLine,
    { status, details, cause }: { status?: number | undefined; details?: PublicDetails; cause?: unknown } = {},
  ) {
    super(code, message, details, cause === undefined ? undefined : { cause });
    this.method = line.method;
    this.path = line.path;
    this.status = status;
  }
}

/** No connection, a 5xx, or a redirect (which is never followed: it could carry the credential elsewhere). */
export class UpstreamUnavailableError extends UpstreamError {
  constructor(line: UpstreamRequestLine, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super('UPSTREAM_UNAVAILABLE', 'The Revox API cannot be reached or failed. Try again later.', line, { status, cause });
  }
}

/** No whole answer in time. */
export class UpstreamTimeoutError extends UpstreamError {
  constructor(line: UpstreamRequestLine, cause?: unknown) {
    super('UPSTREAM_TIMEOUT', 'The Revox API did not answer in time.', line, { cause });
  }
}

/** An answer that is not what the documents promise: no JSON, no envelope, cut short or too large. */
export class UpstreamInvalidResponseError extends UpstreamError {
  constructor(line: UpstreamRequestLine, problem: string, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super('UPSTREAM_INVALID_RESPONSE', `The Revox API answered with something unexpected: ${problem}.`, line, { status, cause });
  }
}

/** The upstream's 4xx, with its status. In service mode its 401 and 403 too, which the caller cannot mend. */
export class UpstreamRejectedError extends UpstreamError {
  /** @param wasSent false: an earlier request with the same credential was answered so, and this one was not sent */
  constructor(line: UpstreamRequestLine, status: number, wasSent = true) {
    super('UPSTREAM_REJECTED', `The Revox API refused this request with status ${status}.`, line, {
      status: wasSent ? status : undefined,
      details: { status },
    });
  }
}

/** The upstream's 404 or 410. A single object's becomes null; a list's surfaces. */
export class UpstreamNotFoundError extends UpstreamRejectedError {}

/** The upstream does not take the caller's own credential (pass-through mode). */
export class CredentialRefusedError extends UpstreamError {
  /** @param wasSent false: an earlier request with the same credential was answered so, and this one was not sent */
  constructor(line: UpstreamRequestLine, status: 401 | 403, wasSent = true) {
    super(
      status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN',
      status === 401
        ? 'The Revox API does not accept this API key. Check the key in the Authorization header.'
        : 'The Revox API does not let this API key see this.',
      line,
      { status: wasSent ? status : undefined },
    );
  }
}

/** The upstream asks for patience, and has said so in answer to this request or to another with the same credential. */
export class RateLimitedError extends UpstreamError {
  /** @param status absent where this request was not even sent */
  constructor({ method, path }: UpstreamRequestLine, retryAfterMs: number, status?: 429) {
    const details = { retryAfter: Math.ceil(retryAfterMs / 1000) };
    super('RATE_LIMITED', 'The Revox API asks to slow down. Try again later.', { method, path }, { status, details });
  }
}

/** So many requests of the caller wait for the upstream already that another one is not taken. */
export class QueueFullError extends UpstreamError {
  constructor(line: UpstreamRequestLine, retryAfterMs: number) {
    const message = 'Too many requests to the Revox API are waiting for their turn. Ask for less at a time, or try again later.';
    super('RATE_LIMITED', message, line, { details: { retryAfter: Math.ceil(retryAfterMs / 1000) } });
  }
}
