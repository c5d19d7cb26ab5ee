import type { Log } from '#observability/log.ts';
import { createStructuredLog, type LogSettings } from '#observability/structured-log.ts';

export interface KeptLog {
  readonly log: Log;
  /** What was written so far. */
  readonly lines: string[];
  /** The lines of JSON, read; `about` a place, if one is given. */
  read(about?: string): LogLine[];
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it looks for
export type LogLine = Readonly<Record<string, any>>;

/** The log as it is written, kept instead. */
export function keepLog({ level = 'debug', format = 'json' }: Partial<LogSettings> = {}): KeptLog {
  const lines: string[] = [];
  return {
    lines,
    log: createStructuredLog({ level, format }, { write: (line) => lines.push(line) }),
    read: (about) =>
      lines.map((line) => JSON.parse(line) as LogLine).filter(({ place }) => about === undefined || place === about),
  };
}
