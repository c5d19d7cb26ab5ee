import { once } from 'node:events';
import type { Server } from 'node:http';
import { onFreePort } from '../kit/served.ts';

const HOST = '127.0.0.1';

/** Has a server listen on a free port of this machine. */
export async function listenOnFreePort(server: Server): Promise<{ readonly url: string; close(): Promise<void> }> {
  const port = await onFreePort(async (candidate) => {
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
