import { BudgetExceededError } from '#errors/gateway-error.ts';
import { unlessAborted } from './unless-aborted.ts';

/** One GET, without opinions: no redirect is followed, no status is an error. */
export type Transport = (request: TransportRequest) => Sent;

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
export interface Sent {
  /** Rejects with what the connection broke with. */
  readonly answer: Promise<TransportAnswer>;
  /** Gives it up: `answer` rejects at once with this reason, whether anybody else has heard of it or not. */
  abort(reason: unknown): void;
}

export interface TransportAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** All of it. Of an answer whose status is none of success nobody reads it: it is empty, and comes before the body has. */
  readonly body: readonly Uint8Array[];
  /** Why the body is not there. */
  readonly fault?: Error;
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
export function toTransport(fetch: (request: Request) => Promise<Response>): Transport {
  return ({ origin, path, headers, maxBytes, onBytes }) => {
    const leaving = new AbortController();
    const { signal } = leaving;
    return {
      answer: unlessAborted(signal, receive()),
      abort: (reason) => leaving.abort(reason),
    };

    async function receive(): Promise<TransportAnswer> {
      const request = new Request(origin + path, { headers: { ...headers }, signal, redirect: 'manual' });
      const { status, headers: received, body } = await fetch(request);
      const head = { status, header: (name: string) => received.get(name) ?? undefined };
      // It may not have heard of the signal.
      if (isSuccess(status) && !signal.aborted) return { ...head, ...(await takeWhole(body, maxBytes, onBytes)) };
      letGo(body);
      return { ...head, body: [] };
    }
  };
}

/** What is no stream of Fetch's may have no way to be cancelled, and one that has broken cannot be. */
function letGo(body: Response['body']): void {
  void (async () => body?.cancel())().catch(() => {});
}

/** Who stops to iterate over a stream cancels it. */
async function takeWhole(
  body: Response['body'],
  maxBytes: number,
  onBytes: TransportRequest['onBytes'],
): Promise<Pick<TransportAnswer, 'body' | 'fault'>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (body as AsyncIterable<Uint8Array> | null) ?? []) {
    bytes += part.byteLength;
    if (bytes > maxBytes) return { body: [], fault: new TooLargeError(maxBytes) };
    parts.push(part);
    try {
      const room = onBytes?.(part.byteLength);
      if (room) await room;
    } catch (fault) {
      if (!(fault instanceof BudgetExceededError)) throw fault;
      return { body: [], fault };
    }
  }
  return { body: parts };
}
