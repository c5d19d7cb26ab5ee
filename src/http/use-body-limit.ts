import type { Plugin } from 'graphql-yoga';
import { BodyTooLargeError } from '#errors/gateway-error.ts';
import { readWithin } from './read-within.ts';
import type { BodyUnderWay } from './request-bytes.ts';

/**
 * Refuses a body that is too large: before it is read if it says so, else when it has been read so far. Yoga's own limit cancels what is
 * too long, and that closes the connection before the answer is on it; here the rest is left to Node, which drops it once it has answered.
 */
export function useBodyLimit(limit: number): Plugin<object, { readonly body: BodyUnderWay }> {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI, serverContext }) {
      const length = Number(request.headers.get('content-length') ?? 0);
      if (length > limit) throw new BodyTooLargeError(limit, length);
      if (!requestParser || !request.body) return;
      setRequestParser(async ({ url, method, headers, signal, body: unread }) => {
        const body = unread && (await readWithin(limit, unread.getReader(), serverContext.body.held?.add));
        return requestParser(new fetchAPI.Request(url, { method, headers, signal, body }));
      });
    },
  };
}
