import { Client, type Dispatcher } from 'undici';
import { type ConnectionUse, ResponseHandler } from './response-handler.ts';

/**
 * A client of one connection that counts its responses, because undici's handlers do not learn
 * whether their connection is new or kept.
 */
export class CountingClient extends Client implements ConnectionUse {
  responses = 0;

  constructor(origin: URL, options: Client.Options) {
    super(origin, options);
    this.on('connect', () => {
      this.responses = 0;
    });
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (handler instanceof ResponseHandler) handler.connection = this;
    return super.dispatch(options, handler);
  }
}
