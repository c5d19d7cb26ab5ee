import { createClient } from 'graphql-sse';

export function createSseClient(url: string, readToken: () => string) {
  return createClient({
    url,
    // Called for each connection, so a new token follows an expired one.
    headers: () => ({ authorization: `Bearer ${readToken()}` }),
  });
}
