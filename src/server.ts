import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { createServerAdapter, sendNodeResponse } from '@whatwg-node/server';
import type { Settings } from '#config/settings.ts';
import {
  type DisconnectReason,
  ERROR_HEADERS,
  type RejectedRequest,
  toErrorBody,
} from '#http/error-response.ts';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import {
  createConnectionLimiter,
  type EvictableConnection,
  toPeer,
} from '#http/limits/connection-limiter.ts';
import { MAX_SMALL_RESPONSE_BYTES } from '#http/limits/unsent-response-budget.ts';
import {
  type Handler,
  isPlainResponse,
  type PlainRequest,
  type PlainResponse,
} from '#http/message.ts';
import { type NodeRequest, toNodeRequest, toRequestHead } from './node-message.ts';
import { createResponseSender } from './response-sender.ts';

/** Time limits of a client. */
export interface ServerTimeouts {
  /** To send the headers of a request, in ms. */
  readonly headersMs: number;
  /** To send all of a request, in ms. */
  readonly requestMs: number;
  /**
   * To take the next part of a response, in ms: longer than an operation may last, because nothing
   * moves during an operation either.
   */
  readonly idleMs: number;
}

export interface ServerLimits extends ServerTimeouts {
  /** Maximum open connections. On connections over the limit, only `/health` is served. */
  readonly maxConnections: number;
  /** Maximum open connections from one address. @default no limit */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** A client must take the next part of its response within this time, in ms. */
  readonly sendTimeoutMs: number;
  /** A connection is closed after this time without a request, also before its first one, in ms. */
  readonly keepAliveMs: number;
}

/**
 * A client must take the next part of its response within this time. The kernel accepts more only
 * when about a third of its buffer is free, on most systems about 1 MB: so a client that reads
 * steadily needs some 20 KB/s. The unread bytes of its caller bound a client that reads nothing.
 */
const SEND_TIMEOUT_MS = 60_000;

export function toServerLimits({
  clientTimeouts,
  requestDeadlineMs,
  maxConnections,
  maxConnectionsPerAddress,
}: Pick<Settings, 'clientTimeouts' | 'requestDeadlineMs' | 'maxConnections'> &
  Partial<Settings>): ServerLimits {
  return {
    ...clientTimeouts,
    // Also the limit of a connection before its first request.
    idleMs: Math.max(requestDeadlineMs + SEND_TIMEOUT_MS, KEEP_ALIVE_MS),
    sendTimeoutMs: SEND_TIMEOUT_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    maxConnections,
    maxConnectionsPerAddress,
  };
}

/**
 * Connections over the limit that get an error response. Further connections are closed without a
 * response.
 */
const OVERFLOW_CONNECTIONS = 100;

/**
 * Requests in flight on one connection: HTTP/1.1 clients that send more than one at a time are
 * rare, and none needs more.
 */
const MAX_PIPELINED_REQUESTS = 16;

/**
 * Longer than the minute after which load balancers drop a connection: otherwise they would use one
 * that is just being closed.
 */
const KEEP_ALIVE_MS = 65_000;

/** Maximum interval between two checks of time limits. */
const MAX_CHECK_INTERVAL_MS = 1_000;

/** Node's error codes for requests that it cannot parse, and the gateway's responses to them. */
const REJECTIONS_BY_ERROR: { readonly [code: string]: Rejection } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'BAD_USER_INPUT', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: [431, 'OPERATION_TOO_COMPLEX', 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    413,
    'OPERATION_TOO_COMPLEX',
    'The extensions of the chunks are too large.',
  ],
};
const MALFORMED_REQUEST: Rejection = [
  400,
  'BAD_USER_INPUT',
  'Malformed or incomplete HTTP request.',
];
const MISSING_HOST: Rejection = [400, 'BAD_USER_INPUT', 'The Host header is missing.'];
const DUPLICATE_HOST: Rejection = [400, 'BAD_USER_INPUT', 'The request has two Host headers.'];
const tooManyConnections = (setting: string): Rejection => [
  503,
  'RATE_LIMITED',
  `Too many connections are open (${setting}). Try again in a moment.`,
  setting,
];
const TOO_MANY_UNREAD_BYTES: Rejection = [
  429,
  'RATE_LIMITED',
  'Too many bytes of responses are unread (MAX_UNSENT_BYTES_PER_CALLER): read them before you send more requests.',
];
const TOO_MANY_PIPELINED_REQUESTS: Rejection = [
  429,
  'RATE_LIMITED',
  `More than ${MAX_PIPELINED_REQUESTS} requests are in flight on one connection: wait for responses.`,
];
const INTERNAL_ERROR: Rejection = [
  500,
  'INTERNAL_SERVER_ERROR',
  'Something went wrong in the gateway.',
];

