import { EnvHttpProxyAgent, request } from 'undici';
import { toDecoded } from './content-encoding.ts';

/** One GET, without opinions: no redirect is followed, no status is an error. */
export type Transport = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<TransportResponse>;

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** May be left unread after `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
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
    async transport(url, { headers, signal }) {
      const { statusCode, headers: received, body } = await request(url, { dispatcher, headers, signal });
      return {
        status: statusCode,
        header: (name) => toFirst(received[name]),
        body: toDecoded(body, toFirst(received['content-encoding'])),
        discard: () => body.dump(),
      };
    },
  };
}

function toFirst(value: string | string[] | undefined): string | undefined {
  return [value ?? []].flat()[0];
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
