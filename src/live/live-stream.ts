import type { EndReason } from './live-events.ts';
import { frameOf, type SerializedEvent } from './serialized-event.ts';
import { type StreamEnding, toInterruptedJson } from './stream-ending.ts';
import type { WaitingWriter, WriteTurns } from './write-turns.ts';

/** How a transport writes events. One object for each transport. */
export interface Framing {
  readonly transport: string;
  /** Bytes that open the stream. Empty: none. */
  readonly opening: Uint8Array;
  /** Bytes without meaning, which show that the connection is alive. Empty: the transport does it. */
  readonly keepAlive: Uint8Array;
  toFrame(json: string, id: string | undefined): Uint8Array;
  /**
   * The last bytes of a stream.
   * @param isRouter whether the client takes every end of a stream for its completion
   */
  toEnding(ending: StreamEnding, isRouter: boolean): Uint8Array;
}

/** The connection of a stream. */
export interface StreamSink {
  /** Returns false if the client does not read fast enough: `onDrain` follows. */
  write(bytes: Uint8Array): boolean;
  /**
   * Whether the client must read before more is written. For a connection that several streams share:
   * `write` reports it to one of them only.
   * @default false
   */
  isBlocked?(): boolean;
  /** Ends the stream after what was written. */
  end(ending: StreamEnding): void;
  /** Closes the connection at once: the client does not read. */
  destroy(): void;
}

/** What a connection reports to its stream. */
export interface StreamControl {
  onDrain(): void;
  /** The connection is closed. @param reason @default client */
  onClose(reason?: EndReason): void;
  /** Bytes that find out whether a client that has closed its side is gone. */
  readonly keepAlive: Uint8Array;
}

export interface LiveStreamOptions {
  readonly framing: Framing;
  /** The id of the last event that the client has received before. */
  readonly lastEventId: string | undefined;
  /** Whether the client is a router, which takes the end of a stream for its completion. */
  readonly isRouter: boolean;
  /** Monotonic time at which the stream must end, in ms, and why. */
  readonly endsAt: number;
  readonly endsBecause: EndReason;
  readonly keepAliveMs: number;
  readonly writeTurns: WriteTurns;
  readonly monotonicNow: () => number;
  readonly random: () => number;
  readonly onCoalesced: () => void;
  /** Called once, when the stream has ended. */
  readonly onEnd: (reason: EndReason) => void;
}

/** Whether an object must be read again before its state is shown, or only executed. */
export type AwaitedState = 'reading' | 'event';

/** For all streams, because an empty `Map` takes 200 bytes. */
const NOTHING_AWAITED: ReadonlyMap<string, AwaitedState> = new Map();

interface PendingEvent {
  readonly key: string;
  readonly event: SerializedEvent;
}

/** A reader that takes nothing for this long is disconnected, in ms. */
const MAX_BLOCKED_MS = 30_000;

/** A response that is never sent leaves no stream behind. */
const MAX_UNATTACHED_MS = 10_000;

/**
 * The stream of one subscriber. While its client does not read, or other streams write, the stream
 * holds one event for each object: the newest one.
 */
export class LiveStream implements StreamControl, WaitingWriter {
  readonly isRouter: boolean;
  readonly endsBecause: EndReason;
  readonly endsAt: number;
  readonly startedAt: number;
  events = 0;
  bytes = 0;
  /** When the latest event was written, in ms. */
  lastEventAt: number;
  readonly #options: LiveStreamOptions;
  /** Undefined: none. */
  #awaited: Map<string, AwaitedState> | undefined;
  /**
   * What the stream holds while it must not write, in the order of sending. A list, because a `Map`
   * for one event takes five times the memory.
   */
  #pending: PendingEvent[] | undefined;
  #sink: StreamSink | undefined;
  #blockedSince: number | undefined;
  /** Whether the stream waits for its turn to write. */
  #isQueued = false;
  #keepAliveAt: number;
  #ending: StreamEnding | undefined;
  #isEnded = false;

  constructor(options: LiveStreamOptions) {
    const { isRouter, endsAt, endsBecause, keepAliveMs, monotonicNow, random } = options;
    this.#options = options;
    this.isRouter = isRouter;
    this.endsAt = endsAt;
    this.endsBecause = endsBecause;
    this.startedAt = monotonicNow();
    this.lastEventAt = this.startedAt;
    // Streams that open together must not send their keepalives together.
    this.#keepAliveAt = this.startedAt + keepAliveMs * (0.5 + 0.5 * random());
  }