type Rejection = readonly [
  status: number,
  code: RejectedRequest['code'],
  message: string,
  setting?: string,
];

/** How long a client must wait after a rejection over a limit. */
const RETRY_AFTER_S = 1;

/** Callbacks for what only the server sees. */
export interface ServerEvents {
  /** `fetch` has rejected although the client is still connected. */
  onUnexpectedError(error: unknown): void;
  /** A request, or malformed input, was rejected before it reached `fetch`. */
  onRejected(rejected: RejectedRequest): void;
  /** The server has closed a connection. */
  onDisconnected?(reason: DisconnectReason): void;
}

/**
 * Handles requests. A request that `canHandlePlain` accepts goes to `handlePlain`, without a
 * `Request` object.
 */
export type RequestHandlers = Pick<Handler, 'fetch'> & Partial<Handler>;

/** One request and its response. */
interface ServerExchange {
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request as the gateway gets it. Undefined until then. */
  gatewayRequest: PlainRequest | Request | undefined;
  /**
   * Called when the client disconnects before its response is sent. A Fetch request has a signal
   * for that.
   */
  client: Pick<NodeRequest, 'disconnect'> | undefined;
}

/** State of a connection, looked up once for each request. */
class Connection implements EvictableConnection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #onEvicted: () => void;
  /** The setting that the connection exceeds. */
  exceededSetting: string | undefined;
  /** The exchange of the last request. */
  lastExchange: ServerExchange | undefined;
  /** Requests whose responses are not sent. */
  inFlight = 0;
  /** When the last request began, or the last response ended, in ms. */
  lastActivityAt: number;
  /** Release the reservations of responses that are not sent. */
  readonly pendingReleases = new Set<() => void>();

  constructor(socket: Socket, openedAt: number, onEvicted: () => void) {
    this.#socket = socket;
    this.#onEvicted = onEvicted;
    this.peer = toPeer(socket.remoteAddress ?? '');
    this.lastActivityAt = openedAt;
  }

  get idleSince(): number | undefined {
    return this.inFlight === 0 || this.lastExchange?.request.complete === false
      ? this.lastActivityAt
      : undefined;
  }

  close(): void {
    this.#onEvicted();
    this.#socket.destroy();
  }
}

/**
 * Creates a server that limits every wait for a client. It does not listen yet.
 * @param gateway handles HTTP requests; the server rejects malformed ones itself, in the same shape
 */
