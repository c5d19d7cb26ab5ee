import { parseJson } from './parse-json.ts';
import type { Transport } from './transport.ts';

const MAX_BYTES = 2 ** 20;

/**
 * Fetches JSON documents of other servers (an issuer's keys) with the transport of the API: only
 * GET, through the same proxy, without following redirects. A response with any other status than
 * 200 has no body. The promise rejects if the body is not JSON, or is larger than 1 MiB.
 */
export function createJsonFetch(
  transport: Transport,
  userAgent: string,
): (request: Request) => Promise<Response> {
  return async ({ url, headers, signal }) => {
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    const pendingResponse = transport({
      origin,
      path: pathname + search,
      headers: { 'user-agent': userAgent, ...Object.fromEntries(headers) },
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
