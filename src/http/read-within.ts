import { GraphQLError } from 'graphql';
import { BodyTooLargeError } from '#errors/gateway-error.ts';

/**
 * Reads a body to its end.
 * @param onBytes called with the bytes of each part; what it throws ends the reading
 * @throws BodyTooLargeError; GraphQLError where it breaks off
 */
export async function readWithin(
  limit: number,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onBytes?: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(failToRead);
    if (done) return Buffer.concat(parts);
    parts.push(value);
    bytes += value.byteLength;
    if (bytes > limit) throw new BodyTooLargeError(limit);
    onBytes?.(value.byteLength);
  }
}

/** The client has left, or its body is cut. */
function failToRead(): never {
  const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
  throw new GraphQLError('The body ended before it was whole.', { extensions });
}
