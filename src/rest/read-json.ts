/** Values within values. The documents have no more than ten; a few thousand would break everyone who walks them, JSON.stringify for one. */
const DEEPEST = 200;

/** The body holds values within values beyond all measure. */
export class TooDeepError extends Error {
  override name = 'TooDeepError';
}

/**
 * Reads a body as JSON, frozen all the way down: what is shared by many readers, none may change.
 * @throws TooDeepError, SyntaxError
 */
export function readJson(parts: readonly Uint8Array[]): unknown {
  const value: unknown = JSON.parse(toText(parts));
  freeze(value, DEEPEST);
  return value;
}

function toText(parts: readonly Uint8Array[]): string {
  const [first] = parts;
  const whole =
    parts.length === 1 && first ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(parts);
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
