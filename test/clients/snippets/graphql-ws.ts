import { createClient } from 'graphql-ws';

export function createWsClient(url: string, readToken: () => string) {
  return createClient({
    url: url.replace(/^http/, 'ws'),
    // Called for each connection, so a new token follows an expired one.
    connectionParams: () => ({ authorization: `Bearer ${readToken()}` }),
    // By default graphql-ws gives up when a connection breaks or is refused, and after five attempts.
    shouldRetry: () => true,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 2000 + 2000 * Math.random())),
  });
}
