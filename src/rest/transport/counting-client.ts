import { type buildConnector, Client, type Dispatcher } from 'undici';
import { type ConnectionUse, ResponseHandler } from './response-handler.ts';

/** Options of a client in a pool, which makes the connector. */
export type PooledClientOptions = Client.Options & { readonly connect: buildConnector.connector };

/**
 * A client of one connection that counts its responses and bytes, because undici's handlers do not
 * learn whether their connection is new or kept.
 */
export class CountingClient extends Client implements ConnectionUse {
  responses = 0;
  #socket: { readonly bytesRead: number } | undefined;

  constructor(origin: URL, options: PooledClientOptions) {
    super(origin, {
      ...options,
      connect: (connectOptions, callback) =>
        options.connect(connectOptions, (...result) => {
          this.responses = 0;
          this.#socket = result[1] ?? undefined;
          callback(...result);
        }),
    });
  }

  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (handler instanceof ResponseHandler) handler.connection = this;
    return super.dispatch(options, handler);
  }
}
