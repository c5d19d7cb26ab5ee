import type { Log, LogFields } from '#observability/log.ts';

/** What the log says about a process when it is ready. */
export interface Summary {
  readonly message: string;
  /** In the text format, a line each: a label and a sentence. */
  readonly lines: readonly (readonly [label: string, text: string])[];
  /** In JSON. */
  readonly fields: LogFields;
}

/** Logs a summary as one entry: short lines for reading, or one JSON object. */
export function logSummary(
  log: Log,
  format: 'json' | 'text',
  { message, lines, fields }: Summary,
): void {
  const width = Math.max(...lines.map(([label]) => label.length));
  if (format === 'json') log.info(message, fields);
  else
    log.info(message, { lines: lines.map(([label, text]) => `${label.padEnd(width)}  ${text}`) });
}
