import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { BodyTooLargeError } from '#errors/gateway-error.ts';

/**
 * Refuses a body that is too large: before it is read if it says so, else when it has been read so far. Yoga's own limit cancels what is
 * too long, and that closes the connection before the answer is on it; here the rest is left to Node, which drops it once it has answered.
 */
export function useBodyLimit(limit: number): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI }) {
      const length = Number(request.headers.get('content-length') ?? 0);
      if (length > limit) throw new BodyTooLargeError(limit, length);
      if (!requestParser || !request.body) return;
      setRequestParser(async ({ url, method, headers, signal, body: unread }) => {
        const body = unread && (await readWithin(limit, unread.getReader()));
        return requestParser(new fetchAPI.Request(url, { method, headers, signal, body }));
      });
    },
  };
}

async function readWithin(limit: number, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(failToRead);
    if (done) return Buffer.concat(parts);
    parts.push(value);
    bytes += value.byteLength;
    if (bytes > limit) throw new BodyTooLargeError(limit);
  }
}

/** The client has left, or its body is cut. */
function failToRead(): never {
  const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
  throw new GraphQLError('The body ended before it was whole.', { extensions });
}
