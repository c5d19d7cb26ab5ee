import type { Log, LogFields } from './log.ts';
import { formatLine } from './pretty-format.ts';

/** By increasing severity. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

type Level = (typeof LEVELS)[number];

export interface LogSettings {
  readonly level: Level;
  /** `text`: for reading at a terminal. */
  readonly format: 'json' | 'text';
}

const MAX_STACK_LENGTH = 8_000;
const MAX_CAUSES = 5;

/**
 * Creates a log with one line per message. `JSON.stringify` writes the lines: pino joins a line
 * from a string for each field, and the parts are copied again when the line is written.
 * @param lines receives the lines
 */
export function createLogger(
  { level: minLevel, format }: LogSettings,
  lines: { write(line: string): void },
): Log {
  const now = createTimestamp();
  const write = (level: Level, msg: string, fields: LogFields | undefined) => {
    const line = `${JSON.stringify({ level, time: now(), ...fields, msg })}\n`;
    lines.write(format === 'json' ? line : formatLine(line));
  };
  const at = (level: Level) =>
    LEVELS.indexOf(level) < LEVELS.indexOf(minLevel)
      ? () => {}
      : (message: string, fields?: LogFields) => write(level, message, fields);
  const error = at('error');
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error,
    unexpected: (cause, fields) =>
      error('Unexpected error', { ...fields, error: toErrorFields(cause) }),
  };
}

/** The time in ISO 8601, formatted once per millisecond: one millisecond may have many lines. */
function createTimestamp(): () => string {
  let last: number | undefined;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      text = new Date(now).toISOString();
    }
    return text;
  };
}

/**
 * Type, message, stack and causes of an error: its other properties may contain a response or a
 * key.
 */
function toErrorFields(error: unknown, depth = 0): LogFields {
  if (!(error instanceof Error))
    return { message: `A value that is not an Error was thrown: ${typeof error}` };
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: message.slice(0, MAX_STACK_LENGTH),
    stack: stack?.slice(0, MAX_STACK_LENGTH),
    ...(cause === undefined || depth === MAX_CAUSES
      ? {}
      : { cause: toErrorFields(cause, depth + 1) }),
  };
}
