import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import type { UndiciTransportOptions } from '#rest/transport/undici-transport.ts';

/** One request as received over the wire. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  /** The target of the request line, unnormalized. */
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

export interface RealServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
}

/** Options of a transport without time limits of its own. */
export const NO_TIMEOUTS: UndiciTransportOptions = {
  connectMs: 0,
  headersMs: 0,
  bodyMs: 0,
  proxies: undefined,
  userAgent: 'a-gateway/1',
  startTimer(ms, onTime) {
    const timer = setTimeout(onTime, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Higher ports are those that the system picks for outgoing connections. */
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_767;

type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/**
 * An upstream of real sockets on 127.0.0.1. It closes with all its connections when the test that
 * uses it ends.
 */
export async function listen(respond: Respond): Promise<RealServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers, rawHeaders } = request;
    requests.push({ method, url, headers, rawHeaders });
    respond(response, request);
  });
  return open(server, requests);
}

/** A server that exposes only its connections, and their bytes to `onConnection`. */
export async function listenTcp(onConnection: (socket: Socket) => void): Promise<RealServer> {
  return open(createTcpServer(onConnection), []);
}

async function open(
  server: Server | TcpServer,
  requests: readonly ReceivedRequest[],
): Promise<RealServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await bind(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Binds a random port, and tries another when the port is in use. */
async function bind(server: Server | TcpServer): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject);
          resolve();
        });
      });
      return port;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

/** Sends a JSON response. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Timers that fire when the test says so. */
export function createManualTimers() {
  const timers = new Set<{ readonly ms: number; readonly onTime: () => void }>();
  return {
    startTimer(ms: number, onTime: () => void): () => void {
      const timer = { ms, onTime };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    /** The running timers, in ms. */
    get running(): number[] {
      return [...timers].map(({ ms }) => ms);
    },
    /** Fires all timers of exactly `ms`. */
    elapse(ms: number): void {
      for (const timer of [...timers]) {
        if (timer.ms !== ms) continue;
        timers.delete(timer);
        timer.onTime();
      }
    },
  };
}
