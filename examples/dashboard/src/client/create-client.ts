import {
  ApolloClient,
  ApolloLink,
  type FieldMergeFunction,
  type FieldPolicy,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
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
          callAttempts: appendPages(['statuses']),
          campaigns: appendPages(),
        },
      },
      Campaign: { fields: { rows: appendPages(['query', 'result', 'statuses']) } },
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

/** A list that has failed is null. `relayStylePagination` alone makes an empty list of it. */
function appendPages(filters: string[] | false = false): FieldPolicy {
  const policy = relayStylePagination(filters);
  const merge = policy.merge as FieldMergeFunction;
  return {
    ...policy,
    merge: (list, page, options) => (list || page ? merge(list, page, options) : null),
  };
}
