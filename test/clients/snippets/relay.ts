import type { Client as SseClient } from 'graphql-sse';
import type { Client as WsClient } from 'graphql-ws';
import { type FetchFunction, type GraphQLResponse, Network, Observable } from 'relay-runtime';

export function createNetwork(client: SseClient | WsClient, fetchQuery: FetchFunction) {
  return Network.create(fetchQuery, ({ text }, variables) =>
    Observable.create<GraphQLResponse>(({ next, error, complete }) =>
      client.subscribe(
        { query: text ?? '', variables },
        { next: (result) => next(result as GraphQLResponse), error, complete },
      ),
    ),
  );
}
