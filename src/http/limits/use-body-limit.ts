import type { Plugin } from 'graphql-yoga';
import { BodyTooLargeError } from '#errors/gateway-error.ts';
import { readDecodedBodyUpTo } from '#http/decode-body.ts';
import { parseContentEncoding } from '#http/headers/content-encoding.ts';
import { readBodyUpTo } from '#http/read-body.ts';
import type { PendingBody } from './request-body-budget.ts';

/**
 * Rejects a body that is too large: before it is read if its `Content-Length` says so, otherwise
 * when the limit is reached. Yoga's own limit cancels the body, which closes the connection before
 * the response is sent. Here Node drops the rest of the body after the response. An encoded body is
 * decoded within the same limit.
 */
export function useBodyLimit(
  maxBytes: number,
): Plugin<object, { readonly pendingBody: PendingBody }> {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI, serverContext }) {
      const contentLength = Number(request.headers.get('content-length') ?? 0);
      if (contentLength > maxBytes) throw new BodyTooLargeError(maxBytes, contentLength);
      if (!requestParser || !request.body) return;
      setRequestParser(async ({ url, method, headers, signal, body: unreadBody }) => {
        const reader = unreadBody?.getReader();
        const onBytes = serverContext.pendingBody.reservation?.add;
        // `useJsonOnly` has rejected unknown codings.
        const coding = parseContentEncoding(headers.get('content-encoding'));
        const body =
          reader &&
          (coding
            ? await readDecodedBodyUpTo(maxBytes, reader, coding, onBytes)
            : await readBodyUpTo(maxBytes, reader, onBytes));
        return requestParser(
          new fetchAPI.Request(url, { method, headers, signal, body: body ?? null }),
        );
      });
    },
  };
}
