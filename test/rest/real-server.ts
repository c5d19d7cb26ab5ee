import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import type { UndiciTransportOptions } from '#rest/transport/undici-transport.ts';

/** One request as it came over the wire. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  /** As it stood in the request line, unnormalised. */
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

/** Of a transport that leaves it to its user how long a stage may take. */
export const PATIENT: UndiciTransportOptions = {
  connectMs: 0,
  headersMs: 0,
  bodyMs: 0,
  isProxyConfigured: false,
  startTimer(ms, onTime) {
    const timer = setTimeout(onTime, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Ports above are the system's own for outgoing connections. */
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_767;

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An upstream of real sockets on 127.0.0.1. It closes, with all its connections, when the test that uses it ends. */
export async function listen(answer: Answer): Promise<RealServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers, rawHeaders } = request;
    requests.push({ method, url, headers, rawHeaders });
    answer(response, request);
  });
  return open(server, requests);
}

/** A server of which the test sees no more than the connections, and the bytes if it likes. */
export async function listenTcp(onConnection: (socket: Socket) => void): Promise<RealServer> {
  return open(createTcpServer(onConnection), []);
}

async function open(server: Server | TcpServer, requests: readonly ReceivedRequest[]): Promise<RealServer> {
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

/** Takes a random port, and another when somebody has it. */
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

/** Answers with a JSON body. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A timer that goes off when the test says so. */
export function createManualTimers() {
  const timers = new Set<{ readonly ms: number; readonly onTime: () => void }>();
  return {
    startTimer(ms: number, onTime: () => void): () => void {
      const timer = { ms, onTime };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    /** Times that are being waited for, ms. */
    get running(): number[] {
      return [...timers].map(({ ms }) => ms);
    },
    /** Lets all timers of so many ms go off. */
    elapse(ms: number): void {
      for (const timer of [...timers]) {
        if (timer.ms !== ms) continue;
        timers.delete(timer);
        timer.onTime();
      }
    },
  };
}
