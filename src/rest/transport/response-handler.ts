import type { Dispatcher } from 'undici';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import { createDecoder, type Decoder, EncodingError, isEncoded } from './content-encoding.ts';
import {
  isSuccess,
  MAX_DISCARD_MS,
  type PendingResponse,
  TooLargeError,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';
import { canBeMistaken, isSufficientStart } from './web-page.ts';

/** The connection that a request is sent on. */
export interface ConnectionUse {
  /** Complete responses that it has carried. */
  responses: number;
  /** Bytes that it has received. */
  readonly bytesRead: number;
}

export interface ResponseHandlerOptions {
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Sends the request again, on a new connection. */
  readonly resend: (request: TransportRequest, handler: ResponseHandler) => void;
}

/**
 * Maximum bytes of an unread body that the gateway receives to reuse the connection: beyond that, a
 * new connection costs no more.
 */
const MAX_DISCARDED_BYTES = 131_072;

/** One error for all discarded bodies: each new error captures a stack. */
const DISCARD_REASON = new Error('The response body is no longer read.');

/** Errors of a connection that the other side has closed. */
const CLOSED_CONNECTION_CODES = new Set(['ECONNRESET', 'EPIPE']);
/** undici's messages for a closed connection. `UND_ERR_SOCKET` also stands for malformed responses. */
const CLOSED_CONNECTION_MESSAGES = new Set(['other side closed', 'closed']);

/**
 * Receives a response through undici's dispatch handler. Building a stream of the body takes longer
 * than all other work for a request.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler, PendingResponse {
  readonly response: Promise<TransportResponse>;
  /** Set when the request is dispatched to a connection. */
  connection: ConnectionUse | undefined;
  readonly #request: TransportRequest;
  readonly #options: ResponseHandlerOptions;
  readonly #resolvers: PromiseWithResolvers<TransportResponse>;
  /** Whether `response` has settled. */
  #isSettled = false;
  /**
   * Whether the complete response has arrived: the connection belongs to another request from then
   * on.
   */
  #isReceived = false;
  /** Whether the connection had carried a response before this request was sent on it. */
  #isReusedConnection = false;
  /** Bytes that the connection had received by then. */
  #bytesReadBefore = 0;
  /** Whether the headers of a response have arrived, informational ones included. */
  #hasHeaders = false;
  #isResent = false;
  #controller: Dispatcher.DispatchController | undefined;
  /** The reason of an abort before undici has started the request. */
  #abortReason: Error | undefined;
  #head: Pick<TransportResponse, 'status' | 'header'> | undefined;
  #decoder: Decoder | undefined;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #stopDiscarding: (() => void) | undefined;

  constructor(request: TransportRequest, options: ResponseHandlerOptions) {
    this.connection = undefined;
    this.#request = request;
    this.#options = options;
    this.#resolvers = Promise.withResolvers();
    this.response = this.#resolvers.promise;
  }

  abort(reason: unknown): void {
    if (this.#isSettled) return;
    this.#reject(reason);
    this.#abortConnection(reason instanceof Error ? reason : DISCARD_REASON);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.connection) {
      this.#isReusedConnection = this.connection.responses > 0;
      this.#bytesReadBefore = this.connection.bytesRead;
    }
    if (this.#abortReason) controller.abort(this.#abortReason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    this.#hasHeaders = true;
    // Informational responses may come first: 103, for instance.
    if (status < 200 || this.#isSettled) return;
    this.#head = { status, header: (name) => firstValue(headers[name]) };
    if (isSuccess(status)) this.#startBody(this.#head.header('content-encoding'), controller);
    else this.#startErrorBody(this.#head, controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stopDiscarding) this.#discard(chunk);
    else if (this.#isSettled) return;
    else if (!this.#decoder) this.#addChunk(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#isReceived = true;
    if (this.connection) this.connection.responses += 1;
    this.#stopDiscarding?.();
    if (this.#decoder) this.#decoder.end();
    else this.#resolve({ body: this.#chunks });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#shouldResend(error)) {
      this.#resend();
      return;
    }
    this.#decoder?.destroy();
    if (this.#stopDiscarding) {
      this.#stopDiscarding();
      this.#resolve({ body: this.#chunks });
    }
    this.#reject(error);
  }

  /**
   * Whether the request met a kept connection that the upstream was just closing: then the upstream
   * has not processed it, and it is sent again at once. That is no retry: the upstream has not
   * failed. Once only (RFC 9112, 9.3.1), and not where the connection was new, because an upstream
   * that closes new connections is down.
   */
  #shouldResend(error: Error): boolean {
    const canResend = this.#isReusedConnection && !this.#isResent && !this.#isSettled;
    const isUnanswered = !this.#hasHeaders && this.connection?.bytesRead === this.#bytesReadBefore;
    return canResend && isUnanswered && isClosedConnection(error);
  }

  #resend(): void {
    this.#isResent = true;
    // An abort must reach the next dispatch, not the one that has failed.
    this.#controller = undefined;
    this.#options.resend(this.#request, this);
  }

  #startBody(encoding: string | undefined, controller: Dispatcher.DispatchController): void {
    if (!isEncoded(encoding)) return;
    try {
      this.#decoder = createDecoder(encoding, {
        onData: (part) => this.#addChunk(part),
        onDrain: () => controller.resume(),
        onEnd: () => this.#onDecoded(),
        onError: (error) => this.#abortBody(error),
      });
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      this.#abortBody(error);
    }
  }

  /**
   * The encoded content may end long before the body does. The rest is not read, so the connection
   * must be aborted.
   */
  #onDecoded(): void {
    this.#resolve({ body: this.#chunks });
    if (!this.#isReceived) this.#abortConnection(DISCARD_REASON);
  }

  #addChunk(chunk: Uint8Array): void {
    // After a pause undici's parser starts with an empty chunk: pausing for that again would never
    // end.
    if (this.#isSettled || chunk.byteLength === 0) return;
    const { maxBytes, onBytes } = this.#request;
    this.#bytes += chunk.byteLength;
    this.#chunks.push(chunk);
    try {
      if (this.#bytes > maxBytes) throw new TooLargeError(maxBytes);
      const resumed = onBytes?.(chunk.byteLength);
      if (resumed) this.#pauseUntil(resumed);
    } catch (error) {
      if (!(error instanceof BudgetExceededError || error instanceof TooLargeError)) throw error;
      this.#abortBody(error);
    }
  }

  /**
   * Pauses reading from the socket, which blocks the upstream by backpressure. undici's body
   * timeout does not run during the pause.
   */
  #pauseUntil(resumed: Promise<void>): void {
    const flow = this.#decoder ?? this.#controller;
    flow?.pause();
    resumed.then(
      () => flow?.resume(),
      (reason) => this.#abortBody(reason),
    );
  }

  /**
   * The gateway needs at most the start of an error body. It can reuse the connection only after
   * the whole body has arrived.
   */
  #startErrorBody(
    { status, header }: Pick<TransportResponse, 'status' | 'header'>,
    controller: Dispatcher.DispatchController,
  ): void {
    this.#stopDiscarding = this.#options.startTimer(MAX_DISCARD_MS, () => {
      this.#resolveStart();
      this.#abortConnection(DISCARD_REASON);
    });
    const encoding = header('content-encoding');
    if (!canBeMistaken(status)) this.#resolveStart();
    else if (isEncoded(encoding)) this.#startDecodingError(encoding, controller);
  }

  #startDecodingError(encoding: string, controller: Dispatcher.DispatchController): void {
    try {
      this.#decoder = createDecoder(encoding, {
        onData: (part) => this.#addErrorChunk(part),
        onDrain: () => controller.resume(),
        onEnd: () => this.#resolveStart(),
        onError: () => this.#resolveStart(),
      });
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      this.#resolveStart();
    }
  }

  #discard(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_DISCARDED_BYTES) this.#abortConnection(DISCARD_REASON);
    else if (this.#decoder) this.#decoder.write(chunk);
    else if (!this.#isSettled) this.#addErrorChunk(chunk);
  }

  #addErrorChunk(chunk: Uint8Array): void {
    if (this.#isSettled || chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    if (isSufficientStart(this.#chunks)) this.#resolveStart();
  }

  #resolveStart(): void {
    this.#resolve({ body: this.#chunks });
    this.#decoder?.destroy();
    this.#decoder = undefined;
  }

  #abortBody(bodyError: NonNullable<TransportResponse['bodyError']>): void {
    this.#resolve({ body: [], bodyError });
    this.#abortConnection(bodyError);
  }

  #resolve(body: Pick<TransportResponse, 'body' | 'bodyError'>): void {
    if (this.#isSettled || !this.#head) return;
    this.#isSettled = true;
    this.#resolvers.resolve({ ...this.#head, ...body });
  }

  #reject(reason: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolvers.reject(reason);
  }

  /** Aborts the request in undici. */
  #abortConnection(reason: Error): void {
    this.#decoder?.destroy();
    if (this.#controller) this.#controller.abort(reason);
    else this.#abortReason = reason;
  }
}

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

function firstValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function isClosedConnection(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return code === 'UND_ERR_SOCKET'
    ? CLOSED_CONNECTION_MESSAGES.has(error.message)
    : CLOSED_CONNECTION_CODES.has(code);
}
