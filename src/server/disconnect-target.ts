import type { ServerResponse } from 'node:http';

/**
 * What the Fetch adapter sees of a response: it only listens for the disconnect of the client, to
 * abort the signal of the request. Listeners of the response itself would retain the signal and the
 * request for as long as a stream lasts: 1 kB for each subscriber.
 */
export class DisconnectTarget {
  /** The reason that the signal aborts with. Null: the default reason. */
  readonly errored = null;
  #onDisconnect: (() => void) | undefined;

  /** Registers a listener of the adapter. All of them but that of `close` are redundant here. */
  once(event: string, listener: () => void): this {
    if (event === 'close') this.#onDisconnect = listener;
    return this;
  }

  /** To be called when the client disconnects before its response is sent. */
  disconnect(): void {
    this.#onDisconnect?.();
  }

  /** The adapter calls nothing else of a response. */
  toResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}
