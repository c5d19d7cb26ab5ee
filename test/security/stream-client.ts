import { connect, type Socket } from 'node:net';
import type { Target } from './attack.ts';
import { type GraphQLParams, toOutcome } from './attacks/requests.ts';
import { createFrameReader, OPCODES, toFrame, toHandshake } from './raw-web-socket.ts';

/** How a client subscribes. */
export type StreamTransport = 'sse' | 'multipart' | 'websocket';

export interface StreamOptions {
  readonly key: string;
  readonly body: GraphQLParams;
  /** @default sse */
  readonly transport?: StreamTransport;
  /** Whether the client closes its side after the request. @default false */
  readonly isHalfClosed?: boolean;
}

export interface OpenedStream {
  readonly socket: Socket;
  /** `ok` after the first event, the code of the error that came in its place, or `close 4400`. */
  readonly outcome: string;
}

/** The subscription of a transport, and what its first bytes mean. */
interface Opening {
  readonly request: string | Buffer;
  /** Reads the bytes of the gateway. Returns the outcome as soon as they show it. */
  readonly read: (bytes: Buffer, socket: Socket) => string | undefined;
}

/** Subscribes on a new connection, and reads up to the first event. */
export async function openStream(target: Target, options: StreamOptions): Promise<OpenedStream> {
  const { transport = 'sse', isHalfClosed = false } = options;
  const { request, read } = OPENINGS[transport](options);
  const socket = openConnection(target, isHalfClosed);
  const { promise, resolve } = Promise.withResolvers<string>();
  const onData = (bytes: Buffer) => {
    const outcome = read(bytes, socket);
    if (outcome !== undefined) resolve(outcome);
  };
  socket.on('data', onData);
  socket.once('close', () => resolve('closed'));
  if (isHalfClosed) socket.end(request);
  else socket.write(request);
  const outcome = await promise;
  socket.off('data', onData);
  return { socket, outcome };
}

/** Connects to the gateway until the attack ends. */
export function openConnection({ url, signal }: Target, allowHalfOpen = false): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen });
  socket.on('error', () => {});
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', end));
  return socket;
}

const ACCEPT = { sse: 'text/event-stream', multipart: 'multipart/mixed;subscriptionSpec=1.0' };

const OPENINGS: { readonly [name in StreamTransport]: (options: StreamOptions) => Opening } = {
  sse: (options) => openResponse(options, ACCEPT.sse),
  multipart: (options) => openResponse(options, ACCEPT.multipart),
  websocket: openWebSocket,
};

/** The interim responses that show whether a client that has closed its side is gone. */
const INTERIM = /^(HTTP\/1\.1 102 .*\r\n\r\n)+/;

function openResponse({ key, body }: StreamOptions, accept: string): Opening {
  const json = JSON.stringify(body);
  const lines = [
    `Authorization: Bearer ${key}`,
    `Accept: ${accept}`,
    'Content-Type: application/json',
    `Content-Length: ${json.length}`,
  ];
  let text = '';
  return {
    request: ['POST /graphql HTTP/1.1', 'Host: localhost', ...lines, '', json].join('\r\n'),
    read(bytes) {
      text = withStart(text, bytes);
      return outcomeIn(text.replace(INTERIM, ''), '{"data":');
    },
  };
}

function openWebSocket({ key, body }: StreamOptions): Opening {
  const messages = [{ type: 'connection_init' }, { type: 'subscribe', id: '1', payload: body }].map(
    (message) => JSON.stringify(message),
  );
  let outcome: string | undefined;
  const readSocket = createSocketReader((message) => {
    outcome ??= outcomeOf(message);
  });
  return {
    request: toHandshake([`Authorization: Bearer ${key}`]),
    read(bytes, socket) {
      const refusal = readSocket(bytes, () => {
        for (const message of messages) socket.write(toFrame(message));
      });
      return refusal ?? outcome;
    },
  };
}

/**
 * Creates the reader of what a gateway sends on a connection that is to become a WebSocket: it
 * reports each message, and each close frame as `close 4400`.
 */
export function createSocketReader(onMessage: (text: string) => void) {
  let head = '';
  let isOpen = false;
  const readFrames = createFrameReader(({ opcode, payload }) => {
    if (opcode === OPCODES.close) onMessage(`close ${payload.readUInt16BE(0)}`);
    if (opcode === OPCODES.text) onMessage(payload.toString('latin1'));
  });
  /** Returns the outcome of a handshake that is refused. */
  return (bytes: Buffer, onOpen: () => void): string | undefined => {
    if (isOpen) return void readFrames(bytes);
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    if (!head.startsWith('HTTP/1.1 101')) return outcomeIn(head, '{"data":');
    isOpen = true;
    onOpen();
    readFrames(Buffer.from(head.slice(end + 4), 'latin1'));
    return undefined;
  };
}

/** The outcome that a message shows: an event, an error, or a close code. */
export function outcomeOf(message: string): string | undefined {
  if (message.startsWith('close ')) return message;
  const code = /"code":"(\w+)"/.exec(message)?.[1];
  return code ?? (message.includes('"type":"next"') ? 'ok' : undefined);
}

/** The outcome of a response, as soon as its text shows it. @param event the start of an event */
function outcomeIn(text: string, event: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const body = text.slice(end);
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  if (code) return code;
  if (!text.startsWith('HTTP/1.1 200')) return toOutcome(body, Number(text.slice(9, 12)));
  return body.includes(event) ? 'ok' : undefined;
}

/** The first bytes show the outcome, and the events of some attacks are large. */
function withStart(text: string, bytes: Buffer): string {
  return text.length < 4_096 ? text + bytes.toString('latin1').slice(0, 4_096) : text;
}
