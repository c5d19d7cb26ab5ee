import type { HeaderReader, HeaderWriter, RequestHead } from '#http/message.ts';
import { createOriginMatcher } from './allowed-origins.ts';

/** How long a browser may cache the preflight. Chromium accepts at most two hours. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** Valid names of headers. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

/** The headers that a page may read in addition to those that every page may (Fetch, 2.2.2). */
const EXPOSED_HEADERS = 'Allow, Retry-After, WWW-Authenticate, X-Request-Id';

export interface Cors {
  /** Whether `handlePreflight` responds to the request. */
  isPreflight(method: string | undefined, headers: HeaderReader): boolean;
  /** The response to a CORS preflight. Undefined for every other request. */
  handlePreflight(request: RequestHead): Response | undefined;
  /** Sets the headers that let a page of an allowed origin read the response. */
  setAllowOrigin(request: Pick<RequestHead, 'headers'>, headers: HeaderWriter): void;
  /**
   * The headers that let a page read a rejection whose request is malformed, so that its origin is
   * unknown. Such a rejection is the same for all clients, and contains nothing about them.
   */
  readonly unknownOriginHeaders: Readonly<Record<string, string>>;
}

/**
 * Lets pages of these origins read responses, including errors. Without cookies: the gateway uses
 * none.
 * @param origins if empty, no CORS header is sent, and pages of other origins can read nothing
 */
export function createCors(origins: readonly string[]): Cors {
  const isEnabled = origins.length > 0;
  const matchesOrigin = createOriginMatcher(origins);
  const isAllowedOrigin = ({ headers }: Pick<RequestHead, 'headers'>) => {
    const origin = headers.get('origin');
    return origin !== null && matchesOrigin(origin);
  };

  const isPreflight = (method: string | undefined, headers: HeaderReader) =>
    isEnabled &&
    method === 'OPTIONS' &&
    headers.has('origin') &&
    headers.has('access-control-request-method');

  return {
    isPreflight,
    handlePreflight(request) {
      if (!isPreflight(request.method, request.headers)) return;
      return new Response(null, {
        status: 204,
        headers: isAllowedOrigin(request) ? toPreflightHeaders(request.headers) : {},
      });
    },
    setAllowOrigin(request, headers) {
      if (!isEnabled) return;
      // Set for every origin: otherwise a shared cache could send one page the response to another.
      const vary = headers.get('vary');
      headers.set('vary', vary ? `${vary}, Origin` : 'Origin');
      if (!isAllowedOrigin(request)) return;
      headers.set('access-control-allow-origin', request.headers.get('origin') ?? '');
      headers.set('access-control-expose-headers', EXPOSED_HEADERS);
    },
    unknownOriginHeaders: isEnabled
      ? {
          'access-control-allow-origin': '*',
          'access-control-expose-headers': EXPOSED_HEADERS,
        }
      : {},
  };
}

function toPreflightHeaders(requestHeaders: HeaderReader): Record<string, string> {
  const names = (requestHeaders.get('access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim());
  return {
    'access-control-allow-methods': 'GET, POST',
    ...(names.every((name) => HEADER_NAME.test(name))
      ? { 'access-control-allow-headers': names.join(', ') }
      : {}),
    'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
  };
}
