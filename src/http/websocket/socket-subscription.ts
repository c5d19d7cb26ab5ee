import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { CLOSED_SINK, type StreamBody } from '#http/streams/stream-body.ts';
import type { EndReason } from '#live/live-events.ts';
import type { StreamControl, StreamSink } from '#live/live-stream.ts';
import type { StreamEnding } from '#live/stream-ending.ts';
import { toMessageStart, toNextMessage } from './next-message.ts';

/** What a subscription needs of its socket. */
export interface SubscriptionSocket {
  /** Returns false if the client must read before more is written. */
  sendNext(message: Buffer): boolean;
  isBlocked(): boolean;
  /** A stream was interrupted, so the socket is closed. */
  interrupt(reason: EndReason): void;
  /** Revox does not accept the key: closes the socket after the error of the subscription. */
  reject(): void;
  onSubscriptionEnd(subscription: SocketSubscription): void;
}

/** The errors that end a subscription. */
export class SubscriptionError extends Error {
  readonly errors: readonly GraphQLFormattedError[];

  constructor(errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message);
    this.errors = errors;
  }
}

const DONE = { done: true, value: undefined } as const;

/**
 * A subscription on a socket, as the protocol's library sees it: an iterator that yields nothing. It
 * is done when the stream is over, and fails with the errors that end the stream. Events go to the
 * socket as text that the cohort has serialized; the library would serialize each of them again.
 * Written by hand: `return` of a generator would wait for the event that the generator waits for.
 */
export class SocketSubscription implements AsyncIterable<ExecutionResult>, StreamSink {
  readonly #socket: SubscriptionSocket;
  readonly #start: Buffer;
  #stream: StreamBody | undefined;
  #control: StreamControl | undefined;
  readonly #end = Promise.withResolvers<IteratorResult<ExecutionResult>>();
  #isEnded = false;

  constructor(socket: SubscriptionSocket, id: string, stream: StreamBody) {
    this.#socket = socket;
    this.#start = toMessageStart(id);
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<ExecutionResult> {
    return this;
  }

  /** Starts the stream. The library calls it once: the promise settles at the end of the stream. */
  next(): Promise<IteratorResult<ExecutionResult>> {
    this.#attach();
    return this.#end.promise;
  }

  /** The client has completed the subscription, or its socket is closed. */
  return(): Promise<IteratorResult<ExecutionResult>> {
    this.close('client');
    return Promise.resolve(DONE);
  }

  /** Ends the stream without a message. */
  close(reason: EndReason): void {
    const control = this.#control ?? this.#stream?.attach(CLOSED_SINK);
    this.#stream = undefined;
    control?.onClose(reason);
    this.#finish();
  }

  onDrain(): void {
    this.#control?.onDrain();
  }

  write(payload: Uint8Array): boolean {
    return this.#socket.sendNext(toNextMessage(this.#start, payload));
  }

  isBlocked(): boolean {
    return this.#socket.isBlocked();
  }

  end({ reason, json }: StreamEnding): void {
    if (reason === 'rejected') {
      this.#fail(json);
      return;
    }
    if (reason === 'outage' && json !== undefined) this.write(Buffer.from(json));
    this.#finish();
    if (reason !== 'over') this.#socket.interrupt(reason);
  }

  destroy(): void {
    this.#finish();
    this.#socket.interrupt('slow');
  }

  #attach(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream) this.#control = stream.attach(this);
  }

  #fail(json = '{"errors":[]}'): void {
    const { errors } = JSON.parse(json) as { errors: readonly GraphQLFormattedError[] };
    if (this.#isEnded) return;
    this.#end.reject(new SubscriptionError(errors));
    this.#finish();
    this.#socket.reject();
  }

  #finish(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#end.resolve(DONE);
    this.#socket.onSubscriptionEnd(this);
  }
}
