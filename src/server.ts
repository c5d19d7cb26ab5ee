import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { createServerAdapter, sendNodeResponse } from '@whatwg-node/server';
import type { Settings } from '#config/settings.ts';
import { type DisconnectReason, ERROR_HEADERS, type RejectedRequest, toErrorBody } from '#http/error-response.ts';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import { createConnectionLimiter, type EvictableConnection, toPeer } from '#http/limits/connection-limiter.ts';
import { MAX_SMALL_RESPONSE_BYTES } from '#http/limits/unsent-response-budget.ts';
import { type Handler, isPlainResponse, type PlainRequest, type PlainResponse } from '#http/message.ts';
import { type NodeRequest, toNodeRequest, toRequestHead } from './node-message.ts';
import { createResponseSender } from './response-sender.ts';

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
  readonly maxConnections: number;
  /** Connections from one address at a time. Default: no bound. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** A client must take the next part of its answer in this time, ms. */
  readonly sendTimeoutMs: number;
  /** A connection is closed after this time without a request, ms: before its first request too. */
  readonly keepAliveMs: number;
}

/**
 * A client must take the next part of its answer in this time. The kernel asks for more only when about a third of its buffer is free, on most systems
 * about 1 MB: so a client that reads steadily needs some 20 KB/s. Those that read nothing are bounded by the unsent bytes of their caller.
 */
const SEND_TIMEOUT_MS = 60_000;

export function toServerLimits({
  clientTimeouts,
  requestDeadlineMs,
  maxConnections,
  maxConnectionsPerAddress,
}: Pick<Settings, 'clientTimeouts' | 'requestDeadlineMs' | 'maxConnections'> & Partial<Settings>): ServerLimits {
  return {
    ...clientTimeouts,
    // The limit of a connection before its first request, too.
    idleMs: Math.max(requestDeadlineMs + SEND_TIMEOUT_MS, KEEP_ALIVE_MS),
    sendTimeoutMs: SEND_TIMEOUT_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    maxConnections,
    maxConnectionsPerAddress,
  };
}

/** Connections over the limit that are told so; those over that, too, are closed without a word. */
const OVERFLOW_CONNECTIONS = 100;

/** Requests that one connection may have under way: clients of HTTP/1.1 that send more than one at a time are rare, and none needs more. */
const MAX_PIPELINED_REQUESTS = 16;

/** Longer than the minute after which load balancers let go of a connection: else they would use one that is just being closed. */
const KEEP_ALIVE_MS = 65_000;

/** How often it is looked whether a time is over, at the least. */
const MAX_CHECK_INTERVAL_MS = 1_000;

/** What Node says of what it cannot take, and what we say. */
const REJECTIONS_BY_ERROR: { readonly [code: string]: Rejection } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'BAD_USER_INPUT', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'OPERATION_TOO_COMPLEX', 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'OPERATION_TOO_COMPLEX', 'The extensions of the chunks are too large.'],
};
const MALFORMED_REQUEST: Rejection = [400, 'BAD_USER_INPUT', 'This is no HTTP request, or one that broke off.'];
const MISSING_HOST: Rejection = [400, 'BAD_USER_INPUT', 'The Host header is missing.'];
const DUPLICATE_HOST: Rejection = [400, 'BAD_USER_INPUT', 'There are two Host headers.'];
const tooManyConnections = (setting: string): Rejection => [
  503,
  'RATE_LIMITED',
  `Too many connections are open (${setting}). Try again in a moment.`,
  setting,
];
const TOO_MANY_UNREAD_BYTES: Rejection = [
  429,
  'RATE_LIMITED',
  'Your clients have left too many bytes of answers unread (MAX_UNSENT_BYTES_PER_CALLER): read them before you ask for more.',
];
const TOO_MANY_PIPELINED_REQUESTS: Rejection = [
  429,
  'RATE_LIMITED',
  `More than ${MAX_PIPELINED_REQUESTS} requests at once on one connection: wait for answers.`,
];
const INTERNAL_ERROR: Rejection = [500, 'INTERNAL_SERVER_ERROR', 'Something went wrong in the gateway.'];

