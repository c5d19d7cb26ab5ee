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

/** How long each stage of a request may take, ms; the whole is the client's to bound. */
export interface StageTimeouts {
  readonly connectMs: number;
  /** From the last byte of the request to the last one of the answer's headers. */
  readonly headersMs: number;
  /** Between two parts of the body. */
  readonly bodyMs: number;
}

export interface UndiciTransportOptions extends StageTimeouts {
  /** Whether the environment names a proxy (`HTTPS_PROXY`, `HTTP_PROXY`): for each request it is to be found out whether `NO_PROXY` excepts it. */
  readonly isProxyConfigured: boolean;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** Of what nobody reads, so much is taken for the sake of the connection, bytes: to make a new one is no dearer. */
const MAX_DISCARDED_BYTES = 131_072;
/** And for no longer than that, ms: it may never end. */
const MAX_DISCARD_MS = 1_000;

/** A reason for nobody: one for each request would be an exception, with the stack that led there. */
const DISCARD_REASON = new Error('Nobody reads on.');

/** Real sockets: kept alive, pooled by origin, through the proxy that the environment names. */
export function createUndiciTransport(options: UndiciTransportOptions): UndiciTransport {
  const { connectMs, headersMs, bodyMs, isProxyConfigured, startTimer } = options;
  const settings = {
    keepAliveTimeout: 30_000,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    connect: { timeout: connectMs },
  };
  const dispatcher = isProxyConfigured ? new EnvHttpProxyAgent(settings) : new Agent(settings);
  return {
    // Not `close`: that waits for connections that are being made for nobody any more, up to their own time limit.
    close: () => dispatcher.destroy(),
    transport(request) {
      const { origin, path, headers } = request;
      const handler = new ResponseHandler(request, startTimer);
      dispatcher.dispatch({ origin, path, method: 'GET', headers: headers as Record<string, string> }, handler);
      return handler;
    },
  };
}

/**
 * An answer as undici tells of it, without a stream being made of its body: that takes longer than all else that is done for a question.
 */
class ResponseHandler implements Dispatcher.DispatchHandler, PendingResponse {
  readonly response: Promise<TransportResponse>;
  readonly #request: Pick<TransportRequest, 'maxBytes' | 'onBytes'>;
  readonly #startTimer: UndiciTransportOptions['startTimer'];
  readonly #resolvers: Pick<PromiseWithResolvers<TransportResponse>, 'resolve' | 'reject'>;
  /** It has been told how it ended. */
  #isSettled = false;
  /** All of it has come over the connection, which is another's from now on. */
  #isReceived = false;
  #controller: Dispatcher.DispatchController | undefined;
  /** Why it was given up before undici had begun. */
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

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // There may be others before it: 103, for one.
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

  /** What the encoding holds may end long before what is sent: nobody would read on, nor end it. */
  #onDecoded(): void {
    this.#resolve({ body: this.#chunks });
    if (!this.#isReceived) this.#abortConnection(DISCARD_REASON);
  }

  #addChunk(chunk: Uint8Array): void {
    // After a pause undici's parser begins with an empty part: to pause for that would go on for ever.
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

  /** The upstream cannot send on when no more is taken from the socket; undici's time limit for bodies does not run then. */
  #pauseUntil(resumed: Promise<void>): void {
    const flow = this.#decoder ?? this.#controller;
    flow?.pause();
    resumed.then(
      () => flow?.resume(),
      (reason) => this.#abortBody(reason),
    );
  }

  /** The status says it all; but the connection can be used again only if the rest has been taken. */
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

  /** Tells undici that nobody wants it any more. */
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
