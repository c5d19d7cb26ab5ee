import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { createServerAdapter, sendNodeResponse } from '@whatwg-node/server';
import type { Settings } from '#config/settings.ts';
import { createConnectionPlaces, type Place, toPeer } from '#http/connection-places.ts';
import { type Answered, type Asked, type Handler, isPlain } from '#http/exchange.ts';
import { type DisconnectReason, REFUSAL_HEADERS, type ServerRefusal, toRefusalBody } from '#http/refusal.ts';
import { SECURITY_HEADERS } from '#http/security-headers.ts';
import { MAX_SMALL_ANSWER_BYTES } from '#http/unsent-bytes.ts';
import { type NodeAsked, toAsked, toHead } from './node-request.ts';
import { createSender } from './sending.ts';

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
  /** Connections from one address at a time. Default: no bound. */
  readonly connectionsPerAddress?: number | undefined;
  /** A client must take the next part of its answer in this time, ms. */
  readonly readingMs: number;
  /** A connection is closed after this time without a request, ms: before its first request too. */
  readonly keepAliveMs: number;
}

/**
 * A client must take the next part of its answer in this time. The kernel asks for more only when about a third of its buffer is free, on most systems
 * about 1 MB: so a client that reads steadily needs some 20 KB/s. Those that read nothing are bounded by the unsent bytes of their caller.
 */
const READING_MS = 60_000;

