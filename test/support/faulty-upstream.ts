import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { listenOnFreePort } from './served-gateway.ts';

/** A request of the gateway, for any kind of response. */
export interface UpstreamExchange {
  /** The request line, as `GET /call/…` with its query. */
  readonly requestLine: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For bytes that no HTTP server would send. */
  readonly socket: Socket;
  /** The response of the sandbox. */
  sandboxResponse(): Promise<SandboxResponse>;
}

export interface SandboxResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type FaultyResponder = (exchange: UpstreamExchange) => void | Promise<void>;

/** Handles a connection before a request is read from it. */
export type FaultyConnection = (socket: Socket) => void;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface FaultyUpstream extends AsyncDisposable {
  /** The base URL of the API, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** The requests received since the last call, as `GET /call/…`. */
  traffic(): string[];
  /** Requests without a complete response whose connections are still open. */
  readonly unanswered: number;
  /** The connections open now. */
  readonly openConnections: number;
  /** The connections accepted since the start. */
  readonly connections: number;
  /**
   * Handles later requests with this responder where it returns one, otherwise with the sandbox;
   * `undefined` restores the sandbox.
   */
  respondWith(
    misbehave: ((exchange: UpstreamExchange) => FaultyResponder | undefined) | undefined,
  ): void;
  /** Handles later connections; `undefined` accepts them. */
  handleConnectionsWith(misbehave: FaultyConnection | undefined): void;
  /** Closes the server with all its connections. */
  stop(): Promise<void>;
  /** Starts the server again on the same port. */
  start(): Promise<void>;
}

const HOST = '127.0.0.1';

/** The sandbox over real sockets, with any fault that a test injects. */
export async function startFaultyUpstream(
  sandbox: Pick<Sandbox, 'fetch' | 'basePath'>,
  { certificate }: { readonly certificate?: Certificate | undefined } = {},
): Promise<FaultyUpstream> {
  const sockets = new Set<Socket>();
  const unanswered = new Set<ServerResponse>();
  let log: string[] = [];
  let connections = 0;
  let findFaultyResponder:
    | ((exchange: UpstreamExchange) => FaultyResponder | undefined)
    | undefined;
  let onConnection: FaultyConnection | undefined;

  const http = createServer((request, response) => {
    const requestLine = `${request.method} ${decodeURIComponent((request.url ?? '').replace(sandbox.basePath, ''))}`;
    log.push(requestLine);
    unanswered.add(response);
    // A complete response emits both; a lost connection emits only `close`.
    for (const end of ['finish', 'close']) response.once(end, () => unanswered.delete(response));
    const exchange: UpstreamExchange = {
      requestLine,
      request,
      response,
      socket: request.socket,
      sandboxResponse: () => fetchFromSandbox(sandbox, request),
    };
    const misbehave = findFaultyResponder?.(exchange) ?? respondNormally;
    // A response to a closed connection is cut off.
    void Promise.resolve(misbehave(exchange)).catch(() => request.socket.destroy());
  });
  // The server never closes a connection by itself.
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

export async function respondNormally({
  sandboxResponse,
  response,
}: UpstreamExchange): Promise<void> {
  const { status, headers, body } = await sandboxResponse();
  response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
}

async function fetchFromSandbox(
  sandbox: Pick<Sandbox, 'fetch'>,
  { url, method, headers }: IncomingMessage,
): Promise<SandboxResponse> {
  const { authorization = '' } = headers;
  const request = new Request(`http://${HOST}${url}`, {
    method: method ?? 'GET',
    headers: { authorization },
  });
  const response = await sandbox.fetch(request);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
