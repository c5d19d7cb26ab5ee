import type { HeaderReader, HeaderWriter, RequestHead } from './exchange.ts';

/** For so long a browser need not ask again, s. No browser takes more than a few hours. */
const MAX_AGE_S = 7200;

/** What a header may be named. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

export interface Cors {
  /** The answer to a browser that asks whether a page may ask; undefined for every other request. */
  preflight(request: RequestHead): Response | undefined;
  /** Says in an answer whose pages may read it. */
  allow(request: RequestHead, headers: HeaderWriter): void;
}

/**
 * Lets pages of these origins read answers, errors included. Without cookies: we take none.
 * @param origins none: nothing is said to anybody, and pages of other origins read nothing
 */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  const isAllowed = ({ headers }: RequestHead) => allowed.has(headers.get('origin') ?? '');

  return {
    preflight(request) {
      const { method, headers } = request;
      const isAsked = method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method');
      if (allowed.size === 0 || !isAsked) return;
      return new Response(null, { status: 204, headers: isAllowed(request) ? toPermission(headers) : {} });
    },
    allow(request, headers) {
      if (allowed.size === 0) return;
      // On answers to everyone: a shared cache would give a page what was said to somebody else.
      const vary = headers.get('vary');
      headers.set('vary', vary ? `${vary}, Origin` : 'Origin');
      if (isAllowed(request)) headers.set('access-control-allow-origin', request.headers.get('origin') ?? '');
    },
  };
}

function toPermission(asked: HeaderReader): Record<string, string> {
  const names = (asked.get('access-control-request-headers') ?? '').split(',').map((name) => name.trim());
  return {
    'access-control-allow-methods': 'GET, POST',
    ...(names.every((name) => TOKEN.test(name)) ? { 'access-control-allow-headers': names.join(', ') } : {}),
    'access-control-max-age': String(MAX_AGE_S),
  };
}
