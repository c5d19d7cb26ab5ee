import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { createServerAdapter, sendNodeResponse } from '@whatwg-node/server';
import type { Settings } from '#config/settings.ts';
import { type Answered, type Handler, isPlain } from '#http/exchange.ts';
import { REFUSAL_HEADERS, type ServerRefusal, toRefusalBody } from '#http/refusal.ts';
import { SECURITY_HEADERS } from '#http/security-headers.ts';
import { toAsked, toHead } from './node-request.ts';

/** How long a client may take. */
export interface ServerTimeouts {
  /** To send the headers of a request, ms. */
  readonly headersMs: number;
  /** To send all of a request, ms. */
  readonly requestMs: number;
  /** To take the next part of an answer, ms: longer than an operation may last, for then nothing moves either. */
  readonly idleMs: number;
}

export interface ServerLimits extends ServerTimeouts {
  /** Connections at a time; on those over it, only `/health` is answered. */
  readonly connections: number;
}

/** After an operation has to be over, a client may take so long to begin to read its answer. */
const READING_MS = 30_000;

export function toServerLimits({
  clientTimeouts,
  requestDeadlineMs,
  maxConnections,
}: Pick<Settings, 'clientTimeouts' | 'requestDeadlineMs' | 'maxConnections'>): ServerLimits {
  return { ...clientTimeouts, idleMs: requestDeadlineMs + READING_MS, connections: maxConnections };
}

/** Connections over the limit that are told so; those over that, too, are closed without a word. */
const TOLD_CONNECTIONS = 100;

/** Requests that one connection may have under way: clients of HTTP/1.1 that send more than one at a time are rare, and none needs more. */
const MOST_AT_ONCE = 16;

/** Longer than the minute after which load balancers let go of a connection: else they would use one that is just being closed. */
const KEEP_ALIVE_MS = 65_000;

/** How often it is looked whether a time is over, at the least. */
const LONGEST_CHECK_MS = 1_000;

/** What Node says of what it cannot take, and what we say. */
const REFUSALS: { readonly [code: string]: Refusal } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'BAD_USER_INPUT', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'OPERATION_TOO_COMPLEX', 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'OPERATION_TOO_COMPLEX', 'The extensions of the chunks are too large.'],
};
const NO_HTTP: Refusal = [400, 'BAD_USER_INPUT', 'This is no HTTP request, or one that broke off.'];
const NO_HOST: Refusal = [400, 'BAD_USER_INPUT', 'The Host header is missing.'];
const TWO_HOSTS: Refusal = [400, 'BAD_USER_INPUT', 'There are two Host headers.'];
const TOO_MANY_CONNECTIONS: Refusal = [
  503,
  'RATE_LIMITED',
  'Too many connections are open. Try again in a moment.',
  'MAX_CONNECTIONS',
];
const TOO_MANY_AT_ONCE: Refusal = [
  429,
  'RATE_LIMITED',
  `More than ${MOST_AT_ONCE} requests at once on one connection: wait for answers.`,
];
const NOT_ANSWERED: Refusal = [500, 'INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.'];

type Refusal = readonly [status: number, code: ServerRefusal['code'], message: string, setting?: string];

/** How long a client waits who is told that there is too much of something, s. */
const RETRY_AFTER_S = 1;

/** Who hears of what goes wrong where nobody else can see it. */
export interface ServerEvents {
  /** `fetch` has rejected though the client is still there. */
  onBug(error: unknown): void;
  /** A request, or what is none, was refused before `fetch` was asked. */
  onRefused(refusal: ServerRefusal): void;
}

/** Answers requests. What `mayAnswer` takes is answered by `answer`, without a `Request` being made of it. */
export type Answers = Pick<Handler, 'fetch'> & Partial<Handler>;

/** What is known of a connection: found once for a request. */
interface Connection {
  /** Over the limit. */
  readonly isSurplus: boolean;
  /** The last one. */
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
  /** Requests whose answers are not sent. */
  underWay: number;
}

/**
 * Makes a server that waits for nobody forever. It listens nowhere yet.
 * @param gateway answers what is HTTP; what is not is refused here, in the same shape
 */
