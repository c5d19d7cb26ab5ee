/** A server that does nothing but answer, in a process of its own: what takes long there is the machine's, not the gateway's. It sends its URL. */
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
