import { createSandbox } from '#sandbox/sandbox.ts';

/** An upstream request of one of several gateways. */
export interface ReceivedRequest {
  readonly key: string;
  readonly path: string;
  readonly at: number;
  status: number | undefined;
}

/** One upstream of several gateways: it rate-limits a key, holds its responses, and counts. */
export interface LimitedUpstream {
  fetch(request: Request): Promise<Response>;
  /** The requests with a key, in the order of their arrival. */
  requestsOf(key: string): readonly ReceivedRequest[];
  callIdsOf(key: string): readonly string[];
  /** Responds to the next request with this key with a 429. */
  limitNext(key: string, retryAfterSeconds: number): void;
  /** Holds the responses to a key until the returned function is called. */
  hold(key: string): () => void;
}

export function createLimitedUpstream(): LimitedUpstream {
  const sandbox = createSandbox();
  const requests: ReceivedRequest[] = [];
  const limits = new Map<string, number>();
  const holds = new Map<string, Promise<void>>();
  return {
    async fetch(request) {
      const key = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
      const path = new URL(request.url).pathname;
      const received: ReceivedRequest = { key, path, at: performance.now(), status: undefined };
      requests.push(received);
      await holds.get(key);
      const seconds = limits.get(key);
      limits.delete(key);
      const response =
        seconds === undefined
          ? await sandbox.fetch(request)
          : new Response(null, { status: 429, headers: { 'retry-after': String(seconds) } });
      received.status = response.status;
      return response;
    },
    requestsOf: (key) => requests.filter((request) => request.key === key),
    callIdsOf: (key) => sandbox.control.data(key).calls.map(({ id }) => id),
    limitNext: (key, seconds) => void limits.set(key, seconds),
    hold(key) {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.set(key, promise);
      return () => {
        holds.delete(key);
        resolve();
      };
    },
  };
}
