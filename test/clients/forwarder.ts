import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** A load balancer between clients and the gateway, which the test breaks. */
export interface Forwarder extends AsyncDisposable {
  /** The URL with the address of the forwarder in place of the gateway's. */
  readonly url: string;
  /** For each connection, the time since the end of the one before, in ms. 0: it has not ended. */
  readonly pauses: readonly number[];
  /** Forwards new connections to another gateway. */
  forwardTo(url: string): void;
  /** Reads no more responses, as a client that does not read. */
  stopReading(): void;
  /** Reads again. */
  readOn(): void;
  /** Breaks all connections. */
  cut(): void;
  /** Breaks all connections, and each new one until `reopen`. */
  shut(): void;
  /** Forwards new connections again. */
  reopen(): void;
}

export async function startForwarder(firstUrl: string): Promise<Forwarder> {
  let target = new URL(firstUrl);
  const pauses: number[] = [];
  let endedAt = -Infinity;
  let isShut = false;
  const clients = new Set<Socket>();
  const responses = new Map<Socket, Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    pauses.push(clients.size > 0 ? 0 : performance.now() - endedAt);
    if (isShut) {
      endedAt = performance.now();
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({
      host: target.hostname,
      port: Number(target.port),
      allowHalfOpen: true,
    });
    clients.add(client);
    responses.set(upstream, client);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.resetAndDestroy());
      socket.once('close', () => other.destroySoon());
    }
    client.once('close', () => {
      endedAt = performance.now();
      clients.delete(client);
    });
    upstream.once('close', () => responses.delete(upstream));
  });
  const port = await listenOnFreePort(async (port) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return port;
  });
  const cut = () => {
    for (const socket of clients) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${port}${target.pathname}`,
    pauses,
    forwardTo(url) {
      target = new URL(url);
    },
    stopReading() {
      for (const upstream of responses.keys()) upstream.unpipe().pause();
    },
    readOn() {
      for (const [upstream, client] of responses) upstream.pipe(client);
    },
    cut,
    shut() {
      isShut = true;
      cut();
    },
    reopen() {
      isShut = false;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
