import { randomBytes } from 'node:crypto';

/**
 * A number of a response that a JavaScript number would change: an integer beyond 2^53, a decimal of
 * many digits, `1e400` or `-0`. `JSON.stringify` writes its text. It is a frozen object without
 * prototype, so it must be recognized before any other object.
 */
export interface ExactNumber {
  readonly rawJSON: string;
}

/** TypeScript's library lacks these functions: https://github.com/tc39/proposal-json-parse-with-source */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): boolean;
};

export function isExactNumber(value: unknown): value is ExactNumber {
  return typeof value === 'object' && isRawJSON(value);
}

/** The digits of a number of a response, as an id; undefined for any other value. */
export function toNumericId(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return isExactNumber(value) ? value.rawJSON : undefined;
}

/** An exact number as the nearest JavaScript number; any other value unchanged. */
export function withoutExactNumber(value: unknown): unknown {
  return isExactNumber(value) ? Number(value.rawJSON) : value;
}

/** Begins the strings that replace numbers. It is not predictable, so no response contains it. */
const MARK = `\u0000${randomBytes(16).toString('base64url')}`;
const MARK_LITERAL = `"\\u0000${MARK.slice(1)}`;

/**
 * Parses a JSON text like `JSON.parse`, but with exact numbers. Each number that would change is
 * parsed as a marked string, which takes three times as long as `JSON.parse` alone. A reviver, which
 * also gets the source of a number, takes seven times as long.
 * @param text valid JSON
 */
export function parseExactNumbers(text: string): unknown {
  return restoreNumbers(JSON.parse(markNumbers(text)));
}

function markNumbers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  let start = 0;
  while (start < text.length) {
    const quote = text.indexOf('"', start);
    const end = quote === -1 ? text.length : quote;
    // A gap of one character between two strings has no number that changes.
    if (end - start > 1) {
      for (const match of text.slice(start, end).matchAll(NUMBER)) {
        const [source] = match;
        if (!isChanged(source)) continue;
        const index = start + match.index;
        parts.push(text.slice(copied, index), MARK_LITERAL, source, '"');
        copied = index + source.length;
      }
    }
    start = quote === -1 ? text.length : endOfText(text, quote);
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(copied);
}

const NUMBER = /-?\d[\d.eE+-]*/g;

/** The index after the closing quote of a string. */
function endOfText(json: string, openingQuote: number): number {
  for (let quote = json.indexOf('"', openingQuote + 1); quote !== -1; ) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    quote = json.indexOf('"', quote + 1);
  }
  return json.length;
}

function restoreNumbers(value: unknown): unknown {
  if (typeof value === 'string')
    return value.startsWith(MARK) ? rawJSON(value.slice(MARK.length)) : value;
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  for (const name of Object.keys(object)) {
    const inner = object[name];
    if (typeof inner !== 'string' && typeof inner !== 'object') continue;
    const restored = restoreNumbers(inner);
    // `__proto__` is an own property of a parsed object: an assignment would set the prototype.
    if (restored !== inner) Object.defineProperty(object, name, { value: restored });
  }
  return value;
}

/** Whether a JavaScript number cannot hold the number: its text would be another number. */
function isChanged(source: string): boolean {
  const number = Number(source);
  const text = String(number);
  if (text === source) return false;
  if (!Number.isFinite(number) || Object.is(number, -0)) return true;
  // A double holds any number of 15 digits.
  if (source.length <= MAX_EXACT_DIGITS && Math.abs(number) >= MIN_NORMAL) return false;
  const [one, other] = [toDigits(source), toDigits(text)];
  return one.digits !== other.digits || (one.digits !== '' && one.exponent !== other.exponent);
}

const MAX_EXACT_DIGITS = 15;
const MIN_NORMAL = 2.3e-308;

/** A decimal number as digits without zeros at either end, and the power of ten of the last digit. */
function toDigits(number: string): { readonly digits: string; readonly exponent: number } {
  const [, whole = '', fraction = '', exponent = '0'] = PARTS.exec(number) ?? [];
  const digits = whole + fraction;
  // Not a regular expression: its time could be quadratic in the number of zeros.
  let start = 0;
  while (digits[start] === '0') start += 1;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end -= 1;
  return {
    digits: digits.slice(start, end),
    exponent: Number(exponent) - fraction.length + digits.length - end,
  };
}

const PARTS = /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/**
 * Whether a JSON text has a number with sixteen or more consecutive digits that would change: the
 * parsed value does not show that. The scan reads one word of four bytes in every twelve bytes:
 * sixteen consecutive digits contain at least one of these words. The scan takes a few percent of
 * the time for parsing.
 */
export function hasChangedLongNumber(json: Buffer): boolean {
  const skippedBytes = -json.byteOffset & 3;
  if (json.length < skippedBytes + MIN_LONG_DIGITS) return false;
  const words = new Int32Array(
    json.buffer,
    json.byteOffset + skippedBytes,
    (json.length - skippedBytes) >> 2,
  );
  let checkedUntil = 0;
  for (let index = 0; index < words.length; index += 3) {
    // Each of the four bytes is a digit, or a character from `:` to `?`.
    if (((words[index] as number) & 0xf0f0f0f0) !== 0x30303030) continue;
    const position = skippedBytes + 4 * index;
    if (position < checkedUntil) continue;
    checkedUntil = endOfDigits(json, position);
    if (isChangedNumber(json, startOfDigits(json, position), checkedUntil)) return true;
  }
  return false;
}

const MIN_LONG_DIGITS = 16;

function isChangedNumber(json: Buffer, startOfDigits: number, endOfDigits: number): boolean {
  if (endOfDigits - startOfDigits < MIN_LONG_DIGITS) return false;
  const start = json[startOfDigits - 1] === MINUS ? startOfDigits - 1 : startOfDigits;
  // Strings of digits, such as phone numbers, have quotation marks around them.
  if (!NUMBER_NEIGHBOURS.includes(json[start - 1] ?? BLANK)) return false;
  const end = endOfExponent(json, endOfDigits);
  return (
    NUMBER_NEIGHBOURS.includes(json[end] ?? BLANK) && isChanged(json.toString('latin1', start, end))
  );
}

function startOfDigits(json: Buffer, index: number): number {
  let start = index;
  while (isDigit(json[start - 1])) start -= 1;
  return start;
}

function endOfDigits(json: Buffer, index: number): number {
  let end = index;
  while (isDigit(json[end])) end += 1;
  return end;
}

function endOfExponent(json: Buffer, index: number): number {
  if (json[index] !== LOWER_E && json[index] !== UPPER_E) return index;
  const hasSign = json[index + 1] === PLUS || json[index + 1] === MINUS;
  return endOfDigits(json, index + (hasSign ? 2 : 1));
}

const [MINUS, PLUS, LOWER_E, UPPER_E] = Buffer.from('-+eE');
const BLANK = 0x20;
/** The bytes that may stand before or after a number. */
const NUMBER_NEIGHBOURS = Buffer.from(':,[]} \t\r\n');

/** A digit or the decimal point. */
function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x39 && byte >= 0x2e && byte !== 0x2f;
}

/**
 * Whether a parsed number shows that its text may have been another number; for long numbers see
 * `hasChangedLongNumber`.
 */
export function mayBeChanged(number: number): boolean {
  return !(number < MAX_EXACT_INTEGER && number > -MAX_EXACT_INTEGER) || Object.is(number, -0);
}

const MAX_EXACT_INTEGER = 2 ** 53;
