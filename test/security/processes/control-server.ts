/**
 * A server in its own process that only responds. Its latencies are those of the machine, not of
 * the gateway. It sends its URL to its parent.
 */
import { createServer } from 'node:http';
import { listenOnFreePort } from '../../support/served-gateway.ts';

const server = createServer((_request, response) => response.end());
const port = await listenOnFreePort(
  (candidate) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(candidate, '127.0.0.1', () => resolve(candidate));
    }),
);
process.on('disconnect', () => process.exit());
process.send?.(`http://127.0.0.1:${port}/`);
