import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Log, LogFields } from './log.ts';
import { formatLine } from './pretty-format.ts';

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** `text`: for people before a terminal. */
  readonly format: 'json' | 'text';
}

/** What waits to be written when nobody reads any more, bytes: what comes after it is lost. */
const MAX_BUFFERED_BYTES = 16 * 2 ** 20;

/** Lines are written together: to write each by itself takes as long as a tenth of an answer from memory. */
const FLUSH_BYTES = 16_000;
const FLUSH_INTERVAL_MS = 100;

const MAX_STACK_LENGTH = 8_000;
const MAX_CAUSES = 5;

/**
 * A log of one line each. Nothing waits until a line is written, and what has not been is written when the process ends.
 * @param output takes lines; by default they go to the standard output
 */
export function createLogger({ level, format }: LogSettings, output?: DestinationStream): Log {
  const lines = output ?? standardOutput();
  const logger = pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      // Ours; pino's would write whatever else hangs on an error.
      serializers: {},
    },
    format === 'json' ? lines : { write: (line) => lines.write(formatLine(line)) },
  );
  return {
    debug: (message, fields) => write(logger, 'debug', message, fields),
    info: (message, fields) => write(logger, 'info', message, fields),
    error: (message, fields) => write(logger, 'error', message, fields),
    unexpected: (error, fields) => logger.error({ ...fields, error: toErrorFields(error) }, 'A fault that nobody foresaw.'),
  };
}

/** The time as pino writes it, made once a millisecond: there may be many lines in one. */
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

function write(logger: Logger, level: 'debug' | 'info' | 'error', message: string, fields: LogFields | undefined): void {
  if (fields) logger[level](fields, message);
  else logger[level](message);
}

let output: DestinationStream | undefined;

/** One for the process: lines of two would run into one another, and each waits for the process to end. */
function standardOutput(): DestinationStream {
  output ??= destination({
    fd: 1,
    sync: false,
    minLength: FLUSH_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
    maxLength: MAX_BUFFERED_BYTES,
  });
  return output;
}

/** What kind of fault it is, in whose words, and where: nothing else that hangs on it, which may be an answer or a key. */
function toErrorFields(error: unknown, depth = 0): LogFields {
  if (!(error instanceof Error)) return { message: `Something else than an error was thrown: ${typeof error}` };
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: message.slice(0, MAX_STACK_LENGTH),
    stack: stack?.slice(0, MAX_STACK_LENGTH),
    ...(cause === undefined || depth === MAX_CAUSES ? {} : { cause: toErrorFields(cause, depth + 1) }),
  };
}
