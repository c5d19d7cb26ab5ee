import { hasChangedLongNumber, mayBeChanged, parseExactNumbers } from './exact-number.ts';

/**
 * Maximum nesting. The response bodies of the API have at most ten levels; a few thousand would
 * overflow the stack of every recursive function, `JSON.stringify` for instance.
 */
const MAX_NESTING_DEPTH = 200;

/** The body is nested deeper than the maximum. */
export class TooDeepError extends Error {
  override name = 'TooDeepError';
}

/**
 * Maximum values of a body. Each value takes memory, however few bytes it has in the body: 16 MB of
 * `{},{},…` would become 300 MB.
 */
const MAX_VALUES = 1_000_000;

/** The body has more values than any response of the API. */
export class TooManyValuesError extends Error {
  override name = 'TooManyValuesError';
}

/**
 * Whether parsed values are frozen. Many operations share a value, and none may change it: its types
 * are `readonly`, and a write to a frozen object throws. In production only the types protect it,
 * because freezing takes a twentieth of the time of an operation that reads a page.
 */
const FREEZES_VALUES = process.env.NODE_ENV !== 'production';

/**
 * Parses a body as JSON. Many operations share the value: it is deeply frozen, except in production.
 * A number that JavaScript would change becomes an `ExactNumber`. The exceptions are decimals with at
 * most 15 digits on each side of the point, and numbers so small that they become 0.
 * @throws TooDeepError, TooManyValuesError, SyntaxError
 */
export function parseJson(chunks: readonly Uint8Array[]): unknown {
  const body = concatChunks(chunks);
  checkValueCount(body);
  return parseOwnJson(body, MAX_NESTING_DEPTH);
}

/** As `parseJson`, for a text of the gateway's own making. */
export function parseOwnJson(json: Buffer, maxDepth = Number.POSITIVE_INFINITY): unknown {
  const text = decodeUtf8(json);
  const value: unknown = JSON.parse(text);
  hasChangedNumber = hasChangedLongNumber(json);
  checkValue(value, maxDepth);
  if (!hasChangedNumber) return value;
  const exact = parseExactNumbers(text);
  checkValue(exact, maxDepth);
  return exact;
}

/** Set by `checkValue`, which visits each number. */
let hasChangedNumber = false;

function concatChunks(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first
    ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
    : Buffer.concat(chunks);
}

/**
 * Counts opening brackets and commas, including those in strings. The count is at least the number
 * of values minus one. A body with no more bytes than the maximum passes without counting.
 */
function checkValueCount(body: Buffer): void {
  if (body.length <= MAX_VALUES) return;
  let values = 0;
  for (let index = 0; index < body.length; index += 1) {
    const byte = body[index];
    if (byte === COMMA || byte === OPENING_BRACKET || byte === OPENING_BRACE) values += 1;
  }
  if (values > MAX_VALUES) throw new TooManyValuesError(`more than ${MAX_VALUES} values`);
}

const [COMMA, OPENING_BRACKET, OPENING_BRACE] = Buffer.from(',[{');

function decodeUtf8(body: Buffer): string {
  const text = body.toString();
  // RFC 8259 permits parsers to ignore a byte order mark; `JSON.parse` does not ignore it.
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Checks the depth of a value, finds numbers that may have changed, and freezes the value. One pass: a
 * visit to all values of a page takes a tenth of the time of parsing.
 * @throws TooDeepError
 */
function checkValue(value: unknown, remainingLevels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (remainingLevels === 0) throw new TooDeepError(`more than ${MAX_NESTING_DEPTH} levels`);
  if (Array.isArray(value)) for (const inner of value) checkInnerValue(inner, remainingLevels);
  else
    for (const name in value)
      checkInnerValue((value as Record<string, unknown>)[name], remainingLevels);
  if (FREEZES_VALUES) Object.freeze(value);
}

function checkInnerValue(inner: unknown, remainingLevels: number): void {
  if (typeof inner === 'object') checkValue(inner, remainingLevels - 1);
  else if (typeof inner === 'number' && mayBeChanged(inner)) hasChangedNumber = true;
}
