import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { GraphQLError } from 'graphql';
import { BodyTooLargeError, GatewayError } from '#errors/gateway-error.ts';
import type { ContentCoding } from '#http/headers/content-encoding.ts';
import { readChunk } from './read-body.ts';

/**
 * Reads an encoded body to its end and decodes it. A body that expands is decoded only up to the
 * limit, in steps of some 16 kB: the limit and `onBytes` apply to decoded bytes. The limit applies
 * to encoded bytes, too, because an endless encoded body can decode to nothing.
 * @param onBytes called with the decoded bytes of each part; an error that it throws ends the reading
 * @throws BodyTooLargeError; GraphQLError for an incomplete or corrupt body
 */
export async function readDecodedBodyUpTo(
  maxBytes: number,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  coding: ContentCoding,
  onBytes: (bytes: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const firstChunk = await readChunk(reader);
  const decodedChunks: Uint8Array[] = [];
  try {
    await pipeline(readEncoded, createDecoder(coding, firstChunk), async (decoded) => {
      let bytes = 0;
      for await (const chunk of decoded as AsyncIterable<Uint8Array>) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
        onBytes(chunk.byteLength);
        decodedChunks.push(chunk);
      }
    });
  } catch (error) {
    // Every other error is the decoder's.
    if (error instanceof GatewayError || error instanceof GraphQLError) throw error;
    throw corruptBody(coding);
  }
  return Buffer.concat(decodedChunks);

  /** Does not cancel the reader: that would close the connection before the response is sent. */
  async function* readEncoded(): AsyncGenerator<Uint8Array> {
    let encodedBytes = 0;
    for (let chunk = firstChunk; chunk; chunk = await readChunk(reader)) {
      encodedBytes += chunk.byteLength;
      if (encodedBytes > maxBytes) throw new BodyTooLargeError(maxBytes);
      yield chunk;
    }
  }
}

function createDecoder(coding: ContentCoding, firstChunk: Uint8Array | undefined) {
  if (coding === 'gzip') return createGunzip();
  if (coding === 'br') return createBrotliDecompress();
  return hasZlibHeader(firstChunk) ? createInflate() : createInflateRaw();
}

const DEFLATE_METHOD = 8;

/** `deflate` is the zlib format (RFC 9110, 8.4.1.2), but some clients send it without its header. */
function hasZlibHeader(firstChunk: Uint8Array | undefined): boolean {
  return ((firstChunk?.[0] ?? 0) & 0x0f) === DEFLATE_METHOD;
}

function corruptBody(coding: ContentCoding): GraphQLError {
  const extensions = { code: 'BAD_USER_INPUT', http: { status: 400 } };
  return new GraphQLError(`The body is not complete and valid ${coding}.`, { extensions });
}
