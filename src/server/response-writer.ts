import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sendNodeResponse } from '@whatwg-node/server';
import { MAX_SMALL_RESPONSE_BYTES } from '#http/limits/unsent-response-budget.ts';
import type { Handler, PlainResponse, UnsentBytesSetting } from '#http/message.ts';
import { streamOf } from '#http/streams/stream-body.ts';
import { isFinished, type ServerExchange } from './connection.ts';
import { type Rejection, tooManyUnsentBytes } from './rejection.ts';
import { createResponseSender } from './response-sender.ts';
import { createStreamWriter } from './stream-writer.ts';

export interface ResponseWriterOptions {
  /** Counts the bytes of a response until they are sent. @default no limit */
  readonly reserveUnsent?: Handler['reserveUnsent'] | undefined;
  /** Time limit of a silent connection, in ms. */
  readonly idleMs: number;
  /** A client must take the next part of its response within this time, in ms. */
  readonly sendTimeoutMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Sends an error response in place of the gateway's response. */
  readonly reject: (response: ServerResponse, rejection: Rejection) => void;
  /** Closes the connection of a client that does not read its response. */
  readonly disconnectUnread: (socket: Socket | null) => void;
}

/** Writes the gateway's responses to their sockets, and bounds what clients leave unread. */
export interface ResponseWriter {
  writePlain(response: PlainResponse, exchange: ServerExchange): void;
  writeFetch(response: Response, exchange: ServerExchange): Promise<void>;
}

interface LargeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Content types of responses that are complete. A response of another type may be a stream. */
const JSON_TYPE = /^application\/(graphql-response\+)?json/;

export function createResponseWriter({
  reserveUnsent,
  idleMs,
  sendTimeoutMs,
  startTimer,
  reject,
  disconnectUnread,
}: ResponseWriterOptions): ResponseWriter {
  const responseSender = createResponseSender({
    sendTimeoutMs,
    startTimer,
    onSendTimeout: ({ socket }) => disconnectUnread(socket),
  });
  const writeStream = createStreamWriter({
    reserveUnsent,
    idleMs,
    startTimer,
    disconnectUnread: ({ request }) => disconnectUnread(request.socket),
  });
  return { writePlain, writeFetch };

  function writePlain({ status, headers, body }: PlainResponse, exchange: ServerExchange): void {
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    headers.set('content-length', String(bytes));
    if (bytes > MAX_SMALL_RESPONSE_BYTES) {
      const bytesToSend = typeof body === 'string' ? Buffer.from(body) : body;
      writeLargeResponse({ status, headers: headers.toRecord(), body: bytesToSend }, exchange);
    } else {
      // Node joins the head and the text, and encodes Latin-1 in half the time.
      const encoding = bytes === body.length ? 'latin1' : 'utf8';
      exchange.response.writeHead(status, headers.toRecord()).end(body, encoding);
      trackUnsent(exchange);
    }
  }

  async function writeFetch(fetchResponse: Response, exchange: ServerExchange): Promise<void> {
    const { status, headers } = fetchResponse;
    const stream = streamOf(fetchResponse);
    if (stream) {
      writeStream(stream, Object.fromEntries(headers), exchange);
      return;
    }
    const bytes = Number(headers.get('content-length') ?? 0);
    if (bytes > MAX_SMALL_RESPONSE_BYTES && JSON_TYPE.test(headers.get('content-type') ?? '')) {
      // Read at once: the string must leave the heap before the next one is written.
      const body = new Uint8Array(await fetchResponse.arrayBuffer());
      writeLargeResponse({ status, headers: Object.fromEntries(headers), body }, exchange);
      return;
    }
    const { request, response } = exchange;
    const sent = sendNodeResponse(fetchResponse, response, request, true);
    // `sendNodeResponse` removes the time limit of the connection if the response is a stream.
    request.socket.setTimeout(idleMs);
    await sent;
    trackUnsent(exchange);
  }

  function writeLargeResponse(
    { status, headers, body }: LargeResponse,
    exchange: ServerExchange,
  ): void {
    const { response } = exchange;
    if (isFinished(exchange)) return;
    const exceededSetting = reserveWhileUnsent(body.byteLength, exchange);
    if (exceededSetting) reject(response, tooManyUnsentBytes(exceededSetting));
    else responseSender.sendInSlices(body, response.writeHead(status, headers));
  }

  /**
   * Counts the bytes of the response that the socket could not send at once. If the caller has too
   * many unsent bytes, the server closes the connection of this response.
   */
  function trackUnsent(exchange: ServerExchange): void {
    const { request, response } = exchange;
    if (response.writableLength === 0 || isFinished(exchange)) return;
    if (reserveWhileUnsent(response.writableLength, exchange)) disconnectUnread(request.socket);
    else responseSender.startSendTimeout(response);
  }

  /**
   * Counts the bytes of a response until it is sent or its connection closes. The exchange must not
   * be finished: no event would release the bytes. Returns the exceeded setting if the caller has
   * too many unsent bytes.
   */
  function reserveWhileUnsent(
    bytes: number,
    exchange: ServerExchange,
  ): UnsentBytesSetting | undefined {
    const { connection, response, gatewayRequest } = exchange;
    if (!gatewayRequest || !reserveUnsent) return undefined;
    const release = reserveUnsent(gatewayRequest, bytes);
    if (typeof release === 'string') return release;
    // A pipelined response gets no event when its connection closes.
    connection.pendingReleases ??= new Set();
    connection.pendingReleases.add(release);
    response.once('close', () => {
      connection.pendingReleases?.delete(release);
      release();
    });
    return undefined;
  }
}
