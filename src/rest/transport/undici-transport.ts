import { Agent, type Client, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { CountingClient, type PooledClientOptions } from './counting-client.ts';
import { ResponseHandler } from './response-handler.ts';
import type { Transport, TransportRequest } from './transport.ts';

export interface UndiciTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Time limits of the stages of a request; the REST client limits the whole request. */
export interface StageTimeouts {
  readonly connectMs: number;
  /** From the last byte of the request to the end of the response headers. */
  readonly headersMs: number;
  /** Between two chunks of the body. */
  readonly bodyMs: number;
}

export interface UndiciTransportOptions extends StageTimeouts {
  /**
   * The proxies by the scheme of a request; without one for https, that for http is used. Each
   * request is checked against `NO_PROXY`. Undefined: no proxy.
   */
  readonly proxies:
    | { readonly http: string | undefined; readonly https: string | undefined }
    | undefined;
  /** The `User-Agent` of requests to the proxy itself; every other request has its own headers. */
  readonly userAgent: string;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/**
 * How long an idle connection is kept if the upstream does not say it (`Keep-Alive: timeout`), in
 * ms: less than the 60 seconds or more of common load balancers and web servers.
 */
const KEEP_ALIVE_MS = 30_000;
/** Maximum of the time that the upstream says, in ms. */
const MAX_KEEP_ALIVE_MS = 600_000;
/**
 * How much earlier than the upstream the gateway closes an idle connection, in ms: the timers of
 * undici are late by up to a second. The gateway does not reuse a connection that the upstream
 * keeps for this margin or less.
 */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/**
 * Transport over sockets: keep-alive, pooled by origin, through the proxy that the environment
 * configures.
 */
export function createUndiciTransport(options: UndiciTransportOptions): UndiciTransport {
  const { connectMs, headersMs, bodyMs, proxies, startTimer } = options;
  const settings = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    connect: { timeout: connectMs },
  };
  const dispatcher = createDispatcher(settings);
  /** Keeps no connection, so that a request which is sent again does not meet another kept one. */
  let freshDispatcher: Dispatcher | undefined;
  const handlerOptions = { startTimer, resend };
  return {
    // Not `close`: that waits for connections that are still being made for aborted requests, up to
    // their time limit.
    async close() {
      await Promise.all([dispatcher.destroy(), freshDispatcher?.destroy()]);
    },
    transport(request) {
      const handler = new ResponseHandler(request, handlerOptions);
      dispatch(dispatcher, request, handler);
      return handler;
    },
  };

  function createDispatcher(clientOptions: Client.Options): Dispatcher {
    // The dispatcher of a proxy passes only its own options to the pool, so the factory adds
    // `clientOptions`.
    const factory = (origin: string | URL, options: object) =>
      new Pool(origin, { ...clientOptions, ...options, factory: createClient });
    return proxies
      ? new EnvHttpProxyAgent({
          ...clientOptions,
          factory,
          // An empty value: undici must not read variables that the settings count as absent.
          httpProxy: proxies.http ?? '',
          httpsProxy: proxies.https ?? '',
          headers: { 'user-agent': options.userAgent },
        })
      : new Agent({ ...clientOptions, factory });
  }

  function resend(request: TransportRequest, handler: ResponseHandler): void {
    freshDispatcher ??= createDispatcher({ ...settings, pipelining: 0 });
    dispatch(freshDispatcher, request, handler);
  }
}

/** With new options for each dispatch, because the dispatcher of a proxy changes them. */
function dispatch(
  dispatcher: Dispatcher,
  { origin, path, headers }: TransportRequest,
  handler: ResponseHandler,
): void {
  dispatcher.dispatch(
    { origin, path, method: 'GET', headers: headers as Record<string, string> },
    handler,
  );
}

function createClient(origin: URL, options: object): CountingClient {
  return new CountingClient(origin, options as PooledClientOptions);
}
