import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Observes rejected requests, closed connections and errors of the HTTP server. */
export interface ServerObserver {
  /** The server has sent an error response of its own. */
  onRejected(rejected: {
    readonly status: number;
    readonly code: string;
    /** The setting that the request exceeds. */
    readonly setting?: string | undefined;
  }): void;
  /** The server has closed a connection. */
  onDisconnected(reason: string): void;
  onUnexpectedError(error: unknown): void;
}

/** Route of a response that the server sends itself. */
const NO_ROUTE = 'none';

export function createServerObserver(metrics: Metrics, log: Log): ServerObserver {
  return {
    onRejected({ status, code, setting }) {
      metrics.onResponse(NO_ROUTE, status);
      metrics.onRejected(code);
      if (setting !== undefined) metrics.onLimitExceeded(setting);
      log.info('rejected', { status, code });
    },
    onDisconnected(reason) {
      metrics.onDisconnected(reason);
      // A client can open any number of silent connections: with a line for each, clients could
      // flood the log.
      if (reason === 'unread')
        log.info('closed the connection of a client that does not read its response');
    },
    onUnexpectedError(error) {
      metrics.onUnexpectedError();
      log.unexpected(error);
    },
  };
}
