import { createClient } from 'graphql-sse';

export function createSseClient(url: string, send: typeof fetch) {
  return createClient({
    url,
    // Called for each connection, so a new token follows an expired one.
    fetchFn: send,
    // By default graphql-sse gives up after five attempts, half a minute.
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: () => new Promise((resolve) => setTimeout(resolve, 2000 + 2000 * Math.random())),
  });
}
