/**
 * The upstream process: `node upstream-server.ts ATTACK NEIGHBOUR`. It serves the sandbox, and the
 * attack's responses to every key except the neighbour's. It sends its URL to its parent, and in
 * reply to each later message the number of requests with other keys.
 */
import { createServer } from 'node:http';
import { createServerAdapter } from '@whatwg-node/server';
import { createSandbox } from '#sandbox/sandbox.ts';
import { listenOnFreePort } from '../../support/served-gateway.ts';
import { findAttack } from '../attacks.ts';

const [id = '', neighbour = ''] = process.argv.slice(2);
const attack = await findAttack(id);
const sandbox = createSandbox();
let foreign = 0;

// The sandbox's own server buffers a whole response, and an attack's response may be endless.
const server = createServer(
  createServerAdapter(async (request: Request): Promise<Response> => {
    if (request.headers.get('authorization') === `Bearer ${neighbour}`)
      return sandbox.fetch(request);
    foreign += 1;
    return (await attack.respond?.(request)) ?? sandbox.fetch(request);
  }),
);
const port = await listenOnFreePort(
  (candidate) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(candidate, '127.0.0.1', () => resolve(candidate));
    }),
);
process.on('message', () => process.send?.(foreign));
process.on('disconnect', () => process.exit());
// A disconnected gateway must not end the process.
process.on('uncaughtException', () => {});
process.send?.(`http://127.0.0.1:${port}${sandbox.basePath}`);
