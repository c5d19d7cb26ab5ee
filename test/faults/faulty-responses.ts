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

/** Answers with this status; `body` is sent as it is, nothing as a message in JSON. */
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

/** Answers 200 with this body. */
export function body(content: string | Buffer, headers: OutgoingHttpHeaders = {}): FaultyResponder {
  return ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(content);
  };
}

/** Answers as the sandbox does, but for what is changed. */
export function withChangedResponse(
  change: (answer: SandboxResponse) => Partial<SandboxResponse>,
): FaultyResponder {
  return async ({ sandboxResponse, response }) => {
    const answer = await sandboxResponse();
    const { status: code, headers, body: content } = { ...answer, ...change(answer) };
    response.writeHead(code, { ...headers, 'content-length': content.length }).end(content);
  };
}

/** Answers as the sandbox does, with other headers besides. */
export function withHeaders(headers: () => Record<string, string>): FaultyResponder {
  return withChangedResponse((answer) => ({ headers: { ...answer.headers, ...headers() } }));
}

/** Answers with what becomes of the sandbox's JSON. */
// biome-ignore lint/suspicious/noExplicitAny: the JSON is whatever the API says, and faults reach into it
export function json(change: (json: any, exchange: UpstreamExchange) => unknown): FaultyResponder {
  return async (exchange) => {
    const { status: code, headers, body: content } = await exchange.sandboxResponse();
    const text = JSON.stringify(change(JSON.parse(content.toString()), exchange));
    exchange.response.writeHead(code, headers).end(text);
  };
}

/** Says these bytes in the place of an answer, and nothing more; `then` may close the connection. */
export function rawBytes(
  text: string | ((answer: SandboxResponse) => string | Buffer),
  then: (socket: Socket) => void = () => {},
): FaultyResponder {
  return async ({ socket, sandboxResponse }) => {
    const said = typeof text === 'string' ? text : text(await sandboxResponse());
    await new Promise<void>((resolve) => socket.write(said, () => resolve()));
    then(socket);
  };
}

/** The head of an answer that says nothing but how long the body is. */
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

/** A piece at a time, with so many ms between, as long as there is anybody; then it closes the connection. */
export function drip(
  pieces: (answer: SandboxResponse) => Iterable<string | Buffer>,
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

/** A call with an id of so many bytes, written as fast as it is taken. */
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

/** Only the first time; from then on as the sandbox does. */
export function onFirstRequest(misbehave: FaultyResponder): FaultyResponder {
  let asked = 0;
  return (exchange) => {
    asked += 1;
    return asked === 1 ? misbehave(exchange) : respondNormally(exchange);
  };
}
