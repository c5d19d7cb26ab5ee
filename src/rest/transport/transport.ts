import { BudgetExceededError } from '#errors/gateway-error.ts';
import { abortable } from './abortable.ts';
import { canBeMistaken, isSufficientStart } from './web-page.ts';

/** Sends one GET request: no redirect is followed, and no status is an error. */
export type Transport = (request: TransportRequest) => PendingResponse;

export interface TransportRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, sent unchanged. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Maximum size of the decoded body, in bytes; a larger one is not read. */
  readonly maxBytes: number;
  /**
   * Called for each decoded chunk of the body, with its size in bytes.
   * @returns a promise to await before reading on; undefined if reading may go on now. While it is
   *   pending the body pauses. If it rejects, the body is aborted for that reason.
   * @throws BudgetExceededError
   */
  readonly onBytes?: (bytes: number) => Promise<void> | undefined;
}

/** A request in flight. */
export interface PendingResponse {
  /** Rejects with the error of the connection. */
  readonly response: Promise<TransportResponse>;
  /** Aborts the request: `response` rejects with this reason at once. */
  abort(reason: unknown): void;
}

export interface TransportResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /**
   * The complete body. Without a 2xx status only its start, as much as `isWebPage` needs: the
   * response arrives before its body is complete, and no other code reads it.
   */
  readonly body: readonly Uint8Array[];
  /** Why the body is missing. */
  readonly bodyError?: Error;
}

/** The body exceeds `maxBytes`. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** Maximum time for receiving a body that is not read, or its start, in ms: it may never arrive. */
export const MAX_DISCARD_MS = 1_000;

/**
 * Adapts a function with the signature of `fetch`: a sandbox in tests, or a company's own client.
 * @param startTimer bounds the wait for the start of an error's body; without it, only the time
 *   limit of the request bounds this wait
 */
export function createFetchTransport(
  fetch: (request: Request) => Promise<Response>,
  startTimer: (ms: number, onTime: () => void) => () => void = () => () => {},
): Transport {
  return ({ origin, path, headers, maxBytes, onBytes }) => {
    const abortController = new AbortController();
    const { signal } = abortController;
    return {
      response: abortable(signal, receive()),
      abort: (reason) => abortController.abort(reason),
    };

    async function receive(): Promise<TransportResponse> {
      const request = new Request(origin + path, {
        headers: { ...headers },
        signal,
        redirect: 'manual',
      });
      const { status, headers: responseHeaders, body } = await fetch(request);
      const head = { status, header: (name: string) => responseHeaders.get(name) ?? undefined };
      // `fetch` may ignore the signal.
      if (isSuccess(status) && !signal.aborted)
        return { ...head, ...(await readAll(body, maxBytes, onBytes)) };
      if (body && canBeMistaken(status) && !signal.aborted)
        return { ...head, body: await readStart(body, startTimer) };
      discard(body);
      return { ...head, body: [] };
    }
  };
}

/**
 * Reads the start of an error's body, and cancels the rest. A body that fails ends there: the status
 * has arrived.
 */
async function readStart(
  body: NonNullable<Response['body']>,
  startTimer: (ms: number, onTime: () => void) => () => void,
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let cancel = () => discard(body);
  const stopTimer = startTimer(MAX_DISCARD_MS, () => cancel());
  try {
    const reader = body.getReader();
    cancel = () => void reader.cancel().catch(() => {});
    while (!isSufficientStart(chunks)) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
  } catch {
    // A stream of another implementation may not support reading.
  } finally {
    stopTimer();
    cancel();
  }
  return chunks;
}

/**
 * Cancels a body. A custom stream may not support that, and a broken one cannot be cancelled: both
 * errors are ignored.
 */
function discard(body: Response['body']): void {
  void (async () => body?.cancel())().catch(() => {});
}

/** Reads the whole body. Leaving the loop early cancels the stream. */
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
