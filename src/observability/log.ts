/**
 * Structured fields of a log line: names and numbers for machines. In the text format, `lines`
 * follow the message, each on a line of its own.
 */
export type LogFields = { readonly [name: string]: LogValue };
export type LogValue = string | number | boolean | null | undefined | readonly string[] | LogFields;

/**
 * The log of the process, one line per message. It never contains a document, a variable, a
 * credential or upstream data, unless a setting enables it.
 */
export interface Log {
  /** Messages for debugging; absent if the level `debug` is off. */
  debug?(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** Messages about a restriction; absent: `error` gets them. */
  warn?(message: string, fields?: LogFields): void;
  /** Logs an unexpected error with its stack: it is visible only to the operator of the gateway. */
  unexpected(error: unknown, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
