import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Body } from './received-body.ts';

/** A body is encoded in a way that is not known, or is not what it says it is. */
export class EncodingError extends Error {
  override name = 'EncodingError';
}

const DECODERS = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/**
 * Undoes the encoding of a body, no faster than it is read: whoever bounds what comes out bounds what goes in. None is asked for, and then
 * HTTP allows any (RFC 9110, 12.5.3). One over another is none that is known: each would multiply what a few bytes can cost.
 * @throws when it is read: EncodingError, or what the body throws
 */
export function toDecoded(body: Body, encoding = ''): Body {
  const name = encoding.trim().toLowerCase();
  return name === '' || name === 'identity' ? body : decode(Readable.from(body, { objectMode: false }), name);
}

async function* decode(body: Readable, name: string): AsyncGenerator<Uint8Array> {
  const decoder = DECODERS.get(name)?.();
  if (!decoder) throw new EncodingError('an unknown encoding');
  // Each end takes the other with it, and both tell the same error then: whose it is shows in who tells it first.
  let culprit: Readable | undefined;
  for (const end of [body, decoder]) {
    end.once('error', () => {
      culprit ??= end;
    });
  }
  pipeline(body, decoder, () => {});
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw culprit === decoder ? new EncodingError('a damaged encoding', { cause: error }) : error;
  }
}
