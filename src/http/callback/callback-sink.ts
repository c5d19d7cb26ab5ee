import { CHECK, callbackFraming } from '#http/streams/callback.ts';
import { CLOSED_SINK, type StreamBody } from '#http/streams/stream-body.ts';
import type { StreamControl, StreamSink } from '#live/live-stream.ts';
import { toInterruptedJson } from '#live/stream-ending.ts';

export interface CallbackSinkOptions {
  /**
   * Sends the second part of a message.
   * @returns the status of the response; rejects if there is none
   */
  readonly send: (message: Uint8Array) => Promise<number>;
  /** Interval of the checks, in ms. 0: none. */
  readonly checkMs: number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
  /** Called once, when nothing more is sent. */
  readonly onClosed: () => void;
}

/** After this many failures in a row the stream ends. */
const MAX_FAILURES = 3;

/** Pause after the first failure, in ms; twice as long after the second. */
const RETRY_MS = 1_000;

/** A router that ended a subscription for its failures may subscribe again after this time, in ms. */
const RESUBSCRIBE_MS = 5_000;

type Outcome = 'delivered' | 'refused' | 'failed';

/**
 * Sends a stream to a router's callback URL: one message at a time, so that they arrive in order. A
 * message that fails is sent again, and the stream holds the newest event meanwhile. A router that
 * does not know the subscription any more ends it.
 */
export class CallbackSink implements StreamSink {
  readonly #options: CallbackSinkOptions;
  #control: StreamControl | undefined;
  /** The message to send. */
  #message: Uint8Array | undefined;
  /** Whether `#message` is the last one. */
  #isEnding = false;
  #isCheckDue = false;
  /** Whether the latest message that was sent is a check. */
  #isCheck = false;
  /** Whether a message is on its way, or waits to be sent again. */
  #isBusy = false;
  #failures = 0;
  #stopCheckTimer = () => {};
  #stopRetryTimer = () => {};
  #isClosed = false;

  constructor(options: CallbackSinkOptions) {
    this.#options = options;
  }

  start(stream: StreamBody): void {
    if (this.#isClosed) {
      stream.attach(CLOSED_SINK).onClose();
      return;
    }
    this.#startCheckTimer();
    this.#control = stream.attach(this);
  }

  write(message: Uint8Array): boolean {
    this.#message = message;
    void this.#sendNext();
    return false;
  }

  end(): void {
    this.#isEnding = true;
    this.#stopCheckTimer();
    this.#isCheckDue = false;
  }

  /** The router takes nothing: one last message ends the subscription there, if it arrives. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#stopTimers();
    this.#isClosed = true;
    const json = toInterruptedJson('slow', RESUBSCRIBE_MS);
    const ending = { reason: 'slow', retryMs: RESUBSCRIBE_MS, json } as const;
    const { send, onClosed } = this.#options;
    send(callbackFraming.toEnding(ending, true)).then(onClosed, onClosed);
  }

  /** Ends the stream without a message. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimers();
    this.#control?.onClose();
    this.#options.onClosed();
  }

  #startCheckTimer(): void {
    const { checkMs, startTimer } = this.#options;
    if (checkMs === 0) return;
    this.#stopCheckTimer = startTimer(checkMs, () => {
      this.#startCheckTimer();
      this.#isCheckDue = true;
      void this.#sendNext();
    });
  }

  #stopTimers(): void {
    this.#stopCheckTimer();
    this.#stopRetryTimer();
  }

  async #sendNext(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    // A message that has failed is sent again before a check: a check that is delivered would
    // otherwise hide that all others fail.
    const isCheck = this.#isCheckDue && (this.#isCheck || this.#failures === 0);
    this.#isCheck = isCheck;
    const message = isCheck ? CHECK : this.#message;
    if (!message) return;
    this.#isBusy = true;
    const outcome = await this.#options.send(message).then(toOutcome, () => 'failed' as const);
    if (this.#isClosed) return;
    if (outcome === 'refused') this.close();
    else if (outcome === 'failed') this.#onFailure();
    else this.#onDelivered(isCheck);
  }

  #onDelivered(isCheck: boolean): void {
    this.#failures = 0;
    this.#isBusy = false;
    if (isCheck) this.#isCheckDue = false;
    else {
      this.#message = undefined;
      if (this.#isEnding) this.close();
      else this.#control?.onDrain();
    }
    void this.#sendNext();
  }

  #onFailure(): void {
    this.#failures += 1;
    if (this.#failures === MAX_FAILURES) {
      this.#onUnreachable();
      return;
    }
    this.#stopRetryTimer = this.#options.startTimer(RETRY_MS * this.#failures, () => {
      this.#isBusy = false;
      void this.#sendNext();
    });
  }

  #onUnreachable(): void {
    if (this.#isEnding) {
      this.close();
      return;
    }
    this.destroy();
    this.#control?.onClose('slow');
  }
}

/** 408 and 429 are temporary. After any other 4xx, the router does not know the subscription. */
function toOutcome(status: number): Outcome {
  if (status >= 200 && status <= 299) return 'delivered';
  const isRefused = status >= 400 && status <= 499 && status !== 408 && status !== 429;
  return isRefused ? 'refused' : 'failed';
}
