import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { createServerAdapter } from '@whatwg-node/server';
import { type ArgumentRule, checkArgument, FUNCTION } from '#check-arguments.ts';
import { ERROR_HEADERS, toErrorBody } from '#http/error-response.ts';

/** What body parsers leave of a body: parsed, and as it was (NestJS, Cloud Functions). */
export interface ParsedBody {
  readonly body?: unknown;
  readonly rawBody?: unknown;
}

/** A request of `node:http` or Express; of Fastify, which wraps the one of Node.js. */
export type MountedRequest =
  | (IncomingMessage & ParsedBody)
  | (ParsedBody & { readonly raw: IncomingMessage });

/** A handler as `node:http`, Express and similar servers call it. */
export type NodeHandler = (request: MountedRequest, response: ServerResponse) => Promise<void>;

/**
 * Makes a handler for `node:http`, Express, Fastify and similar servers of a gateway's `fetch`. A
 * body that a body parser has read before is taken from `request.rawBody` or `request.body`. If
 * both are missing, the response says so.
 * @throws TypeError if `fetch` is no function
 */
export function toNodeHandler(fetch: (request: Request) => Promise<Response>): NodeHandler {
  checkArgument('The argument of toNodeHandler', fetch, GATEWAY_FETCH);
  const adapter = createServerAdapter(fetch);
  return async (request, response) => {
    const incoming = 'raw' in request ? request.raw : request;
    if (!wasBodyRead(incoming)) return void (await adapter.handle(incoming, response));
    const bytes = toBytes(request);
    if (bytes) await adapter.handle(withBody(incoming, bytes), response);
    else respondBodyMissing(response);
  };
}

const GATEWAY_FETCH: ArgumentRule = {
  expected: 'the function `gateway.fetch`',
  accepts: FUNCTION.accepts,
};

/** An unread body is read by the gateway, whatever a body parser has set in its place. */
function wasBodyRead({ method, readableDidRead }: IncomingMessage): boolean {
  return readableDidRead && method !== 'GET' && method !== 'HEAD';
}

/** Undefined: there is no body, or it is nothing that JSON can write. */
function toBytes({ rawBody, body }: ParsedBody): Buffer | undefined {
  // The text as it was: a parser may have changed the digits of a large number.
  const original = [rawBody, body].find(isText);
  if (original !== undefined) return Buffer.from(original);
  try {
    return body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/** The same request with another body, which body parsers have decoded. */
function withBody(incoming: IncomingMessage, bytes: Buffer): IncomingMessage {
  const {
    'content-encoding': _encoding,
    'transfer-encoding': _transferEncoding,
    ...headers
  } = incoming.headers;
  return Object.create(incoming, {
    headers: { value: { ...headers, 'content-length': String(bytes.byteLength) } },
    // A stream: the adapter would list the keys of bytes, one for each of them.
    body: { value: Readable.from([bytes], { objectMode: false }) },
  }) as IncomingMessage;
}

const BODY_MISSING =
  'The body of this request was read before the request reached the gateway: mount the gateway before any body parser, or after one that leaves the body in `request.body`.';

function respondBodyMissing(response: ServerResponse): void {
  response.writeHead(500, ERROR_HEADERS).end(toErrorBody('INTERNAL_SERVER_ERROR', BODY_MISSING));
}
