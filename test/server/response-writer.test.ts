import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '#server/http-server.ts';

const LIMITS = {
  headersMs: 10_000,
  requestMs: 10_000,
  idleMs: 10_000,
  keepAliveMs: 10_000,
  sendTimeoutMs: 10_000,
  maxConnections: 100,
};

/** The status of a response of this type and size whose caller has too many unsent bytes. */
async function statusOf(type: string, bytes: number): Promise<number> {
  const body = new Uint8Array(bytes);
  const headers = { 'content-type': type, 'content-length': String(bytes) };
  const server = createHttpServer(
    {
      fetch: async () => new Response(body, { headers }),
      reserveUnsent: () => 'MAX_UNSENT_BYTES',
    },
    LIMITS,
    { onUnexpectedError: () => {}, onRejected: () => {} },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/graphql`);
  await response.body?.cancel();
  return response.status;
}

test.each([
  ['application/json; charset=utf-8', 65_537, 429],
  ['application/graphql-response+json; charset=utf-8', 65_537, 429],
  ['application/json; charset=utf-8', 65_536, 200],
  ['application/graphql-response+json; charset=utf-8', 65_536, 200],
  ['text/event-stream', 65_537, 200],
  ['multipart/mixed; boundary="-"', 65_537, 200],
  ['text/html; charset=utf-8', 65_537, 200],
])(
  'a response %s of %i bytes whose caller has too many unsent bytes gets the status %i',
  async (type, bytes, status) => {
    expect(await statusOf(type, bytes)).toBe(status);
  },
);
