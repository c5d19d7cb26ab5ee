import { parseJson } from './parse-json.ts';
import type { Transport } from './transport.ts';

const MAX_BYTES = 2 ** 20;

/**
 * Fetches JSON documents that are no part of the API, an issuer's keys for one, the same way: GETs only, through the same proxy, and no redirect
 * is followed. An answer without status 200 comes without its body; one that is no JSON, or more than a mebibyte of it, rejects.
 */
export function createJsonFetch(transport: Transport): (request: Request) => Promise<Response> {
  return async ({ url, headers, signal }) => {
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    const pendingResponse = transport({
      origin,
      path: pathname + search,
      headers: Object.fromEntries(headers),
      maxBytes: MAX_BYTES,
    });
    const onAbort = () => pendingResponse.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const { status, body, bodyError } = await pendingResponse.response;
      if (bodyError) throw bodyError;
      return status === 200 ? Response.json(parseJson(body)) : new Response(null, { status });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}
