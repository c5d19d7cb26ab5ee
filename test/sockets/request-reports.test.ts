import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { PlainHeaders, type PlainRequest, type PlainResponse } from '#http/message.ts';
import { createHttpServer } from '#server/http-server.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** Serves one response. Each report says whether the response was written by then. */
async function serve(respond: () => PlainResponse | Response, onReport: () => void = () => {}) {
  const reports: boolean[] = [];
  const bugs: unknown[] = [];
  let request: PlainRequest | undefined;
  let response: ServerResponse | undefined;
  const gateway = {
    fetch: async () => new Response(null, { status: 404 }),
    canHandlePlain: () => true,
    handlePlain: async (plainRequest: PlainRequest) => {
      request = plainRequest;
      plainRequest.report = () => {
        reports.push(response?.headersSent === true);
        onReport();
      };
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
  const received = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' });
  const text = await received.text();
  // The connection is kept, and holds its last request.
  expect(request).toHaveProperty('report', undefined);
  return { status: received.status, bytes: text.length, reports, bugs };
}

const LIMITS = {
  headersMs: 60_000,
  requestMs: 60_000,
  idleMs: 60_000,
  sendTimeoutMs: 60_000,
  keepAliveMs: 65_000,
  maxConnections: 100,
};

const JSON_TYPE = { 'content-type': 'application/json' };

test.each([
  ['small', 2],
  ['large', 1_000_000],
])('a %s plain response is written before its request is reported', async (_, bytes) => {
  const headers = new PlainHeaders(JSON_TYPE);
  const body = `"${'x'.repeat(bytes - 2)}"`;
  const served = await serve(() => ({ status: 200, headers, body }));
  expect(served).toEqual({ status: 200, bytes, reports: [true], bugs: [] });
});

test('a request with another response is reported before that is written', async () => {
  const served = await serve(() => Response.json({}, { status: 201 }));
  expect(served).toEqual({ status: 201, bytes: 2, reports: [false], bugs: [] });
});

test('a request whose response cannot be written is reported once', async () => {
  const headers = new PlainHeaders({ 'x-broken': 'a\nb' });
  const served = await serve(() => ({ status: 200, headers, body: '{}' }));
  expect(served).toMatchObject({
    status: 500,
    reports: [false],
    bugs: [{ code: 'ERR_INVALID_CHAR' }],
  });
});

test('a report that throws aborts no response', async () => {
  const bug = new Error('The log is broken.');
  const bytes = 1_000_000;
  const body = `"${'x'.repeat(bytes - 2)}"`;
  const respond = () => ({ status: 200, headers: new PlainHeaders(JSON_TYPE), body });
  const served = await serve(respond, () => {
    throw bug;
  });
  expect(served).toEqual({ status: 200, bytes, reports: [true], bugs: [bug] });
});
