import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { rawValueLink } from './raw-values.ts';
import { resubscribeLink } from './resubscribe-link.ts';
import { staleStateLink } from './stale-state.ts';

/** A client of the gateway at the same origin. Subscriptions use Apollo's multipart protocol. */
export function createClient(): ApolloClient {
  const cache = new InMemoryCache({
    possibleTypes: {
      Node: ['Assistant', 'Call', 'Campaign'],
      LlmModel: ['DedicatedInstanceLlmModel', 'OpenrouterLlmModel', 'UnrecognizedLlmModel'],
    },
    typePolicies: {
      Query: {
        fields: {
          callAttempts: relayStylePagination(['statuses']),
          campaigns: relayStylePagination(),
        },
      },
      Campaign: { fields: { rows: relayStylePagination(['query', 'result', 'statuses']) } },
    },
  });
  return new ApolloClient({
    cache,
    link: ApolloLink.from([
      rawValueLink(cache),
      staleStateLink,
      resubscribeLink,
      new HttpLink({ uri: '/graphql' }),
    ]),
  });
}
