/**
 * A company's own server. It compiles against the types of the installed package, and mounts the
 * gateway in three ways.
 */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import {
  createGateway,
  type Gateway,
  readSettings,
  type Settings,
  SettingsError,
  toNodeHandler,
} from 'revox-graphql-gateway';
import { createSandbox, sampleIds, serveSandbox } from 'revox-graphql-gateway/sandbox';

const HOST = '127.0.0.1';

const sandbox = createSandbox();
const upstream = await serveSandbox(sandbox, { host: HOST, port: 0 });
const settings: Settings = readSettings({
  REVOX_BASE_URL: upstream.url,
  REVOX_API_KEY: 'sk_demo_a',
});
const gateway: Gateway = createGateway(settings);
const query = `{ call(id: "${sampleIds(sandbox).liveCallId}") { id } }`;

const app = express();
app.use(['/graphql', '/health', '/ready'], toNodeHandler(gateway.fetch));
app.get('/own', (_, response) => {
  response.send('own');
});

const results = {
  fetch: await sendRequests((path, init) =>
    gateway.fetch(new Request(new URL(path, 'http://localhost'), init)),
  ),
  'node:http': await serve(toNodeHandler(gateway.fetch)),
  express: await serve(app),
  faults: faultsOf({ PORT: 'x' }),
};
await gateway.dispose();
await upstream.close();
process.stdout.write(`${JSON.stringify(results)}\n`);

async function serve(listener: RequestListener): Promise<unknown> {
  const server = createServer(listener).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const result = await sendRequests((path, init) =>
    fetch(new URL(path, `http://${HOST}:${port}`), init),
  );
  server.close();
  server.closeAllConnections();
  return result;
}

async function sendRequests(
  send: (path: string, init: RequestInit) => Promise<Response>,
): Promise<unknown> {
  const ready = await send('/ready', {});
  const headers = { 'content-type': 'application/json' };
  const response = await send('/graphql', {
    method: 'POST',
    headers,
    body: JSON.stringify({ query }),
  });
  return {
    ready: ready.status,
    result: await response.json(),
    own: (await send('/own', {})).status,
  };
}

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment);
    return [];
  } catch (error) {
    return error instanceof SettingsError ? error.problems : [];
  }
}