  /** Objects whose present state the stream must get before any later event of them. */
  get awaited(): ReadonlyMap<string, AwaitedState> {
    return this.#awaited ?? NOTHING_AWAITED;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Events that are not sent yet. */
  get pendingEvents(): number {
    return this.#pending?.length ?? 0;
  }

  get keepAlive(): Uint8Array {
    return this.#options.framing.keepAlive;
  }

  /** Connects the stream to its client. To be called once. */
  attach(sink: StreamSink): StreamControl {
    if (this.#isEnded) {
      sink.destroy();
      return this;
    }
    this.#sink = sink;
    this.#write(this.#options.framing.opening);
    this.#flush();
    return this;
  }

  onDrain(): void {
    this.#blockedSince = undefined;
    this.#flush();
  }

  onTurn(): void {
    this.#isQueued = false;
    this.#flush();
    if (this.#sink && !this.#isBlocked() && this.#options.monotonicNow() >= this.#keepAliveAt)
      this.#writeKeepAlive();
  }

  onClose(reason: EndReason = 'client'): void {
    this.#close(reason);
  }

  /** Holds back the events of an object until its present state is shown. */
  awaitState(id: string, state: AwaitedState): void {
    this.#awaited ??= new Map();
    this.#awaited.set(id, state);
  }

  /** Whether the stream has awaited the state of the object until now. */
  endAwaiting(id: string): boolean {
    const wasAwaited = this.#awaited?.delete(id) === true;
    if (this.#awaited?.size === 0) this.#awaited = undefined;
    return wasAwaited;
  }

  /** Sends an event. @param key an older event with the same key that is not sent yet is dropped */
  push(key: string, event: SerializedEvent): void {
    if (this.#isEnded || this.#ending) return;
    // A client that subscribes again has this event already. The clients of a router have got an
    // error since.
    const { lastEventId } = this.#options;
    if (this.events === 0 && !this.isRouter && event.id !== undefined && event.id === lastEventId) {
      this.events += 1;
      return;
    }
    if (this.#mayWrite()) {
      this.#send(event);
      return;
    }
    const replaced = this.#pending?.findIndex((pending) => pending.key === key) ?? -1;
    if (replaced !== -1) {
      this.#pending?.splice(replaced, 1);
      this.#options.onCoalesced();
    }
    if (this.#pending) this.#pending.push({ key, event });
    else this.#pending = [{ key, event }];
  }

  /**
   * Ends the stream because nothing more can happen.
   * @param json an execution result that has only the error that ends it
   */
  complete(reason: EndReason, json?: string): void {
    this.#endWith({ reason, json });
  }

  /**
   * Interrupts the stream: the client must subscribe again.
   * @param retryMs when, in ms
   * @param json an execution result that has only the error. @default that of the reason
   */
  interrupt(reason: EndReason, retryMs: number, json = toInterruptedJson(reason, retryMs)): void {
    this.#endWith({ reason, retryMs, json });
  }

  /** Sends a keepalive if one is due, and disconnects a client that does not read. */
  tick(now: number): void {
    if (!this.#sink) {
      if (now - this.startedAt > MAX_UNATTACHED_MS) this.#close('client');
      return;
    }
    if (this.#blockedSince !== undefined) {
      if (now - this.#blockedSince >= MAX_BLOCKED_MS) this.disconnect();
      return;
    }
    if (now >= this.#keepAliveAt && this.#mayWrite()) this.#writeKeepAlive();
  }

  /** Disconnects a client that does not read fast enough. */
  disconnect(): void {
    const sink = this.#sink;
    this.#close('slow');
    sink?.destroy();
  }

  #endWith(ending: StreamEnding): void {
    if (this.#isEnded || this.#ending) return;
    this.#ending = ending;
    if (this.#mayWrite()) this.#flush();
  }

  /** One event is on its way at a time: what follows may be replaced until the client reads. */
  #flush(): void {
    if (!this.#sink || this.#isEnded) return;
    for (let next = this.#pending?.[0]; next; next = this.#pending?.[0]) {
      if (this.#isBlocked()) return;
      this.#pending?.shift();
      this.#send(next.event);
    }
    this.#pending = undefined;
    if (this.#isBlocked() || !this.#ending) return;
    this.#write(this.#options.framing.toEnding(this.#ending, this.isRouter));
    this.#sink.end(this.#ending);
    this.#close(this.#ending.reason);
  }

  #send(event: SerializedEvent): void {
    this.events += 1;
    this.lastEventAt = this.#options.monotonicNow();
    this.#write(frameOf(event, this.#options.framing));
  }

  /** Otherwise the stream writes what it holds as soon as it may. */
  #mayWrite(): boolean {
    if (!this.#sink || this.#isQueued || this.#isBlocked()) return false;
    this.#isQueued = !this.#options.writeTurns.take(this);
    return !this.#isQueued;
  }

  #isBlocked(): boolean {
    if (this.#sink?.isBlocked?.()) this.#blockedSince ??= this.#options.monotonicNow();
    return this.#blockedSince !== undefined;
  }

  #writeKeepAlive(): void {
    this.#write(this.#options.framing.keepAlive);
  }

  #write(bytes: Uint8Array): void {
    const { monotonicNow, keepAliveMs } = this.#options;
    const now = monotonicNow();
    this.bytes += bytes.byteLength;
    this.#keepAliveAt = now + keepAliveMs;
    if (bytes.byteLength > 0 && this.#sink?.write(bytes) === false) this.#blockedSince ??= now;
  }

  #close(reason: EndReason): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#sink = undefined;
    this.#pending = undefined;
    this.#options.onEnd(this.#ending?.reason ?? reason);
  }
}
