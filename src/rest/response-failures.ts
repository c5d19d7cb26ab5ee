import { type FailureCause, toRedirectCause, toStatusCause } from '#errors/failure-cause.ts';
import {
  CredentialRejectedError,
  RateLimitedError,
  UpstreamNotFoundError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
  UpstreamUnavailableError,
  WebPageError,
} from '#errors/upstream-error.ts';
import { parseRetryAfterMs } from '#rest/resilience/retry-after.ts';
import type { TransportResponse } from '#rest/transport/transport.ts';
import { canBeMistaken, isWebPage } from '#rest/transport/web-page.ts';
import { FailedRequest, type FailureDetails } from './failed-request.ts';

export interface ResponseFailuresOptions {
  readonly baseUrl: string;
  readonly keyHolder: 'gateway' | 'caller';
  /** When the upstream responded, by its own clock, in ms. */
  readonly toUpstreamNow: (response: TransportResponse) => number;
}

/** Converts responses that are failures. */
export interface ResponseFailures {
  /** @param response a response without a 2xx status */
  toFailedStatus(
    requestLine: UpstreamRequestLine,
    query: string,
    response: TransportResponse,
  ): FailedRequest;
  /** @param response HTML or XML, with any status */
  toFailedPage(requestLine: UpstreamRequestLine, response: TransportResponse): FailedRequest;
}

export function createResponseFailures({
  baseUrl,
  keyHolder,
  toUpstreamNow,
}: ResponseFailuresOptions): ResponseFailures {
  return { toFailedStatus, toFailedPage };

  function toFailedStatus(
    requestLine: UpstreamRequestLine,
    query: string,
    response: TransportResponse,
  ): FailedRequest {
    const { status } = response;
    if (canBeMistaken(status) && isWebPage(response)) return toFailedPage(requestLine, response);
    const details = toDetails(response, toFailureCause(requestLine, query, response));
    if (status === 401 || status === 403) {
      const error =
        keyHolder === 'caller'
          ? new CredentialRejectedError(requestLine, status)
          : new UpstreamRejectedError(requestLine, status);
      return new FailedRequest('credential', error, details);
    }
    if (status === 404 || status === 410)
      return new FailedRequest('missing', new UpstreamNotFoundError(requestLine, status), details);
    if (status === 429)
      return new FailedRequest(
        'rate-limited',
        new RateLimitedError(requestLine, details.retryAfterMs ?? 0, 429),
        details,
      );
    if (status >= 400 && status < 500)
      return new FailedRequest('rejected', new UpstreamRejectedError(requestLine, status), details);
    const kind = status >= 500 ? 'server-error' : 'rejected';
    return new FailedRequest(kind, new UpstreamUnavailableError(requestLine, { status }), details);
  }

  function toFailedPage(
    requestLine: UpstreamRequestLine,
    response: TransportResponse,
  ): FailedRequest {
    const { status } = response;
    const cause: FailureCause = isRedirect(status)
      ? toRedirectCause(status, response.header('location'), baseUrl)
      : { kind: 'web-page', status };
    return new FailedRequest(
      'server-error',
      new WebPageError(requestLine, status),
      toDetails(response, cause),
    );
  }

  /** The cause of a status. A status that concerns a single key, object or request has none. */
  function toFailureCause(
    { path }: UpstreamRequestLine,
    query: string,
    response: TransportResponse,
  ): FailureCause | undefined {
    const { status } = response;
    if (keyHolder === 'gateway') {
      if (status === 401) return { kind: 'unauthorized', status };
      // The key may lack the permission for one object only.
      if (status === 403 && isList(path)) return { kind: 'forbidden', status };
    }
    const cause = toStatusCause(status, response.header('location'), baseUrl);
    if (cause?.kind !== 'not-found') return cause;
    return isList(path) && isFirstPage(query) ? { ...cause, endpoint: path } : undefined;
  }

  function toDetails(
    response: TransportResponse,
    failureCause: FailureCause | undefined,
  ): FailureDetails {
    const retryAfterMs = parseRetryAfterMs(response.header, toUpstreamNow(response));
    const shouldRetry = parseBoolean(response.header('x-should-retry'));
    return {
      ...(failureCause && { failureCause }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(shouldRetry === undefined ? {} : { shouldRetry }),
    };
  }
}

/** Whether the path names a list that belongs to no object, such as `/call`. */
function isList(path: string): boolean {
  return path.lastIndexOf('/') === 0;
}

/**
 * Whether the request may be for the first page: its page number is 0, 1 or absent. A later page
 * may be past the end of its list, whatever the number of the first page.
 */
function isFirstPage(query: string): boolean {
  const page = new URLSearchParams(query).get('page') ?? '0';
  return page === '0' || page === '1';
}

function isRedirect(status: number): boolean {
  return status >= 300 && status <= 399;
}

function parseBoolean(header: string | undefined): boolean | undefined {
  const text = header?.trim().toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
