import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { toDecoded } from './content-encoding.ts';
import { type Body, ReceivedBody } from './received-body.ts';

/** One GET, without opinions: no redirect is followed, no status is an error. */
export type Transport = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<TransportResponse>;

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** May be left unread after `discard`. */
  readonly body: Body;
  discard(): Promise<void>;
}

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

/** Real sockets: kept alive, pooled by origin, through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name. */
export function createUndiciTransport({ connectMs, headersMs, bodyMs }: StageTimeouts): UndiciTransport {
  const dispatcher = new EnvHttpProxyAgent({
    keepAliveTimeout: 30_000,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    connect: { timeout: connectMs },
  });
  return {
    // Not `close`: that waits for connections that are being made for nobody any more, up to their own time limit.
    close: () => dispatcher.destroy(),
    transport: (url, { headers, signal }) =>
      new Promise((resolve, reject) => {
        const { origin, pathname, search } = new URL(url);
        dispatcher.dispatch({ origin, path: pathname + search, method: 'GET', headers }, toHandler(signal, resolve, reject));
      }),
  };
}

/** As undici tells of a request: at first there is no answer, and then there is a body. */
function toHandler(
  signal: AbortSignal,
  onAnswer: (response: TransportResponse) => void,
  onFailure: (error: unknown) => void,
): Dispatcher.DispatchHandler {
  let body: ReceivedBody | undefined;
  let abort = () => {};
  const onAbort = () => abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const end = (error?: Error) => {
    signal.removeEventListener('abort', onAbort);
    if (body) body.onEnd(error);
    else onFailure(error);
  };
  return {
    onRequestStart(controller) {
      abort = () => controller.abort(signal.reason);
      if (signal.aborted) abort();
    },
    onResponseStart(controller, status, headers) {
      // There may be others before it: 103, for one.
      if (status < 200) return;
      const received = new ReceivedBody(controller);
      body = received;
      const header = (name: string) => toFirst(headers[name]);
      onAnswer({
        status,
        header,
        body: toDecoded(received, header('content-encoding')),
        discard: () => received.discard(),
      });
    },
    onResponseData: (_controller, part) => body?.onPart(part),
    onResponseEnd: () => end(),
    onResponseError: (_controller, error) => end(error),
  };
}

function toFirst(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Anything that is called like `fetch`: a sandbox in tests, a company's own client. */
export function toTransport(fetch: (request: Request) => Promise<Response>): Transport {
  return async (url, { headers, signal }) => {
    const response = await fetch(new Request(url, { headers, signal, redirect: 'manual' }));
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: (response.body as AsyncIterable<Uint8Array> | null) ?? NOTHING,
      discard: async () => response.body?.cancel(),
    };
  };
}

const NOTHING: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };
