import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** A body is encoded in a way that is not known, or is not what it says it is. */
export class EncodingError extends Error {
  override name = 'EncodingError';
}

/** Undoes an encoding part by part. */
export interface Decoder {
  /** @returns false: no more until `onDrain` */
  write(chunk: Uint8Array): boolean;
  /** There is no more. */
  end(): void;
  /** Emits nothing until `resume`, and buffers no more than its limit. */
  pause(): void;
  resume(): void;
  /** Nobody wants it any more: nothing is told from now on. */
  destroy(): void;
}

export interface DecoderEvents {
  onData(chunk: Buffer): void;
  onDrain(): void;
  onEnd(): void;
  onError(error: EncodingError): void;
}

const DECODERS = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

export function isEncoded(encoding: string | undefined): encoding is string {
  return encoding !== undefined && !/^\s*(identity\s*)?$/i.test(encoding);
}

/**
 * Undoes the encoding of a body, no faster than it is read: whoever bounds what comes out bounds what goes in. None is asked for, and then
 * HTTP allows any (RFC 9110, 12.5.3). One over another is none that is known: each would multiply what a few bytes can cost.
 * @throws EncodingError when it is not known
 */
export function createDecoder(encoding: string, { onData, onDrain, onEnd, onError }: DecoderEvents): Decoder {
  const create = DECODERS.get(encoding.trim().toLowerCase());
  if (!create) throw new EncodingError('an unknown encoding');
  const decoder = create();
  decoder.on('data', onData).on('drain', onDrain).on('end', onEnd);
  decoder.on('error', (cause) => onError(new EncodingError('a damaged encoding', { cause })));
  return decoder;
}
