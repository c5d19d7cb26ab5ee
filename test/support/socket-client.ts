import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

export interface Message {
  readonly id?: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: payloads are as deep as their operations; each test knows its own
  readonly payload?: any;
}

export interface SocketClientOptions extends ClientOptions {
  /** @default graphql-transport-ws */
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
  /** The payload of `connection_init`. False: none is sent. @default no payload */
  readonly init?: Record<string, unknown> | false;
}

/** A WebSocket on which a test sends any message. */
export interface SocketClient {
  readonly socket: WebSocket;
  readonly messages: Message[];
  /** The messages as they were sent. */
  readonly texts: string[];
  send(message: object | string): void;
  subscribe(id: string, query: string, more?: object): void;
  /** The messages of a type. */
  ofType(type: string, id?: string): Message[];
  /** The close code and the reason. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  readonly isClosed: () => boolean;
}

/** Resolves when the condition holds. Each check is a turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setTimeout(resolve, 5));
}

/** Opens a WebSocket, and sends `connection_init`. */
export async function openSocket(
  url: string,
  { protocols = ['graphql-transport-ws'], init = {}, ...options }: SocketClientOptions = {},
): Promise<SocketClient> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, options);
  const messages: Message[] = [];
  const texts: string[] = [];
  let isClosed = false;
  socket.on('message', (data: Buffer) => {
    texts.push(data.toString());
    messages.push(JSON.parse(data.toString()));
  });
  socket.on('error', () => {});
  const closed = new Promise<readonly [number, string]>((resolve) =>
    socket.once('close', (code, reason) => {
      isClosed = true;
      resolve([code, reason.toString()]);
    }),
  );
  const send = (message: object | string) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  const ofType = (type: string, id?: string) =>
    messages.filter((each) => each.type === type && (id === undefined || each.id === id));
  await once(socket, 'open');
  if (init) {
    send({ type: 'connection_init', payload: init });
    await until(() => isClosed || ofType('connection_ack').length > 0);
  }
  return {
    socket,
    messages,
    texts,
    send,
    ofType,
    closed,
    isClosed: () => isClosed,
    subscribe: (id, query, more = {}) =>
      send({ id, type: 'subscribe', payload: { query, ...more } }),
  };
}

/** The response to an upgrade that is refused. */
export async function refusedUpgrade(
  url: string,
  { protocols = ['graphql-transport-ws'], ...options }: SocketClientOptions = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, options);
  socket.on('error', () => {});
  const opened = once(socket, 'open').then(() => {
    socket.terminate();
    throw new Error('The upgrade is not refused.');
  });
  const refused = once(socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
  const [, response] = await Promise.race([refused, opened]);
  let body = '';
  for await (const part of response) body += part;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