export function createHttpServer(
  gateway: Answers,
  { headersMs, requestMs, idleMs, connections }: ServerLimits,
  { onBug, onRefused }: ServerEvents,
): Server {
  const adapter = createServerAdapter(gateway.fetch);
  const known = new WeakMap<Socket, Connection>();
  let open = 0;
  const server = createServer({
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, Math.ceil(headersMs / 4)),
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node's refusal would be empty.
    requireHostHeader: false,
    // Node would take the first of two keys; what stands in front may have looked at the second.
    joinDuplicateHeaders: true,
  });
  server.timeout = idleMs;
  server.maxConnections = connections + TOLD_CONNECTIONS;
  server.on('connection', (socket) => {
    open += 1;
    known.set(socket, { isSurplus: open > connections, exchange: undefined, underWay: 0 });
    // As long as one that has been used may wait for its next request; from the first answer on it is the server's own limit again.
    socket.setTimeout(KEEP_ALIVE_MS);
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.on('request', answer);
  // Node would refuse it without a word, whatever it is that the client expects.
  server.on('checkExpectation', answer);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Who has not said a word is not late: browsers and load balancers connect beforehand, and would take a refusal for the answer.
    if (socket.bytesRead === 0 && error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return;
    if (socket.writable && !isAnswered(socket)) {
      const refusal = REFUSALS[error.code ?? ''] ?? NO_HTTP;
      tell(refusal);
      socket.write(toText(refusal));
    }
    socket.destroySoon();
  });
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = known.get(socket);
    // Node tells of each connection before it tells of what comes on it.
    if (!connection) return refuse(response, NOT_ANSWERED);
    connection.exchange = { request, response };
    connection.underWay += 1;
    // It comes once: `once` would only make something to take the listener away with.
    response.on('close', () => {
      connection.underWay -= 1;
    });
    try {
      // A full process is alive: to start it anew would help nobody.
      if (connection.isSurplus && request.url !== '/health') return refuse(response, TOO_MANY_CONNECTIONS);
      if (connection.underWay > MOST_AT_ONCE) return refuse(response, TOO_MANY_AT_ONCE);
      if (request.headers.host === undefined && request.httpVersion !== '1.0') return refuse(response, NO_HOST);
      if (namesTwoHosts(request)) return refuse(response, TWO_HOSTS);
      const head = gateway.mayAnswer && toHead(request);
      const answered =
        head && gateway.mayAnswer?.(head) && gateway.answer
          ? await gateway.answer(toAsked(head, request, response))
          : await adapter.handleNodeRequestAndResponse(request, response, {});
      if (isPlain(answered)) {
        send(answered, response);
        // No longer that of a connection on which nothing has been answered yet.
        if (socket.timeout !== idleMs) socket.setTimeout(idleMs);
        return;
      }
      const sent = sendNodeResponse(answered, response, request, true);
      // That takes the limit off the connection for an answer that is a stream.
      request.socket.setTimeout(idleMs);
      await sent;
    } catch (error) {
      // Nobody is told of a client that has left: nothing is wrong.
      if (!request.socket.destroyed) onBug(error);
      if (response.headersSent) response.destroy();
      else refuse(response, NOT_ANSWERED);
    }
  }

  function send({ status, headers, body }: Answered, response: ServerResponse): void {
    headers.set('content-length', String(Buffer.byteLength(body)));
    response.writeHead(status, headers.toRecord()).end(body);
  }

  function refuse(response: ServerResponse, refusal: Refusal): void {
    tell(refusal);
    const { status, headers, body } = toAnswer(refusal);
    response.writeHead(status, headers).end(body);
  }

  function tell([status, code, , setting]: Refusal): void {
    onRefused({ status, code, setting });
  }

  /** Whether an answer has begun to the request that something is wrong with: a second one would be taken for a part of it. */
  function isAnswered(socket: Socket): boolean {
    const { request, response } = known.get(socket)?.exchange ?? {};
    const isOver = request?.complete && response?.writableFinished;
    return response?.headersSent === true && !isOver;
  }
}

/** Node keeps the first of them. (Its `headersDistinct` tells of two, but reads all the others for that.) */
function namesTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const name = rawHeaders[place];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

function toText(refusal: Refusal): string {
  const { status, headers, body } = toAnswer(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

function toAnswer([status, code, message]: Refusal) {
  const mayComeBack = code === 'RATE_LIMITED';
  const body = toRefusalBody(code, message, mayComeBack ? { retryAfter: RETRY_AFTER_S } : {});
  const headers = {
    ...REFUSAL_HEADERS,
    ...SECURITY_HEADERS,
    ...(mayComeBack ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
    connection: 'close',
    'content-length': Buffer.byteLength(body),
  };
  return { status, headers, body };
}
