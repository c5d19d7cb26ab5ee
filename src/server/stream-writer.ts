import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { callerOf, type Handler } from '#http/message.ts';
import {
  CLOSED_SINK,
  type StreamBody,
  type StreamControl,
  type StreamSink,
} from '#http/streams/stream-body.ts';
import { type ClosableStream, isFinished, type ServerExchange } from './connection.ts';

export interface StreamWriterOptions {
  /** Counts bytes until the client has read them. @default no limit */
  readonly reserveUnsent?: Handler['reserveUnsent'] | undefined;
  /** Time limit of a silent connection, in ms. */
  readonly idleMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Closes the connection of a client that does not read its response. */
  readonly disconnectUnread: (exchange: ServerExchange) => void;
}

/** Writes a stream to its socket. */
export type WriteStream = (
  stream: StreamBody,
  headers: Readonly<Record<string, string>>,
  exchange: ServerExchange,
) => void;

/**
 * Interval of the keepalives to a client that has closed its side, in ms. The system of a client
 * that has gone responds to the first one with a reset.
 */
const PROBE_INTERVAL_MS = 500;

/**
 * Creates the writer of streamed responses. A stream writes one event at a time, so the bytes that
 * a client leaves unread are few; they count for its caller like those of every other response.
 */
export function createStreamWriter(options: StreamWriterOptions): WriteStream {
  const connectionOptions = { ...options, toChunk: createChunker() };
  return (stream, headers, exchange) => {
    if (isFinished(exchange)) {
      stream.attach(CLOSED_SINK).onClose();
      return;
    }
    const { request, response } = exchange;
    releaseRequest(exchange);
    // The stream has time limits of its own.
    request.socket.setTimeout(0);
    response.writeHead(200, headers);
    // Node joins the head of many strings, and keeps all of them until it writes the head alone.
    response.flushHeaders();
    exchange.stream = new StreamConnection(stream, exchange, connectionOptions);
  };
}

/**
 * Drops what only the request needed: a stream outlives its request by an hour, and the objects of
 * the request take more memory than those of the stream.
 */
function releaseRequest(exchange: ServerExchange): void {
  const { request, gatewayRequest } = exchange;
  if (gatewayRequest) exchange.gatewayRequest = { caller: callerOf(gatewayRequest) };
  exchange.disconnectTarget = undefined;
  // The body is read, so these would only release their own state.
  if (request.complete) request.removeAllListeners();
}

/** Frames bytes as a chunk of HTTP/1.1. */
type ToChunk = (bytes: Uint8Array) => Uint8Array;

/**
 * All streams with the same operation write the same bytes: the chunk is made once for them, and
 * lives as long as the bytes.
 */
function createChunker(): ToChunk {
  const chunks = new WeakMap<Uint8Array, Uint8Array>();
  return (bytes) => {
    let chunk = chunks.get(bytes);
    if (!chunk) {
      const size = Buffer.from(`${bytes.byteLength.toString(16)}\r\n`);
      chunk = Buffer.concat([size, bytes, CRLF]);
      chunks.set(bytes, chunk);
    }
    return chunk;
  };
}

const CRLF = Buffer.from('\r\n');

interface ConnectionOptions extends StreamWriterOptions {
  readonly toChunk: ToChunk;
}

/** The connection of one stream. A class, because there are as many as there are subscribers. */
class StreamConnection implements StreamSink, ClosableStream {
  readonly #response: ServerResponse;
  readonly #exchange: ServerExchange;
  readonly #options: ConnectionOptions;
  readonly #control: StreamControl;
  /**
   * Where chunks are written. `ServerResponse` would hand each event to the system in four parts.
   * Undefined: the response frames the bytes, because it waits for the response before it, or the
   * client reads no chunks (HTTP/1.0).
   */
  readonly #socket: Socket | undefined;
  #release: (() => void) | undefined;
  #stopProbing: (() => void) | undefined;

  constructor(stream: StreamBody, exchange: ServerExchange, options: ConnectionOptions) {
    const { request, response } = exchange;
    this.#socket = (response.chunkedEncoding && response.socket) || undefined;
    this.#response = response;
    this.#exchange = exchange;
    this.#options = options;
    this.#control = stream.attach(this);
    (this.#socket ?? response).on('drain', this.#onDrain);
    if (request.socket.readableEnded) this.#probe();
    else request.socket.on('end', this.#probe);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writeNow(bytes)) return true;
    this.#reserve();
    return false;
  }

  /** @param bytes not empty: an empty chunk would end the response */
  #writeNow(bytes: Uint8Array): boolean {
    if (!this.#socket) return this.#response.write(bytes);
    // The events of one tick go to the system together, as those of a `ServerResponse` do.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(uncork, this.#socket);
    }
    return this.#socket.write(this.#options.toChunk(bytes));
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#options.disconnectUnread(this.#exchange);
  }

  readonly #onDrain = (): void => {
    this.#release?.();
    this.#release = undefined;
    this.#control.onDrain();
  };

  onClose(): void {
    const { socket } = this.#exchange.request;
    this.#stopProbing?.();
    this.#release?.();
    socket.off('end', this.#probe);
    socket.off('drain', this.#onDrain);
    if (!socket.destroyed) socket.setTimeout(this.#options.idleMs);
    this.#control.onClose();
  }

  #reserve(): void {
    const { reserveUnsent, disconnectUnread } = this.#options;
    const { gatewayRequest } = this.#exchange;
    if (!gatewayRequest || !reserveUnsent) return;
    this.#release?.();
    const reservation = reserveUnsent(gatewayRequest, this.#response.writableLength);
    if (typeof reservation !== 'string') this.#release = reservation;
    else disconnectUnread(this.#exchange);
  }

  /** Finds out whether a client that has closed its side is gone. */
  readonly #probe = (): void => {
    if (this.#response.writableEnded) return;
    this.#writeNow(this.#control.keepAlive);
    this.#stopProbing?.();
    this.#stopProbing = this.#options.startTimer(PROBE_INTERVAL_MS, this.#probe);
  };
}

function uncork(socket: Socket): void {
  socket.uncork();
}
