import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { listenOnFreePort } from './served-gateway.ts';

/** One request of the gateway's, to be answered in whatever manner. */
export interface UpstreamExchange {
  /** As `GET /call/…`, with its query. */
  readonly requestLine: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** To say what no HTTP server would. */
  readonly socket: Socket;
  /** What the sandbox answers. */
  sandboxResponse(): Promise<SandboxResponse>;
}

export interface SandboxResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type FaultyResponder = (exchange: UpstreamExchange) => void | Promise<void>;

/** What happens to a connection before a request is read from it. */
export type FaultyConnection = (socket: Socket) => void;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface FaultyUpstream extends AsyncDisposable {
  /** Of the API, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** The requests that came since the last time this was called, as `GET /call/…`. */
  traffic(): string[];
  /** Requests that have got no whole answer, and whose connections are still open. */
  readonly unanswered: number;
  /** Connections that are open now. */
  readonly openConnections: number;
  /** Connections that were made since the start. */
  readonly connections: number;
  /** From now on answers so, where it is not left to the sandbox; `undefined`: as the sandbox does. */
  respondWith(misbehave: ((exchange: UpstreamExchange) => FaultyResponder | undefined) | undefined): void;
  /** From now on treats new connections so; `undefined`: takes them. */
  handleConnectionsWith(misbehave: FaultyConnection | undefined): void;
  /** Is gone, with all its connections. */
  stop(): Promise<void>;
  /** Is back, at the same place. */
  start(): Promise<void>;
}

const HOST = '127.0.0.1';

/** The sandbox over real sockets, honest until it is told otherwise, and then as bad as whoever tells it can think of. */
export async function startFaultyUpstream(
  sandbox: Pick<Sandbox, 'fetch' | 'basePath'>,
  { certificate }: { readonly certificate?: Certificate | undefined } = {},
): Promise<FaultyUpstream> {
  const sockets = new Set<Socket>();
  const unanswered = new Set<ServerResponse>();
  let log: string[] = [];
  let connections = 0;
  let findFaultyResponder: ((exchange: UpstreamExchange) => FaultyResponder | undefined) | undefined;
  let onConnection: FaultyConnection | undefined;

  const http = createServer((request, response) => {
    const requestLine = `${request.method} ${decodeURIComponent((request.url ?? '').replace(sandbox.basePath, ''))}`;
    log.push(requestLine);
    unanswered.add(response);
    // Both come when it has been answered, the latter alone when the connection has gone.
    for (const end of ['finish', 'close']) response.once(end, () => unanswered.delete(response));
    const exchange: UpstreamExchange = {
      requestLine,
      request,
      response,
      socket: request.socket,
      sandboxResponse: () => fetchFromSandbox(sandbox, request),
    };
    const misbehave = findFaultyResponder?.(exchange) ?? respondNormally;
    // What it says is cut off when nobody listens any more.
    void Promise.resolve(misbehave(exchange)).catch(() => request.socket.destroy());
  });
  // It never ends a connection of itself.
  http.keepAliveTimeout = 0;
  const accept = (socket: Socket) => {
    if (onConnection) onConnection(socket);
    else http.emit('connection', socket);
  };
  const listener = certificate ? createTlsServer(certificate, accept) : createTcpServer(accept);
  listener.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  listener.on('secureConnection', (socket: Socket) => socket.on('error', () => {}));

  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, HOST, () => {
        listener.off('error', reject);
        resolve(port);
      });
    });
  const stop = async () => {
    if (!listener.listening) return;
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listenOnFreePort(listen);
  return {
    url: `${certificate ? 'https' : 'http'}://${HOST}:${port}${sandbox.basePath}`,
    port,
    traffic() {
      const taken = log;
      log = [];
      return taken;
    },
    get unanswered() {
      return unanswered.size;
    },
    get openConnections() {
      return sockets.size;
    },
    get connections() {
      return connections;
    },
    respondWith(misbehave) {
      findFaultyResponder = misbehave;
    },
    handleConnectionsWith(misbehave) {
      onConnection = misbehave;
    },
    stop,
    start: async () => void (await listen(port)),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

export async function respondNormally({ sandboxResponse, response }: UpstreamExchange): Promise<void> {
  const { status, headers, body } = await sandboxResponse();
  response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
}

async function fetchFromSandbox(
  sandbox: Pick<Sandbox, 'fetch'>,
  { url, method, headers }: IncomingMessage,
): Promise<SandboxResponse> {
  const { authorization = '' } = headers;
  const request = new Request(`http://${HOST}${url}`, { method: method ?? 'GET', headers: { authorization } });
  const response = await sandbox.fetch(request);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