type Rejection = readonly [status: number, code: RejectedRequest['code'], message: string, setting?: string];

/** How long a client waits who is told that there is too much of something, s. */
const RETRY_AFTER_S = 1;

/** Who hears of what goes wrong where nobody else can see it. */
export interface ServerEvents {
  /** `fetch` has rejected though the client is still there. */
  onUnexpectedError(error: unknown): void;
  /** A request, or what is none, was refused before `fetch` was asked. */
  onRejected(rejected: RejectedRequest): void;
  /** The server has closed a connection that its client did not use. */
  onDisconnected?(reason: DisconnectReason): void;
}

/** Answers requests. What `canHandlePlain` takes is answered by `answer`, without a `Request` being made of it. */
export type RequestHandlers = Pick<Handler, 'fetch'> & Partial<Handler>;

/** One request and its answer. */
interface ServerExchange {
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request as the gateway knows it, once it has come so far. */
  gatewayRequest: PlainRequest | Request | undefined;
  /** Hears when the client leaves before its answer is sent. Requests of Fetch's have a signal for that. */
  client: Pick<NodeRequest, 'disconnect'> | undefined;
}

/** What is known of a connection: found once for a request. */
class Connection implements EvictableConnection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #onEvicted: () => void;
  /** The setting that the connection exceeds. */
  exceededSetting: string | undefined;
  /** The last one. */
  lastExchange: ServerExchange | undefined;
  /** Requests whose answers are not sent. */
  inFlight = 0;
  /** When the last request began, or the last answer ended, ms. */
  lastActivityAt: number;
  /** Of answers that are not sent. */
  readonly pendingReleases = new Set<() => void>();

  constructor(socket: Socket, openedAt: number, onEvicted: () => void) {
    this.#socket = socket;
    this.#onEvicted = onEvicted;
    this.peer = toPeer(socket.remoteAddress ?? '');
    this.lastActivityAt = openedAt;
  }

  get idleSince(): number | undefined {
    return this.inFlight === 0 || this.lastExchange?.request.complete === false ? this.lastActivityAt : undefined;
  }

  close(): void {
    this.#onEvicted();
    this.#socket.destroy();
  }
}

/**
 * Makes a server that waits for nobody forever. It listens nowhere yet.
 * @param gateway answers what is HTTP; what is not is refused here, in the same shape
 */
