import type { Log } from '#observability/log.ts';
import { createLogger, type LogSettings } from '#observability/logger.ts';

export interface CapturedLog {
  readonly log: Log;
  /** What was written so far. */
  readonly lines: string[];
  /** The lines of JSON, read; `about` a place, if one is given. */
  read(route?: string): LogLine[];
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it looks for
export type LogLine = Readonly<Record<string, any>>;

/** The log as it is written, kept instead. */
export function captureLog({ level = 'debug', format = 'json' }: Partial<LogSettings> = {}): CapturedLog {
  const lines: string[] = [];
  return {
    lines,
    log: createLogger({ level, format }, { write: (line) => lines.push(line) }),
    read: (route) =>
      lines.map((line) => JSON.parse(line) as LogLine).filter(({ place }) => route === undefined || place === route),
  };
}
