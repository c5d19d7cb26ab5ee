import type { HeaderReader, HeaderWriter, RequestHead } from '#http/message.ts';

/** How long a browser may cache the preflight. No browser accepts more than a few hours. */
const PREFLIGHT_MAX_AGE_S = 7200;

/** Valid names of headers. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

export interface Cors {
  /** The response to a CORS preflight. Undefined for every other request. */
  handlePreflight(request: RequestHead): Response | undefined;
  /** Sets the headers that let a page of an allowed origin read the response. */
  setAllowOrigin(request: RequestHead, headers: HeaderWriter): void;
}

/**
 * Lets pages of these origins read responses, including errors. Without cookies: the gateway uses
 * none.
 * @param origins if empty, no CORS header is sent, and pages of other origins can read nothing
 */
export function createCors(origins: readonly string[]): Cors {
  const allowedOrigins = new Set(origins);
  const isAllowedOrigin = ({ headers }: RequestHead) =>
    allowedOrigins.has(headers.get('origin') ?? '');

  return {
    handlePreflight(request) {
      const { method, headers } = request;
      const isPreflight =
        method === 'OPTIONS' &&
        headers.has('origin') &&
        headers.has('access-control-request-method');
      if (allowedOrigins.size === 0 || !isPreflight) return;
      return new Response(null, {
        status: 204,
        headers: isAllowedOrigin(request) ? toPreflightHeaders(headers) : {},
      });
    },
    setAllowOrigin(request, headers) {
      if (allowedOrigins.size === 0) return;
      // Set for every origin: otherwise a shared cache could send one page the response to another.
      const vary = headers.get('vary');
      headers.set('vary', vary ? `${vary}, Origin` : 'Origin');
      if (isAllowedOrigin(request))
        headers.set('access-control-allow-origin', request.headers.get('origin') ?? '');
    },
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
