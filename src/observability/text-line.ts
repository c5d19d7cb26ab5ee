import type { LogFields } from './log.ts';

/** A line of the log as it was written. */
interface WrittenLine extends Readonly<Record<string, unknown>> {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly error?: LogFields;
}

/**
 * Turns a line of JSON into one that people read: `12:00:00.123 info  Ready … name=value`. What comes from outside cannot begin a line of its
 * own, nor move the cursor.
 */
export function toTextLine(json: string): string {
  const { level = '', time = '', msg = '', error, ...fields } = JSON.parse(json) as WrittenLine;
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${toValue(value)}`);
  const clock = time.slice('2026-01-01T'.length, -1);
  return `${clock} ${level.padEnd(5)} ${visible(msg)}${pairs.join('')}${error ? toFault(error) : ''}\n`;
}

function toValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('"') ? text : visible(JSON.stringify(text));
}

/** A fault has its stack below it, set in. */
function toFault({ stack, message, cause }: LogFields): string {
  const lines = String(stack ?? message).split('\n');
  const below = typeof cause === 'object' && cause !== null ? toFault(cause) : '';
  return `${lines.map((line) => `\n    ${visible(line.trim())}`).join('')}${below}`;
}

/** Whatever is no sign to be seen is written out: line ends, what moves a cursor or changes its colour, what turns the way of reading. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
