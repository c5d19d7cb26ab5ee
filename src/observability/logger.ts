import { type DestinationStream, type Logger, pino } from 'pino';
import type { Log, LogFields } from './log.ts';
import { formatLine } from './pretty-format.ts';

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** `text`: for reading at a terminal. */
  readonly format: 'json' | 'text';
}

const MAX_STACK_LENGTH = 8_000;
const MAX_CAUSES = 5;

/**
 * Creates a log with one line per message.
 * @param lines receives the lines
 */
export function createLogger({ level, format }: LogSettings, lines: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      // The gateway serializes errors itself; pino would write all other properties of an error.
      serializers: {},
    },
    format === 'json' ? lines : { write: (line) => lines.write(formatLine(line)) },
  );
  return {
    debug: (message, fields) => write(logger, 'debug', message, fields),
    info: (message, fields) => write(logger, 'info', message, fields),
    warn: (message, fields) => write(logger, 'warn', message, fields),
    error: (message, fields) => write(logger, 'error', message, fields),
    unexpected: (error, fields) =>
      logger.error({ ...fields, error: toErrorFields(error) }, 'Unexpected error'),
  };
}

/**
 * The time in pino's format, formatted once per millisecond: one millisecond may have many lines.
 */
function createTimestamp(): () => string {
  let last: number | undefined;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

function write(
  logger: Logger,
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: LogFields | undefined,
): void {
  if (fields) logger[level](fields, message);
  else logger[level](message);
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
