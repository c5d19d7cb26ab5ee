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
    const chunk = await readChunk(reader);
    if (!chunk) return Buffer.concat(chunks);
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    onBytes?.(chunk.byteLength);
  }
}

/**
 * Reads the next part of a body. Undefined at its end.
 * @throws GraphQLError for an incomplete body
 */
export async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const { value } = await reader.read().catch(throwIncompleteBody);
  return value;
}

const BYTE_ORDER_MARK = 0xfeff;

/** Readers of JSON may ignore a byte order mark (RFC 8259, 8.1); `JSON.parse` rejects it. */
export function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** The client has disconnected, or its body is cut. */
function throwIncompleteBody(): never {
  const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
  throw new GraphQLError('The body is incomplete.', { extensions });
}
