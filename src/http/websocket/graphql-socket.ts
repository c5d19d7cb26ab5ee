import type { Duplex } from 'node:stream';
import type { WebSocket as ServerSocket } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { BodyReservation } from '#http/limits/request-body-budget.ts';
import type { UnsentResponseBudget } from '#http/limits/unsent-response-budget.ts';
import { ownerOf } from '#http/message.ts';
import type { EndReason } from '#live/live-events.ts';
import { CLOSE_CODES, CLOSINGS, type Closing, toBoundedReason, toClosing } from './close-codes.ts';
import type { SocketIdentity } from './socket-identity.ts';
import type { SocketSubscription, SubscriptionSocket } from './socket-subscription.ts';

export interface GraphQLSocketOptions {
  readonly keepAliveMs: number;
  readonly unsentBudget: Pick<UnsentResponseBudget, 'reserve'>;
  readonly monotonicNow: () => number;
  readonly onUnexpectedError: (error: unknown) => void;
  readonly onClose: (socket: GraphQLSocket) => void;
}

/** A client with more unread bytes is disconnected. */
const MAX_BUFFERED_BYTES = 2 ** 20;

/** Bytes that a client may send before it is authenticated: a credential has at most 16 KiB. */
const MAX_BYTES_BEFORE_INIT = 65_536;

/** Parts of messages up to this size are not counted, like small bodies of requests. */
const MAX_UNCOUNTED_BYTES = 4_096;

/** A socket without subscriptions is closed after this time, in ms. */
const MAX_IDLE_MS = 60_000;

/** Keepalives that a client may leave unanswered. */
const MAX_UNANSWERED_PINGS = 2;

/** Bytes of a frame's header and mask, at least. */
const FRAME_OVERHEAD = 6;

/** A part of a message takes more memory than its bytes: a client may send them one by one. */
const CHUNK_OVERHEAD = 256;

/**
 * One WebSocket: its credential, its streams, and what bounds them. The protocol's library handles
 * the messages.
 */
export class GraphQLSocket implements SubscriptionSocket {
  readonly subscriptions = new Set<SocketSubscription>();
  /** Subscriptions that are being opened. */
  opening = 0;
  identity: SocketIdentity | undefined;
  /** Aborts what is being opened when the socket is closed. */
  readonly abort = new AbortController();
  readonly #options: GraphQLSocketOptions;
  readonly #webSocket: WebSocket;
  readonly #connection: Duplex;
  #idleSince: number | undefined;
  #nextPingAt: number;
  #unansweredPings = 0;
  #bytesBeforeInit = 0;
  /** Bytes of a message that is not complete. */
  #messageBytes = 0;
  #messageReservation: BodyReservation | undefined;
  #reservedBytes = 0;
  #releaseUnsent = () => {};
  #isClosing = false;

