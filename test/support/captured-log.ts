import type { Log } from '#observability/log.ts';
import { createLogger, type LogSettings } from '#observability/logger.ts';

export interface CapturedLog {
  readonly log: Log;
  /** The lines written so far. */
  readonly lines: string[];
  /** The parsed JSON lines, only those of `route` when it is given. */
  read(route?: string): LogLine[];
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows the fields that it reads
export type LogLine = Readonly<Record<string, any>>;

/** A log that keeps its lines in memory. */
export function captureLog({
  level = 'debug',
  format = 'json',
}: Partial<LogSettings> = {}): CapturedLog {
  const lines: string[] = [];
  return {
    lines,
    log: createLogger({ level, format }, { write: (line) => lines.push(line) }),
    read: (route) =>
      lines
        .map((line) => JSON.parse(line) as LogLine)
        .filter((line) => route === undefined || line.route === route),
  };
}
