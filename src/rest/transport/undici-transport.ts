import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import { createDecoder, type Decoder, EncodingError, isEncoded } from './content-encoding.ts';
import {
  isSuccess,
  type PendingResponse,
  TooLargeError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';

export interface UndiciTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Time limits of the stages of a request; the REST client limits the whole request. */
export interface StageTimeouts {
  readonly connectMs: number;
  /** From the last byte of the request to the end of the response headers. */
  readonly headersMs: number;
  /** Between two chunks of the body. */
  readonly bodyMs: number;
}

export interface UndiciTransportOptions extends StageTimeouts {
  /**
   * The proxies by the scheme of a request; without one for https, that for http is used. Each
   * request is checked against `NO_PROXY`. Undefined: no proxy.
   */
  readonly proxies:
    | { readonly http: string | undefined; readonly https: string | undefined }
    | undefined;
  /** The `User-Agent` of requests to the proxy itself; every other request has its own headers. */
  readonly userAgent: string;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * Maximum bytes of an unread body that the gateway receives to reuse the connection: beyond that, a
 * new connection costs no more.
 */
const MAX_DISCARDED_BYTES = 131_072;
/** Maximum time for receiving an unread body, in ms: the body may never end. */
const MAX_DISCARD_MS = 1_000;

/** One error for all discarded bodies: each new error captures a stack. */
const DISCARD_REASON = new Error('The response body is no longer read.');

/**
 * Transport over sockets: keep-alive, pooled by origin, through the proxy that the environment
 * configures.
 */
export function createUndiciTransport(options: UndiciTransportOptions): UndiciTransport {
  const { connectMs, headersMs, bodyMs, proxies, startTimer } = options;
  const settings = {
    keepAliveTimeout: 30_000,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    connect: { timeout: connectMs },
  };
  const dispatcher = proxies
    ? new EnvHttpProxyAgent({
        ...settings,
        // An empty value: undici must not read variables that the settings count as absent.
        httpProxy: proxies.http ?? '',
        httpsProxy: proxies.https ?? '',
        headers: { 'user-agent': options.userAgent },
      })
    : new Agent(settings);
  return {
    // Not `close`: that waits for connections that are still being made for aborted requests, up to
    // their time limit.
    close: () => dispatcher.destroy(),
    transport(request) {
      const { origin, path, headers } = request;
      const handler = new ResponseHandler(request, startTimer);
      dispatcher.dispatch(
        { origin, path, method: 'GET', headers: headers as Record<string, string> },
        handler,
      );
      return handler;
    },
  };
}

/**
 * Receives a response through undici's dispatch handler. Building a stream of the body takes longer
 * than all other work for a request.
 */
class ResponseHandler implements Dispatcher.DispatchHandler, PendingResponse {
  readonly response: Promise<TransportResponse>;
  readonly #request: Pick<TransportRequest, 'maxBytes' | 'onBytes'>;
  readonly #startTimer: UndiciTransportOptions['startTimer'];
  readonly #resolvers: Pick<PromiseWithResolvers<TransportResponse>, 'resolve' | 'reject'>;
  /** Whether `response` has settled. */
  #isSettled = false;
  /**
   * Whether the complete response has arrived: the connection belongs to another request from then
   * on.
   */
  #isReceived = false;
  #controller: Dispatcher.DispatchController | undefined;
  /** The reason of an abort before undici has started the request. */
  #abortReason: Error | undefined;
  #head: Pick<TransportResponse, 'status' | 'header'> | undefined;
  #decoder: Decoder | undefined;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #stopDiscarding: (() => void) | undefined;

  constructor(request: TransportRequest, startTimer: UndiciTransportOptions['startTimer']) {
    this.#request = request;
    this.#startTimer = startTimer;
    const { promise, ...settle } = Promise.withResolvers<TransportResponse>();
    this.response = promise;
    this.#resolvers = settle;
  }

  abort(reason: unknown): void {
    if (this.#isSettled) return;
    this.#reject(reason);
    this.#abortConnection(reason instanceof Error ? reason : DISCARD_REASON);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortReason) controller.abort(this.#abortReason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    // Informational responses may come first: 103, for instance.
    if (status < 200 || this.#isSettled) return;
    this.#head = { status, header: (name) => firstValue(headers[name]) };
    if (isSuccess(status)) this.#startBody(this.#head.header('content-encoding'), controller);
    else this.#discard();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stopDiscarding) this.#countDiscarded(chunk);
    else if (this.#isSettled) return;
    else if (!this.#decoder) this.#addChunk(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#isReceived = true;
    this.#stopDiscarding?.();
    if (this.#decoder) this.#decoder.end();
    else this.#resolve({ body: this.#chunks });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopDiscarding?.();
    this.#decoder?.destroy();
    this.#reject(error);
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
   * The body of an error response is not needed; but the connection can be reused only after the
   * body was received.
   */
  #discard(): void {
    this.#resolve({ body: [] });
    const stopTimer = this.#startTimer(MAX_DISCARD_MS, () => this.#abortConnection(DISCARD_REASON));
    this.#stopDiscarding = stopTimer;
  }

  #countDiscarded(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_DISCARDED_BYTES) this.#abortConnection(DISCARD_REASON);
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
