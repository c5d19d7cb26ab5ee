import type { HeaderReader, HeaderWriter, RequestHead } from '#http/message.ts';
import { createOriginMatcher } from './allowed-origins.ts';

/** How long a browser may cache the preflight. Chromium accepts at most two hours. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** Valid names of headers. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

/** The headers that a page may read in addition to those that every page may (Fetch, 2.2.2). */
const EXPOSED_HEADERS = 'Allow, Retry-After, WWW-Authenticate, X-Request-Id';

/** The headers of a request, and its URL. Without a URL, `onOriginRefused` is not called. */
type CrossOriginRequest = Pick<RequestHead, 'headers'> & Partial<Pick<RequestHead, 'url'>>;

export interface Cors {
  /** Whether `handlePreflight` responds to the request. */
  isPreflight(method: string | undefined, headers: HeaderReader): boolean;
  /** The response to a CORS preflight. Undefined for every other request. */
  handlePreflight(request: RequestHead): Response | undefined;
  /** Sets the headers that let a page of an allowed origin read the response. */
  setAllowOrigin(request: CrossOriginRequest, headers: HeaderWriter): void;
  /**
   * The headers of the rejection of a malformed request. They let every page read the rejection,
   * because the origin of such a request is unknown. The rejection is the same for all clients, and
   * contains nothing about them.
   */
  readonly unknownOriginHeaders: Readonly<Record<string, string>>;
}

/**
 * Lets pages of these origins read responses, including errors. Without cookies: the gateway uses
 * none.
 * @param origins if empty, no CORS header is sent, and pages of other origins can read nothing
 * @param onOriginRefused called when a page of another origin cannot read a response
 */
export function createCors(
  origins: readonly string[],
  onOriginRefused: (origin: string) => void = () => {},
): Cors {
  const isEnabled = origins.length > 0;
  const matchesOrigin = createOriginMatcher(origins);
  const isAllowedOrigin = ({ url, headers }: CrossOriginRequest) => {
    const origin = headers.get('origin');
    if (origin === null) return false;
    if (matchesOrigin(origin)) return true;
    if (url !== undefined && !isSameOrigin(origin, url, headers)) onOriginRefused(origin);
    return false;
  };

  const isPreflight = (method: string | undefined, headers: HeaderReader) =>
    isEnabled && hasPreflightHeaders(method, headers);

  return {
    isPreflight,
    handlePreflight(request) {
      if (!hasPreflightHeaders(request.method, request.headers)) return;
      const isAllowed = isAllowedOrigin(request);
      if (!isEnabled) return;
      return new Response(null, {
        status: 204,
        headers: isAllowed ? toPreflightHeaders(request.headers) : {},
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

function hasPreflightHeaders(method: string | undefined, headers: HeaderReader): boolean {
  return (
    method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
  );
}

/**
 * Whether the page is one of the gateway's own. The scheme is not compared: a proxy in front may
 * end TLS.
 */
export function isSameOrigin(origin: string, url: string, headers: HeaderReader): boolean {
  return (
    headers.get('sec-fetch-site') === 'same-origin' ||
    URL.parse(origin)?.host === URL.parse(url)?.host
  );
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
