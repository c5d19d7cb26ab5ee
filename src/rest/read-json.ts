/** Values within values. The documents have no more than ten; a few thousand would break everyone who walks them, JSON.stringify for one. */
const DEEPEST = 200;

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
export function readJson(parts: readonly Uint8Array[]): unknown {
  const whole = toWhole(parts);
  checkValues(whole);
  const value: unknown = JSON.parse(toText(whole));
  freeze(value, DEEPEST);
  return value;
}

function toWhole(parts: readonly Uint8Array[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(parts);
}

/** Counts what begins a value or parts two, in strings too: an upper bound. A body of fewer bytes cannot hold as many. */
function checkValues(body: Buffer): void {
  if (body.length <= MAX_VALUES) return;
  let values = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === COMMA || byte === OPENING_BRACKET || byte === OPENING_BRACE) values += 1;
  }
  if (values > MAX_VALUES) throw new TooManyValuesError(`more than ${MAX_VALUES} values`);
}

const [COMMA, OPENING_BRACKET, OPENING_BRACE] = Buffer.from(',[{');

function toText(whole: Buffer): string {
  const text = whole.toString();
  // RFC 8259 lets a parser ignore it; `JSON.parse` does not.
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

const BYTE_ORDER_MARK = 0xfeff;

/** As quick as can be: it takes as long as to parse. */
function freeze(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new TooDeepError(`more than ${DEEPEST} levels`);
  if (Array.isArray(value)) for (const inner of value) freezeInner(inner, levels);
  else for (const name in value) freezeInner((value as Record<string, unknown>)[name], levels);
  Object.freeze(value);
}

function freezeInner(inner: unknown, levels: number): void {
  if (typeof inner === 'object') freeze(inner, levels - 1);
}
