import { Agent, request } from 'undici';

export interface PosterOptions {
  /** Time limit of a new connection, in ms. */
  readonly connectMs: number;
  /** Time limit of a whole request, from its start to the last byte of its response, in ms. */
  readonly timeoutMs: number;
  /** Maximum connections to one origin; further requests wait. */
  readonly maxConnections: number;
  readonly userAgent: string;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

export interface JsonPost {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Sends JSON to servers that are not the upstream. */
export interface Poster {
  /**
   * Sends one POST. No redirect is followed, and no status is an error.
   * @returns the status; rejects with the error of the connection, or of the time limit
   */
  post(request: JsonPost): Promise<number>;
  /** Aborts what is in flight, and closes the connections. */
  close(): Promise<void>;
}

/** Maximum bytes of a response body that are received to keep the connection. */
const MAX_DISCARDED_BYTES = 16_384;

/** Creates a poster with connections of its own, which are kept for a while and use no proxy. */
export function createPoster(options: PosterOptions): Poster {
  const { connectMs, timeoutMs, maxConnections, userAgent, startTimer } = options;
  const agent = new Agent({
    connections: maxConnections,
    pipelining: 1,
    connect: { timeout: connectMs },
    // The timer below limits the whole request.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    async post({ origin, path, headers, body }) {
      const abortController = new AbortController();
      const { signal } = abortController;
      const stopTimer = startTimer(timeoutMs, () =>
        abortController.abort(new Error(`No response within ${timeoutMs} ms.`)),
      );
      try {
        const response = await request(origin + path, {
          method: 'POST',
          headers: { 'user-agent': userAgent, 'content-type': 'application/json', ...headers },
          body,
          signal,
          dispatcher: agent,
        });
        // The status counts, whatever becomes of the body.
        await response.body.dump({ limit: MAX_DISCARDED_BYTES, signal }).catch(() => {});
        return response.statusCode;
      } finally {
        stopTimer();
      }
    },
    close: () => agent.destroy(),
  };
}
