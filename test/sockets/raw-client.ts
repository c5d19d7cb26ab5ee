import { connect, type Socket } from 'node:net';

export interface RawClient {
  readonly socket: Socket;
  /** All that was received, once the connection is closed. */
  readonly received: Promise<string>;
}

/** A connection on which anything may be said. */
export function connectTo(url: string): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  // Of a connection that is closed while something is on its way there.
  socket.on('error', () => {});
  return { socket, received: new Promise((resolve) => socket.once('close', () => resolve(text))) };
}
