import type { HeaderReader, HeaderWriter, RequestHead } from '#http/message.ts';

/** For so long a browser need not ask again, s. No browser takes more than a few hours. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** What a header may be named. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

export interface Cors {
  /** The answer to a browser that asks whether a page may ask; undefined for every other request. */
  handlePreflight(request: RequestHead): Response | undefined;
  /** Says in an answer whose pages may read it. */
  setAllowOrigin(request: RequestHead, headers: HeaderWriter): void;
}

/**
 * Lets pages of these origins read answers, errors included. Without cookies: we take none.
 * @param origins none: nothing is said to anybody, and pages of other origins read nothing
 */
export function createCors(origins: readonly string[]): Cors {
  const allowedOrigins = new Set(origins);
  const isAllowedOrigin = ({ headers }: RequestHead) => allowedOrigins.has(headers.get('origin') ?? '');

  return {
    handlePreflight(request) {
      const { method, headers } = request;
      const isPreflight = method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');
      if (allowedOrigins.size === 0 || !isPreflight) return;
      return new Response(null, { status: 204, headers: isAllowedOrigin(request) ? toPreflightHeaders(headers) : {} });
    },
    setAllowOrigin(request, headers) {
      if (allowedOrigins.size === 0) return;
      // On answers to everyone: a shared cache would give a page what was said to somebody else.
      const vary = headers.get('vary');
      headers.set('vary', vary ? `${vary}, Origin` : 'Origin');
      if (isAllowedOrigin(request)) headers.set('access-control-allow-origin', request.headers.get('origin') ?? '');
    },
  };
}

function toPreflightHeaders(requestHeaders: HeaderReader): Record<string, string> {
  const names = (requestHeaders.get('access-control-request-headers') ?? '').split(',').map((name) => name.trim());
  return {
    'access-control-allow-methods': 'GET, POST',
    ...(names.every((name) => HEADER_NAME.test(name)) ? { 'access-control-allow-headers': names.join(', ') } : {}),
    'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
  };
}
