import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import {
  type ArgumentRule,
  checkArgument,
  checkOptions,
  objectWith,
  TEXT,
  wholeNumber,
} from '#check-arguments.ts';
import type { DemoEndpoints } from './demo-endpoints.ts';
import type { Sandbox } from './sandbox.ts';
import { SANDBOX } from './sandbox-options.ts';

export interface ServeSandboxOptions {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** @default the server has the API only */
  readonly demo?: DemoEndpoints | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<ServeSandboxOptions>]: ArgumentRule } = {
  host: TEXT,
  port: wholeNumber(0, 65_535),
  demo: objectWith(['handle', 'rewrite'], 'the result of createDemoEndpoints(sandbox)'),
};

/**
 * Serves a sandbox over real sockets; a rejection of its `fetch` destroys the socket. Rejects if
 * the address is not available.
 * @throws TypeError for a wrong argument
 */
export async function serveSandbox(
  sandbox: Pick<Sandbox, 'fetch' | 'basePath'>,
  options: ServeSandboxOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  checkArgument('The first argument of serveSandbox', sandbox, SANDBOX);
  checkOptions('serveSandbox', options, OPTIONS);
  const { host, port, demo } = options;
  checkArgument('The option `host` of serveSandbox', host, TEXT);
  checkArgument('The option `port` of serveSandbox', port, OPTIONS.port);
  let origin = '';
  const server = createServer((incoming, outgoing) => {
    if (!demo?.handle(incoming, outgoing)) void relay(sandbox, origin, demo, incoming, outgoing);
  });
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
  demo: DemoEndpoints | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const disconnected = new AbortController();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) disconnected.abort();
  });
  try {
    const response = await sandbox.fetch(toRequest(origin, incoming, disconnected.signal));
    // The length is known only where a fault sends the body in parts.
    if (response.headers.has('content-length') && response.body) {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      const reader = response.body.getReader();
      for (let part = await reader.read(); part.value; part = await reader.read()) {
        const { value } = part;
        await new Promise((resolve) => outgoing.write(value, resolve));
      }
      outgoing.end();
      return;
    }
    const body = demo
      ? demo.rewrite(await response.text(), origin)
      : new Uint8Array(await response.arrayBuffer());
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
