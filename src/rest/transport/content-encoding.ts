import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** The encoding of a body is unknown or corrupt. */
export class EncodingError extends Error {
  override name = 'EncodingError';
}

/** Decodes a body chunk by chunk. */
export interface Decoder {
  /** @returns false if the writer must wait for `onDrain` */
  write(chunk: Uint8Array): boolean;
  /** Signals the end of the input. */
  end(): void;
  /**
   * Emits no data until `resume`, and buffers no more output than the high-water mark of the zlib
   * stream.
   */
  pause(): void;
  resume(): void;
  /** Discards the body: no further events. */
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
 * Decodes a body no faster than its output is read, so a limit on the output also limits the input.
 * The gateway sends no `Accept-Encoding`. HTTP then permits any encoding (RFC 9110, 12.5.3).
 * Stacked encodings count as unknown: each further encoding would multiply the cost of a few bytes.
 * @throws EncodingError if the encoding is unknown
 */
export function createDecoder(
  encoding: string,
  { onData, onDrain, onEnd, onError }: DecoderEvents,
): Decoder {
  const create = DECODERS.get(encoding.trim().toLowerCase());
  if (!create) throw new EncodingError('an unknown encoding');
  const decoder = create();
  decoder.on('data', onData).on('drain', onDrain).on('end', onEnd);
  decoder.on('error', (cause) => onError(new EncodingError('a damaged encoding', { cause })));
  return decoder;
}