  constructor(webSocket: WebSocket, connection: Duplex, options: GraphQLSocketOptions) {
    this.#webSocket = webSocket;
    this.#connection = connection;
    this.#options = options;
    const now = options.monotonicNow();
    this.#idleSince = now;
    this.#nextPingAt = now + options.keepAliveMs;
    webSocket.on('error', () => {});
    webSocket.on('ping', (data: Buffer) => this.#forget(data.byteLength));
    webSocket.on('pong', (data: Buffer) => {
      this.#unansweredPings = 0;
      this.#forget(data.byteLength);
    });
    connection.on('data', (chunk: Buffer) => this.#count(chunk.byteLength));
    connection.on('drain', () => this.#onDrain());
    webSocket.once('close', () => {
      this.#isClosing = true;
      this.#endStreams('client');
      this.#releaseMessage();
      this.#releaseUnsent();
      options.onClose(this);
    });
  }

  /** The socket as the protocol's library uses it. */
  toServerSocket(): ServerSocket {
    const webSocket = this.#webSocket;
    return {
      protocol: webSocket.protocol,
      send: (text) => void this.#send(Buffer.from(text)),
      close: (code = CLOSE_CODES.bug, reason = '') => this.close({ code, reason }, 'client'),
      onMessage: (onMessage) => {
        webSocket.on('message', (data: RawData, isBinary: boolean) => {
          this.#releaseMessage();
          if (this.#isClosing) return;
          if (isBinary) this.close(BINARY, 'client');
          // The promise settles at the end of a subscription.
          else onMessage(data.toString()).catch((error: unknown) => this.fail(error));
        });
      },
    };
  }

  /** Since when the socket has no subscription, in ms. Undefined: it has one. */
  get idleSince(): number | undefined {
    return this.#idleSince;
  }

  /** To be called about once a second. */
  tick(now: number, isDraining: boolean): void {
    if (this.#isClosing) return;
    if (this.identity && now >= this.identity.expiresAt) this.interrupt('expired');
    else if (this.#idleSince !== undefined && isDraining) this.interrupt('drain');
    else if (this.#idleSince !== undefined && now - this.#idleSince >= MAX_IDLE_MS)
      this.close(IDLE, 'client');
    else if (now >= this.#nextPingAt) this.#ping(now);
  }

  #ping(now: number): void {
    if (this.#unansweredPings >= MAX_UNANSWERED_PINGS) {
      if (this.isBlocked()) this.interrupt('slow');
      // No close frame: the client is gone.
      else this.#webSocket.terminate();
      return;
    }
    this.#nextPingAt = now + this.#options.keepAliveMs;
    this.#unansweredPings += 1;
    this.#webSocket.ping();
  }

  startOpening(): void {
    this.opening += 1;
    this.#idleSince = undefined;
  }

  endOpening(): void {
    this.opening -= 1;
    this.#updateIdle();
  }

  add(subscription: SocketSubscription): void {
    this.subscriptions.add(subscription);
    this.#idleSince = undefined;
  }

  onSubscriptionEnd(subscription: SocketSubscription): void {
    this.subscriptions.delete(subscription);
    this.#updateIdle();
  }

  sendNext(message: Buffer): boolean {
    return this.#send(message);
  }

  isBlocked(): boolean {
    return this.#connection.writableNeedDrain;
  }

  interrupt(reason: EndReason): void {
    const closing = CLOSINGS[reason];
    if (closing) this.close(closing, reason);
  }

  reject(): void {
    // The library sends the error of the subscription within the microtasks of this iteration.
    setImmediate(() => this.close(KEY_REJECTED, 'rejected'));
  }

  fail(error: unknown): void {
    this.#options.onUnexpectedError(error);
    this.interrupt('bug');
  }

  /** @param endReason why its streams end */
  close({ code, reason }: Closing, endReason: EndReason): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#endStreams(endReason);
    this.#webSocket.close(code, toBoundedReason(reason));
  }

  #send(message: Buffer): boolean {
    const webSocket = this.#webSocket;
    if (this.#isClosing) return true;
    webSocket.send(message, { binary: false });
    if (!this.#connection.writableNeedDrain) return true;
    this.#releaseUnsent();
    const bytes = webSocket.bufferedAmount;
    const reservation = this.identity
      ? this.#options.unsentBudget.reserve(ownerOf(this.identity.session), bytes)
      : () => {};
    if (typeof reservation === 'string' || bytes > MAX_BUFFERED_BYTES) this.interrupt('slow');
    if (typeof reservation !== 'string') this.#releaseUnsent = reservation;
    return false;
  }

  #onDrain(): void {
    this.#releaseUnsent();
    for (const subscription of [...this.subscriptions]) subscription.onDrain();
  }

  /** Counts the bytes of a message before it is complete: they are in memory. */
  #count(chunkBytes: number): void {
    const { identity } = this;
    const bytes = chunkBytes + CHUNK_OVERHEAD;
    if (!identity) {
      this.#bytesBeforeInit += bytes;
      if (this.#bytesBeforeInit > MAX_BYTES_BEFORE_INIT) this.close(TOO_MANY_BYTES, 'client');
      return;
    }
    this.#messageBytes += bytes;
    if (this.#messageBytes <= MAX_UNCOUNTED_BYTES) return;
    try {
      // The headers of the upgrade that are kept state no length.
      this.#messageReservation ??= identity.session.reserveBody(identity);
      this.#messageReservation.add(this.#messageBytes - this.#reservedBytes);
      this.#reservedBytes = this.#messageBytes;
    } catch (error) {
      this.close(toClosing(error), 'client');
    }
  }

  /** A control frame is no part of a message. */
  #forget(payloadBytes: number): void {
    const bytes = CHUNK_OVERHEAD + FRAME_OVERHEAD + payloadBytes;
    this.#messageBytes = Math.max(0, this.#messageBytes - bytes);
  }

  #releaseMessage(): void {
    this.#messageReservation?.release();
    this.#messageReservation = undefined;
    this.#messageBytes = 0;
    this.#reservedBytes = 0;
  }

  #updateIdle(): void {
    if (this.subscriptions.size === 0 && this.opening === 0)
      this.#idleSince = this.#options.monotonicNow();
  }

  #endStreams(reason: EndReason): void {
    this.abort.abort();
    for (const subscription of [...this.subscriptions]) subscription.close(reason);
  }
}

const BINARY: Closing = {
  code: CLOSE_CODES.badMessage,
  reason: 'Messages must be text, not binary.',
};
const IDLE: Closing = { code: CLOSE_CODES.idle, reason: 'The socket has no subscription.' };
const TOO_MANY_BYTES: Closing = {
  code: CLOSE_CODES.tooManyBytes,
  reason: 'Too many bytes before connection_init.',
};
const KEY_REJECTED: Closing = {
  code: CLOSE_CODES.unauthenticated,
  reason: 'The Revox API rejected the API key.',
};
