import type { LogFields, LogValue } from './log.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A log line in JSON. */
interface LogLine extends Fields {
  readonly level?: string;
  readonly time?: string;
  readonly msg?: string;
  readonly error?: LogFields;
  readonly lines?: readonly string[];
}

/**
 * Formats a JSON line for reading: `12:00:00.123Z info  Ready … name=value`. External text cannot
 * start a line of its own, move the cursor, or look like a field.
 */
export function formatLine(json: string): string {
  const {
    level = '',
    time = '',
    msg = '',
    error,
    lines = [],
    ...fields
  } = JSON.parse(json) as LogLine;
  const clock = time.slice('2026-01-01T'.length);
  const text =
    msg === 'request'
      ? formatRequest(fields)
      : [escapeInvisible(msg), ...formatFields(fields)].join(' ');
  return `${clock} ${level.padEnd(5)} ${text}${error ? formatError(error) : ''}${formatLines(lines)}\n`;
}

/**
 * `POST /graphql 200 Look  228 ms (67 ms overhead)  15 upstream, 3 cached`. A successful request
 * shows no more; a failed one adds its code and its ids.
 */
function formatRequest({
  method,
  route,
  status,
  operation,
  durationMs,
  overheadMs,
  ...fields
}: Fields): string {
  const { upstreamRequests, cacheHits, coalesced, stale, operationType, ...others } = fields;
  const { code, requestId, trace_id, span_id, ...personal } = others;
  const type = operationType === 'query' ? undefined : operationType;
  const words = [method, route, status, type, operation]
    .filter((word) => word !== undefined && word !== null)
    .map(formatWord);
  const overhead =
    overheadMs === undefined || overheadMs === durationMs
      ? ''
      : ` (${formatMs(overheadMs)} ms overhead)`;
  const counts = Object.entries({
    upstream: upstreamRequests,
    cached: cacheHits,
    coalesced,
    stale,
  })
    .filter(([, count]) => Number(count) > 0)
    .map(([name, count]) => `${count} ${name}`);
  const isSuccess = code === 'OK' && Number(status) < 400;
  const pairs = formatFields({ ...(isSuccess ? {} : { code, requestId, trace_id }), ...personal });
  const timing = durationMs === undefined ? '' : `${formatMs(durationMs)} ms${overhead}`;
  return [words.join(' '), timing, counts.join(', '), pairs.join(' ')]
    .filter((part) => part !== '')
    .join('  ');
}

function formatFields(fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${formatValue(value)}`);
}

/** Tenths are shown only below 10 ms. */
function formatMs(ms: unknown): string {
  return Number(ms) < 10 ? String(ms) : Number(ms).toFixed(0);
}

/**
 * Formats a value without a field name. The text may come from a caller, so it must not look like a
 * field or like two words.
 */
function formatWord(value: unknown): string {
  const text = String(value);
  return /^[\w/]+$/.test(text) ? text : escapeInvisible(JSON.stringify(text));
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\x21-\x7e]+$/.test(text) && !text.includes('"')
    ? text
    : escapeInvisible(JSON.stringify(text));
}

function isFields(value: LogValue): value is LogFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function formatLines(lines: readonly string[]): string {
  return lines.map((line) => `\n    ${escapeInvisible(line)}`).join('');
}

/** The stack of an error follows on indented lines. */
function formatError({ stack, message, cause }: LogFields): string {
  const lines = String(stack ?? message).split('\n');
  const causeText = isFields(cause) ? formatError(cause) : '';
  return `${lines.map((line) => `\n    ${escapeInvisible(line.trim())}`).join('')}${causeText}`;
}

/**
 * Escapes invisible characters: line ends, and characters that move the cursor, change the colour
 * or change the text direction.
 */
function escapeInvisible(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