export function toServerLimits({
  clientTimeouts,
  requestDeadlineMs,
  maxConnections,
  maxConnectionsPerAddress,
}: Pick<Settings, 'clientTimeouts' | 'requestDeadlineMs' | 'maxConnections'> & Partial<Settings>): ServerLimits {
  return {
    ...clientTimeouts,
    // The limit of a connection before its first request, too.
    idleMs: Math.max(requestDeadlineMs + READING_MS, KEEP_ALIVE_MS),
    readingMs: READING_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    connections: maxConnections,
    connectionsPerAddress: maxConnectionsPerAddress,
  };
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
const TOO_MANY_CONNECTIONS = (setting: string): Refusal => [
  503,
  'RATE_LIMITED',
  `Too many connections are open (${setting}). Try again in a moment.`,
  setting,
];
const TOO_MUCH_UNREAD: Refusal = [
  429,
  'RATE_LIMITED',
  'Your clients have left too many bytes of answers unread (MAX_UNSENT_BYTES_PER_CALLER): read them before you ask for more.',
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
  /** The server has closed a connection that its client did not use. */
  onDisconnected?(reason: DisconnectReason): void;
}

/** Answers requests. What `mayAnswer` takes is answered by `answer`, without a `Request` being made of it. */
export type Answers = Pick<Handler, 'fetch'> & Partial<Handler>;

/** One request and its answer. */
interface Exchange {
  readonly connection: Connection;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request as the gateway knows it, once it has come so far. */
  asked: Asked | Request | undefined;
  /** Hears when the client leaves before its answer is sent. Requests of Fetch's have a signal for that. */
  client: Pick<NodeAsked, 'leave'> | undefined;
}

/** What is known of a connection: found once for a request. */
class Connection implements Place {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #onEvicted: () => void;
  /** The setting that the connection exceeds. */
  excess: string | undefined;
  /** The last one. */
  exchange: Exchange | undefined;
  /** Requests whose answers are not sent. */
  underWay = 0;
  /** When the last request began, or the last answer ended, ms. */
  changedAt: number;
  /** Of answers that are not sent. */
  readonly releases = new Set<() => void>();

  constructor(socket: Socket, openedAt: number, onEvicted: () => void) {
    this.#socket = socket;
    this.#onEvicted = onEvicted;
    this.peer = toPeer(socket.remoteAddress ?? '');
    this.changedAt = openedAt;
  }

  get waitsSince(): number | undefined {
    return this.underWay === 0 || this.exchange?.request.complete === false ? this.changedAt : undefined;
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
export function createHttpServer(gateway: Answers, limits: ServerLimits, events: ServerEvents): Server {
  const { headersMs, requestMs, idleMs, readingMs, keepAliveMs } = limits;
  const { connections, connectionsPerAddress = Number.POSITIVE_INFINITY } = limits;
  const { onBug, onRefused } = events;
  const adapter = createServerAdapter<FetchContext>((request, { exchange }) => {
    exchange.asked = request;
    return gateway.fetch(request);
  });
  const known = new WeakMap<Socket, Connection>();
  const places = createConnectionPlaces({
    maxConnections: connections,
    maxConnectionsPerPeer: connectionsPerAddress,
    elapsed,
  });
  const sender = createSender({ readingMs, startTimer, onUnread: ({ socket }) => disconnect(socket, 'unread') });
  const server = createServer({
    headersTimeout: Math.min(headersMs, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, Math.ceil(headersMs / 4)),
    keepAliveTimeout: keepAliveMs,
    // Node's refusal would be empty.
    requireHostHeader: false,
    // Node would take the first of two keys; what stands in front may have looked at the second.
    joinDuplicateHeaders: true,
  });
  server.timeout = idleMs;
  server.maxConnections = connections + TOLD_CONNECTIONS;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, elapsed(), () => events.onDisconnected?.('evicted'));
    known.set(socket, connection);
    connection.excess = places.take(connection);
    socket.once('close', () => {
      places.leave(connection);
      for (const release of connection.releases) release();
    });
  });
  server.on('request', answer);
  // Node would refuse it without a word, whatever it is that the client expects.
  server.on('checkExpectation', answer);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Clients open connections before they need them. They would take a refusal for the answer to a request that they have yet to send.
    if (socket.bytesRead === 0 && error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return disconnectIfSilent(socket);
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
    if (!connection.exchange) places.use(connection);
    const exchange: Exchange = { connection, request, response, asked: undefined, client: undefined };
    connection.exchange = exchange;
    connection.underWay += 1;
    connection.changedAt = elapsed();
    // It comes once: `once` would only make something to take the listener away with.
    response.on('close', () => {
      connection.underWay -= 1;
      connection.changedAt = elapsed();
      if (!response.writableFinished) exchange.client?.leave();
    });
    try {
      if (connection.excess) {
        // A full process is alive: to start it anew would help nobody.
        if (request.url !== '/health') return refuse(response, TOO_MANY_CONNECTIONS(connection.excess));
        response.setHeader('connection', 'close');
      }
      if (connection.underWay > MOST_AT_ONCE) return refuse(response, TOO_MANY_AT_ONCE);
      if (request.headers.host === undefined && request.httpVersion !== '1.0') return refuse(response, NO_HOST);
      if (namesTwoHosts(request)) return refuse(response, TWO_HOSTS);
      const head = gateway.mayAnswer && toHead(request);
      if (head && gateway.mayAnswer?.(head) && gateway.answer) {
        const asked = toAsked(head, request);
        exchange.asked = asked;
        exchange.client = asked;
        const answered = await gateway.answer(asked);
        if (isPlain(answered)) send(answered, exchange);
        else await sendResponse(answered, exchange);
      } else {
        await sendResponse(await adapter.handleNodeRequestAndResponse(request, response, { exchange }), exchange);
      }
    } catch (error) {
      // Nobody is told of a client that has left: nothing is wrong.
      if (!request.socket.destroyed) onBug(error);
      if (response.headersSent) response.destroy();
      else refuse(response, NOT_ANSWERED);
    }
  }

  function send({ status, headers, body }: Answered, exchange: Exchange): void {
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    headers.set('content-length', String(bytes));
    if (bytes > MAX_SMALL_ANSWER_BYTES) {
      const whole = typeof body === 'string' ? Buffer.from(body) : body;
      sendLarge({ status, headers: headers.toRecord(), body: whole }, exchange);
    } else {
      exchange.response.writeHead(status, headers.toRecord()).end(body);
      holdUnsent(exchange);
    }
  }

  /** Of a response of Fetch's. */
  async function sendResponse(answered: Response, exchange: Exchange): Promise<void> {
    const { status, headers } = answered;
    const bytes = Number(headers.get('content-length') ?? 0);
    if (bytes > MAX_SMALL_ANSWER_BYTES && JSON_TYPE.test(headers.get('content-type') ?? '')) {
      // At once: the text is to leave the heap before the next one is written.
      const body = new Uint8Array(await answered.arrayBuffer());
      sendLarge({ status, headers: Object.fromEntries(headers), body }, exchange);
      return;
    }
    const { request, response } = exchange;
    const sent = sendNodeResponse(answered, response, request, true);
    // That takes the limit off the connection for an answer that is a stream.
    request.socket.setTimeout(idleMs);
    await sent;
    holdUnsent(exchange);
  }

  function sendLarge({ status, headers, body }: LargeAnswer, exchange: Exchange): void {
    const { response } = exchange;
    if (isOver(exchange)) return;
    if (!holdWhileUnsent(body.byteLength, exchange)) refuse(response, TOO_MUCH_UNREAD);
    else sender.sendSlices(body, response.writeHead(status, headers));
  }

  /** Counts what the socket could not send at once. A client that left earlier answers unread is disconnected when its caller has too many. */
  function holdUnsent(exchange: Exchange): void {
    const { request, response } = exchange;
    if (response.writableLength === 0 || isOver(exchange)) return;
    if (holdWhileUnsent(response.writableLength, exchange)) sender.watch(response);
    else disconnect(request.socket, 'unread');
  }

  /** Counts the bytes of an answer until it is sent or its connection closes. False: the caller has left too much unread. */
  function holdWhileUnsent(bytes: number, exchange: Exchange): boolean {
    const { connection, response, asked } = exchange;
    // No event would end the count.
    if (isOver(exchange)) return false;
    if (!asked || !gateway.hold) return true;
    const release = gateway.hold(asked, bytes);
    if (!release) return false;
    // A pipelined answer gets no event when its connection closes.
    connection.releases.add(release);
    response.once('close', () => {
      connection.releases.delete(release);
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
    const isDone = request?.complete && response?.writableFinished;
    return response?.headersSent === true && !isDone;
  }
}

/** Whether the answer is sent or its client has left: then the response and the connection emit no more events. */
function isOver({ request, response }: Exchange): boolean {
  return request.socket.destroyed || response.closed;
}

/** An answer that comes whole, however large. */
const JSON_TYPE = /^application\/(graphql-response\+)?json/;

interface LargeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the adapter hands on to who answers. */
interface FetchContext {
  readonly exchange: Exchange;
}

function elapsed(): number {
  return performance.now();
}

function startTimer(ms: number, onTime: () => void): () => void {
  const timer = setTimeout(onTime, ms).unref();
  return () => clearTimeout(timer);
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
