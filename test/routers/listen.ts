import { once } from 'node:events';
import type { Server } from 'node:http';
import { listenOnFreePort } from '../support/served-gateway.ts';

const HOST = '127.0.0.1';

/** Starts a server on a free port of 127.0.0.1. */
export async function startListening(
  server: Server,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const port = await listenOnFreePort(async (candidate) => {
    server.listen(candidate, HOST);
    await once(server, 'listening');
    return candidate;
  });
  return {
    url: `http://${HOST}:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