export function createHttpServer(gateway: RequestHandlers, limits: ServerLimits, events: ServerEvents): Server {
  const { headersMs, requestMs, idleMs, sendTimeoutMs, keepAliveMs } = limits;
  const { maxConnections, maxConnectionsPerAddress = Number.POSITIVE_INFINITY } = limits;
  const { onUnexpectedError, onRejected } = events;
  const adapter = createServerAdapter<FetchContext>((request, { exchange }) => {
    exchange.gatewayRequest = request;
    return gateway.fetch(request);
  });
  const connectionsBySocket = new WeakMap<Socket, Connection>();
  const connectionLimiter = createConnectionLimiter({
    maxConnections,
    maxConnectionsPerPeer: maxConnectionsPerAddress,
    monotonicNow,
  });
  const responseSender = createResponseSender({
    sendTimeoutMs,
    startTimer,
    onSendTimeout: ({ socket }) => disconnect(socket, 'unread'),
  });
  const server = createServer({
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, Math.ceil(headersMs / 4)),
    keepAliveTimeout: keepAliveMs,
    // Node's refusal would be empty.
    requireHostHeader: false,
    // Node would take the first of two keys; what stands in front may have looked at the second.
    joinDuplicateHeaders: true,
  });
  server.timeout = idleMs;
  server.maxConnections = maxConnections + OVERFLOW_CONNECTIONS;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, monotonicNow(), () => events.onDisconnected?.('evicted'));
    connectionsBySocket.set(socket, connection);
    connection.exceededSetting = connectionLimiter.add(connection);
    socket.once('close', () => {
      connectionLimiter.remove(connection);
      for (const release of connection.pendingReleases) release();
    });
  });
  server.on('request', handleRequest);
  // Node would refuse it without a word, whatever it is that the client expects.
  server.on('checkExpectation', handleRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Clients open connections before they need them. They would take a refusal for the answer to a request that they have yet to send.
    if (socket.bytesRead === 0 && error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return disconnectIfSilent(socket);
    if (socket.writable && !hasStartedResponse(socket)) {
      const refusal = REJECTIONS_BY_ERROR[error.code ?? ''] ?? MALFORMED_REQUEST;
      reportRejected(refusal);
      socket.write(toRawResponse(refusal));
    }
    socket.destroySoon();
  });
  return server;

  async function handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = connectionsBySocket.get(socket);
    // Node tells of each connection before it tells of what comes on it.
    if (!connection) return reject(response, INTERNAL_ERROR);
    if (!connection.lastExchange) connectionLimiter.markUsed(connection);
    const exchange: ServerExchange = { connection, request, response, gatewayRequest: undefined, client: undefined };
    connection.lastExchange = exchange;
    connection.inFlight += 1;
    connection.lastActivityAt = monotonicNow();
    // It comes once: `once` would only make something to take the listener away with.
    response.on('close', () => {
      connection.inFlight -= 1;
      connection.lastActivityAt = monotonicNow();
      if (!response.writableFinished) exchange.client?.disconnect();
    });
    try {
      if (connection.exceededSetting) {
        // A full process is alive: to start it anew would help nobody.
        if (request.url !== '/health') return reject(response, tooManyConnections(connection.exceededSetting));
        response.setHeader('connection', 'close');
      }
      if (connection.inFlight > MAX_PIPELINED_REQUESTS) return reject(response, TOO_MANY_PIPELINED_REQUESTS);
      if (request.headers.host === undefined && request.httpVersion !== '1.0') return reject(response, MISSING_HOST);
      if (hasDuplicateHost(request)) return reject(response, DUPLICATE_HOST);
      const head = gateway.canHandlePlain && toRequestHead(request);
      if (head && gateway.canHandlePlain?.(head) && gateway.handlePlain) {
        const asked = toNodeRequest(head, request);
        exchange.gatewayRequest = asked;
        exchange.client = asked;
        const handled = await gateway.handlePlain(asked);
        if (isPlainResponse(handled)) sendPlain(handled, exchange);
        else await sendFetchResponse(handled, exchange);
      } else {
        await sendFetchResponse(await adapter.handleNodeRequestAndResponse(request, response, { exchange }), exchange);
      }
    } catch (error) {
      // Nobody is told of a client that has left: nothing is wrong.
      if (!request.socket.destroyed) onUnexpectedError(error);
      if (response.headersSent) response.destroy();
      else reject(response, INTERNAL_ERROR);
    }
  }

  function sendPlain({ status, headers, body }: PlainResponse, exchange: ServerExchange): void {
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    headers.set('content-length', String(bytes));
    if (bytes > MAX_SMALL_RESPONSE_BYTES) {
      const bytesToSend = typeof body === 'string' ? Buffer.from(body) : body;
      sendLargeResponse({ status, headers: headers.toRecord(), body: bytesToSend }, exchange);
    } else {
      exchange.response.writeHead(status, headers.toRecord()).end(body);
      trackUnsent(exchange);
    }
  }

  /** Of a response of Fetch's. */
  async function sendFetchResponse(fetchResponse: Response, exchange: ServerExchange): Promise<void> {
    const { status, headers } = fetchResponse;
    const bytes = Number(headers.get('content-length') ?? 0);
    if (bytes > MAX_SMALL_RESPONSE_BYTES && JSON_TYPE.test(headers.get('content-type') ?? '')) {
      // At once: the text is to leave the heap before the next one is written.
      const body = new Uint8Array(await fetchResponse.arrayBuffer());
      sendLargeResponse({ status, headers: Object.fromEntries(headers), body }, exchange);
      return;
    }
    const { request, response } = exchange;
    const sent = sendNodeResponse(fetchResponse, response, request, true);
    // That takes the limit off the connection for an answer that is a stream.
    request.socket.setTimeout(idleMs);
    await sent;
    trackUnsent(exchange);
  }

  function sendLargeResponse({ status, headers, body }: LargeResponse, exchange: ServerExchange): void {
    const { response } = exchange;
    if (isFinished(exchange)) return;
    if (!reserveWhileUnsent(body.byteLength, exchange)) reject(response, TOO_MANY_UNREAD_BYTES);
    else responseSender.sendInSlices(body, response.writeHead(status, headers));
  }

  /** Counts what the socket could not send at once. A client that left earlier answers unread is disconnected when its caller has too many. */
  function trackUnsent(exchange: ServerExchange): void {
    const { request, response } = exchange;
    if (response.writableLength === 0 || isFinished(exchange)) return;
    if (reserveWhileUnsent(response.writableLength, exchange)) responseSender.startSendTimeout(response);
    else disconnect(request.socket, 'unread');
  }

  /** Counts the bytes of an answer until it is sent or its connection closes. False: the caller has left too much unread. */
  function reserveWhileUnsent(bytes: number, exchange: ServerExchange): boolean {
    const { connection, response, gatewayRequest } = exchange;
    // No event would end the count.
    if (isFinished(exchange)) return false;
    if (!gatewayRequest || !gateway.reserveUnsent) return true;
    const release = gateway.reserveUnsent(gatewayRequest, bytes);
    if (!release) return false;
    // A pipelined answer gets no event when its connection closes.
    connection.pendingReleases.add(release);
    response.once('close', () => {
      connection.pendingReleases.delete(release);
      release();
    });
    return true;
  }

  /**
   * Closes an unused connection as late as one that waits for its next request. Clients treat both alike: they reuse an idle connection for as long as
   * the `Keep-Alive` header of an earlier response allowed, and a request on a connection that is being closed fails.
   */
  function disconnectIfSilent(socket: Socket): void {
    const stopTimer = startTimer(keepAliveMs - headersMs, () => {
      if (socket.bytesRead === 0) disconnect(socket, 'silent');
    });
    socket.once('close', stopTimer);
  }

  function disconnect(socket: Socket | null, reason: DisconnectReason): void {
    events.onDisconnected?.(reason);
    socket?.destroy();
  }

  function reject(response: ServerResponse, rejection: Rejection): void {
    reportRejected(rejection);
    const { status, headers, body } = toRejectionResponse(rejection);
    response.writeHead(status, headers).end(body);
  }

  function reportRejected([status, code, , setting]: Rejection): void {
    onRejected({ status, code, setting });
  }

  /** Whether an answer has begun to the request that something is wrong with: a second one would be taken for a part of it. */
  function hasStartedResponse(socket: Socket): boolean {
    const { request, response } = connectionsBySocket.get(socket)?.lastExchange ?? {};
    const isDone = request?.complete && response?.writableFinished;
    return response?.headersSent === true && !isDone;
  }
}

/** Whether the answer is sent or its client has left: then the response and the connection emit no more events. */
function isFinished({ request, response }: ServerExchange): boolean {
  return request.socket.destroyed || response.closed;
}

/** An answer that comes whole, however large. */
const JSON_TYPE = /^application\/(graphql-response\+)?json/;

interface LargeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the adapter hands on to who answers. */
interface FetchContext {
  readonly exchange: ServerExchange;
}

function monotonicNow(): number {
  return performance.now();
}

function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => clearTimeout(timer);
}

/** Node keeps the first of them. (Its `headersDistinct` tells of two, but reads all the others for that.) */
function hasDuplicateHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

function toRawResponse(rejection: Rejection): string {
  const { status, headers, body } = toRejectionResponse(rejection);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

function toRejectionResponse([status, code, message]: Rejection) {
  const canRetry = code === 'RATE_LIMITED';
  const body = toErrorBody(code, message, canRetry ? { retryAfter: RETRY_AFTER_S } : {});
  const headers = {
    ...ERROR_HEADERS,
    ...SECURITY_HEADERS,
    ...(canRetry ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
    connection: 'close',
    'content-length': Buffer.byteLength(body),
  };
  return { status, headers, body };
}
