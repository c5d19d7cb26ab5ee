import { Client, type ExecutionResult, fetchExchange, subscriptionExchange } from '@urql/core';
import type { Client as SseClient } from 'graphql-sse';
import type { Client as WsClient } from 'graphql-ws';

export function createUrqlClient(
  url: string,
  readToken: () => string,
  client: SseClient | WsClient,
) {
  return new Client({
    url,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${readToken()}` } }),
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables = {} }) => ({
          subscribe: ({ next, error, complete }) => ({
            unsubscribe: client.subscribe(
              { query, variables },
              { next: (result) => next(result as ExecutionResult), error, complete },
            ),
          }),
        }),
      }),
    ],
  });
}
