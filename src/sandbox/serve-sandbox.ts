import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Sandbox } from './sandbox.ts';

/**
 * Serves a sandbox over real sockets; a rejection of its `fetch` destroys the socket. Port 0 means
 * any free port.
 */
export async function serveSandbox(
  sandbox: Pick<Sandbox, 'fetch' | 'basePath'>,
  { host, port }: { host: string; port: number },
): Promise<{ url: string; close(): Promise<void> }> {
  let origin = '';
  const server = createServer(
    (incoming, outgoing) => void relay(sandbox, origin, incoming, outgoing),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const listeningPort = typeof address === 'object' && address !== null ? address.port : port;
  origin = `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`;
  return {
    url: `${origin}${sandbox.basePath}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function relay(
  sandbox: Pick<Sandbox, 'fetch'>,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const disconnected = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) disconnected.abort();
  });
  try {
    const response = await sandbox.fetch(toRequest(origin, incoming, disconnected.signal));
    const body = new Uint8Array(await response.arrayBuffer());
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(body);
  } catch {
    // The fault resets the connection, or the client has already disconnected: no response in
    // either case.
    incoming.socket.destroy();
  }
}

function toRequest(origin: string, incoming: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  // Concatenated as text: `new URL('//x', origin)` would treat x as a host.
  return new Request(`${origin}${incoming.url ?? '/'}`, {
    method: incoming.method ?? 'GET',
    headers,
    signal,
  });
}
