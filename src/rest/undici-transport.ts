import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import { createDecoder, type Decoder, EncodingError, isEncoded } from './content-encoding.ts';
import { isSuccess, type Sent, TooLargeError, type Transport, type TransportAnswer, type TransportRequest } from './transport.ts';

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
  readonly mayNeedProxy: boolean;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** Of what nobody reads, so much is taken for the sake of the connection, bytes: to make a new one is no dearer. */
const DISCARDED_BYTES = 131_072;
/** And for no longer than that, ms: it may never end. */
const DISCARDING_MS = 1_000;

/** A reason for nobody: one for each request would be an exception, with the stack that led there. */
const OVER = new Error('Nobody reads on.');

/** Real sockets: kept alive, pooled by origin, through the proxy that the environment names. */
export function createUndiciTransport(options: UndiciTransportOptions): UndiciTransport {
  const { connectMs, headersMs, bodyMs, mayNeedProxy, startTimer } = options;
  const settings = {
    keepAliveTimeout: 30_000,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    connect: { timeout: connectMs },
  };
  const dispatcher = mayNeedProxy ? new EnvHttpProxyAgent(settings) : new Agent(settings);
  return {
    // Not `close`: that waits for connections that are being made for nobody any more, up to their own time limit.
    close: () => dispatcher.destroy(),
    transport(request) {
      const { origin, path, headers } = request;
      const receiving = new Receiving(request, startTimer);
      dispatcher.dispatch({ origin, path, method: 'GET', headers: headers as Record<string, string> }, receiving);
      return receiving;
    },
  };
}

/**
 * An answer as undici tells of it, without a stream being made of its body: that takes longer than all else that is done for a question.
 */
class Receiving implements Dispatcher.DispatchHandler, Sent {
  readonly answer: Promise<TransportAnswer>;
  readonly #request: Pick<TransportRequest, 'maxBytes' | 'onBytes'>;
  readonly #startTimer: UndiciTransportOptions['startTimer'];
  readonly #settle: Pick<PromiseWithResolvers<TransportAnswer>, 'resolve' | 'reject'>;
  /** It has been told how it ended. */
  #isSettled = false;
  /** All of it has come over the connection, which is another's from now on. */
  #isReceived = false;
  #controller: Dispatcher.DispatchController | undefined;
  /** Why it was given up before undici had begun. */
  #givenUp: Error | undefined;
  #head: Pick<TransportAnswer, 'status' | 'header'> | undefined;
  #decoder: Decoder | undefined;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #stopDiscarding: (() => void) | undefined;

  constructor(request: TransportRequest, startTimer: UndiciTransportOptions['startTimer']) {
    this.#request = request;
    this.#startTimer = startTimer;
    const { promise, ...settle } = Promise.withResolvers<TransportAnswer>();
    this.answer = promise;
    this.#settle = settle;
  }

  abort(reason: unknown): void {
    if (this.#isSettled) return;
    this.#fail(reason);
    this.#leave(reason instanceof Error ? reason : OVER);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#givenUp) controller.abort(this.#givenUp);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // There may be others before it: 103, for one.
    if (status < 200 || this.#isSettled) return;
    this.#head = { status, header: (name) => toFirst(headers[name]) };
    if (isSuccess(status)) this.#expect(this.#head.header('content-encoding'), controller);
    else this.#discard();
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (this.#stopDiscarding) this.#discarded(part);
    else if (this.#isSettled) return;
    else if (!this.#decoder) this.#take(part);
    else if (!this.#decoder.write(part)) controller.pause();
  }

  onResponseEnd(): void {
    this.#isReceived = true;
    this.#stopDiscarding?.();
    if (this.#decoder) this.#decoder.end();
    else this.#tell({ body: this.#parts });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopDiscarding?.();
    this.#decoder?.destroy();
    this.#fail(error);
  }

  #expect(encoding: string | undefined, controller: Dispatcher.DispatchController): void {
    if (!isEncoded(encoding)) return;
    try {
      this.#decoder = createDecoder(encoding, {
        onPart: (part) => this.#take(part),
        onDrain: () => controller.resume(),
        onEnd: () => this.#decoded(),
        onError: (error) => this.#refuse(error),
      });
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      this.#refuse(error);
    }
  }

  /** What the encoding holds may end long before what is sent: nobody would read on, nor end it. */
  #decoded(): void {
    this.#tell({ body: this.#parts });
    if (!this.#isReceived) this.#leave(OVER);
  }

  #take(part: Uint8Array): void {
    // After a pause undici's parser begins with an empty part: to pause for that would go on for ever.
    if (this.#isSettled || part.byteLength === 0) return;
    const { maxBytes, onBytes } = this.#request;
    this.#bytes += part.byteLength;
    this.#parts.push(part);
    try {
      if (this.#bytes > maxBytes) throw new TooLargeError(maxBytes);
      const mayReadOn = onBytes?.(part.byteLength);
      if (mayReadOn) this.#pauseUntil(mayReadOn);
    } catch (error) {
      if (!(error instanceof BudgetExceededError || error instanceof TooLargeError)) throw error;
      this.#refuse(error);
    }
  }

  /** The upstream cannot send on when no more is taken from the socket; undici's time limit for bodies does not run then. */
  #pauseUntil(mayReadOn: Promise<void>): void {
    const flow = this.#decoder ?? this.#controller;
    flow?.pause();
    mayReadOn.then(
      () => flow?.resume(),
      (reason) => this.#refuse(reason),
    );
  }

  /** The status says it all; but the connection can be used again only if the rest has been taken. */
  #discard(): void {
    this.#tell({ body: [] });
    const stopTimer = this.#startTimer(DISCARDING_MS, () => this.#leave(OVER));
    this.#stopDiscarding = stopTimer;
  }

  #discarded(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > DISCARDED_BYTES) this.#leave(OVER);
  }

  #refuse(fault: NonNullable<TransportAnswer['fault']>): void {
    this.#tell({ body: [], fault });
    this.#leave(fault);
  }

  #tell(body: Pick<TransportAnswer, 'body' | 'fault'>): void {
    if (this.#isSettled || !this.#head) return;
    this.#isSettled = true;
    this.#settle.resolve({ ...this.#head, ...body });
  }

  #fail(reason: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle.reject(reason);
  }

  /** Tells undici that nobody wants it any more. */
  #leave(reason: Error): void {
    this.#decoder?.destroy();
    if (this.#controller) this.#controller.abort(reason);
    else this.#givenUp = reason;
  }
}

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

function toFirst(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
