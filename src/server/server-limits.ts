import type { ServerOptions } from 'node:http';
import type { Settings } from '#config/settings.ts';

/** Time limits of a client. */
export interface ServerTimeouts {
  /** To send the headers of a request, in ms. */
  readonly headersMs: number;
  /** To send all of a request, in ms. */
  readonly requestMs: number;
  /**
   * How long a connection may neither send nor receive a byte, in ms. It is longer than an operation
   * may last, because no byte moves during an operation.
   */
  readonly idleMs: number;
  /** A connection is closed after this time without a request, also before its first one, in ms. */
  readonly keepAliveMs: number;
}

export interface ServerLimits extends ServerTimeouts {
  /** Maximum open connections. On connections over the limit, only `healthPath` is served. */
  readonly maxConnections: number;
  /** @default `/health` */
  readonly healthPath?: string;
  /** Maximum open connections from one address. @default no limit */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** A client must take the next part of its response within this time, in ms. */
  readonly sendTimeoutMs: number;
}

/**
 * A client must take the next part of its response within this time. The kernel accepts the next
 * part only when about a third of its buffer is free. On most systems this third is about 1 MB: a
 * client that reads steadily must read some 20 KB/s. A client that reads nothing is bounded by its
 * caller's limit of unsent bytes.
 */
const SEND_TIMEOUT_MS = 60_000;

export function toServerLimits({
  clientTimeouts,
  requestDeadlineMs,
  maxConnections,
  maxConnectionsPerAddress,
  basePath = '',
}: Pick<Settings, 'clientTimeouts' | 'requestDeadlineMs' | 'maxConnections'> &
  Partial<Settings>): ServerLimits {
  return {
    ...clientTimeouts,
    idleMs: requestDeadlineMs + SEND_TIMEOUT_MS,
    sendTimeoutMs: SEND_TIMEOUT_MS,
    maxConnections,
    maxConnectionsPerAddress,
    healthPath: `${basePath}/health`,
  };
}

/**
 * Maximum interval between two checks of the time limits, in ms. Usually a quarter of the shorter
 * limit is less. Each check wakes an idle process.
 */
const MAX_CHECK_INTERVAL_MS = 5_000;

/** The time limits as options of Node's HTTP server. */
export function toTimeoutOptions({
  headersMs,
  requestMs,
  keepAliveMs,
}: ServerTimeouts): ServerOptions {
  const headersTimeout = Math.min(headersMs, requestMs);
  return {
    headersTimeout,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, Math.ceil(headersTimeout / 4)),
  };
}
