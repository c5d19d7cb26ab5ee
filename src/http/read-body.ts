import { GraphQLError } from 'graphql';
import { BodyTooLargeError } from '#errors/gateway-error.ts';

/**
 * Reads a body to its end.
 * @param onBytes called with the bytes of each part; an error that it throws ends the reading
 * @throws BodyTooLargeError; GraphQLError for an incomplete body
 */
export async function readBodyUpTo(
  maxBytes: number,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onBytes?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(throwIncompleteBody);
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
    bytes += value.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    onBytes?.(value.byteLength);
  }
}

/** The client has disconnected, or its body is cut. */
function throwIncompleteBody(): never {
  const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
  throw new GraphQLError('The body is incomplete.', { extensions });
}
