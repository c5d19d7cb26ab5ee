/**
 * The access log of a peer: one JSON line for each request, written in pieces of 16 kB, with the
 * fields of the gateway's log that a peer knows. `LOG=off` disables it.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { destination, pino } from 'pino';

export interface AccessLogLine {
  readonly method: string | undefined;
  readonly route: string | undefined;
  readonly status: number;
  readonly durationMs: number;
}

const log =
  process.env.LOG === 'off'
    ? undefined
    : pino({ base: null }, destination({ fd: 1, sync: false, minLength: 16_000 }));

/** Undefined if the log is off. */
export const logRequest =
  log && ((line: AccessLogLine) => log.info({ ...line, requestId: randomUUID() }, 'request'));

/** Logs a request of `node:http` when its response has been handed to the system. */
export function logWhenSent({ method, url }: IncomingMessage, response: ServerResponse): void {
  if (!logRequest) return;
  const startedAt = performance.now();
  response.once('finish', () =>
    logRequest({
      method,
      route: url,
      status: response.statusCode,
      durationMs: performance.now() - startedAt,
    }),
  );
}
