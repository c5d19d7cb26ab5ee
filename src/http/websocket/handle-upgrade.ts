import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

// Public types depend on this file: it must not depend on `ws`, which has no types of its own.

/** A connection that is a WebSocket now. */
export interface UpgradedConnection {
  /** Since when it has no subscription, in ms of the monotonic clock. Undefined: it has one. */
  readonly idleSince: number | undefined;
}

/**
 * Handles the event `upgrade` of a `node:http` server: completes the handshake of a WebSocket, or
 * responds with an error. Never rejects. Resolves to undefined if the connection is no WebSocket.
 */
export type HandleUpgrade = (
  request: IncomingMessage,
  connection: Duplex,
  firstBytes: Buffer,
) => Promise<UpgradedConnection | undefined>;
