/**
 * A client of `graphql-transport-ws` without a library between the bytes and the clock: the events of
 * its socket are frames without a mask, so a mark in an event is found as in any other stream.
 */
import { connect, type Socket } from 'node:net';
import { HEADERS } from '../targets.ts';
import { DOCUMENT } from './calls.ts';

const TEXT = 0x81;
const PING = 0x89;
const PONG = 0x8a;
/** A client must mask its frames. With a mask of zeros the payload stays as it is. */
const MASK_BIT = 0x80;
const MASK = Buffer.alloc(4);
/** Lengths of a payload that follow in two, or in eight, further bytes. */
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Opens a socket, and on it one subscription for each of the calls, with different ids. */
export async function openWebSocket(port: number, callIds: readonly string[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    [
      'GET /graphql HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      `authorization: ${HEADERS.authorization}`,
      'upgrade: websocket',
      'connection: Upgrade',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
      'sec-websocket-protocol: graphql-transport-ws',
      '',
      '',
    ].join('\r\n'),
  );
  await receive(socket, ' 101 ');
  const received = receive(socket, '"connection_ack"');
  send(socket, { type: 'connection_init', payload: {} });
  await received;
  answerPings(socket);
  callIds.forEach((id, index) => {
    const payload = { query: DOCUMENT, variables: { id } };
    send(socket, { id: String(index + 1), type: 'subscribe', payload });
  });
  return socket;
}

/** Resolves when a text has arrived in one piece. */
function receive(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error(`The server has closed the socket before ${text}.`));
    const onData = (chunk: Buffer) => {
      if (!chunk.includes(text)) return;
      socket.off('data', onData).off('error', reject).off('close', onClose);
      resolve();
    };
    socket.on('data', onData).on('error', reject).on('close', onClose);
  });
}

function send(socket: Socket, message: object): void {
  const payload = Buffer.from(JSON.stringify(message));
  const head =
    payload.byteLength < LENGTH_16
      ? [TEXT, MASK_BIT | payload.byteLength]
      : [TEXT, MASK_BIT | LENGTH_16, payload.byteLength >> 8, payload.byteLength & 0xff];
  socket.write(Buffer.concat([Buffer.from(head), MASK, payload]));
}

/** A server closes a socket that does not answer its pings. */
function answerPings(socket: Socket): void {
  const countPings = createPingCounter();
  socket.on('data', (chunk: Buffer) => {
    if (countPings(chunk) > 0) socket.write(Buffer.concat([Buffer.from([PONG, MASK_BIT]), MASK]));
  });
}

/** Counts the pings of a server in the next chunk of its frames, which chunks may split. */
export function createPingCounter(): (chunk: Buffer) => number {
  let rest: Buffer = Buffer.alloc(0);
  /** Bytes of the next chunk that belong to the latest frame. */
  let skipped = 0;
  return (chunk) => {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    let pings = 0;
    let at = skipped;
    while (at < bytes.byteLength) {
      const size = frameSize(bytes, at);
      if (size === undefined) break;
      if (bytes[at] === PING) pings += 1;
      at += size;
    }
    rest = bytes.subarray(at);
    skipped = Math.max(0, at - bytes.byteLength);
    return pings;
  };
}

/** The size of the frame at a position. Undefined if its head is not complete. */
function frameSize(bytes: Buffer, at: number): number | undefined {
  const available = bytes.byteLength - at;
  if (available < 2) return undefined;
  const length = bytes.readUInt8(at + 1);
  if (length < LENGTH_16) return 2 + length;
  const headSize = length < LENGTH_64 ? 4 : 10;
  if (available < headSize) return undefined;
  const size =
    length < LENGTH_64 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  return headSize + size;
}
