/** What is told beside a message: names and numbers that machines look for. */
export type LogFields = { readonly [name: string]: LogValue };
export type LogValue = string | number | boolean | null | undefined | LogFields;

/** What the process says. One line each; never a document, a variable, a credential or upstream data, unless a setting asks for it. */
export interface Log {
  /** What is asked for by whoever looks for a fault. Absent: nobody does. */
  debug?(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** A fault that nobody foresaw: told with its stack, to whoever runs the gateway and nobody else. */
  unexpected(error: unknown, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
