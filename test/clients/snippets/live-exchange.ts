import { type ExecutionResult, subscriptionExchange } from '@urql/core';
import type { Client as SseClient } from 'graphql-sse';
import type { Client as WsClient } from 'graphql-ws';

export function createLiveExchange(client: SseClient | WsClient) {
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables = {} }) => ({
      subscribe: ({ next, error, complete }) => ({
        unsubscribe: client.subscribe(
          { query, variables },
          { next: (result) => next(result as ExecutionResult), error, complete },
        ),
      }),
    }),
  });
}
