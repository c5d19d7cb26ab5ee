import type { LogFields } from './log.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A line of the log as it was written. */
interface LogLine extends Fields {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly error?: LogFields;
}

/**
 * Turns a line of JSON into one that people read: `12:00:00.123Z info  Ready … name=value`. What comes from outside cannot begin a line of its
 * own, nor move the cursor, nor pass for a field.
 */
export function formatLine(json: string): string {
  const { level = '', time = '', msg = '', error, ...fields } = JSON.parse(json) as LogLine;
  const clock = time.slice('2026-01-01T'.length);
  const text = msg === 'request' ? formatRequest(fields) : [escapeInvisible(msg), ...formatFields(fields)].join(' ');
  return `${clock} ${level.padEnd(5)} ${text}${error ? formatError(error) : ''}\n`;
}

/** `POST /graphql 200 Look  228 ms (67 own)  15 upstream, 3 remembered`: what went well needs no more; what did not is to be found again. */
function formatRequest({ method, place, status, operation, durationMs, overheadMs, ...fields }: Fields): string {
  const { upstreamRequests, cacheHits, coalesced, stale, operationType, ...others } = fields;
  const { code, requestId, trace_id, span_id, ...personal } = others;
  const type = operationType === 'query' ? undefined : operationType;
  const words = [method, place, status, type, operation].filter((word) => word !== undefined && word !== null).map(formatWord);
  const overhead = overheadMs === undefined || overheadMs === durationMs ? '' : ` (${formatMs(overheadMs)} own)`;
  const counts = Object.entries({ upstream: upstreamRequests, remembered: cacheHits, joined: coalesced, stale })
    .filter(([, count]) => Number(count) > 0)
    .map(([name, count]) => `${count} ${name}`);
  const isSuccess = code === 'OK' && Number(status) < 400;
  const pairs = formatFields({ ...(isSuccess ? {} : { code, requestId, trace_id }), ...personal });
  const timing = durationMs === undefined ? '' : `${formatMs(durationMs)} ms${overhead}`;
  return [words.join(' '), timing, counts.join(', '), pairs.join(' ')].filter((part) => part !== '').join('  ');
}

function formatFields(fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${formatValue(value)}`);
}

/** A tenth of a millisecond is of interest only where there are few. */
function formatMs(ms: unknown): string {
  return Number(ms) < 10 ? String(ms) : Number(ms).toFixed(0);
}

/** What stands without a name before it: a caller's, too, and so nothing that looks like a field or like two words. */
function formatWord(value: unknown): string {
  const text = String(value);
  return /^[\w/]+$/.test(text) ? text : escapeInvisible(JSON.stringify(text));
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('"') ? text : escapeInvisible(JSON.stringify(text));
}

/** A fault has its stack below it, set in. */
function formatError({ stack, message, cause }: LogFields): string {
  const lines = String(stack ?? message).split('\n');
  const causeText = typeof cause === 'object' && cause !== null ? formatError(cause) : '';
  return `${lines.map((line) => `\n    ${escapeInvisible(line.trim())}`).join('')}${causeText}`;
}

/** Whatever is no sign to be seen is written out: line ends, what moves a cursor or changes its colour, what turns the way of reading. */
function escapeInvisible(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
