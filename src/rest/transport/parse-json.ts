/** Values within values. The documents have no more than ten; a few thousand would break everyone who walks them, JSON.stringify for one. */
const MAX_NESTING_DEPTH = 200;

/** The body holds values within values beyond all measure. */
export class TooDeepError extends Error {
  override name = 'TooDeepError';
}

/** Each value takes memory, however few bytes it has in the body: 16 MB of `{},{},…` would become 300 MB. */
const MAX_VALUES = 1_000_000;

/** The body holds more values than any answer of the API. */
export class TooManyValuesError extends Error {
  override name = 'TooManyValuesError';
}

/**
 * Reads a body as JSON, frozen all the way down: what is shared by many readers, none may change.
 * @throws TooDeepError, TooManyValuesError, SyntaxError
 */
export function parseJson(chunks: readonly Uint8Array[]): unknown {
  const body = concatChunks(chunks);
  checkValueCount(body);
  const value: unknown = JSON.parse(decodeUtf8(body));
  deepFreeze(value, MAX_NESTING_DEPTH);
  return value;
}

function concatChunks(chunks: readonly Uint8Array[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(chunks);
}

/** Counts what begins a value or parts two, in strings too: an upper bound. A body of fewer bytes cannot hold as many. */
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
  // RFC 8259 lets a parser ignore it; `JSON.parse` does not.
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;

/** As quick as can be: it takes as long as to parse. */
function deepFreeze(value: unknown, remainingLevels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (remainingLevels === 0) throw new TooDeepError(`more than ${MAX_NESTING_DEPTH} levels`);
  if (Array.isArray(value)) for (const inner of value) deepFreezeInner(inner, remainingLevels);
  else for (const name in value) deepFreezeInner((value as Record<string, unknown>)[name], remainingLevels);
  Object.freeze(value);
}

function deepFreezeInner(inner: unknown, remainingLevels: number): void {
  if (typeof inner === 'object') deepFreeze(inner, remainingLevels - 1);
}
