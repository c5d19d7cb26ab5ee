import type { TransportResponse } from './transport.ts';

/**
 * Whether a body is HTML or XML: a page of a load balancer, a firewall or another server, and not a
 * response of the API. A body whose first significant byte is `<` is a web page, because no JSON
 * text begins with `<`. A body that begins like JSON is no web page, whatever its declared type.
 * For any other body, the declared type decides.
 */
export function isWebPage({ header, body }: Pick<TransportResponse, 'header' | 'body'>): boolean {
  const byte = findSignificantByte(body);
  if (byte !== undefined && JSON_START.includes(byte)) return false;
  if (byte === LESS_THAN) return true;
  const isDeclaredEmpty = body.length === 0 && header('content-length') === '0';
  return !isDeclaredEmpty && MARKUP_TYPE.test(header('content-type') ?? '');
}

/**
 * Whether a web page with this status could be mistaken for a response of the API. A 429 and a 5xx
 * have one meaning, with any body.
 */
export function canBeMistaken(status: number): boolean {
  return status < 500 && status !== 429;
}

/**
 * Whether these first chunks of a body suffice for `isWebPage`. A blank kilobyte suffices, too: the
 * declared type then decides.
 */
export function isSufficientStart(chunks: readonly Uint8Array[]): boolean {
  return findSignificantByte(chunks) !== undefined || byteLength(chunks) >= MAX_BLANK_BYTES;
}

const MAX_BLANK_BYTES = 1_024;

/** `text/html`, `application/xhtml+xml`, `text/xml`, `application/problem+xml` and the like. */
const MARKUP_TYPE = /^\s*(text\/html|(text|application)\/xml|[^\s;,/]+\/[^\s;,/]+\+xml)\s*(;|,|$)/i;

const [LESS_THAN] = Buffer.from('<');
const JSON_START = Buffer.from('{["');
/** White space, the bytes of byte order marks, and the 0x00 of each ASCII character in UTF-16. */
const INSIGNIFICANT = Buffer.from([
  0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x00, 0xef, 0xbb, 0xbf, 0xfe, 0xff,
]);

function findSignificantByte(chunks: readonly Uint8Array[]): number | undefined {
  for (const chunk of chunks) {
    const byte = chunk.find((one) => !INSIGNIFICANT.includes(one));
    if (byte !== undefined) return byte;
  }
  return undefined;
}

function byteLength(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.byteLength;
  return bytes;
}
