import { InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';

export function createCache() {
  return new InMemoryCache({
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
}
