import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { PlainHeaders, type PlainRequest, type PlainResponse } from '#http/message.ts';
import { createHttpServer } from '#server/http-server.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** Serves one response. Each report says whether the response was written by then. */
async function serve(respond: () => PlainResponse | Response) {
  const reports: boolean[] = [];
  const bugs: unknown[] = [];
  let response: ServerResponse | undefined;
  const gateway = {
    fetch: async () => new Response(null, { status: 404 }),
    canHandlePlain: () => true,
    handlePlain: async (request: PlainRequest) => {
      request.report = () => reports.push(response?.headersSent === true);
      return respond();
    },
  };
  const server = createHttpServer(gateway, LIMITS, {
    onUnexpectedError: (error) => bugs.push(error),
    onRejected: () => {},
  });
  server.prependListener('request', (_, outgoing) => {
    response = outgoing;
  });
  const port = await listenOnFreePort(async (port) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return port;
  });
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
  return { status, reports, bugs };
}

const LIMITS = {
  headersMs: 60_000,
  requestMs: 60_000,
  idleMs: 60_000,
  sendTimeoutMs: 60_000,
  keepAliveMs: 65_000,
  maxConnections: 100,
};

test('a plain response is written before its request is reported', async () => {
  const headers = new PlainHeaders({ 'content-type': 'application/json' });
  expect(await serve(() => ({ status: 200, headers, body: '{}' }))).toEqual({
    status: 200,
    reports: [true],
    bugs: [],
  });
});

test('the start of a Fetch response is written before its request is reported', async () => {
  expect(await serve(() => Response.json({}, { status: 201 }))).toEqual({
    status: 201,
    reports: [true],
    bugs: [],
  });
});

test('a request whose response cannot be written is reported once', async () => {
  const headers = new PlainHeaders({ 'x-broken': 'a\nb' });
  expect(await serve(() => ({ status: 200, headers, body: '{}' }))).toEqual({
    status: 500,
    reports: [false],
    bugs: [expect.objectContaining({ code: 'ERR_INVALID_CHAR' })],
  });
});
