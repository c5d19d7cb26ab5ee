import type { Dispatcher } from 'undici';

/** A body that is on its way. */
export interface Body extends AsyncIterable<Uint8Array> {
  /**
   * Takes all of it at once: quicker than part by part. Absent: it cannot.
   * @throws what `onExcess` gives, as soon as there is more than so many bytes
   */
  takeWhole?(maxBytes: number, onExcess: () => Error): Promise<readonly Uint8Array[]>;
}

/** Until somebody reads, no more than this is taken from the connection, bytes. */
const AHEAD_BYTES = 65_536;
/** Of what nobody reads, so much is taken for the sake of the connection, bytes: to make a new one is no dearer. */
const DISCARDED_BYTES = 131_072;

/** A body as undici hands it over, without a stream being made of it: that takes longer than all else that is done for a question. */
export class ReceivedBody implements Body {
  readonly #controller: Dispatcher.DispatchController;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isOver = false;
  #error: Error | undefined;
  /** Somebody waits for something to happen. */
  #onNews: (() => void) | undefined;
  #mostAhead = AHEAD_BYTES;

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }

  onPart(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#mostAhead) this.#controller.pause();
    this.#onNews?.();
  }

  onEnd(error?: Error): void {
    this.#isOver = true;
    this.#error = error;
    this.#onNews?.();
  }

  async takeWhole(maxBytes: number, onExcess: () => Error): Promise<readonly Buffer[]> {
    this.#mostAhead = maxBytes;
    this.#controller.resume();
    while (!this.#isOver && this.#bytes <= maxBytes) await this.#news();
    if (this.#bytes > maxBytes) throw this.#leave(onExcess());
    if (this.#error) throw this.#error;
    return this.#parts;
  }

  /** Takes the rest, for nobody, so that the connection can be used again; gives it up when that is much. */
  async discard(): Promise<void> {
    let left = DISCARDED_BYTES;
    for await (const part of this) {
      left -= part.byteLength;
      if (left < 0) return;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const parts = this.#parts;
        this.#parts = [];
        this.#bytes = 0;
        yield* parts;
        if (this.#parts.length > 0) continue;
        if (this.#error) throw this.#error;
        if (this.#isOver) return;
        this.#controller.resume();
        await this.#news();
      }
    } finally {
      if (!this.#isOver) this.#leave(new Error('Nobody reads on.'));
    }
  }

  #leave(reason: Error): Error {
    this.#controller.abort(reason);
    return reason;
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onNews = resolve;
    });
    this.#onNews = undefined;
  }
}
