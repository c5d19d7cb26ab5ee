import { connect, type Socket } from 'node:net';

export interface RawClient {
  readonly socket: Socket;
  /** Everything that was received. Resolves when the connection is closed. */
  readonly received: Promise<string>;
}

/** A raw TCP connection on which a test can send arbitrary bytes. */
export function connectTo(url: string): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  // The peer may close the connection while bytes are in flight: that error is expected.
  socket.on('error', () => {});
  return { socket, received: new Promise((resolve) => socket.once('close', () => resolve(text))) };
}