export function createHttpServer(
  gateway: RequestHandlers,
  limits: ServerLimits,
  events: ServerEvents,
): Server {
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
    // Node's own rejection would be empty.
    requireHostHeader: false,
    // Node would use the first of two keys. A proxy in front may have checked the second.
    joinDuplicateHeaders: true,
  });
  server.timeout = idleMs;
  server.maxConnections = maxConnections + OVERFLOW_CONNECTIONS;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, monotonicNow(), () =>
      events.onDisconnected?.('evicted'),
    );
    connectionsBySocket.set(socket, connection);
    connection.exceededSetting = connectionLimiter.add(connection);
    socket.once('close', () => {
      connectionLimiter.remove(connection);
      for (const release of connection.pendingReleases) release();
    });
  });
  server.on('request', handleRequest);
  // Node would reject any expectation of the client with an empty response.
  server.on('checkExpectation', handleRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Clients open connections before they need them. They would take an error for the response to
    // a request that they have yet to send.
    if (socket.bytesRead === 0 && error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
      return disconnectIfSilent(socket);
    if (socket.writable && !hasStartedResponse(socket)) {
      const rejection = REJECTIONS_BY_ERROR[error.code ?? ''] ?? MALFORMED_REQUEST;
      reportRejected(rejection);
      socket.write(toRawResponse(rejection));
    }
    socket.destroySoon();
  });
  return server;

  async function handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const connection = connectionsBySocket.get(socket);
    // Node emits `connection` before the requests of the connection, so this does not happen.
    if (!connection) return reject(response, INTERNAL_ERROR);
    if (!connection.lastExchange) connectionLimiter.markUsed(connection);
    const exchange: ServerExchange = {
      connection,
      request,
      response,
      gatewayRequest: undefined,
      client: undefined,
    };
    connection.lastExchange = exchange;
    connection.inFlight += 1;
    connection.lastActivityAt = monotonicNow();
    // The event comes once: `once` would only create a wrapper to remove the listener.
    response.on('close', () => {
      connection.inFlight -= 1;
      connection.lastActivityAt = monotonicNow();
      if (!response.writableFinished) exchange.client?.disconnect();
    });
    try {
      if (connection.exceededSetting) {
        // A process at its limit is alive: a restart would help no client.
        if (request.url !== '/health')
          return reject(response, tooManyConnections(connection.exceededSetting));
        response.setHeader('connection', 'close');
      }
      if (connection.inFlight > MAX_PIPELINED_REQUESTS)
        return reject(response, TOO_MANY_PIPELINED_REQUESTS);
      if (request.headers.host === undefined && request.httpVersion !== '1.0')
        return reject(response, MISSING_HOST);
      if (hasDuplicateHost(request)) return reject(response, DUPLICATE_HOST);
      const head = gateway.canHandlePlain && toRequestHead(request);
      if (head && gateway.canHandlePlain?.(head) && gateway.handlePlain) {
        const nodeRequest = toNodeRequest(head, request);
        exchange.gatewayRequest = nodeRequest;
        exchange.client = nodeRequest;
        const gatewayResponse = await gateway.handlePlain(nodeRequest);
        if (isPlainResponse(gatewayResponse)) sendPlain(gatewayResponse, exchange);
        else await sendFetchResponse(gatewayResponse, exchange);
      } else {
        await sendFetchResponse(
          await adapter.handleNodeRequestAndResponse(request, response, { exchange }),
          exchange,
        );
      }
    } catch (error) {
      // A client that has disconnected is no error.
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

  async function sendFetchResponse(
    fetchResponse: Response,
    exchange: ServerExchange,
  ): Promise<void> {
    const { status, headers } = fetchResponse;
    const bytes = Number(headers.get('content-length') ?? 0);
    if (bytes > MAX_SMALL_RESPONSE_BYTES && JSON_TYPE.test(headers.get('content-type') ?? '')) {
      // Read at once: the text must leave the heap before the next one is written.
      const body = new Uint8Array(await fetchResponse.arrayBuffer());
      sendLargeResponse({ status, headers: Object.fromEntries(headers), body }, exchange);
      return;
    }
    const { request, response } = exchange;
    const sent = sendNodeResponse(fetchResponse, response, request, true);
    // `sendNodeResponse` removes the time limit of the connection if the response is a stream.
    request.socket.setTimeout(idleMs);
    await sent;
    trackUnsent(exchange);
  }

  function sendLargeResponse(
    { status, headers, body }: LargeResponse,
    exchange: ServerExchange,
  ): void {
    const { response } = exchange;
    if (isFinished(exchange)) return;
    if (!reserveWhileUnsent(body.byteLength, exchange)) reject(response, TOO_MANY_UNREAD_BYTES);
    else responseSender.sendInSlices(body, response.writeHead(status, headers));
  }

  /**
   * Counts what the socket could not send at once. If its caller has too many unread bytes, a
   * client that left earlier responses unread is disconnected.
   */
  function trackUnsent(exchange: ServerExchange): void {
    const { request, response } = exchange;
    if (response.writableLength === 0 || isFinished(exchange)) return;
    if (reserveWhileUnsent(response.writableLength, exchange))
      responseSender.startSendTimeout(response);
    else disconnect(request.socket, 'unread');
  }

  /**
   * Counts the bytes of a response until it is sent or its connection closes. False: the caller has
   * too many unread bytes.
   */
  function reserveWhileUnsent(bytes: number, exchange: ServerExchange): boolean {
    const { connection, response, gatewayRequest } = exchange;
    // No event would release the bytes.
    if (isFinished(exchange)) return false;
    if (!gatewayRequest || !gateway.reserveUnsent) return true;
    const release = gateway.reserveUnsent(gatewayRequest, bytes);
    if (!release) return false;
    // A pipelined response gets no event when its connection closes.
    connection.pendingReleases.add(release);
    response.once('close', () => {
      connection.pendingReleases.delete(release);
      release();
    });
    return true;
  }

  /**
   * Closes an unused connection as late as one that waits for its next request. Clients treat both
   * alike: they reuse an idle connection for as long as the `Keep-Alive` header of an earlier
   * response allowed, and a request on a connection that is being closed fails.
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

  /**
   * Whether the response to the malformed request has begun: the client would take an error
   * response for a part of it.
   */
  function hasStartedResponse(socket: Socket): boolean {
    const { request, response } = connectionsBySocket.get(socket)?.lastExchange ?? {};
    const isDone = request?.complete && response?.writableFinished;
    return response?.headersSent === true && !isDone;
  }
}

/**
 * Whether the response is sent or its client has disconnected: then the response and the connection
 * emit no more events.
 */
function isFinished({ request, response }: ServerExchange): boolean {
  return request.socket.destroyed || response.closed;
}

/** A response that is sent whole, whatever its size. */
const JSON_TYPE = /^application\/(graphql-response\+)?json/;

interface LargeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the adapter passes on to the handler. */
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

/**
 * Node keeps the first of them. (Its `headersDistinct` shows both, but reads all other headers for
 * that.)
 */
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
