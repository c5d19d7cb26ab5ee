import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createWsClient } from './graphql-ws.ts';

export function createApolloWsClient(url: string, readToken: () => string) {
  const tokenLink = new SetContextLink(({ headers }) => ({
    headers: { ...headers, authorization: `Bearer ${readToken()}` },
  }));
  return new ApolloClient({
    // The gateway accepts only subscriptions over WebSocket.
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(createWsClient(url, readToken)),
      tokenLink.concat(new HttpLink({ uri: url })),
    ),
    cache: new InMemoryCache({ possibleTypes: { Node: ['Assistant', 'Call', 'Campaign'] } }),
  });
}
