import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HandleUpgrade } from '#http/websocket/handle-upgrade.ts';
import type { Connection } from './connection.ts';
import { rewriteAbsoluteForm } from './node-message.ts';
import { findHostRejection, type Rejection, tooManyConnections } from './rejection.ts';

export interface UpgradeListenerOptions {
  readonly handleUpgrade: HandleUpgrade;
  readonly connectionOf: (socket: Socket) => Connection | undefined;
  /** Called with the first request of a connection. */
  readonly onFirstRequest: (connection: Connection) => void;
  /** Sends an error response in place of a handshake, and closes the connection. */
  readonly reject: (socket: Socket, rejection: Rejection, request: IncomingMessage) => void;
}

/**
 * Whether a request is for a WebSocket. Other upgrades are optional for the server: a client that
 * offers `h2c` gets its response over HTTP/1.1.
 */
export function isWebSocketUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Creates the listener of the event `upgrade`: it applies the limits of connections to WebSockets. */
export function createUpgradeListener({
  handleUpgrade,
  connectionOf,
  onFirstRequest,
  reject,
}: UpgradeListenerOptions) {
  return async (request: IncomingMessage, socket: Socket, firstBytes: Buffer): Promise<void> => {
    const connection = connectionOf(socket);
    // Frames must not mix with the response to an earlier request, which the client must await.
    if (!connection || connection.inFlight > 0) return void socket.destroy();
    if (!connection.lastExchange) onFirstRequest(connection);
    connection.isUpgrading = true;
    if (!request.url?.startsWith('/')) rewriteAbsoluteForm(request);
    const { exceededSetting } = connection;
    const rejection = exceededSetting
      ? tooManyConnections(exceededSetting)
      : findHostRejection(request);
    if (rejection) return reject(socket, rejection, request);
    connection.upgraded = await handleUpgrade(request, socket, firstBytes);
  };
}
