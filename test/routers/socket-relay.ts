import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

/** A WebSocket of a router to the gateway. */
export interface RecordedSocket {
  readonly headers: IncomingHttpHeaders;
  /** The messages of the router. */
  readonly messages: readonly SocketMessage[];
  /** The close codes that each side has sent. 1006: its connection has ended without one. */
  readonly closings: { readonly router?: number; readonly gateway?: number };
  /** Closes it in both directions. Resolves when the router has closed it. */
  close(): Promise<void>;
}

export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: Readonly<Record<string, unknown>> | null;
}

/** Headers that each of the two handshakes has of its own. */
const HANDSHAKE_HEADERS = ['connection', 'host', 'upgrade'];

/** The close codes that a frame cannot contain. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

const GOING_AWAY = 1001;

/**
 * Listens for WebSockets of a router, opens one at the gateway for each, and forwards messages and
 * the end of either side. A handshake that the gateway refuses is refused with the same status.
 */
export function createSocketRelay(
  toTarget: (path: string) => URL,
  onSocket: (socket: RecordedSocket) => void,
  onRefusal: (headers: IncomingHttpHeaders, status: number) => void,
): (request: IncomingMessage, connection: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({ noServer: true });

  return (request, connection, head) => {
    connection.on('error', () => connection.destroy());
    const { headers } = request;
    const gateway = new WebSocket(toTarget(request.url ?? ''), toProtocols(headers), {
      headers: withoutHandshake(headers),
      perMessageDeflate: false,
    });
    gateway.on('error', () => connection.destroy());
    gateway.once('unexpected-response', (_request, { statusCode = 0, statusMessage = '' }) => {
      onRefusal(headers, statusCode);
      connection.end(`HTTP/1.1 ${statusCode} ${statusMessage}\r\ncontent-length: 0\r\n\r\n`);
    });
    gateway.once('open', () => {
      server.handleUpgrade(request, connection, head, (router) => {
        onSocket(relay(headers, router, gateway));
      });
    });
  };
}

function relay(
  headers: IncomingHttpHeaders,
  router: WebSocket,
  gateway: WebSocket,
): RecordedSocket {
  const messages: SocketMessage[] = [];
  const closings: { router?: number; gateway?: number } = {};
  router.on('error', () => {});
  router.on('message', (data: RawData) => {
    const text = data.toString();
    messages.push(JSON.parse(text));
    gateway.send(text);
  });
  gateway.on('message', (data: RawData) => router.send(data.toString()));
  router.on('close', (code) => {
    closings.router ??= code;
    close(gateway, code);
  });
  gateway.on('close', (code, reason) => {
    closings.gateway ??= code;
    close(router, code, reason);
  });
  return {
    headers,
    messages,
    closings,
    async close() {
      if (router.readyState === WebSocket.CLOSED) return;
      const closed = once(router, 'close');
      router.close(GOING_AWAY);
      await closed;
    },
  };
}

function close(socket: WebSocket, code: number, reason?: Buffer): void {
  if (code === ABNORMAL) socket.terminate();
  else if (code === NO_STATUS) socket.close();
  else socket.close(code, reason);
}

function toProtocols(headers: IncomingHttpHeaders): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}

function withoutHandshake(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !HANDSHAKE_HEADERS.includes(name) && !name.startsWith('sec-websocket-'),
    ),
  );
}
