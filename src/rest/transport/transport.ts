import { BudgetExceededError } from '#errors/gateway-error.ts';
import { abortable } from './abortable.ts';

/** One GET, without opinions: no redirect is followed, no status is an error. */
export type Transport = (request: TransportRequest) => PendingResponse;

export interface TransportRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body when nothing of its encoding is left; a longer one is not taken. */
  readonly maxBytes: number;
  /**
   * Called with the bytes of the body that have arrived, part by part, decoded.
   * @returns when to read on; undefined: at once. While it is pending the body pauses, and what cannot be read on is given up for the reason it
   *   rejects with.
   * @throws BudgetExceededError
   */
  readonly onBytes?: (bytes: number) => Promise<void> | undefined;
}

/** A request that is on its way. */
export interface PendingResponse {
  /** Rejects with what the connection broke with. */
  readonly response: Promise<TransportResponse>;
  /** Gives it up: `answer` rejects at once with this reason, whether anybody else has heard of it or not. */
  abort(reason: unknown): void;
}

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** All of it. Of an answer whose status is none of success nobody reads it: it is empty, and comes before the body has. */
  readonly body: readonly Uint8Array[];
  /** Why the body is not there. */
  readonly bodyError?: Error;
}

/** The body is larger than it may be. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** Anything that is called like `fetch`: a sandbox in tests, a company's own client. */
export function createFetchTransport(fetch: (request: Request) => Promise<Response>): Transport {
  return ({ origin, path, headers, maxBytes, onBytes }) => {
    const abortController = new AbortController();
    const { signal } = abortController;
    return {
      response: abortable(signal, receive()),
      abort: (reason) => abortController.abort(reason),
    };

    async function receive(): Promise<TransportResponse> {
      const request = new Request(origin + path, { headers: { ...headers }, signal, redirect: 'manual' });
      const { status, headers: responseHeaders, body } = await fetch(request);
      const head = { status, header: (name: string) => responseHeaders.get(name) ?? undefined };
      // It may not have heard of the signal.
      if (isSuccess(status) && !signal.aborted) return { ...head, ...(await readAll(body, maxBytes, onBytes)) };
      discard(body);
      return { ...head, body: [] };
    }
  };
}

/** What is no stream of Fetch's may have no way to be cancelled, and one that has broken cannot be. */
function discard(body: Response['body']): void {
  void (async () => body?.cancel())().catch(() => {});
}

/** Who stops to iterate over a stream cancels it. */
async function readAll(
  body: Response['body'],
  maxBytes: number,
  onBytes: TransportRequest['onBytes'],
): Promise<Pick<TransportResponse, 'body' | 'bodyError'>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body as AsyncIterable<Uint8Array> | null) ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return { body: [], bodyError: new TooLargeError(maxBytes) };
    chunks.push(chunk);
    try {
      const room = onBytes?.(chunk.byteLength);
      if (room) await room;
    } catch (bodyError) {
      if (!(bodyError instanceof BudgetExceededError)) throw bodyError;
      return { body: [], bodyError };
    }
  }
  return { body: chunks };
}
