import type { OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type FaultyResponder,
  respondNormally,
  type SandboxResponse,
  type UpstreamExchange,
} from '../support/faulty-upstream.ts';

/** Responds with this status. `body` is sent unchanged; without it, the body is a message in JSON. */
export function status(
  code: number,
  headers: OutgoingHttpHeaders = {},
  body = '{"message":"No."}',
): FaultyResponder {
  return ({ response }) => {
    response
      .writeHead(code, { 'content-type': 'application/json', ...headers })
      .end(isBodiless(code) ? undefined : body);
  };
}

function isBodiless(code: number): boolean {
  return code === 204 || code === 304;
}

/** Responds 200 with this body. */
export function body(content: string | Buffer, headers: OutgoingHttpHeaders = {}): FaultyResponder {
  return ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(content);
  };
}

/** Responds as the sandbox does, with the given changes. */
export function withChangedResponse(
  change: (response: SandboxResponse) => Partial<SandboxResponse>,
): FaultyResponder {
  return async ({ sandboxResponse, response }) => {
    const original = await sandboxResponse();
    const { status: code, headers, body: content } = { ...original, ...change(original) };
    response.writeHead(code, { ...headers, 'content-length': content.length }).end(content);
  };
}

/** Responds as the sandbox does, with additional headers. */
export function withHeaders(headers: () => Record<string, string>): FaultyResponder {
  return withChangedResponse((response) => ({ headers: { ...response.headers, ...headers() } }));
}

/** Responds with a changed copy of the sandbox's JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the API defines the JSON, and faults change any part of it
export function json(change: (json: any, exchange: UpstreamExchange) => unknown): FaultyResponder {
  return async (exchange) => {
    const { status: code, headers, body: content } = await exchange.sandboxResponse();
    const text = JSON.stringify(change(JSON.parse(content.toString()), exchange));
    exchange.response.writeHead(code, headers).end(text);
  };
}

/** Sends these bytes in place of a response, and nothing else. `then` may close the connection. */
export function rawBytes(
  text: string | ((response: SandboxResponse) => string | Buffer),
  then: (socket: Socket) => void = () => {},
): FaultyResponder {
  return async ({ socket, sandboxResponse }) => {
    const content = typeof text === 'string' ? text : text(await sandboxResponse());
    await new Promise<void>((resolve) => socket.write(content, () => resolve()));
    then(socket);
  };
}

/** The head of a response with `Content-Length` only. */
export function head(lines: readonly string[], statusLine = 'HTTP/1.1 200 OK'): string {
  return [statusLine, 'content-type: application/json', ...lines, '', ''].join('\r\n');
}

export function headOf({ body: { length } }: SandboxResponse): string {
  return head([`content-length: ${length}`]);
}

export function close(socket: Socket): void {
  socket.end();
}

export function reset(socket: Socket): void {
  socket.resetAndDestroy();
}

export const hang: FaultyResponder = () => {};

/** Sends one piece at a time, with a pause in ms, while the client is connected; then closes the connection. */
export function drip(
  pieces: (response: SandboxResponse) => Iterable<string | Buffer>,
  ms: number,
): FaultyResponder {
  return async ({ socket, sandboxResponse }) => {
    const rest = pieces(await sandboxResponse())[Symbol.iterator]();
    const timer = setInterval(() => {
      const { value, done } = rest.next();
      if (!done) return void socket.write(value);
      clearInterval(timer);
      socket.end();
    }, ms);
    socket.once('close', () => clearInterval(timer));
    if (socket.closed) clearInterval(timer);
  };
}

export function* bytesOf(buffer: Buffer): Iterable<Buffer> {
  for (let at = 0; at < buffer.length; at += 1) yield buffer.subarray(at, at + 1);
}

/** Sends a call whose id has this number of bytes, as fast as the client reads. */
export function flood(totalBytes: number): FaultyResponder {
  return async ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    await pipeline(Readable.from(blanks(totalBytes)), response);
  };
}

function* blanks(totalBytes: number): Iterable<string | Buffer> {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  yield '{"call":{"id":"';
  for (let written = 0; written < totalBytes; written += chunk.length) yield chunk;
  yield '"}}';
}

/** Responds with the fault to the first request only, and as the sandbox does afterwards. */
export function onFirstRequest(misbehave: FaultyResponder): FaultyResponder {
  let requestCount = 0;
  return (exchange) => {
    requestCount += 1;
    return requestCount === 1 ? misbehave(exchange) : respondNormally(exchange);
  };
}
